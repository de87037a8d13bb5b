"""Our own work on a submission, in a process of its own: what it costs is bounded, whatever the files hold.

The process is a fork of one that has imported everything, so it starts in milliseconds. It reads the files,
runs the checks and writes the report. Its memory has a limit of the kernel's, its time one that it keeps
itself (``deadline``) and, for what does not look at any clock, one that its parent keeps. Needs Linux.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import mmap
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NoReturn

from grader.grading.deadline import Deadline, queued_seconds
from grader.grading.opening import CHECKS_NEED, WarmProcesses
from grader.model.assignment import Limits
from grader.model.errors import BoundReached, InfrastructureError, Outcome
from grader.sandbox.zygote import Zygote

GRACE = 4.0
"""Seconds after the deadline in which a process scores and reports what it has; then it is ended."""

MAX_MESSAGE = 512 << 20
_LOOK_EVERY = 0.5
_PR_SET_PDEATHSIG = 1
_MEGABYTE = 1 << 20
_MESSAGE, _WARM, _MEMORY, _DEFECT = b"m", b"w", b"o", b"e"


class Died(InfrastructureError):
    """The process ended without a word: by ``status``, a signal if negative."""

    def __init__(self, status: int) -> None:
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        super().__init__(f"the process that grades it {how}")
        self.status = status


class Link:
    """What the process holds of its parent. ``deadline`` is its own."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._socket, self._connection = sock, Connection(os.dup(sock.fileno()))
        self.deadline = deadline

    def send(self, message: bytes) -> None:
        """Send one message."""
        self._connection.send_bytes(_MESSAGE + message)

    def receive(self) -> bytes:
        """The parent's next message."""
        return self._connection.recv_bytes(MAX_MESSAGE)

    def warm(self, modules: tuple[str, ...], *, meanwhile: Callable[[], None] | None = None) -> Zygote:
        """The parent's warm process with these modules, which several submissions share.

        Until it is there, what checks need is imported, and ``meanwhile`` is called.
        """
        self._connection.send_bytes(_WARM + json.dumps(modules).encode())
        for module in CHECKS_NEED:  # the warm process imports its own meanwhile
            importlib.import_module(module)
        if meanwhile is not None:
            meanwhile()
        _, (control,), _, _ = socket.recv_fds(self._socket, 1, 1)
        return Zygote.attached(socket.socket(fileno=control))

    def fail(self, kind: bytes, text: str = "") -> None:
        """Say why no message will come."""
        self._connection.send_bytes(kind + text.encode("utf-8", "replace")[:4000])


class OwnProcess:
    """A process that does ``work`` on one submission within the assignment's limits. Use it as a context.

    ``warm`` lends it warm processes. Only this thread may be running when it is made.
    """

    def __init__(self, work: Callable[[Link], None], *, limits: Limits, warm: WarmProcesses) -> None:
        self._limits, self._warm = limits, warm
        self._excused = mmap.mmap(-1, 8)
        self._spent, self._running_since = 0.0, (0.0, 0.0)
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()  # else it would be written twice
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        self._process = os.fork()
        if self._process == 0:
            ours.close()
            _be_the_process(work, theirs, limits, self._excused, parent)
        theirs.close()
        self._socket, self._connection = ours, Connection(os.dup(ours.fileno()))
        self._resume()

    def fileno(self) -> int:
        """Readable once it has said something, or has ended."""
        return self._connection.fileno()

    def send(self, message: bytes) -> None:
        """Send it a message; that it has ended shows when its answer is read."""
        with contextlib.suppress(OSError):
            self._connection.send_bytes(message)

    def receive(self) -> bytes:
        """Its next message. Between two calls its time does not count, because it may be waiting for us.

        Raises BoundReached if it takes too long or too much memory, InfrastructureError if it fails or dies.
        """
        self._resume()
        message = None
        while message is None:
            while not self._connection.poll(_LOOK_EVERY):
                self.assert_in_time()
            message = self.take()
        self._spent += self._taken()
        return message

    def take(self) -> bytes | None:
        """What it has said, once it is readable; None if it only wanted a warm process. Raises as receive."""
        try:
            sent = self._connection.recv_bytes(MAX_MESSAGE)
        except (EOFError, OSError):
            raise Died(self._status()) from None
        kind, rest = sent[:1], sent[1:]
        if kind == _WARM:
            zygote = self._warm.zygote(tuple(json.loads(rest)))
            zygote.wait_ready()
            socket.send_fds(self._socket, [b"F"], [zygote.control])
            return None
        if kind == _MEMORY:
            raise BoundReached(Outcome.OUT_OF_MEMORY, f"{self._limits.memory_mb} MB")
        if kind == _DEFECT:
            raise InfrastructureError(rest.decode())
        return rest

    def assert_in_time(self) -> None:
        """Raise BoundReached if it takes much longer than it should have stopped by itself."""
        (excused,) = struct.unpack("d", self._excused[:])
        if self._spent + self._taken() - excused > self._limits.total_seconds + GRACE:
            raise BoundReached(Outcome.TIMED_OUT, f"{self._limits.total_seconds:g} s")

    def _resume(self) -> None:
        self._running_since = time.monotonic(), queued_seconds(self._process)

    def _taken(self) -> float:
        """Seconds since it runs, without those in which it waited for a processor."""
        since, queued = self._running_since
        return time.monotonic() - since - (queued_seconds(self._process) - queued)

    def _status(self) -> int:
        _, status = os.waitpid(self._process, 0)
        self._process = 0
        return os.waitstatus_to_exitcode(status)

    def end(self) -> None:
        """End it, whatever it is doing. May be called again."""
        if self._process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0
        self._connection.close()
        self._socket.close()

    def __enter__(self) -> OwnProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def _be_the_process(
    work: Callable[[Link], None], sock: socket.socket, limits: Limits, excused: mmap.mmap, parent: int
) -> NoReturn:
    status = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it has ended already
            os._exit(1)
        deadline = Deadline(limits.total_seconds, excused=excused)
        deadline.arm()
        link = Link(sock, deadline)
        bound_memory(limits.memory_mb)
        try:
            work(link)
            status = 0
        except MemoryError:
            link.fail(_MEMORY)
        except Exception as error:  # noqa: BLE001  # said by the parent
            link.fail(_DEFECT, f"{type(error).__name__}: {error}")
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    finally:
        os._exit(status)  # nothing of the parent's is tidied up here


def bound_memory(megabytes: int) -> None:
    """Let this process reserve this much more memory than now; beyond it there is MemoryError."""
    import resource  # noqa: PLC0415  # Unix only

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + megabytes * _MEGABYTE
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
