"""A submission in a sandbox: its cells run in one process, each check starts from a copy of that process."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from grader.model import endings
from grader.model.errors import (
    CallTimedOut,
    CheckError,
    InfrastructureError,
    Outcome,
    SandboxDied,
    StudentError,
    UnsupportedValue,
)
from grader.model.isolation import Ending, EndReason
from grader.model.records import CellStatus
from grader.sandbox.box import Box, connection
from grader.sandbox.spec import BoxSpec
from grader.sandbox.zygote import Zygote
from grader.session.notebook import CellRun, CellSettings, run_cell
from grader.session.session import Session
from grader.session.socket_transport import SocketTransport, WithDescriptor

OWN_SECONDS = 10.0  # for what runs no student code: settings, a copy
REAP_SECONDS = 1.0
MAX_PID = 1 << 22  # the kernel's own bound
IN_THE_STATE = (CellStatus.OK, CellStatus.RAISED, CellStatus.TIMED_OUT)  # what they did stays in the process


class SandboxedNotebook:
    """A submission in a sandbox. Cells run in one process; each check gets a copy of it.

    The copy is a fork. In a mode where student code may not fork, the agent in its process may not either:
    there each check gets a new process in which all cells are run again.

    A cell that ends the process costs only itself: the next time the state is needed, it is rebuilt by
    running the earlier cells again, without that cell. ``seconds`` bounds the time of all cells together, and
    once more the time of rebuilding; cells that do not fit are left out. ``files`` lie in the working
    directory before the first cell runs, by their places there.
    """

    def __init__(
        self,
        zygote: Zygote,
        spec: BoxSpec,
        *,
        seconds: float,
        settings: CellSettings | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self.isolation = spec.mode
        self.left_out: tuple[str, ...] = ()
        self.excused = 0.0
        self._zygote, self._spec = zygote, spec
        self._settings, self._files = settings or CellSettings(), files or {}
        self._left = self._left_to_rebuild = self._seconds = seconds
        self._history: list[Piece] = []
        self._box: Box | None = None
        self._transport: SocketTransport | None = None
        self._finished_copy: int | None = None
        self._copies: bool | None = None

    def start(self) -> None:
        """Start the process now. Raises InfrastructureError if the sandbox cannot be set up."""
        try:
            self._main()
        except BaseException:
            self._end()
            raise

    def run_cell(self, source: str, *, seconds: float, cell: int = 0, line: int = 1) -> CellRun:
        """See Notebook.run_cell."""
        if self._left <= 0:
            return CellRun(CellStatus.SKIPPED, error=endings.TIME_USED_UP)
        piece = Piece(source, min(seconds, self._left), cell, line)
        start, session = time.monotonic(), None
        try:
            session = self._main()
            start = time.monotonic()  # rebuilding has its own bound and is not charged to this cell
            result = piece.run_in(session)
        except SandboxDied as error:
            self._end()
            out_of_memory = error.outcome is Outcome.OUT_OF_MEMORY
            status = CellStatus.OUT_OF_MEMORY if out_of_memory else CellStatus.CRASHED
            result = CellRun(status, time.monotonic() - start, str(error))
        finally:
            if session is not None:
                self._left -= session.used
                self.excused += session.excused
        if result.status is CellStatus.TIMED_OUT and self._broken:
            self._end()  # it ignored the interrupt: its process ends, and it is left out of the rebuilt state
        elif result.status in IN_THE_STATE:
            self._history.append(piece)
        return result

    @contextlib.contextmanager
    def copy(self, *, seed: int | None, seconds: float) -> Iterator[Session]:
        """See Notebook.copy."""
        if not self._can_be_copied():
            yield from self._main_as_copy(seed, seconds)
            return
        ours, theirs = connection()
        with ours:
            with theirs:
                pid = self._fork(seed, theirs.fileno())
            transport = SocketTransport(ours, why_died=lambda: self._why_copy_died(pid))
            session = Session(transport, seconds=seconds, meter=self._box)
            try:
                yield session
            finally:
                self.excused += session.excused
                self._retire(pid)

    def close(self) -> None:
        """See Notebook.close."""
        self._end()

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
        return Session(self._transport, seconds=OWN_SECONDS, meter=self._box)

    def _boot(self) -> None:
        box = self._zygote.spawn(self._spec)
        try:
            box.wait_started()
        except BaseException:
            box.close()
            raise
        self._box, self._finished_copy = box, None
        self._transport = SocketTransport(box.data, why_died=self._why_main_died, interrupt=box.interrupt)
        self._lay_files()
        self._session().request("configure", asdict(self._settings))

    def _lay_files(self) -> None:
        """Write the submission's files into the working directory; what is given there already stays."""
        session = self._session()
        self.left_out = tuple(
            place
            for place, data in self._files.items()
            if place.split("/")[0] not in self._spec.files
            and session.request("file", place, data, seconds=OWN_SECONDS) is not True
        )

    def _rebuild(self) -> None:
        """Run the earlier cells again. One that now ends the process is left out: then start over."""
        for entry in tuple(self._history):
            if self._left_to_rebuild > 0 and not self._survives(entry):
                self._history.remove(entry)
                self._end()
                return  # _main starts over with a new process and one cell less, so this ends

    def _survives(self, piece: Piece) -> bool:
        session, limit = self._session(), min(piece.seconds, self._left_to_rebuild)
        try:
            result = replace(piece, seconds=limit).run_in(session)
        except SandboxDied:
            return False
        finally:
            self._left_to_rebuild -= session.used
            self.excused += session.excused
        return not (result.status is CellStatus.TIMED_OUT and self._broken)

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

    def _main_as_copy(self, seed: int | None, seconds: float) -> Iterator[Session]:
        """A session with the main process itself, which then ends; the next check has it rebuilt."""
        self._left_to_rebuild = self._seconds  # for each check: here rebuilding is the rule, no accident
        session = self._main()
        if seed is not None:
            session.request("seed", seed)
        if self._transport is None:
            raise InfrastructureError("the sandbox is not running")
        self._transport.interrupt_nothing()
        session = Session(self._transport, seconds=seconds, meter=self._box)
        try:
            yield session
        finally:
            self.excused += session.excused
            self._end()

    def _can_be_copied(self) -> bool:
        """Whether a fork gives a whole copy, found out once. Beside other threads it does not.

        The answer is the student's process's own. A wrong one costs its checks time or an answer, no more.
        """
        if self._copies is None:
            self._copies = self._spec.mode.forks
            if self._copies:
                with contextlib.suppress(SandboxDied, CallTimedOut, StudentError, UnsupportedValue):
                    self._copies = self._main().request("settle") is not False
        return self._copies

    def _fork(self, seed: int | None, descriptor: int) -> int:
        """The pid of a new copy inside the sandbox.

        The state is rebuilt once if its process is gone or does not answer. If the second one fails too, the
        cells themselves prevent copies, and the check fails.
        """
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
        session = Session(WithDescriptor(transport, descriptor), seconds=OWN_SECONDS, meter=self._box)
        pid = session.request("fork", seed, self._finished_copy)
        self._finished_copy = None
        # Student code may answer in the agent's place, and the number goes back to the agent when the copy
        # has to end: 0 and -1 would end whole groups of processes.
        if type(pid) is not int or not 1 < pid <= MAX_PID:
            raise SandboxDied(endings.NO_COPY)
        return pid

    def _retire(self, pid: int) -> None:
        """Have a copy ended by the main process when it makes the next one; at once, if one waits already."""
        if self._finished_copy is not None:
            with contextlib.suppress(CheckError, InfrastructureError):
                self._session().request("reap", self._finished_copy, seconds=REAP_SECONDS)
        self._finished_copy = pid

    def _why_copy_died(self, pid: int) -> SandboxDied:
        """Why a copy ended: its exit status from the main process, or a memory kill from the supervisor."""
        kills = [kill.process for kill in self._box.memory_kills()] if self._box is not None else []
        if pid in kills:
            return died_of(Ending(EndReason.MEMORY))
        try:
            status = self._session().request("reap", pid, seconds=REAP_SECONDS)
        except Exception:  # noqa: BLE001  # whatever became of the main process, the copy is dead
            status = None
        if (
            status == -signal.SIGKILL and 0 in kills
        ):  # a kill by the kernel, which does not say of which process
            return died_of(Ending(EndReason.MEMORY))
        if type(status) is not int or not -64 <= status < 256:  # noqa: PLR2004  # signals and exit codes
            return died_of(None)
        return died_of(Ending(EndReason.EXITED, status))


@dataclass(frozen=True)
class Piece:
    """Code that runs in one go, what it may take, and where in its file it is."""

    source: str
    seconds: float
    cell: int
    line: int

    def run_in(self, session: Session) -> CellRun:
        """Run it. Raises SandboxDied."""
        return run_cell(session, self.source, seconds=self.seconds, cell=self.cell, line=self.line)


def died_of(ending: Ending | None) -> SandboxDied:
    """The error for a process that has ended in this way; None if nobody knows how."""
    reason = ending.reason if ending else None
    if reason is EndReason.MEMORY:
        return SandboxDied(endings.OUT_OF_MEMORY, out_of_memory=True)
    if reason in (EndReason.CPU_TIME, EndReason.WALL_TIME):
        return SandboxDied(endings.OUT_OF_TIME)
    return SandboxDied(endings.process_ended(ending))
