"""The kernel's machine for seccomp filters, in Python: what an assembled filter decides about a call."""

from __future__ import annotations

import functools
import struct

from grader.sandbox.walls.seccomp import allow_list, assemble

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
AUDIT = (0xC000003E, 0xC00000B7)


def decide(
    column: int, number: int, *arguments: int, audit: int | None = None, program: bytes | None = None
) -> int:
    """Run the assembled filter as the kernel's machine does."""
    words = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, AUDIT[column] if audit is None else audit, 0, *words)
    operations = list(struct.iter_unpack("HBBI", program or _usual(column)))
    loaded, place = 0, 0
    while True:
        code, yes, no, value = operations[place]
        place += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("<I", data, value)
            case 0x15:
                place += yes if loaded == value else no
            case 0x35:
                place += yes if loaded >= value else no
            case 0x45:
                place += yes if loaded & value else no
            case 0x06:
                return value
            case _:
                raise AssertionError(code)


@functools.cache
def _usual(column: int) -> bytes:
    """The filter of every box, for a kind of processor."""
    return assemble(allow_list(column))
