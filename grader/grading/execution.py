"""Running a submission's cells in order, each in its pieces, with the budget's overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from grader.model.assignment import BudgetValue, Limits
from grader.model.records import CellResult
from grader.notebooks.cells import Cell, first_line
from grader.notebooks.parameters import with_budget
from grader.session.notebook import CellRun, Notebook


class Watch(Protocol):
    """Is told what happens while it happens."""

    def cell(self, number: int, total: int, first_line: str) -> None:
        """Cell ``number`` of ``total`` begins."""

    def check(self, number: int, total: int, title: str) -> None:
        """Check ``number`` of ``total`` begins."""

    def note(self, text: str) -> None:
        """Something else begins."""


@dataclass(frozen=True)
class Execution:
    """How every code cell ended, and the pictures they drew (base64 PNG, untrusted) by cell number."""

    cells: tuple[CellResult, ...]
    pictures: tuple[tuple[int, str], ...]


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
    pictures: list[tuple[int, str]] = []
    for position, planned_run in enumerate(planned):
        cell = planned_run.cell
        watch.cell(position + 1, len(planned), first_line(cell.source))
        runs = [notebook.run_cell(piece, seconds=limits.cell_seconds) for piece in planned_run.pieces]
        results.append(result_of(cell, runs))
        pictures += [(cell.number, picture) for run in runs for picture in run.pictures]
    return Execution(tuple(results), tuple(pictures))


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
