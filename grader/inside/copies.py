"""Copies of the student's process: one is forked for each check, and ended after it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal

_FIRST = 1  # the first process of a process namespace of our own


def fork() -> int:
    """As os.fork. Where student code has left no room for one more process, what it left running ends first.

    Only a sandbox with processes of its own is swept like that: elsewhere the others are not the student's.
    """
    try:
        return os.fork()
    except BlockingIOError:
        if os.getpid() != _FIRST:
            raise
    os.kill(-1, signal.SIGKILL)  # everything here but this process
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    return os.fork()


def give_back_memory() -> None:
    """Hand freed memory back to the machine: what training leaves in the allocator is half of a notebook's.

    Only glibc keeps that much; where there is another C library nothing happens.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def reap(pid: int) -> int | None:
    """End a copy; its exit status (negative: the signal that ended it), None if nobody knows."""
    with contextlib.suppress(OSError):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        os.kill(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return None
