"""Sessions with a process of the sandbox: frames over a socket, one deadline for each call."""

from __future__ import annotations

import array
import contextlib
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator

import numpy as np

from grader.inside import codec
from grader.model.errors import CallTimedOut, InfrastructureError, SandboxDied
from grader.model.isolation import Ending, EndReason, Mode
from grader.sandbox.box import Box, connection
from grader.session.notebook import CellRun, run_cell
from grader.session.transport import NOT_AN_ANSWER, Frame, OnOutput, Session

GRACE = 2.0  # seconds between a cell's SIGINT and the end of its process
MAX_OUTPUT = 64 << 20  # bytes of streams and displays in one call; the honest agent stops far below
READ_AHEAD = 1 << 16
OWN_SECONDS = 10.0  # for what runs no student code: settings, a copy
REAP_SECONDS = 1.0
MAX_PID = 1 << 22  # the kernel's own bound


class FrameReader:
    """Reads frames piece by piece, so that a deadline in the middle of one loses nothing.

    Small frames come whole with one look at the socket; for a large one memory is filled as bytes arrive.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)
        self._chunk = memoryview(bytearray(READ_AHEAD))
        self._ahead = self._chunk[:0]
        self._header: tuple[int, int, int, int] | None = None
        self._part = memoryview(bytearray(codec.HEADER.size))
        self._filled = 0

    def read(self, deadline: float) -> tuple[int, int, memoryview, memoryview]:
        """(request, kind, tree, buffer). Raises TimeoutError, EOFError, WireError."""
        if self._header is None:
            self._fill(deadline)
            self._header = codec.parse_header(self._part)
            # Not cleared and so not taken from the machine before it is filled, whatever the header claims.
            self._part, self._filled = np.empty(self._header[0] + self._header[1], np.uint8).data, 0
        self._fill(deadline)
        (tree, _, request, kind), body = self._header, self._part
        self._header, self._part, self._filled = None, memoryview(bytearray(codec.HEADER.size)), 0
        return request, kind, body[:tree], body[tree:]

    def _fill(self, deadline: float) -> None:
        """Fill the current part from what was read ahead, then from the socket."""
        while (missing := len(self._part) - self._filled) > 0:
            if not self._ahead and missing < READ_AHEAD:
                self._ahead = self._chunk[: self._receive(self._chunk, deadline)]
            if self._ahead:
                count = min(missing, len(self._ahead))
                self._part[self._filled : self._filled + count] = self._ahead[:count]
                self._ahead = self._ahead[count:]
            else:
                count = self._receive(self._part[self._filled :], deadline)
            self._filled += count

    def _receive(self, into: memoryview, deadline: float) -> int:
        """The number of bytes received, at least one.

        No ancillary space is offered: the kernel drops descriptors that student code sends.
        """
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise TimeoutError
            with contextlib.suppress(BlockingIOError):
                count = self._socket.recv_into(into, 0, socket.MSG_DONTWAIT)
                if count == 0:
                    raise EOFError
                return count


class SocketTransport:
    """Frames over one socket. Once it has failed it answers nothing more."""

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
        """From now on the first time-out is the end, as for a fork."""
        self._interrupt = None

    def exchange(
        self,
        frame: Frame,
        request: int,
        on_output: OnOutput,
        *,
        seconds: float,
        descriptor: int | None = None,
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        """See Transport.exchange; ``descriptor`` is handed over right after the request."""
        if self._broken is not None:
            raise self._broken
        deadline = time.monotonic() + seconds
        try:
            self._send(frame, deadline, descriptor)
            return self._receive(request, on_output, deadline, seconds)
        except TimeoutError:
            self._broken = CallTimedOut(f"no answer within {seconds:g} s")
        except (EOFError, OSError):
            self._broken = self._why_died()
        except codec.WireError as error:
            self._broken = SandboxDied(f"{NOT_AN_ANSWER} ({error})")
        raise self._broken

    def _send(self, frame: Frame, deadline: float, descriptor: int | None) -> None:
        data = b"".join(frame)
        sent = 0
        with contextlib.suppress(BlockingIOError):
            sent = self._socket.send(data, socket.MSG_DONTWAIT)
        if sent < len(data):
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            self._socket.sendall(memoryview(data)[sent:])
            self._socket.settimeout(None)
        if descriptor is not None:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))
            self._socket.sendmsg([b"F"], [rights])

    def _receive(
        self, request: int, on_output: OnOutput, deadline: float, seconds: float
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        interrupted, taken = False, 0
        while True:
            try:
                answered, kind, tree, buffer = self._reader.read(deadline)
            except TimeoutError:
                if interrupted or self._interrupt is None:
                    raise
                self._interrupt()
                interrupted, deadline = True, time.monotonic() + GRACE
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
                raise CallTimedOut(f"stopped after {seconds:g} s")
            return kind, tree, buffer

    @property
    def broken(self) -> bool:
        """Whether nothing more can be asked over this socket."""
        return self._broken is not None


class SandboxedNotebook:
    """A submission in a sandbox. Cells run in one process; each check gets a copy of it.

    The copy is a fork. Where student code may not fork (``forks=False``), nor may what shares its process:
    then each check gets a new process in which the cells are run again, within ``seconds`` once more.

    A cell that takes the process down costs itself alone: the state is rebuilt by running the earlier cells
    again, without it, the next time a state is needed. ``seconds`` bounds what cells take together, and once
    more what rebuilding takes; what does not fit is left out.
    """

    def __init__(
        self,
        spawn: Callable[[], Box],
        *,
        isolation: Mode,
        module: str,
        figures: bool,
        seconds: float,
        forks: bool = True,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self.isolation, self._forks = isolation, forks
        self._spawn, self._on_close = spawn, on_close
        self._module, self._figures = module, figures
        self._left = self._left_to_rebuild = self._seconds = seconds
        self._history: list[tuple[str, float]] = []
        self._box: Box | None = None
        self._transport: SocketTransport | None = None
        self._finished_copy: int | None = None

    def start(self) -> None:
        """Have a live process. Raises InfrastructureError when the sandbox cannot be set up."""
        self._main()

    def run_cell(self, source: str, *, seconds: float) -> CellRun:
        """See Notebook.run_cell."""
        if self._left <= 0:
            return CellRun("skipped", error="the notebook's time was used up by earlier cells")
        limit = min(seconds, self._left)
        start = time.monotonic()
        try:
            session = self._main()
            start = time.monotonic()
            result = run_cell(session, source, seconds=limit)
        except SandboxDied as error:
            self._end()
            status = "out_of_memory" if error.outcome == "out_of_memory" else "crashed"
            result = CellRun(status, time.monotonic() - start, str(error))
        if result.status == "timed_out" and self._broken:
            self._end()
        elif result.status in ("ok", "raised", "timed_out"):
            self._history.append((source, limit))
        self._left -= time.monotonic() - start
        return result

    @contextlib.contextmanager
    def copy(self, *, seed: int | None, seconds: float) -> Iterator[Session]:
        """See Notebook.copy."""
        if not self._forks:
            yield from self._used_up(seed, seconds)
            return
        ours, theirs = connection()
        with ours:
            with theirs:
                pid = self._fork(seed, theirs.fileno())
            transport = SocketTransport(ours, why_died=lambda: self._why_copy_died(pid))
            try:
                yield Session(transport, seconds=seconds)
            finally:
                self._finished_copy = pid

    def close(self) -> None:
        """See Notebook.close; then what ``on_close`` ends, such as a zygote of its own."""
        try:
            self._end()
        finally:
            self._on_close()

    # -- the main process ----------------------------------------------------------------------------

    def _main(self) -> Session:
        """A session with the main process, rebuilt if it is gone."""
        while self._transport is None:
            self._boot()
            self._rebuild()
        return self._session()

    def _session(self) -> Session:
        if self._transport is None:
            raise InfrastructureError("the sandbox is not running")
        return Session(self._transport, seconds=OWN_SECONDS)

    def _boot(self) -> None:
        box = self._spawn()
        try:
            box.wait_started()
        except BaseException:
            box.close()
            raise
        self._box, self._finished_copy = box, None
        self._transport = SocketTransport(box.data, why_died=self._why_main_died, interrupt=box.interrupt)
        self._session().request("configure", self._module, self._figures)

    def _rebuild(self) -> None:
        """Run the earlier cells again. One that now takes the process down is left out the next time."""
        for entry in tuple(self._history):
            if self._left_to_rebuild > 0 and not self._survives(*entry):
                self._history.remove(entry)
                self._end()
                return

    def _survives(self, source: str, limit: float) -> bool:
        start = time.monotonic()
        try:
            result = run_cell(self._session(), source, seconds=min(limit, self._left_to_rebuild))
        except SandboxDied:
            return False
        finally:
            self._left_to_rebuild -= time.monotonic() - start
        return not (result.status == "timed_out" and self._broken)

    @property
    def _broken(self) -> bool:
        return self._transport is not None and self._transport.broken

    def _end(self) -> None:
        if self._box is not None:
            self._box.close()
        self._box, self._transport, self._finished_copy = None, None, None

    def _why_main_died(self) -> SandboxDied:
        return died_of(self._box.ending(wait=5.0) if self._box is not None else None)

    # -- copies ------------------------------------------------------------------------------------

    def _used_up(self, seed: int | None, seconds: float) -> Iterator[Session]:
        """The main process itself, which then ends: the next one who needs a state has it built anew."""
        self._left_to_rebuild = self._seconds
        session = self._main()
        if seed is not None:
            session.request("seed", seed)
        if self._transport is None:
            raise InfrastructureError("the sandbox is not running")
        self._transport.interrupt_nothing()
        try:
            yield Session(self._transport, seconds=seconds)
        finally:
            self._end()

    def _fork(self, seed: int | None, descriptor: int) -> int:
        """The pid of a new copy inside the sandbox; the state is rebuilt once if the process is gone."""
        for last_try in (False, True):
            self._main()
            try:
                return self._ask_fork(seed, descriptor)
            except (SandboxDied, CallTimedOut):
                self._end()
                if last_try:
                    raise
        raise AssertionError("unreachable")

    def _ask_fork(self, seed: int | None, descriptor: int) -> int:
        transport = self._transport
        if transport is None:
            raise InfrastructureError("the sandbox is not running")
        session = Session(WithDescriptor(transport, descriptor), seconds=OWN_SECONDS)
        pid = session.request("fork", seed, self._finished_copy)
        self._finished_copy = None
        if type(pid) is not int or not 1 < pid <= MAX_PID:
            raise SandboxDied("the student's process would not make a copy of its state")
        return pid

    def _why_copy_died(self, pid: int) -> SandboxDied:
        """Ask the main process for the copy's exit status; the supervisor says if memory was the reason."""
        kills = [kill.process for kill in self._box.memory_kills()] if self._box is not None else []
        if pid in kills:
            return died_of(Ending(EndReason.MEMORY))
        try:
            status = self._session().request("reap", pid, seconds=REAP_SECONDS)
        except Exception:  # noqa: BLE001  # whatever the main process has become, the copy is dead
            status = None
        if status == -signal.SIGKILL and 0 in kills:
            return died_of(Ending(EndReason.MEMORY))
        if type(status) is not int or not -64 <= status < 256:  # noqa: PLR2004  # signals and exit codes
            return died_of(None)
        return died_of(Ending(EndReason.EXITED, status))


class WithDescriptor:
    """A transport that hands one descriptor over with its request."""

    def __init__(self, transport: SocketTransport, descriptor: int) -> None:
        self._transport, self._descriptor = transport, descriptor

    def exchange(
        self, frame: Frame, request: int, on_output: OnOutput, *, seconds: float
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        """See Transport.exchange."""
        return self._transport.exchange(
            frame, request, on_output, seconds=seconds, descriptor=self._descriptor
        )


def died_of(ending: Ending | None) -> SandboxDied:
    """The error for a process that is gone, in words for a person."""
    if ending is None:
        return SandboxDied("the code ended the Python process (for an unknown reason)")
    if ending.reason is EndReason.MEMORY:
        return SandboxDied("the code used more memory than allowed", out_of_memory=True)
    if ending.reason in (EndReason.CPU_TIME, EndReason.WALL_TIME):
        return SandboxDied("the notebook used up all the time that it may take")
    return SandboxDied(f"the code ended the Python process ({ending})")
