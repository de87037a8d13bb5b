"""Notebooks in this very process, without isolation: for students on their own machines.

Works on every platform. All values pass through the same codec as in the sandbox, so a public check means the
same as a hidden one. Nothing that only Linux has may be imported here.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grader.inside import codec, generators
from grader.inside.agent import Agent, redirected
from grader.model import endings
from grader.model.errors import CallTimedOut
from grader.model.isolation import Mode
from grader.session.allowance import Allowance
from grader.session.notebook import CellRun, run_cell
from grader.session.session import Session
from grader.session.time_limit import TimeLimit, time_limit
from grader.session.transport import Frame, OnOutput


class FrameList:
    """Keeps the frames that an agent sends."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def send(self, frame: Frame) -> None:
        """Keep a copy of one frame, as a socket would."""
        self.frames.append([bytes(part) for part in frame])


class InProcessTransport:
    """Passes requests to an agent in this process."""

    def __init__(self, names: dict[str, Any], shell: Any = None) -> None:
        self._sink = FrameList()
        self.agent = Agent(names, self._sink, shell=shell)

    def exchange(
        self, frame: Frame, request: int, on_output: OnOutput, *, allowance: Allowance
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        """See Transport.exchange. An endless loop is stopped in the main thread only."""
        self._sink.frames = []
        left, limit = allowance.left(), TimeLimit(Agent.handle)
        if left <= 0:
            raise CallTimedOut(endings.used_up(allowance.seconds))
        try:
            with allowance.waiting(), redirected(self.agent), time_limit(left, limit):
                self.agent.handle(request, frame[1], bytearray(b"".join(frame[2:])))
        except KeyboardInterrupt:  # the time was up in our own code
            if not limit.passed:
                raise
        answers = []
        for kind, tree, buffer in map(parse, self._sink.frames):
            if kind in (codec.STREAM, codec.DISPLAY):
                on_output(kind, tree, buffer)
            else:
                answers.append((kind, tree, buffer))
        if limit.passed:
            raise CallTimedOut(endings.no_answer(allowance.seconds))
        return answers[0]


def parse(frame: Frame) -> tuple[int, codec.Buffer, codec.Buffer]:
    """(kind, tree, buffer) of a frame."""
    _, _, _, kind = codec.parse_header(frame[0])
    return kind, frame[1], bytearray(b"".join(frame[2:]))


class LocalNotebook:
    """A notebook's live state in this process; ``shell`` runs its cells, if there are any left to run."""

    isolation = Mode.NONE
    left_out: tuple[str, ...] = ()
    excused = 0.0

    def __init__(self, names: dict[str, Any], shell: Any = None) -> None:
        self._names, self._shell = names, shell

    def run_cell(self, source: str, *, seconds: float, cell: int = 0, line: int = 1) -> CellRun:
        """See Notebook.run_cell."""
        session = Session(InProcessTransport(self._names, self._shell), seconds=seconds)
        return run_cell(session, source, seconds=seconds, cell=cell, line=line)

    @contextlib.contextmanager
    def copy(self, *, seed: int | None, seconds: float) -> Iterator[Session]:
        """A session with the live state itself; names and random generators are restored after it.

        Objects that a check changes in place stay changed: only the sandbox gives each check its own copy.
        """
        before = dict(self._names)
        try:
            with generators.undisturbed():
                if seed is not None:
                    generators.seed_all(seed)
                yield Session(InProcessTransport(self._names), seconds=seconds)
        finally:
            self._names.clear()
            self._names.update(before)

    def close(self) -> None:
        """Nothing was started, so nothing ends."""


class OwnNotebook(LocalNotebook):
    """A notebook whose cells run in this process and in its own folder, as in Jupyter."""

    def __init__(self, module_name: str, folder: Path, *, seed: int, script: str = "") -> None:
        from grader.inside import habits, shell_lines  # noqa: PLC0415  # IPython takes 0.1 s
        from grader.inside.agent import make_shell  # noqa: PLC0415
        from grader.inside.shell import be_script  # noqa: PLC0415

        # One thread, as in the sandbox: small models on a few threads can take ten times as long.
        for library in ("OMP", "MKL"):
            os.environ.setdefault(f"{library}_NUM_THREADS", "1")
        shell = make_shell()
        habits.install(shell)
        shell.grading = True
        shell.user_ns["__name__"] = module_name
        shell_lines.start_in(shell, str(folder))
        if script:
            be_script(shell, str(folder / script))
        generators.seed_all(seed)
        super().__init__(shell.user_ns, shell)
        self._folder, self._name = folder, script or "notebook"

    def run_cell(self, source: str, *, seconds: float, cell: int = 0, line: int = 1) -> CellRun:
        """See Notebook.run_cell; relative paths and imports start from the notebook's folder."""
        with working_in(self._folder), called(self._name):
            return super().run_cell(source, seconds=seconds, cell=cell, line=line)

    @contextlib.contextmanager
    def copy(self, *, seed: int | None, seconds: float) -> Iterator[Session]:
        """See LocalNotebook.copy; a check's calls start from the notebook's folder too."""
        with (
            working_in(self._folder),
            called(self._name),
            super().copy(seed=seed, seconds=seconds) as session,
        ):
            yield session


@contextlib.contextmanager
def called(name: str) -> Iterator[None]:
    """Let ``sys.argv`` be that of a program of this name: the grader's own arguments are not its."""
    before, sys.argv = sys.argv, [name]
    try:
        yield
    finally:
        sys.argv = before


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Make the folder the working directory and the first place to import from."""
    before, name = Path.cwd(), str(folder)
    os.chdir(folder)
    sys.path.insert(0, name)
    try:
        yield
    finally:
        os.chdir(before)
        with contextlib.suppress(ValueError):
            sys.path.remove(name)
