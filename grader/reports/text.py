"""Text that a student wrote, made fit to be shown: no control over the terminal, none over the reading order.

Escaping for HTML is the template's work; here goes only what no reader should ever receive.
"""

from __future__ import annotations

import re
import unicodedata

# Escape sequences of terminals, 7-bit and 8-bit: strings up to their end (titles, links), then CSI (colours,
# cursor), then the short ones. Each alternative stops at the next escape, so the whole pass is linear.
_ANSI = re.compile(
    r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*+(?:\x07|\x1b\\|\x9c|(?=\x1b)|\Z)"
    r"|(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?"
    r"|\x1b[ -/]*+[0-~]?"
)

# Invisible although Unicode calls them letters or marks: joiners, fillers and variation selectors.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)

_ELLIPSIS = "…"


def clean(text: str, limit: int) -> str:
    """The text without terminal sequences, control, bidirectional or invisible characters.

    Newlines and tabs stay; of a line overwritten with carriage returns the last state stays; lone surrogates
    become U+FFFD. At most ``limit`` characters (at least 1) come back, the last one an ellipsis if any were
    cut. (Joiners go too, so emoji families fall apart into their members.)
    """
    return _cut(_visible(text), limit)


def one_line(text: str, limit: int) -> str:
    """The cleaned text on one line, every run of white space one blank, at most ``limit`` characters."""
    return _cut(" ".join(_visible(text).split()), limit)


def excerpt(text: str, *, limit: int, lines: int) -> str:
    """The cleaned text; of a long one the beginning and the end, and between them how much is missing.

    Tracebacks say what happened in their last lines and where in their first, so neither may go. Two thirds
    of ``limit`` characters and of ``lines`` lines are the beginning.
    """
    seen = _visible(text).strip("\n")
    rows = seen.split("\n")
    if len(rows) > lines:
        head = lines * 2 // 3
        tail = rows[len(rows) - (lines - head) :]
        gap = f"{_ELLIPSIS} {len(rows) - lines:,} lines left out {_ELLIPSIS}"
        seen = "\n".join([*rows[:head], gap, *tail])
    if len(seen) > limit:
        start = limit * 2 // 3
        end = len(seen) - (limit - start)
        gap = f"\n{_ELLIPSIS} {end - start:,} characters left out {_ELLIPSIS}\n"
        seen = seen[:start] + gap + seen[end:]
    return seen


def _visible(text: str) -> str:
    plain = _ANSI.sub("", text).replace("\u2028", "\n").replace("\u2029", "\n")
    plain = "\n".join(map(_last_state, plain.split("\n")))
    if plain.isascii() and plain.replace("\n", "").replace("\t", "").isprintable():
        return plain
    return _INVISIBLE.sub("", "".join(map(_seen, plain)))


def _last_state(line: str) -> str:
    """What a terminal still shows of a line: a carriage return starts it anew (progress bars)."""
    return line.rstrip("\r").rpartition("\r")[2]


def _seen(character: str) -> str:
    if character in "\n\t":
        return character
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    return "" if category in {"Cc", "Cf"} else character


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + _ELLIPSIS
