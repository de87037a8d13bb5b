"""A submission whose cells run in order, and whose state checks then start from."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from grader.model.errors import CallTimedOut, StudentError, UnsupportedValue
from grader.model.isolation import Mode
from grader.session.transport import Session


@dataclass(frozen=True)
class CellRun:
    """How one cell ended: ok, raised, timed_out, crashed, out_of_memory or skipped.

    ``error`` is one line, ``traceback`` the student's frames, ``pictures`` base64 PNG, ``evidence`` the JSON
    that the template's recorder displayed; all untrusted.
    """

    status: str
    seconds: float = 0.0
    error: str = ""
    traceback: str = ""
    pictures: tuple[str, ...] = ()
    evidence: tuple[bytes, ...] = ()


class Notebook(Protocol):
    """One submission's live state."""

    isolation: Mode

    def run_cell(self, source: str, *, seconds: float) -> CellRun:
        """Run one piece of code; what goes wrong in it is in the result, never raised."""

    def copy(self, *, seed: int | None, seconds: float) -> AbstractContextManager[Session]:
        """A session that starts from the state after the last cell; each call may take ``seconds``.

        Its generators of random numbers start from ``seed``; without one they go on as the cells left them.
        """

    def close(self) -> None:
        """End everything that the submission started."""


def run_cell(session: Session, source: str, *, seconds: float) -> CellRun:
    """Run one cell through a session. A time-out or an error becomes its status; SandboxDied is raised."""
    session.forget_output()
    start = time.monotonic()
    try:
        # As bytes: a cell that holds data may be longer than a frame's text.
        result = session.request("cell", source.encode("utf-8", "replace"), seconds=seconds)
    except CallTimedOut as error:
        return CellRun("timed_out", time.monotonic() - start, str(error))
    except (StudentError, UnsupportedValue) as error:  # the honest agent reports a cell's error in its result
        return CellRun("raised", time.monotonic() - start, str(error))
    took = time.monotonic() - start
    pictures, evidence = tuple(session.pictures), tuple(session.evidence)
    if type(result) is not dict or result.get("ok") is True:
        return CellRun("ok", took, pictures=pictures, evidence=evidence)
    kind, message, traceback = (text(result.get(key)) for key in ("kind", "message", "traceback"))
    said = f"{kind}: {message}" if message else kind
    return CellRun("raised", took, said, traceback, pictures, evidence)


def text(value: object, limit: int = 4000) -> str:
    """A bounded string from something that should be one."""
    return value[-limit:] if type(value) is str else ""
