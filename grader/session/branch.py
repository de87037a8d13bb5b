"""A copy of a notebook's state that code has changed, and copies of that: one mutant, and its checks.

Where processes may fork, the changing code runs once, in a fork, and each check gets a fork of that. Where
they may not, it runs anew in each copy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from grader.model import endings
from grader.model.errors import CheckError, SandboxDied
from grader.model.isolation import Ending, EndReason
from grader.model.records import CellStatus
from grader.sandbox.box import connection
from grader.session.notebook import CellRun, Copies, Notebook, run_cell
from grader.session.sandboxed_notebook import MAX_PID, OWN_SECONDS, REAP_SECONDS, died_of
from grader.session.session import Session
from grader.session.socket_transport import SocketTransport, WithDescriptor


@dataclass(frozen=True)
class Code:
    """Code that changes the state: a piece of a cell, where it stands, and what it may take."""

    source: str
    seconds: float
    cell: int = 0
    line: int = 1

    def run_in(self, session: Session) -> CellRun:
        """Run it; raises SandboxDied."""
        return run_cell(session, self.source, seconds=self.seconds, cell=self.cell, line=self.line)


class Branch(Copies, Protocol):
    """A changed state. ``changes`` says how the code that changed it ended, piece by piece."""

    changes: list[CellRun]


@contextlib.contextmanager
def branch(notebook: Notebook, code: Sequence[Code]) -> Iterator[Branch]:
    """A copy of the notebook's state in which this code has run, in order.

    Code that raises or times out is left behind as it is. Raises SandboxDied if it ends the process.
    """
    with notebook.copy(seed=None, seconds=OWN_SECONDS) as session:
        transport = session._transport
        if isinstance(transport, SocketTransport) and notebook.isolation.forks:
            forked = _Forked(session, transport)
            try:
                forked.change(code)
                yield forked
            finally:
                forked.end()
            return
    yield _Anew(notebook, code)


class _Forked:
    """A branch whose copies are forks of it."""

    def __init__(self, session: Session, transport: SocketTransport) -> None:
        self.changes: list[CellRun] = []
        self._session, self._transport = session, transport
        self._finished: int | None = None  # the copy to end with the next request

    def change(self, code: Sequence[Code]) -> None:
        """Run the code here; the rest is left out once a piece has timed out, which breaks the connection."""
        for piece in code:
            self.changes.append(piece.run_in(self._session))
            if self.changes[-1].status is CellStatus.TIMED_OUT:
                return

    @contextlib.contextmanager
    def copy(self, *, seed: int | None, seconds: float) -> Iterator[Session]:
        """See Branch.copy."""
        ours, theirs = connection()
        with ours:
            with theirs:
                pid = self._fork(seed, theirs.fileno())
            transport = SocketTransport(ours, why_died=lambda: self._why_died(pid))
            try:
                yield Session(transport, seconds=seconds, meter=self._session._meter)
            finally:
                self._finished = pid

    def end(self) -> None:
        """End the last copy; the branch itself ends with its session."""
        if self._finished is not None:
            with contextlib.suppress(CheckError):
                self._session.request("reap", self._finished, seconds=REAP_SECONDS)
            self._finished = None

    def _fork(self, seed: int | None, descriptor: int) -> int:
        asking = Session(
            WithDescriptor(self._transport, descriptor), seconds=OWN_SECONDS, meter=self._session._meter
        )
        pid = asking.request("fork", seed, self._finished)
        self._finished = None
        if type(pid) is not int or not 1 < pid <= MAX_PID:
            raise SandboxDied(endings.NO_COPY)
        return pid

    def _why_died(self, pid: int) -> SandboxDied:
        status = None
        with contextlib.suppress(CheckError):
            status = self._session.request("reap", pid, seconds=REAP_SECONDS)
        if type(status) is not int or not -64 <= status < 256:  # noqa: PLR2004  # signals and exit codes
            return died_of(None)
        return died_of(Ending(EndReason.EXITED, status))


class _Anew:
    """A branch without forks of forks: its code runs in each copy of the notebook."""

    def __init__(self, notebook: Notebook, code: Sequence[Code]) -> None:
        self.changes: list[CellRun] = []
        self._notebook, self._code = notebook, code

    @contextlib.contextmanager
    def copy(self, *, seed: int | None, seconds: float) -> Iterator[Session]:
        """See Branch.copy."""
        with self._notebook.copy(seed=None, seconds=seconds) as session:
            self.changes = [piece.run_in(session) for piece in self._code]
            if seed is not None:
                session.request("seed", seed, seconds=OWN_SECONDS)
            session.forget_output()
            yield session
