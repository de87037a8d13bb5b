"""Requests to a process of the sandbox: frames over a socket, within an allowance of time."""

from __future__ import annotations

import array
import contextlib
import select
import socket
import time
from collections.abc import Callable

from grader.inside import codec
from grader.model import endings
from grader.model.errors import CallTimedOut, SandboxDied, TooBusy
from grader.session.allowance import Allowance
from grader.session.frame_reader import FrameReader
from grader.session.transport import Frame, OnOutput

GRACE = 2.0  # seconds between a cell's SIGINT and the end of its process
MAX_OUTPUT = 64 << 20  # bytes of streams and displays in one call; the honest agent stops far below


class SocketTransport:
    """Exchanges frames over one socket. After the first failure every request fails with the same error.

    ``why_died`` gives the error once the socket is closed. ``interrupt`` is called once, at a call's time
    limit; without it, or if the call has not stopped GRACE later, the time limit is a failure.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        why_died: Callable[[], SandboxDied],
        interrupt: Callable[[], None] | None = None,
    ) -> None:
        self._socket, self._reader = sock, FrameReader(sock)
        self._why_died, self._interrupt = why_died, interrupt
        self._broken: Exception | None = None

    def interrupt_nothing(self) -> None:
        """Interrupt no call from now on: a time-out is then a failure."""
        self._interrupt = None

    def exchange(
        self,
        frame: Frame,
        request: int,
        on_output: OnOutput,
        *,
        allowance: Allowance,
        descriptor: int | None = None,
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        """See Transport.exchange; ``descriptor`` is sent right after the request."""
        if self._broken is not None:
            raise self._broken
        try:
            with allowance.waiting():
                self._send(frame, allowance, descriptor)
                return self._receive(request, on_output, allowance)
        except TimeoutError:
            self._broken = CallTimedOut(why_timed_out(allowance))
        except TooBusy as error:
            self._broken = error
        except (EOFError, OSError):
            self._broken = self._why_died()
        except codec.WireError as error:
            self._broken = SandboxDied(f"{endings.NOT_AN_ANSWER} ({error})")
        raise self._broken

    def _send(self, frame: Frame, allowance: Allowance, descriptor: int | None) -> None:
        left = memoryview(b"".join(frame))
        while left:
            # Most requests fit into the socket's buffer: one system call.
            with contextlib.suppress(BlockingIOError):
                left = left[self._socket.send(left, socket.MSG_DONTWAIT) :]
            if left:
                self._wait_for_room(allowance)
        if descriptor is not None:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
            self._socket.sendmsg([b"F"], [rights])

    def _wait_for_room(self, allowance: Allowance) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        while not poll.poll(max(1.0, allowance.left() * 1000)):
            if allowance.left() <= 0:
                raise TimeoutError

    def _receive(
        self, request: int, on_output: OnOutput, allowance: Allowance
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        interrupted, taken, limit = False, 0, allowance
        while True:
            try:
                answered, kind, tree, buffer = self._read(limit)
            except TimeoutError:
                if interrupted or self._interrupt is None:
                    raise
                # The read is not abandoned: half a frame may have come, and the reader keeps it.
                limit = allowance.again(GRACE)
                self._interrupt()
                interrupted = True
                continue
            if kind in (codec.STREAM, codec.DISPLAY):
                taken += len(tree) + len(buffer)
                if taken > MAX_OUTPUT:
                    raise codec.WireError("a flood of output")
                if answered == request:  # else a thread left over from an earlier call
                    on_output(kind, tree, buffer)
                continue
            if answered != request or kind not in (codec.REPLY, codec.ERROR):
                raise codec.WireError("an answer to no question")
            if interrupted:
                raise CallTimedOut(endings.stopped(allowance.seconds))
            return kind, tree, buffer

    def _read(self, allowance: Allowance) -> tuple[int, int, memoryview, memoryview]:
        """One frame. Raises TimeoutError once the allowance is used up."""
        while (left := allowance.left()) > 0:
            with contextlib.suppress(TimeoutError):
                return self._reader.read(time.monotonic() + left)
        raise TimeoutError

    @property
    def broken(self) -> bool:
        """Whether an exchange has failed."""
        return self._broken is not None


class WithDescriptor:
    """A transport that sends one descriptor along with each request."""

    def __init__(self, transport: SocketTransport, descriptor: int) -> None:
        self._transport, self._descriptor = transport, descriptor

    def exchange(
        self, frame: Frame, request: int, on_output: OnOutput, *, allowance: Allowance
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        """See Transport.exchange."""
        return self._transport.exchange(
            frame, request, on_output, allowance=allowance, descriptor=self._descriptor
        )


def why_timed_out(allowance: Allowance) -> str:
    """Whether one call gave no answer, or the calls of a check took too long together."""
    return (endings.no_answer if allowance.is_the_latests() else endings.used_up)(allowance.seconds)
