"""`python -m benchmarks.evidence [--gradings N] [--seeds N]`: whether grading evidence ever errs.

The full-marks notebook is graded in the sandbox with N seeds, and each wrong-evidence example with its own N:
no point may be lost, no wrong evidence accepted; what waits for a person is counted. All of it is real
grading, on all processors; warm processes save the imports.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from benchmarks.commands import FULL_MARKS, ROOT
from benchmarks.measure import machine
from grader.grading import assignment_folder
from grader.grading.execution import Silent
from grader.grading.grade_job import GradeJob
from grader.grading.opening import WarmProcesses
from grader.grading.pipeline import grade
from grader.model.errors import CannotGrade
from grader.model.records import Grade
from tests.support.examples import evidence as made

RIGHT = "30 of 30 decided points earned"
REFUSED, LEFT = "refused", "left to a person"


@dataclass(frozen=True)
class Task:
    """One grading: of the full-marks notebook, or of the named wrong example's item alone."""

    path: Path
    seed: int
    name: str = ""
    item: str = ""


def outcome(task: Task, opener: Callable[..., Any]) -> str:
    """RIGHT, REFUSED or LEFT where the grading went as it should, else what went wrong."""
    only = frozenset({task.item} if task.item else ())
    job = GradeJob(task.path, assignment_folder.load(ROOT), task.seed, only=only)
    try:
        record = grade(job, opener=opener, progress=Silent())
    except CannotGrade as error:
        return f"could not be graded: {error}"
    return refused(record, task) if task.item else earned(record, task)


def earned(record: Grade, task: Task) -> str:
    """The points of the full-marks notebook."""
    said = f"{record.earned} of {record.decided} decided points earned"
    return said if said == RIGHT else f"{said} (seed {task.seed})"


def refused(record: Grade, task: Task) -> str:
    """Whether a wrong example's item lost its points, or waits for a person."""
    [result] = [entry for entry in record.items if entry.item == task.item]
    if result.earned:
        return f"ACCEPTED: {task.name} (seed {task.seed})"
    return REFUSED if result.decided else LEFT


def work(tasks: Any, outcomes: Any) -> None:
    """Grade task after task in this process, until None comes."""
    with WarmProcesses() as warm:
        for task in iter(tasks.get, None):
            outcomes.put(outcome(task, warm.open_notebook))


def graded(tasks: Sequence[Task], *, processes: int) -> Iterator[str]:
    """How each grading ended, in any order."""
    context = multiprocessing.get_context("spawn")
    waiting, ended = context.Queue(), context.Queue()
    for task in (*tasks, *[None] * processes):
        waiting.put(task)
    for _ in range(processes):
        context.Process(target=work, args=(waiting, ended), daemon=True).start()
    for _ in tasks:
        yield ended.get()


def wrong_examples(place: Path, seeds: Iterable[int]) -> list[Task]:
    """Every wrong example with every seed; the notebooks are written to ``place``."""
    for name, recipe in made.WRONG.items():
        recipe(place / f"{name}.ipynb")
    return [
        Task(place / f"{name}.ipynb", seed, name, made.ITEMS[name]) for seed in seeds for name in made.WRONG
    ]


def count(what: str, tasks: Sequence[Task], console: Console) -> Counter[str]:
    """Grade all tasks, with a bar on the way; prints and returns how they ended."""
    start, found = time.perf_counter(), Counter[str]()
    with Progress(console=console, transient=True) as progress:
        for end in progress.track(graded(tasks, processes=os.cpu_count() or 1), len(tasks), description=what):
            found[end] += 1
            if end not in {RIGHT, REFUSED, LEFT}:
                console.print(end, markup=False)
    seconds = time.perf_counter() - start
    console.print(f"{what}: {sum(found.values()):,} gradings in {seconds:.0f} s: {dict(found)}")
    return found


def main() -> int:
    """Print both counts; exit status 1 for a lost point or accepted evidence."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.add_argument("--gradings", type=int, default=1000, help="seeds for the full-marks notebook")
    parser.add_argument("--seeds", type=int, default=50, help="seeds for each wrong example")
    given = parser.parse_args()
    console = Console()
    console.print(machine())
    with tempfile.TemporaryDirectory() as scratch:
        right = count("full marks", [Task(FULL_MARKS, seed) for seed in range(given.gradings)], console)
        wrong = count("wrong evidence", wrong_examples(Path(scratch), range(given.seeds)), console)
    return int(set(right) - {RIGHT} != set() or set(wrong) - {REFUSED, LEFT} != set())


if __name__ == "__main__":
    sys.exit(main())
