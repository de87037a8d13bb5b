"""Running a submission's cells in order, with the budget's values assigned in place of the student's."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from grader.inside.notes import MAX_NOTES
from grader.model import endings
from grader.model.assignment import BudgetValue, Limits
from grader.model.records import CellResult, CellStatus
from grader.notebooks.cells import Cell, first_line
from grader.notebooks.parameters import with_budget
from grader.notebooks.recordings import BadRecording, RawRecording, read_recording
from grader.session.notebook import CellRun, Notebook

MAX_PICTURES = 64_000_000
"""Characters of all pictures together, as base64."""
MAX_EVIDENCE = 32_000_000
"""Bytes of everything that the cells record, as JSON."""


class Progress(Protocol):
    """Receives progress events."""

    def cell(self, number: int, total: int, first_line: str) -> None:
        """Cell ``number`` of ``total`` starts."""

    def check(self, number: int, total: int, title: str) -> None:
        """Check ``number`` of ``total`` starts."""

    def note(self, text: str) -> None:
        """Something else starts, described by ``text``."""


class Silent:
    """Ignores progress events."""

    def cell(self, number: int, total: int, first_line: str) -> None:
        """Ignore it."""

    def check(self, number: int, total: int, title: str) -> None:
        """Ignore it."""

    def note(self, text: str) -> None:
        """Ignore it."""


@dataclass(frozen=True)
class Execution:
    """How every code cell ended, the pictures they drew, and what they recorded.

    ``pictures`` are pairs of a cell number and a base64 PNG. Pictures and evidence are untrusted.
    """

    cells: tuple[CellResult, ...]
    pictures: tuple[tuple[int, str], ...]
    evidence: tuple[RawRecording, ...] = ()


def execute(
    notebook: Notebook,
    cells: Sequence[Cell],
    *,
    budget: Mapping[str, BudgetValue],
    limits: Limits,
    progress: Progress,
    file: str = "",
    left: Callable[[], float] = lambda: math.inf,
) -> Execution:
    """Run all code cells in order. A cell that fails does not stop the cells after it.

    ``file`` is the place of their file, to be recorded; "" for a file that was handed in alone. ``left`` says
    how many seconds the submission has left; cells after that are skipped.
    """
    planned = with_budget(cells, budget)
    results: list[CellResult] = []
    shown = _Shown()
    for position, planned_run in enumerate(planned):
        cell = planned_run.cell
        progress.cell(position + 1, len(planned), first_line(cell.source))
        runs = [
            run_piece(notebook, piece, min(limits.cell_seconds, left()), cell.number, line)
            for piece, line in zip(planned_run.pieces, first_lines(cell, planned_run.pieces), strict=True)
        ]
        results.append(replace(result_of(cell, runs), file=file))
        for run in runs:
            shown.add(cell.number, run)
    return Execution(tuple(results), tuple(shown.pictures), tuple(shown.evidence))


def run_piece(notebook: Notebook, piece: str, seconds: float, cell: int, line: int) -> CellRun:
    """Run one piece of a cell if there is time for it."""
    if seconds <= 0:
        return CellRun(CellStatus.SKIPPED, error=endings.TIME_USED_UP)
    return notebook.run_cell(piece, seconds=seconds, cell=cell, line=line)


def first_lines(cell: Cell, pieces: Sequence[str]) -> Iterator[int]:
    """The number of each piece's first line: in the script, or in the notebook's cell."""
    line, at = max(cell.line, 1), 0
    for piece in pieces:
        # The rest of a cell may hold values of the budget, in its lines; where it begins is the student's.
        start = cell.source.find(piece.split("\n", 1)[0], at)
        if start >= 0:
            line += cell.source.count("\n", at, start)
            at = start
        yield line


class _Shown:
    """What the cells displayed, up to a limit: student code can send displays without end."""

    def __init__(self) -> None:
        self.pictures: list[tuple[int, str]] = []
        self.evidence: list[RawRecording] = []
        self._room_for_pictures, self._room_for_evidence = MAX_PICTURES, MAX_EVIDENCE

    def add(self, cell: int, run: CellRun) -> None:
        """Keep what one piece of a cell displayed, as far as there is room."""
        for picture in run.pictures:
            self._room_for_pictures -= len(picture)
            if self._room_for_pictures >= 0:
                self.pictures.append((cell, picture))
        for data in run.evidence:
            self._room_for_evidence -= len(data)
            if self._room_for_evidence >= 0:
                self.evidence += recordings(cell, data)


def recordings(cell: int, data: bytes) -> Iterator[RawRecording]:
    """The recording in these bytes, if they hold one."""
    with suppress(BadRecording):
        yield RawRecording(cell, read_recording(data.decode("utf-8", "replace")))


def result_of(cell: Cell, runs: Sequence[CellRun]) -> CellResult:
    """One result for all pieces of a cell: that of the first piece that failed, else ok."""
    wrong = next((run for run in runs if run.status is not CellStatus.OK), None)
    return CellResult(
        cell=cell.number,
        status=wrong.status if wrong else CellStatus.OK,
        seconds=round(sum(run.seconds for run in runs), 6),
        first_line=first_line(cell.source),
        error=wrong.error if wrong else "",
        traceback=wrong.traceback if wrong else "",
        line=cell.line,
        notes=tuple(dict.fromkeys(note for run in runs for note in run.notes))[:MAX_NOTES],
    )
