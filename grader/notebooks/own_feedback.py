"""Feedback that this program wrote into a notebook is nobody's work, however it comes back.

What was written is sealed with a digest in the metadata. A student who works on in the notebook breaks its
seal, and it is a hand-in like any other; a cell of ours in it is left out as long as nobody wrote in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grader.digests import digest_of_texts
from grader.model.text import storable

KEY, SEAL = "chainrule", "seal"
"""Where metadata say what a cell or a notebook is, and the digest of what we wrote."""


def seal_of(sources: Iterable[str]) -> str:
    """The digest of what was written into one cell, or into the cells of a notebook."""
    return digest_of_texts(map(storable, sources))


def is_sealed(metadata: object, sources: Iterable[str]) -> bool:
    """Whether metadata hold the seal of just these sources."""
    facts = metadata.get(KEY) if isinstance(metadata, Mapping) else None
    return isinstance(facts, Mapping) and SEAL in facts and facts[SEAL] == seal_of(sources)
