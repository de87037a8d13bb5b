"""How recorded evidence leaves the sandbox: as bytes of JSON, a bounded number of a bounded size."""

from __future__ import annotations

import json

EVIDENCE = "application/vnd.chainrule.evidence+json"
MAX_RECORDING = 4 << 20
"""Bytes of one recording."""
MAX_RECORDINGS = 60
"""Recordings of one cell."""


def json_of(value: object) -> bytes:
    """The JSON text of a recording, which may be text already; nothing for what is no JSON or too large."""
    if isinstance(value, str):
        data = value.encode("utf-8", "replace") if len(value) <= MAX_RECORDING else b""
    else:
        try:
            data = json.dumps(value).encode() if isinstance(value, dict) else b""
        except (TypeError, ValueError, RecursionError):
            return b""
    return data if len(data) <= MAX_RECORDING else b""
