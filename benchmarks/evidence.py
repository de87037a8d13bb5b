"""`python -m benchmarks.evidence [--gradings N] [--seeds N]`: whether grading evidence ever errs.

The full-marks notebook is graded in the sandbox with N seeds, and each wrong-evidence example with its own N:
no point may be lost, no wrong evidence accepted. All of it is real grading; warm processes save the imports.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.commands import FULL_MARKS, ROOT
from benchmarks.measure import machine
from grader.grading import folder
from grader.grading.execution import Silent
from grader.grading.openers import WarmProcesses
from grader.grading.run import GradeJob, grade
from grader.model.errors import CannotGrade
from grader.model.records import Grade

GOLDEN = ROOT / "tests" / "golden"


def graded(path: Path, seed: int, warm: WarmProcesses, *, only: tuple[str, ...] = ()) -> Grade:
    """One grading of a file, of some items or of all."""
    job = GradeJob(path, folder.load(ROOT), seed, only=only)
    return grade(job, opener=warm.open_notebook, watch=Silent())


def full_marks(gradings: int, warm: WarmProcesses) -> Counter[str]:
    """What so many gradings of the full-marks notebook gave, each with a seed of its own."""
    found: Counter[str] = Counter()
    for seed in range(gradings):
        record = graded(FULL_MARKS, seed, warm)
        found[f"{record.earned} of {record.decided} decided points earned"] += 1
    return found


def wrong_examples(seeds: int, warm: WarmProcesses) -> Counter[str]:
    """How often each wrong example's item lost its points, and whether it was ever accepted."""
    sys.path.insert(0, str(GOLDEN))
    made = importlib.import_module("examples_evidence")
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        for name, recipe in made.WRONG.items():
            path = Path(scratch) / f"{name}.ipynb"
            recipe(path)
            item = made.ITEMS[name]
            for seed in range(seeds):
                record = graded(path, seed, warm, only=(item,))
                [result] = [entry for entry in record.items if entry.item == item]
                refused = result.decided and not result.earned
                found["refused" if refused else f"ACCEPTED: {name} (seed {seed})"] += 1
    return found


def main() -> int:
    """Print both counts; exit status 1 for a lost point or accepted evidence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gradings", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=50)
    arguments = parser.parse_args()
    print(machine())
    try:
        with WarmProcesses() as warm:
            start = time.perf_counter()
            right = full_marks(arguments.gradings, warm)
            print(
                f"full marks, {arguments.gradings} seeds, {time.perf_counter() - start:.0f} s: {dict(right)}"
            )
            start = time.perf_counter()
            wrong = wrong_examples(arguments.seeds, warm)
            taken = time.perf_counter() - start
            print(f"wrong evidence, {arguments.seeds} seeds each, {taken:.0f} s: {dict(wrong)}")
    except CannotGrade as error:
        print(error)
        return 1
    return int(len(right) > 1 or set(wrong) - {"refused"} != set())


if __name__ == "__main__":
    sys.exit(main())
