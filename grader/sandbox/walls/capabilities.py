"""Giving up privileges for good: capabilities, setuid programs, outliving the parent.

Importable everywhere; the functions need Linux.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import struct
from collections.abc import Iterator

from grader.sandbox import syscalls

_VERSION_3 = 0x20080522
_MOST = 64


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends. Call it again after a change of user."""
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, int(signal.SIGKILL))


def adopt_orphans() -> None:
    """Let descendants whose parent ended become children of this process instead of the system's first."""
    syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)


def become(user: int) -> None:
    """Turn from root into ``user``, with the group of the same number and no other groups."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    # A change of user makes the process "not dumpable", and root the owner of its /proc/self, which numerical
    # libraries read.
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)


@contextlib.contextmanager
def acting_as(user: int) -> Iterator[None]:
    """Act with the rights of ``user``, who may see more of their own processes than a container's root."""
    os.setegid(user)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        die_with_parent()  # a change of user clears it


def forbid_new_privileges() -> None:
    """No program started from here on gains privileges by its file (setuid, file capabilities)."""
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)


def empty_bounding_set() -> None:
    """Put every capability out of reach. Needs CAP_SETPCAP, so it comes before a change of user."""
    for capability in range(_MOST):
        try:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:  # past the last one that this kernel has
                return
            raise


def drop_all() -> None:
    """Hold no capability, and keep none for programs or children."""
    syscalls.prctl(syscalls.PR_CAP_AMBIENT, syscalls.PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("Ii", _VERSION_3, 0)
    syscalls.call("capset", header, b"\0" * 24)
