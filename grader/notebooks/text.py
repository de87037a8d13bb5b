"""Text from a submission made fit to store, to run and to show in one line."""

from __future__ import annotations

from collections.abc import Sequence

MAX_CELL = 1_000_000
"""Characters of source in one cell."""


def clean(text: str) -> str:
    """The text with plain newlines and without half characters (lone surrogates), which no file can hold."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def shown(text: str, *, limit: int = 80) -> str:
    """Untrusted text for one line of a message: printable, cut to ``limit`` characters."""
    line = "".join(sign if sign.isprintable() else "?" for sign in text[: limit + 1])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def listing(numbers: Sequence[int], *, limit: int = 8) -> str:
    """A subject with its verb: "cell 3 was", "cells 3 and 7 were", "cells 1, 2 and 40 more were"."""
    if len(numbers) == 1:
        return f"cell {numbers[0]} was"
    head, rest = list(map(str, numbers[:limit])), len(numbers) - limit
    last = f"{rest} more" if rest > 0 else head.pop()
    return f"cells {', '.join(head)} and {last} were"
