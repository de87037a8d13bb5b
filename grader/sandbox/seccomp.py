"""The system call filter: a list of what is allowed, everything else refused with an error.

A filter is a small program for the kernel's packet filter machine. Instructions that jump name labels;
``assemble`` turns the labels into distances. Importable everywhere; ``install`` needs Linux.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.sandbox import syscalls
from grader.sandbox.seccomp_table import ALLOWED, BY_ARGUMENT, NEWER_THAN_TABLE

_AUDIT = (0xC000003E, 0xC00000B7)  # x86-64, aarch64
_X32 = 0x40000000

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CALL, _ARCHITECTURE = 0, 4  # offsets in the kernel's struct seccomp_data
_FARTHEST_JUMP = 255

# A fork is how a check gets its own copy of the notebook's state; a new namespace never.
_NEW_NAMESPACES = 0x7E020000
# Names of threads and memory areas, as the C library and the interpreter set them.
_PRCTL_ALLOWED = (3, 15, 16, 39, 41, 42, 0x53564D41)
# What isatty, FIONREAD and setblocking ask; a terminal's other requests have no business here.
_IOCTL_ALLOWED = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)

_FILTER_MODE = 1


@dataclass(frozen=True)
class Op:
    """One instruction. ``yes``/``no`` are labels to go to, empty for the next instruction."""

    code: int
    value: int
    yes: str = ""
    no: str = ""
    label: str = ""


def allow_list(column: int) -> list[Op]:
    """The filter for one architecture (the column of the tables: 0 x86-64, 1 aarch64)."""
    program = [
        Op(_LOAD, _ARCHITECTURE),
        Op(_EQUAL, _AUDIT[column], no="kill"),
        Op(_LOAD, _CALL),
    ]
    if column == 0:
        program.append(Op(_AT_LEAST, _X32, yes="kill"))
    program += _by_argument(column)
    # The exits and the short list stand before the long one, within reach of every jump to them.
    program += [Op(_AT_LEAST, NEWER_THAN_TABLE, yes="newer 0", no="older 0", label="not ioctl"), *_exits()]
    numbers = sorted(pair[column] or 0 for pair in ALLOWED.values() if pair[column] is not None)
    program += _listed("newer", [n for n in numbers if n >= NEWER_THAN_TABLE], errno.ENOSYS)
    program += _listed("older", [n for n in numbers if n < NEWER_THAN_TABLE], errno.EPERM)
    return program


def assemble(program: Sequence[Op]) -> bytes:
    """The kernel's form of a program: 8 bytes an instruction. Raises ValueError for too far a jump."""
    places = {op.label: place for place, op in enumerate(program) if op.label}

    def distance(place: int, label: str) -> int:
        jump = places[label] - place - 1 if label else 0
        if not 0 <= jump <= _FARTHEST_JUMP:
            raise ValueError(f"jump to {label!r} of {jump} instructions")
        return jump

    return b"".join(
        struct.pack("HBBI", op.code, distance(place, op.yes), distance(place, op.no), op.value)
        for place, op in enumerate(program)
    )


def install() -> None:
    """Put the calling process, which must have no_new_privs, under the filter, for good."""
    code = assemble(allow_list(syscalls.architecture()))
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    syscalls.call("seccomp", _FILTER_MODE, 0, header)


def _by_argument(column: int) -> list[Op]:
    clone, prctl, ioctl = (BY_ARGUMENT[name][column] for name in ("clone", "prctl", "ioctl"))
    program = [
        Op(_EQUAL, clone, no="not clone"),
        Op(_LOAD, _argument(0)),
        Op(_ANY_BIT, _NEW_NAMESPACES, yes="refuse", no="allow"),
    ]
    program += _one_of("not clone", prctl, argument=0, values=_PRCTL_ALLOWED, after="not prctl")
    program += _one_of("not prctl", ioctl, argument=1, values=_IOCTL_ALLOWED, after="not ioctl")
    return program


def _one_of(label: str, number: int, *, argument: int, values: Iterable[int], after: str) -> list[Op]:
    return [
        Op(_EQUAL, number, no=after, label=label),
        Op(_LOAD, _argument(argument)),
        *(Op(_EQUAL, value, yes="allow") for value in values),
        Op(_RETURN, _ERRNO | errno.EPERM),
    ]


def _exits() -> list[Op]:
    return [
        Op(_RETURN, _KILL, label="kill"),
        Op(_RETURN, _ERRNO | errno.EPERM, label="refuse"),
        Op(_RETURN, _ALLOW, label="allow"),
    ]


def _listed(label: str, numbers: Sequence[int], otherwise: int) -> list[Op]:
    """Allow exactly these. The kernel caches the answer for a bare number, so their order costs nothing."""
    program: list[Op] = []
    for place, number in enumerate(numbers):
        program.append(Op(_EQUAL, number, no=f"{label} {place + 1}", label=f"{label} {place}"))
        program.append(Op(_RETURN, _ALLOW))
    return [*program, Op(_RETURN, _ERRNO | otherwise, label=f"{label} {len(numbers)}")]


def _argument(index: int) -> int:
    """Offset of an argument's low half (little-endian)."""
    return 16 + 8 * index
