"""What the template's recorder left in a saved notebook, taken as plain data of a bounded size.

Only shape and size are looked at here. Whether the curves are plausible is for the checks.
"""

from __future__ import annotations

import json
from typing import Any

EVIDENCE_TYPE = "application/vnd.chainrule.evidence+json"

MAX_TEXT = 4_000_000
"""Characters of text in one evidence object, keys and the digits of numbers included."""
MAX_NODES = 200_000
MAX_DEPTH = 16
MAX_DIGITS = 20


def read_evidence(value: object) -> dict[str, Any] | None:
    """The evidence object, or None when it is no object of plain data or too large.

    nbformat keeps a JSON type as an object; older front ends keep its text, which is parsed.
    """
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            return None
        try:
            value = json.loads(value, parse_int=whole_number)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, dict) or not _is_small(value):
        return None
    return value


def whole_number(digits: str) -> int | float:
    """JSON's integers; one that no counter reaches is read as a float, so its length costs nothing."""
    return int(digits) if len(digits) <= MAX_DIGITS else float(digits)


def _is_small(value: object) -> bool:
    """Whether everything inside is plain and within the limits; walks without recursion."""
    nodes = text = 0
    open_values = [(value, 0)]
    while open_values:
        entry, depth = open_values.pop()
        nodes += 1
        if isinstance(entry, dict):
            text += sum(len(key) for key in entry)
            if any(not _storable(key) for key in entry):
                return False
            open_values.extend((child, depth + 1) for child in entry.values())
        elif isinstance(entry, list):
            if len(entry) > MAX_NODES:
                return False
            open_values.extend((child, depth + 1) for child in entry)
        elif isinstance(entry, str):
            text += len(entry) if _storable(entry) else MAX_TEXT + 1
        if depth > MAX_DEPTH or text > MAX_TEXT or nodes + len(open_values) > MAX_NODES:
            return False
    return True


def _storable(text: str) -> bool:
    """Whether the text holds no half characters (lone surrogates), which no file can take."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
