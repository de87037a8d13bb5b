"""Running a submission's cells in order, each in its pieces, with the budget's overrides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from grader.model.assignment import BudgetValue, Limits
from grader.model.records import CellResult
from grader.notebooks.cells import Cell, first_line
from grader.notebooks.parameters import with_budget
from grader.notebooks.recordings import BadRecording, Recording, read_evidence
from grader.session.notebook import CellRun, Notebook

MAX_PICTURES = 64_000_000
"""Characters of all pictures together, as base64."""
MAX_EVIDENCE = 32_000_000
"""Bytes of everything that the cells record, as JSON."""


class Watch(Protocol):
    """Is told what happens while it happens."""

    def cell(self, number: int, total: int, first_line: str) -> None:
        """Cell ``number`` of ``total`` begins."""

    def check(self, number: int, total: int, title: str) -> None:
        """Check ``number`` of ``total`` begins."""

    def note(self, text: str) -> None:
        """Something else begins."""


class Silent:
    """Watches and says nothing."""

    def cell(self, number: int, total: int, first_line: str) -> None:
        """Say nothing."""

    def check(self, number: int, total: int, title: str) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Execution:
    """How every code cell ended, the pictures they drew (base64 PNG) by cell number, and what they recorded.

    Pictures and evidence are untrusted.
    """

    cells: tuple[CellResult, ...]
    pictures: tuple[tuple[int, str], ...]
    evidence: tuple[Recording, ...] = ()


def execute(
    notebook: Notebook,
    cells: Sequence[Cell],
    *,
    budget: Mapping[str, BudgetValue],
    limits: Limits,
    watch: Watch,
) -> Execution:
    """Run all code cells. What one does wrong costs it alone; the rest goes on."""
    planned = with_budget(cells, budget)
    results: list[CellResult] = []
    shown = _Shown()
    for position, planned_run in enumerate(planned):
        cell = planned_run.cell
        watch.cell(position + 1, len(planned), first_line(cell.source))
        runs = [notebook.run_cell(piece, seconds=limits.cell_seconds) for piece in planned_run.pieces]
        results.append(result_of(cell, runs))
        for run in runs:
            shown.add(cell.number, run)
    return Execution(tuple(results), tuple(shown.pictures), tuple(shown.evidence))


class _Shown:
    """What the cells displayed, as much as there is room for: student code may send it all day."""

    def __init__(self) -> None:
        self.pictures: list[tuple[int, str]] = []
        self.evidence: list[Recording] = []
        self._room_for_pictures, self._room_for_evidence = MAX_PICTURES, MAX_EVIDENCE

    def add(self, cell: int, run: CellRun) -> None:
        """Keep what one piece of a cell displayed."""
        for picture in run.pictures:
            self._room_for_pictures -= len(picture)
            if self._room_for_pictures >= 0:
                self.pictures.append((cell, picture))
        for data in run.evidence:
            self._room_for_evidence -= len(data)
            if self._room_for_evidence >= 0:
                self.evidence += recordings(cell, data)


def recordings(cell: int, data: bytes) -> Iterator[Recording]:
    """The recording in these bytes; none where they hold no evidence object."""
    with suppress(BadRecording):
        yield Recording(cell, read_evidence(data.decode("utf-8", "replace")))


def result_of(cell: Cell, runs: Sequence[CellRun]) -> CellResult:
    """One result for a cell's pieces: the first that went wrong speaks for it."""
    wrong = next((run for run in runs if run.status != "ok"), None)
    return CellResult(
        cell=cell.number,
        status=wrong.status if wrong else "ok",
        seconds=round(sum(run.seconds for run in runs), 6),
        first_line=first_line(cell.source),
        error=wrong.error if wrong else "",
        traceback=wrong.traceback if wrong else "",
    )
