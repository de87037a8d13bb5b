"""Words for messages: numbers, shapes and the little text of a student's that a message may carry.

Everything here is bounded in length and free of control characters, whatever a submission returns.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np

_DIGITS = (6, 9, 12, 17)


def clean(text: str, *, limit: int = 80) -> str:
    """``text`` on one line of at most ``limit`` characters, without control or formatting characters."""
    head = text[: 4 * limit]
    kept = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in head)
    line = " ".join(kept.split())
    return line if len(line) <= limit and len(text) <= 4 * limit else line[: limit - 1].rstrip() + "…"


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as a person writes it; a single number has none."""
    return clean(f"shape {shape}", limit=60) if shape else "a single number"


def numbers(*values: Any) -> tuple[str, ...]:
    """The values with just enough digits, at least six, that unequal ones look unequal."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    for digits in _DIGITS:
        texts = tuple(_number(value, digits) for value in plain)
        if len(set(texts)) == len({repr(value) for value in plain}):
            break
    return texts


def index_text(index: tuple[int, ...]) -> str:
    """``[3, 1]`` for an array's entry; empty for a single number."""
    return clean(f"[{', '.join(str(int(i)) for i in index)}]", limit=60) if index else ""


def _number(value: Any, digits: int) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**17 else f"{float(value):.17g}"
    return f"{value:.{digits}g}"
