"""The media that a notebook hands to the grader: their types, how many of them, how large.

Constants only: what reads files may use them without knowing the sandbox.
"""

from __future__ import annotations

PNG = "image/png"
EVIDENCE = "application/vnd.chainrule.evidence+json"
"""As ``EVIDENCE_TYPE`` in reference/utils.py, which students get and which imports nothing of ours."""

MAX_PICTURE = 4 << 20
"""Characters of one picture's base64."""
MAX_PICTURES = 50
"""Pictures of one cell."""
MAX_RECORDING = 4 << 20
"""Bytes of one recording."""
MAX_RECORDINGS = 60
"""Recordings of one cell."""
