"""When two answers are the same words: what differs only in blanks, capitals, emphasis or a full stop is one.

Whatever may change the meaning stays: digits, signs, comparisons, letters of every script.
"""

from __future__ import annotations

import re
import unicodedata

# Runs are taken whole or not at all, from their first sign: text of nothing but signs must not take long.
_EMPHASIS = re.compile(r"(?<!\S)[*_`~]++(?=\w)|(?<=[^\W_]|[.,;:!?])[*_`~]++(?=[\s.,;:!?]|\Z)")
_POINT = re.compile(r"(?<![.,;:!?…])[.,;:!?…]++(?!\S)|['\"’‘“”]++")
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")


def plain(text: str) -> str:
    """The words of an answer, for comparing."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = _EMPHASIS.sub("", folded)
    folded = _HYPHEN.sub(" ", folded)
    return " ".join(_POINT.sub(" ", folded).split())
