"""The kernel's calls that Python does not offer, by ctypes; each acts on the calling process.

Importable everywhere: the C library is opened on the first call, which needs Linux on x86-64 or aarch64.
"""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache
from typing import Any

ARCHITECTURES = ("x86_64", "aarch64")

# name -> number on x86-64, on aarch64 (calls the C library has no wrapper for, or only newer ones have)
_NUMBERS = {
    "capset": (126, 91),
    "pivot_root": (155, 41),
    "seccomp": (317, 277),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MADV_COLLAPSE = 25
MNT_DETACH = 2


def architecture() -> int:
    """0 on x86-64, 1 on aarch64: the column of every table of numbers. Raises OSError on other machines."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(f"no system call numbers for {machine}; known are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES.index(machine)


def call(name: str, *arguments: Any) -> int:
    """One system call by name; returns what the kernel returns, raises OSError naming the call."""
    number = _NUMBERS[name][architecture()]
    return _checked(name, _libc().syscall(ctypes.c_long(number), *map(_word, arguments)))


def prctl(option: int, argument: int = 0) -> None:
    """Set one property of the calling process."""
    _checked(f"prctl({option}, {argument})", _libc().prctl(option, argument, 0, 0, 0))


def unshare(flags: int) -> None:
    """Leave the namespaces named by ``flags`` for new ones."""
    _checked(f"unshare({flags:#x})", _libc().unshare(flags))


def mount(
    source: str | None, target: str, *, kind: str | None = None, flags: int = 0, options: str | None = None
) -> None:
    """Mount, or change the flags of a mount, as ``flags`` say."""
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    origin, goal, file_system, data = encoded
    _checked(
        f"mount {kind or 'bind'} at {target}", _libc().mount(origin, goal, file_system, flags, data), target
    )


def unmount(target: str) -> None:
    """Take a mount out of sight at once; it ends when nothing uses it."""
    _checked(f"umount {target}", _libc().umount2(os.fsencode(target), MNT_DETACH))


def pivot_root(new: str, old: str) -> None:
    """Make ``new`` the root and show the former root at ``old``."""
    call("pivot_root", os.fsencode(new), os.fsencode(old))


def collapse(start: int, length: int) -> None:
    """Gather a region's pages into huge ones. Raises OSError where the kernel cannot."""
    _checked("madvise(MADV_COLLAPSE)", _libc().madvise(start, length, MADV_COLLAPSE))


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    text, word = ctypes.c_char_p, ctypes.c_ulong
    libc.mount.argtypes = [text, text, text, word, text]
    libc.umount2.argtypes = [text, ctypes.c_int]
    libc.madvise.argtypes = [word, word, ctypes.c_int]
    libc.prctl.argtypes = [ctypes.c_int, word, word, word, word]
    return libc


def _word(argument: Any) -> Any:
    """A machine word for an integer: ctypes would pass 32 bits, with the rest of the register undefined."""
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def _checked(what: str, result: int, path: str | None = None) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}", path)
    return result
