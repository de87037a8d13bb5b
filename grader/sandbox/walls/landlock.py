"""Landlock: the kernel's own file access rules for an unprivileged process and its children.

A second wall behind the mount namespace: what was mounted by mistake could at most be read and started,
never written. Where there is no mount namespace it is the first wall. Importable everywhere; the functions
need Linux 5.13 or newer.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable

from grader.sandbox import syscalls

_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_SOCK, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_READ = _READ_FILE | _READ_DIR
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_NEVER = _EXECUTE | _MAKE_CHAR | _MAKE_SOCK | _MAKE_BLOCK

# How many access rights for files each version of the interface knows; a kernel refuses bits that it does not
# know. Network rules came with version 4, scopes with 6.
_RIGHTS_BITS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_BITS = 16
_NETWORK_SINCE, _SCOPE_SINCE = 4, 6
_TCP = 0b11
_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


def version() -> int:
    """The version of Landlock's interface here; 0 if the kernel has none."""
    try:
        return syscalls.call("landlock_create_ruleset", None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def restrict(
    *,
    read: Iterable[str],
    write: Iterable[str],
    execute: bool = False,
    make_sockets: bool = False,
    at_least: int = 1,
) -> None:
    """Allow reading below ``read``, reading and writing below ``write``, for good.

    With ``execute`` all of it can also be started, with ``make_sockets`` sockets can be made below
    ``write``. To link a file into another folder takes a right in both (LANDLOCK_ACCESS_FS_REFER), which only
    ``write`` gives: no file from elsewhere can be linked in.

    Also refuses TCP (from version 4) and abstract sockets and signals to processes outside (from 6). Raises
    OSError if the kernel has no Landlock or an older one than ``at_least``, or if a path does not exist.
    """
    found = version()
    if found < 1:
        raise OSError("this kernel has no Landlock (Linux 5.13 or newer, with landlock among the LSMs)")
    if found < at_least:
        raise OSError(
            f"this kernel has version {found} of Landlock, {at_least} is needed (Linux 6.2 or newer)"
        )
    # All rights that this kernel knows are handled, that is refused, except where a rule below gives them.
    rights = (1 << _RIGHTS_BITS.get(found, _NEWEST_BITS)) - 1
    ruleset = syscalls.call("landlock_create_ruleset", *_attributes(found, rights), 0)
    try:
        for path in read:
            _allow(ruleset, path, rights & (_READ | _EXECUTE if execute else _READ))
        never = _NEVER & ~(_EXECUTE * execute | _MAKE_SOCK * make_sockets)
        for path in write:
            _allow(ruleset, path, rights & ~never)
        syscalls.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _attributes(found: int, rights: int) -> tuple[bytes, int]:
    """The ruleset's attributes and their size: a kernel refuses fields that it does not know."""
    words = [rights]
    if found >= _NETWORK_SINCE:
        words.append(_TCP)
    if found >= _SCOPE_SINCE:
        words.append(_ABSTRACT_SOCKETS_AND_SIGNALS)
    packed = struct.pack(f"{len(words)}Q", *words)
    return packed, len(packed)


def _allow(ruleset: int, path: str, rights: int) -> None:
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            rights &= _FOR_FILES  # the kernel refuses rights of folders in a rule for a file
        rule = struct.pack("=Qi", rights, handle)
        syscalls.call("landlock_add_rule", ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(handle)
