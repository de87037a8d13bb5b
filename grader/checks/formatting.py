"""Numbers, shapes and indices as a message writes them: bounded in length, whatever a submission returns."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.model.text import snippet

_DIGITS = (6, 9, 12, 17)


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as a person writes it; a single number has none."""
    return snippet(f"shape {shape}", limit=60) if shape else "a single number"


def numbers(*values: Any) -> tuple[str, ...]:
    """The values with just enough digits, at least six, to make unequal ones look unequal."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    for digits in _DIGITS:
        texts = tuple(_number(value, digits) for value in plain)
        if len(set(texts)) == len({repr(value) for value in plain}):
            break
    return texts


def index_text(index: tuple[int, ...]) -> str:
    """``[3, 1]`` for an array's entry; empty for a single number."""
    return snippet(f"[{', '.join(str(int(i)) for i in index)}]", limit=60) if index else ""


def _number(value: Any, digits: int) -> str:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**17 else f"{float(value):.17g}"
    return f"{value:.{digits}g}"
