"""The system call filter: a list of what is allowed; everything else fails with an error.

A filter is a small program for the kernel's packet filter machine (BPF), run at each call. It looks at, in
order: the architecture; ``clone``, whose flags decide; the calls that depend on one argument; the list of
numbers. Instructions that jump name labels; ``assemble`` turns labels into distances. Importable everywhere;
``install`` needs Linux.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from grader.sandbox import syscalls
from grader.sandbox.walls.seccomp_table import (
    ALLOWED,
    BY_ARGUMENT,
    NEWER_THAN_TABLE,
    PROGRAMS,
    RIGHTS,
    SOCKETS,
    TIMES,
)

_AUDIT = (0xC000003E, 0xC00000B7)  # x86-64, aarch64
_X32 = 0x40000000  # set in the numbers of x86-64's second set of calls, which the table does not list

_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_CALL, _ARCHITECTURE = 0, 4  # offsets in the kernel's struct seccomp_data
_FARTHEST_JUMP = 255  # a distance is one unsigned byte; there is no jump backwards

# Flags of clone. A fork is how a check gets its own copy of the notebook's state; a new namespace is none.
_NEW_NAMESPACES = 0x7E020000
# Names of threads and memory areas, as the C library and the interpreter set them.
_PRCTL_ALLOWED = (3, 15, 16, 39, 41, 42, 0x53564D41)
# TCGETS (isatty), TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX. A terminal's others could type into it.
_IOCTL_ALLOWED = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# Among the machine's sockets only pairs of streams, blocking or not, closed on exec or not: one of a pair of
# datagram sockets could send to a service.
_PAIRS_ALLOWED = (0x1, 0x801, 0x80001, 0x80801)
# AF_UNIX: multiprocessing's managers and torch's workers give sockets a name in the file system. In a network
# and a file system of its own, a process finds its own sockets alone; no other family is needed.
_LOCAL = 1
_NEW_THREAD = 0x00010000
# F_SETOWN, F_SETSIG, F_SETOWN_EX (whom a file sends signals, and which) and F_SETLEASE: each could disturb
# the same user's other processes.
_FCNTL_REFUSED = (8, 10, 15, 1024)
# Calls that name a process, allowed only for one's own; those of the second group take 0 for it too.
_NAMES_PROCESS = ("kill", "tgkill")
_NAMES_PROCESS_OR_SELF = ("prlimit64", "sched_setaffinity", "get_robust_list")

_FILTER_MODE = 1


@dataclass(frozen=True)
class Op:
    """One instruction. ``yes``/``no`` are labels to go to, empty for the next instruction."""

    code: int
    value: int
    yes: str = ""
    no: str = ""
    label: str = ""


def allow_list(column: int, *, among_others: bool = False, alone: int | None = None) -> list[Op]:
    """The filter for one architecture (the column of the tables: 0 x86-64, 1 aarch64).

    ``among_others`` is for a process that has the machine's files in sight: it may not change their times,
    and makes no sockets but pairs, because Landlock does not keep it from connecting to a service's.
    ``alone`` is for one whose user has other processes and files: its own number, the only one that it may
    name. It may start threads but no processes and no programs, and may not change permissions either.
    """
    program = [
        Op(_LOAD, _ARCHITECTURE),
        # A number means another call on another architecture (32-bit calls on x86-64), so this comes first.
        Op(_EQUAL, _AUDIT[column], no="kill"),
        Op(_LOAD, _CALL),
    ]
    if column == 0:
        program.append(Op(_AT_LEAST, _X32, yes="kill"))
    program += _clone(column, alone=alone is not None)
    rules = _by_argument(column, among_others=among_others, alone=alone)
    for place, rule in enumerate(rules):
        program += _decided(f"rule {place}", rule, after=f"rule {place + 1}")
    # A jump reaches 255 instructions forward, so the exits and the short list stand before the long one.
    last = f"rule {len(rules)}"
    program += [Op(_AT_LEAST, NEWER_THAN_TABLE, yes="newer 0", no="older 0", label=last), *_exits()]
    refused = TIMES | SOCKETS if among_others else frozenset[str]()
    if alone is not None:
        refused |= RIGHTS | PROGRAMS
    pairs = [pair for name, pair in ALLOWED.items() if name not in refused]
    numbers = sorted(pair[column] or 0 for pair in pairs if pair[column] is not None)
    program += _listed("newer", [n for n in numbers if n >= NEWER_THAN_TABLE], errno.ENOSYS)
    program += _listed("older", [n for n in numbers if n < NEWER_THAN_TABLE], errno.EPERM)
    return program


def assemble(program: Sequence[Op]) -> bytes:
    """The kernel's form of a program, 8 bytes per instruction. Raises ValueError if a jump is too far."""
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


