"""One running sandbox as the host sees it."""

from __future__ import annotations

import json
import select
import signal
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from grader.model.errors import InfrastructureError
from grader.model.isolation import Ending, EndReason, Usage
from grader.sandbox.spec import BoxEnd, MemoryKill

_PACKET = 4096
_START_SECONDS = 30.0
_END_SECONDS = 20.0
_LOOK_SECONDS = 5.0
_BUFFER = 1 << 22


class Box:
    """One sandbox: its connection, and the means to interrupt, end and question it.

    ``data`` is a connected stream socket to the agent inside; whatever comes out of it is untrusted.
    Close the box (or leave its ``with`` block) to end every process in it.
    """

    def __init__(self, life: socket.socket, data: socket.socket, *, closed: Callable[[Box], None]) -> None:
        self.data = data
        self._life = life
        self._closed = closed
        self._process: int | None = None
        self._failure: str | None = None
        self._end: BoxEnd | None = None
        self._gone = False
        self._looked = False
        self._usage: Usage | None = None
        self._memory_kills: list[MemoryKill] = []

    def wait_started(self, *, timeout: float = _START_SECONDS) -> None:
        """Return once every wall stands.

        Raises InfrastructureError, with the sandbox's own words, if it could not be set up: that is never the
        student's fault, because their code has not run yet.
        """
        deadline = time.monotonic() + timeout
        while self._process is None and self._failure is None and self._hear(deadline):
            continue
        if self._process is not None and self._failure is None:
            return
        reason = self._failure or ("it went away" if self._gone else f"no word in {timeout:g} seconds")
        raise InfrastructureError(f"the sandbox did not start: {reason}")

    def interrupt(self, *, process: int | None = None) -> None:
        """Send SIGINT, as Ctrl-C does, to the first process or to ``process`` (its number inside)."""
        self._ask(do="signal", process=process, signal=int(signal.SIGINT))

    def kill_process(self, process: int) -> None:
        """Kill one forked process (its number inside); the others live on."""
        self._ask(do="signal", process=process, signal=int(signal.SIGKILL))

    def kill(self) -> None:
        """End everything inside at once; ``ending`` then says KILLED."""
        self._ask(do="end", reason=EndReason.KILLED)

    def ending(self, *, wait: float = 0.0) -> Ending | None:
        """How the sandbox ended, or None while it lives.

        After the connection broke, wait up to ``wait`` seconds for the supervisor's report.
        """
        deadline = time.monotonic() + wait
        while self._end is None and self._hear(deadline):
            continue
        if self._failure is not None:
            return Ending(EndReason.NOT_STARTED)
        if self._end is not None:
            return self._end.ending
        return Ending(EndReason.SUPERVISOR_LOST) if self._gone else None

    def memory_kills(self) -> tuple[MemoryKill, ...]:
        """The forked processes ended so far for their memory (the box lives on)."""
        self._looked = False
        self._ask(do="look")
        deadline = time.monotonic() + _LOOK_SECONDS
        while not self._looked and self._hear(deadline):
            continue
        return tuple(self._memory_kills)

    def usage(self, since: float) -> Usage | None:
        """What everything inside has used since a moment of time.monotonic; None if it has ended."""
        self._usage = None
        self._ask(do="measure", since=since)
        deadline = time.monotonic() + _LOOK_SECONDS
        while self._usage is None and self._hear(deadline):
            continue
        return self._usage

    def close(self) -> BoxEnd:
        """End and reap everything inside; returns how it ended. May be called again."""
        if self._life.fileno() != -1:
            self._ask(do="end", reason=EndReason.CLOSED)
            deadline = time.monotonic() + _END_SECONDS
            while not self._gone and self._hear(deadline):
                continue
            self.data.close()  # not before: an agent that saw it closed would end by itself
            self._life.close()
            self._closed(self)
            if not self._gone:
                raise InfrastructureError(f"the sandbox did not end within {_END_SECONDS:g} seconds")
        return self._end or BoxEnd(ending=Ending(EndReason.NOT_STARTED))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, **request: Any) -> None:
        try:
            self._life.send(json.dumps(request).encode())
        except OSError:  # it has ended already, which is what every request is for
            return

    def _hear(self, deadline: float) -> bool:
        """Take one message from the supervisor, waiting until ``deadline``; False if there is none."""
        if self._gone or self._life.fileno() == -1:
            return False
        poll = select.poll()
        poll.register(self._life, select.POLLIN)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            return False
        try:
            packet = self._life.recv(_PACKET)
        except ConnectionResetError:  # it ended before it read our latest request; what it said comes next
            return True
        except OSError:
            packet = b""
        if not packet:
            self._gone = True
            return False
        self._note(json.loads(packet))
        return True

    def _note(self, message: dict[str, Any]) -> None:
        match message.pop("event"):
            case "started":
                self._process = message["process"]
            case "failed":
                self._failure = message["message"]
            case "memory":
                self._memory_kills.append(MemoryKill(message["process"], message["megabytes"]))
            case "looked":
                self._looked = True
            case "measured":
                self._usage = Usage(message["cpu"], message["starved"])
            case "ended":
                ending = Ending(EndReason(message["reason"]), message["exit_status"])
                self._end = BoxEnd(
                    ending=ending, cpu_seconds=message["cpu_seconds"], max_rss_mb=message["max_rss_mb"]
                )


def connection() -> tuple[socket.socket, socket.socket]:
    """A pair of connected stream sockets with buffers large enough for a whole array."""
    pair = socket.socketpair()
    for end in pair:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    return pair
