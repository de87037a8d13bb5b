"""What the template's recorder left in a saved notebook, taken as plain data of a bounded size.

Only shape and size are looked at here. Whether the curves are plausible is for the checks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_TEXT = 4_000_000
"""Characters of text in one evidence object, keys and the digits of numbers included."""
MAX_NODES = 200_000
MAX_DEPTH = 16
MAX_DIGITS = 20


class BadRecording(ValueError):
    """The recording is not kept; the message says why in a few words."""


@dataclass(frozen=True, slots=True)
class RawRecording:
    """One evidence object as it was found, and the number of its cell. All of it is the student's."""

    cell: int
    content: Mapping[str, Any]


def read_evidence(value: object) -> dict[str, Any]:
    """The evidence object. Raises BadRecording when it is no object of plain data, or too large.

    nbformat keeps a JSON type as an object; older front ends keep its text, which is parsed.
    """
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, dict):
        raise BadRecording("it is no object")
    _assert_small(value)
    return value


def whole_number(digits: str) -> int | float:
    """JSON's integers; one that no counter reaches is read as a float, so its length costs nothing."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _parsed(text: str) -> object:
    if len(text) > MAX_TEXT:
        raise BadRecording(_too_large(len(text)))
    try:
        return json.loads(text, parse_int=whole_number)
    except RecursionError:
        raise BadRecording("it is nested too deeply") from None
    except ValueError:
        raise BadRecording("it is cut short or damaged: not JSON") from None


def _assert_small(value: object) -> None:
    """Everything inside is plain and within the limits; walks without recursion. Raises BadRecording."""
    nodes = text = 0
    open_values = [(value, 0)]
    while open_values:
        entry, depth = open_values.pop()
        nodes += 1
        if isinstance(entry, dict):
            text += sum(map(_length, entry))
            open_values.extend((child, depth + 1) for child in entry.values())
        elif isinstance(entry, list):
            open_values.extend((child, depth + 1) for child in entry[: MAX_NODES + 1])
        elif isinstance(entry, str):
            text += _length(entry)
        if depth > MAX_DEPTH:
            raise BadRecording("it is nested too deeply")
        if text > MAX_TEXT:
            raise BadRecording(_too_large(text))
        if nodes + len(open_values) > MAX_NODES:
            raise BadRecording(f"it holds more than {MAX_NODES:,} values")


def _too_large(characters: int) -> str:
    return f"it holds {characters:,} characters or more; at most {MAX_TEXT:,} are read"


def _length(text: str) -> int:
    """Its number of characters. Raises BadRecording for half ones (lone surrogates): no file takes them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRecording("it holds half characters") from None
    return len(text)
