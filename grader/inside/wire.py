"""What both ends of the wire agree on: its limits, and its two errors."""

from __future__ import annotations

Buffer = bytes | bytearray | memoryview

MAX_TREE = 1 << 20
MAX_BUFFER = 256 << 20
MAX_DEPTH = 32
MAX_NODES = 100_000
# Keys and members of one frame: a hostile sender can make them all collide, and building a dict or a set is
# then quadratic.
MAX_KEYS = 10_000
# Numbers of all ranges of one frame together: a few bytes could otherwise become a list of any length.
MAX_STEPS = 1 << 20
MAX_INT_BITS = 4096
MAX_FLOAT_TEXT = 40
MAX_DIMENSIONS = 16
# What an empty array's other axes multiply to: no bytes are sent, and a sum over it takes memory for each.
MAX_BESIDE_NOTHING = 1 << 22
MAX_TEXT_LENGTH = 4096  # characters of one text in an array of them


class WireError(Exception):
    """The other side sent bytes that are not a frame."""


class NotPlainDataError(Exception):
    """A value cannot cross; the message names what it is."""


def length_of(numbers: range) -> int:
    """How many numbers a range has, as far as that matters: ``len`` has no answer beyond 64 bits."""
    try:
        return len(numbers)
    except OverflowError:
        return MAX_STEPS + 1


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each half of a pair that stands alone, which no file or page could hold."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
