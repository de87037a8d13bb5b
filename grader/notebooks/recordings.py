"""What the template's recorder left in a saved notebook, read as plain data of a bounded size.

Only shape and size are checked here. Whether the curves are plausible is for the checks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_TEXT = 4_000_000
"""Characters of text in one recording: strings, keys, and the digits of numbers."""
MAX_NODES = 200_000
MAX_DEPTH = 16
MAX_DIGITS = 20


class BadRecording(ValueError):
    """A recording that is not kept; the message says why in a few words."""


@dataclass(frozen=True, slots=True)
class RawRecording:
    """One recording as it was found, and the number of its cell. All of it is the student's."""

    cell: int
    content: Mapping[str, Any]


def read_recording(value: object) -> dict[str, Any]:
    """A recording as plain data. Raises BadRecording if it is no object, or too large.

    A front end saves an output of a JSON type as an object or, if it is old, as text, which is parsed here.
    """
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, dict):
        raise BadRecording("it is no object")
    _assert_small(value)
    return value


def whole_number(digits: str) -> int | float:
    """An integer of JSON. A longer one than any counter reaches becomes a float: int() is quadratic."""
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
    """Raises BadRecording for a value beyond the limits. Walks without recursion, since it may be nested."""
    nodes = text = 0
    open_values = [(value, 0)]
    while open_values:
        entry, depth = open_values.pop()
        nodes += 1
        if isinstance(entry, dict):
            text += sum(map(_length, entry))
            open_values.extend((child, depth + 1) for child in entry.values())
        elif isinstance(entry, list):
            # One more than allowed is enough to refuse it.
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
    """The text's number of characters. Raises BadRecording for lone surrogates, which no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadRecording("it holds half characters") from None
    return len(text)
