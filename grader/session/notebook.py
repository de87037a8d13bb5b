"""A submission being graded: its cells run in order, then each check starts from the state they left."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from grader.inside.notes import MAX_NOTE, MAX_NOTES
from grader.model.errors import CallTimedOut, StudentError, UnsupportedValue
from grader.model.isolation import Mode
from grader.model.records import CellStatus
from grader.model.text import one_line
from grader.session.session import Session


@dataclass(frozen=True)
class CellRun:
    """How one cell ended.

    ``error`` is one line, ``traceback`` the student's frames, ``pictures`` base64 PNG, ``evidence`` the JSON
    that the template's recorder displayed, ``notes`` what was done differently from Jupyter; all untrusted.
    """

    status: CellStatus
    seconds: float = 0.0
    error: str = ""
    traceback: str = ""
    pictures: tuple[str, ...] = ()
    evidence: tuple[bytes, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CellSettings:
    """How a notebook's cells run.

    ``module`` is their ``__name__``, ``name`` that of their file, ``script`` whether it is a script. With
    ``figures`` the pictures that they draw are sent. Code that asks for a GPU runs on the processor, or fails
    if ``gpu_on_processor`` is false.
    """

    module: str = "__main__"
    name: str = ""
    script: bool = False
    figures: bool = False
    gpu_on_processor: bool = True


class Copies(Protocol):
    """A state that each check gets a copy of."""

    def copy(self, *, seed: int | None, seconds: float) -> AbstractContextManager[Session]:
        """A session with a copy of the state; each call may take ``seconds``.

        Its random generators are seeded with ``seed``; with None they are as the code before left them.
        """


class Notebook(Copies, Protocol):
    """The live state of one submission."""

    isolation: Mode
    left_out: tuple[str, ...]
    """Places of files that could not be laid beside it."""
    excused: float
    """Seconds that it waited because the machine was too busy."""

    def run_cell(self, source: str, *, seconds: float, cell: int = 0, line: int = 1) -> CellRun:
        """Run one piece of code. An error in it becomes part of the result and is never raised.

        ``cell`` is the number of its cell, ``line`` the number of its first line in the cell or script, for
        tracebacks.
        """

    def copy(self, *, seed: int | None, seconds: float) -> AbstractContextManager[Session]:
        """See Copies.copy; the state is that after the last cell."""

    def close(self) -> None:
        """End everything that the submission started."""


def run_cell(session: Session, source: str, *, seconds: float, cell: int = 0, line: int = 1) -> CellRun:
    """Run one cell in a session. A time-out or an error becomes its status; raises SandboxDied."""
    session.forget_output()
    start = time.monotonic()
    try:
        # As bytes: a cell that holds data may be longer than a frame's text.
        result = session.request("cell", source.encode("utf-8", "replace"), cell, line, seconds=seconds)
    except CallTimedOut as error:
        return CellRun(CellStatus.TIMED_OUT, time.monotonic() - start, str(error))
    except (StudentError, UnsupportedValue) as error:  # forged: the agent puts a cell's error into the result
        return CellRun(CellStatus.RAISED, time.monotonic() - start, error.said)
    took = time.monotonic() - start
    pictures, evidence = tuple(session.pictures), tuple(session.evidence)
    notes = notes_of(result.get("notes")) if type(result) is dict else ()
    if type(result) is not dict or result.get("ok") is True:
        return CellRun(CellStatus.OK, took, pictures=pictures, evidence=evidence, notes=notes)
    kind, message, traceback = (text(result.get(key)) for key in ("kind", "message", "traceback"))
    said = f"{kind}: {message}" if message else kind
    return CellRun(CellStatus.RAISED, took, said, traceback, pictures, evidence, notes)


def notes_of(sent: object) -> tuple[str, ...]:
    """The notes in a cell's answer, each one line; the answer may be forged."""
    if type(sent) is not list:
        return ()
    lines = (one_line(note, MAX_NOTE) for note in sent[:MAX_NOTES] if type(note) is str)
    return tuple(dict.fromkeys(filter(None, lines)))


def text(value: object, limit: int = 4000) -> str:
    """The end of a value that should be a string; "" if it is none."""
    return value[-limit:] if type(value) is str else ""