def install(*, among_others: bool = False, alone: bool = False) -> None:
    """Put the calling process under the filter, for good. It must have no_new_privs.

    See ``allow_list``; ``alone`` is for a user who has other processes.
    """
    own = os.getpid() if alone else None
    code = _filter(among_others=among_others, alone=own)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    syscalls.call("seccomp", _FILTER_MODE, 0, header)


def prepare() -> None:
    """Assemble in the zygote what is the same in each of its forks. Raises OSError on other machines."""
    for among_others in (False, True):
        _filter(among_others=among_others, alone=None)


@cache
def _filter(*, among_others: bool, alone: int | None) -> bytes:
    return assemble(allow_list(syscalls.architecture(), among_others=among_others, alone=alone))


@dataclass(frozen=True)
class _Rule:
    """A call that is allowed only with these values of one argument, or (not ``allowed``) with all others."""

    number: int
    argument: int
    values: tuple[int, ...]
    allowed: bool = True


def _clone(column: int, *, alone: bool) -> list[Op]:
    """Threads and, unless ``alone``, forks; never a new namespace."""
    forks = [Op(_RETURN, _ALLOW)] if not alone else [Op(_ANY_BIT, _NEW_THREAD, yes="allow", no="refuse")]
    return [
        # clone3, which hides its flags in memory that a filter cannot read, is not on the list (ENOSYS).
        Op(_EQUAL, BY_ARGUMENT["clone"][column], no="rule 0"),
        Op(_LOAD, _argument(0)),
        Op(_ANY_BIT, _NEW_NAMESPACES, yes="refuse"),
        *forks,
    ]


def _by_argument(column: int, *, among_others: bool, alone: int | None) -> list[_Rule]:
    rules = [
        _Rule(BY_ARGUMENT["prctl"][column], 0, _PRCTL_ALLOWED),
        _Rule(BY_ARGUMENT["ioctl"][column], 1, _IOCTL_ALLOWED),
    ]
    if among_others:
        rules += [_Rule(BY_ARGUMENT["socketpair"][column], 1, _PAIRS_ALLOWED)]
        rules += [_Rule(BY_ARGUMENT["socket"][column], 0, ())]
    else:
        rules += [_Rule(BY_ARGUMENT[name][column], 0, (_LOCAL,)) for name in ("socket", "socketpair")]
    if alone is None:
        return rules
    return [
        *rules,
        *(_Rule(ALLOWED[name][column] or 0, 0, (alone,)) for name in _NAMES_PROCESS),
        *(_Rule(ALLOWED[name][column] or 0, 0, (0, alone)) for name in _NAMES_PROCESS_OR_SELF),
        _Rule(ALLOWED["fcntl"][column] or 0, 1, _FCNTL_REFUSED, allowed=False),
    ]


def _decided(label: str, rule: _Rule, *, after: str) -> list[Op]:
    listed, otherwise = ("allow", "refuse") if rule.allowed else ("refuse", "allow")
    first = [Op(_EQUAL, rule.number, no=after, label=label), Op(_LOAD, _argument(rule.argument))]
    if not rule.values:
        return [first[0], Op(_RETURN, _ERRNO | errno.EPERM)]
    *early, last = rule.values
    return [
        *first,
        *(Op(_EQUAL, value, yes=listed) for value in early),
        Op(_EQUAL, last, yes=listed, no=otherwise),
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
    """Offset of an argument's low half (little-endian): the kernel reads only that of those decided here."""
    return 16 + 8 * index
