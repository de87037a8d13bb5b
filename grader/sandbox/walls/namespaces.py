"""Namespaces: processes, files, network, users and host name of a sandbox's own.

Importable everywhere; the functions need Linux and act on the calling process, which must have one thread.
"""

from __future__ import annotations

import os

from grader.sandbox import syscalls

_MOUNT = 0x00020000
_CGROUP = 0x02000000
_NAMES = 0x04000000
_IPC = 0x08000000
_USER = 0x10000000
_PROCESS = 0x20000000
_NETWORK = 0x40000000
_ALL_BUT_USER = _MOUNT | _CGROUP | _NAMES | _IPC | _PROCESS | _NETWORK

INSIDE_USER = 1000
"""The user that student code runs as, as seen in a user namespace."""


def enter_as_root() -> None:
    """Leave the machine's namespaces for new ones. The next fork is the first process of the new one."""
    syscalls.unshare(_ALL_BUT_USER)


def enter_as_user() -> None:
    """The same for an ordinary user, who gains privileges inside a new user namespace and none outside it."""
    user, group = os.getuid(), os.getgid()
    syscalls.unshare(_ALL_BUT_USER | _USER)
    _write("/proc/self/setgroups", "deny")  # else an ordinary user may not write gid_map
    _write("/proc/self/uid_map", f"{INSIDE_USER} {user} 1")
    _write("/proc/self/gid_map", f"{INSIDE_USER} {group} 1")


def _write(path: str, text: str) -> None:
    with open(path, "wb", buffering=0) as file:
        file.write(text.encode())
