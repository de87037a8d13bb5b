"""Untrusted text, made fit to store and to show: no control over the terminal or over the reading order.

``storable`` changes least, for what is kept or run. ``printable`` is for names, ``snippet`` for messages;
``one_line``, ``clean`` and ``excerpt`` are for reports. Escaping for HTML is the page template's work.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

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
_HEAD = 4  # a snippet looks at this many times its limit: enough to fill it, however long the text


def storable(text: str) -> str:
    """The text with plain newlines and without lone surrogates, which no UTF-8 file can hold."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def printable(text: str, *, limit: int = 80) -> str:
    """A name on one line of at most ``limit`` characters; each unprintable one becomes ``?``, none goes."""
    line = "".join(character if character.isprintable() else "?" for character in text[: limit + 1])
    return _cut(line, limit)


def snippet(text: str, *, limit: int = 80) -> str:
    """The beginning of a text of any length, on one line of at most ``limit`` printable characters."""
    line = printable(" ".join(_visible(text[: _HEAD * limit]).split()), limit=limit)
    if len(text) <= _HEAD * limit or line.endswith(_ELLIPSIS):
        return line
    return line[: limit - 1].rstrip() + _ELLIPSIS


def clean(text: str, limit: int) -> str:
    """The text without terminal sequences and without control, bidirectional or invisible characters.

    Newlines and tabs stay. Of a line that carriage returns overwrite, the last state stays. Lone surrogates
    become U+FFFD. At most ``limit`` characters (at least 1) come back, the last an ellipsis if any were cut.
    (Joiners go too, so emoji families fall apart into their members.)
    """
    return _cut(_visible(text), limit)


def one_line(text: str, limit: int) -> str:
    """The cleaned text on one line of at most ``limit`` characters; each run of white space is one blank."""
    return _cut(" ".join(_visible(text).split()), limit)


def excerpt(text: str, *, limit: int, lines: int) -> str:
    """The cleaned text; of a long one the beginning and the end, with a note of how much is missing between.

    A traceback says where in its first lines and what in its last, so neither may go. The beginning gets two
    thirds of the ``limit`` characters and of the ``lines`` lines.
    """
    seen = _visible(text).strip("\n")
    rows = seen.split("\n")
    if len(rows) > lines:
        head = lines * 2 // 3
        tail = rows[len(rows) - (lines - head) :]
        gap = f"{_ELLIPSIS} {counted(len(rows) - lines, 'line', 'lines')} left out {_ELLIPSIS}"
        seen = "\n".join([*rows[:head], gap, *tail])
    if len(seen) > limit:
        start = limit * 2 // 3
        end = len(seen) - (limit - start)
        gap = f"\n{_ELLIPSIS} {counted(end - start, 'character', 'characters')} left out {_ELLIPSIS}\n"
        seen = seen[:start] + gap + seen[end:]
    return seen


def plural(count: int | Decimal, one: str, many: str) -> str:
    """The word in the form that fits the count."""
    return one if count == 1 else many


def counted(count: int, one: str, many: str) -> str:
    """The count with its word: "1 value", "2,000 values"."""
    return f"{count:,} {plural(count, one, many)}"


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():  # most of what a page shows
        return text
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
