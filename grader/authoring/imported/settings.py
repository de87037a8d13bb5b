"""The settings in otter's raw cells: the part of YAML that they are written in, read without a library."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

_WORDS = {"true": True, "false": False, "yes": True, "no": False, "null": None, "~": None, "": None}


def read(text: str) -> dict[str, Any]:
    """Keys with their values: texts, numbers, truth values, lists and tables. What is neither is left out."""
    lines = [line.rstrip() for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    value = _block(lines)
    return value if isinstance(value, dict) else {}


def _block(lines: Sequence[str]) -> Any:
    if not lines:
        return None
    if lines[0].lstrip().startswith("- "):
        return [_scalar(line.lstrip()[2:]) for line in lines if line.lstrip().startswith("- ")]
    depth = _depth(lines[0])
    starts = [place for place, line in enumerate(lines) if _depth(line) <= depth and not _is_entry(line)]
    found = {}
    for place, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        key, colon, rest = lines[place].strip().partition(":")
        if colon:
            inner = lines[place + 1 : end]
            found[key.strip("'\" ")] = _scalar(rest) if rest.strip() else _block(inner)
    return found


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_entry(line: str) -> bool:
    return line.lstrip().startswith("- ")


def _scalar(text: str) -> Any:
    plain = text.partition(" #")[0].strip()
    if plain.lower() in _WORDS:
        return _WORDS[plain.lower()]
    if plain.startswith("{") and plain.endswith("}"):
        return _block(plain[1:-1].split(","))
    if plain.startswith("[") and plain.endswith("]"):
        return [_scalar(part) for part in plain[1:-1].split(",") if part.strip()]
    try:
        value = ast.literal_eval(plain)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return plain
    return value if isinstance(value, int | float | str) else plain
