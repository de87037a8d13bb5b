"""What `grade report` takes for a class of HW3: processor time and memory, of made records of real size.

    python -m benchmarks.class_page [--students 300] [--out FOLDER]

The records are the sample report's, each with its own points, mistakes, answers, cells and marks. The page
stays in FOLDER, if one is named, to be looked at.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from benchmarks.measure import machine
from grader.course.class_report import class_report
from grader.course.locations import Locations
from grader.course.table import Rules
from grader.files import write_whole
from grader.gradebook.marker_notes import OPINION
from grader.gradebook.rows import Arrival, ItemPoints, Mark, NewSubmission, Refusal, StoredResult, Student
from grader.gradebook.rubrics import Ruling
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import Fault, Outcome
from grader.model.points import ZERO, Points
from grader.model.records import (
    CellResult,
    CellStatus,
    CheckResult,
    Grade,
    ItemResult,
    decode,
    encode,
    without_figures,
)

ROOT = Path(__file__).parents[1]
DEADLINE = "2026-11-20T23:59+00:00"
AT_ONCE = 500
NAMES = (
    ("G.mean(0)", "a mean where a sum belongs"),
    ("G @ W", "a transpose is missing"),
    ("X.T @ G / N", "divided by N once too often"),
)
ERRORS = (
    "NameError: name 'backward_pass' is not defined",
    "TypeError: 'NoneType' object is not subscriptable",
)
PROSE = """small batches need more updates to converge and each update costs nearly as much because the
processor reads memory in blocks while larger batches have gradients of lower variance and generalize less in
our plots the training accuracy goes on rising but test and validation accuracy fluctuate around a level"""
MARKERS = ("marker 1", "marker 2", "marker 3")


class Made:
    """A class that is drawn from a seed."""

    def __init__(self, home: AssignmentFolder, students: int, files: Path, seed: int = 1) -> None:
        self.home, self.students, self.files = home, students, files
        self.rng = np.random.default_rng(seed)
        sample = without_figures(decode((ROOT / "reports/sample/grade.json").read_bytes()))
        self.sample = msgspec.structs.replace(sample, assignment=home.assignment.title)
        tree = json.loads((ROOT / "examples/full_marks/hw3.ipynb").read_text(encoding="utf-8"))
        self.cells = ["".join(cell["source"]) for cell in tree["cells"] if cell["cell_type"] == "code"]
        self.copied = {item.item: self.words() for item in sample.items}

    def file(self, name: str) -> tuple[str, str]:
        """A notebook that never ran, with names, order and lines of the student's own; and its digest."""
        own = str(self.rng.integers(1000))
        cells = [cell.replace("grad", f"grad{own}") + f"\nprint({own})" for cell in self.cells]
        self.rng.shuffle(cells)
        tree = {
            "nbformat": 4,
            "nbformat_minor": 4,
            "metadata": {},
            "cells": [code_cell(one) for one in cells],
        }
        path, data = self.files / name, json.dumps(tree).encode()
        write_whole(path, data)
        return str(path), hashlib.sha256(data).hexdigest()

    def words(self) -> str:
        """An answer of random words."""
        return " ".join(self.rng.choice(PROSE.split(), int(self.rng.integers(15, 70)))) + "."

    def item(self, item: ItemResult, ability: float) -> ItemResult:
        """The item as one student did it."""
        if item.kind == "written":
            draw = self.rng.random()
            text = "" if draw < 0.08 else self.copied[item.item] if draw < 0.1 else self.words()
            return msgspec.structs.replace(item, answer=text, found=bool(text), answer_sha256=text[:60])
        checks = tuple(self.check(check, ability) for check in item.checks)
        earned = sum((check.earned for check in checks), ZERO)
        return msgspec.structs.replace(item, checks=checks, earned=earned, decided=True, waits_for="")

    def check(self, check: CheckResult, ability: float) -> CheckResult:
        """The check as it ended."""
        if self.rng.random() < ability:
            passed = {"outcome": Outcome.PASSED, "earned": check.possible, "fault": None}
            return msgspec.structs.replace(check, **passed, message="", detail="", mistake="")
        kind = self.rng.random()
        changes: dict[str, object] = {"outcome": Outcome.FAILED, "mistake": "", "detail": "differs " * 40}
        if kind < 0.5:
            formula, mistake = NAMES[min(2, int(self.rng.geometric(0.7)) - 1)]
            changes |= {"mistake": mistake, "detail": f"differs\n  This is `{formula}`: {mistake}."}
        elif kind < 0.7:
            changes |= {"outcome": Outcome.ERRORED, "detail": str(self.rng.choice(ERRORS))}
        return msgspec.structs.replace(check, earned=ZERO, fault=Fault.STUDENT, **changes)

    def grade(self, name: str) -> Grade:
        """A record."""
        ability = float(self.rng.beta(9, 1.6))
        items = tuple(self.item(item, ability) for item in self.sample.items)
        cells = self.sample.cells
        if self.rng.random() < 0.1:
            kinds = (
                (CellStatus.TIMED_OUT, "while loss > 0.1:", "no end after 30 s", 30.0),
                (
                    CellStatus.RAISED,
                    "import seaborn as sns",
                    "ModuleNotFoundError: No module named 'seaborn'",
                    0.1,
                ),
                (CellStatus.CRASHED, "A = np.zeros((10**6, 10**6))", "the process ended", 2.0),
            )
            status, first, error, seconds = kinds[int(self.rng.choice(3, p=(0.2, 0.7, 0.1)))]
            cells = (*cells, CellResult(70, status, seconds, first, error))
        return msgspec.structs.replace(
            self.sample,
            submission=msgspec.structs.replace(self.sample.submission, name=name, sha256=f"{name:0>64}"),
            items=items,
            cells=cells,
            earned=sum((item.earned for item in items), ZERO),
            decided=sum((item.possible for item in items if item.decided), ZERO),
        )

    def hand_in(self, gradebook: Gradebook) -> None:
        """Fill the gradebook: everybody on the roster, most of them graded, some answers marked."""
        title = self.home.assignment.title
        ids = [f"s{number:06}" for number in range(self.students)]
        gradebook.add_students(Student(one, f"Student {one[1:]}") for one in ids)
        gradebook.add_refusals(
            title, [Refusal(f"{ids[-1]}/hw3.ipynb", "is not valid JSON: it ends too early", ids[-1])]
        )
        handed = [one for one in ids[:-1] if self.rng.random() < 0.96]
        rows = []
        for start in range(0, len(handed), AT_ONCE):
            rows += self.store(gradebook, title, handed[start : start + AT_ONCE])
        self.mark(gradebook, rows)

    def store(self, gradebook: Gradebook, title: str, ids: Sequence[str]) -> list[int]:
        """Some submissions with their results."""
        names = [f"{one}/hw3.ipynb" for one in ids]
        files = [self.file(name) for name in names]
        rows = gradebook.add_submissions(
            NewSubmission(title, name, sha256, one, path)
            for one, name, (path, sha256) in zip(ids, names, files, strict=True)
        )
        due = datetime.datetime.fromisoformat(DEADLINE)
        hours = np.minimum(self.rng.exponential(30, len(rows)) - 3, 200)
        times = [
            (due - datetime.timedelta(hours=float(hour))).isoformat(timespec="seconds") for hour in hours
        ]
        arrivals = ((row, Arrival(at)) for row, at in zip(rows, times, strict=True))
        gradebook.add_arrivals(arrivals, author="batch", reason="batch")
        for row, name, (_, sha256) in zip(rows, names, files, strict=True):
            grade = self.grade(name)
            sums = (grade.earned, grade.possible, grade.decided)
            items = tuple(map(ItemPoints.of, grade.items))
            key, bytes_ = f"key {name}", encode(grade)
            result = StoredResult(key, title, sha256, {}, items, (), bytes_, *sums)
            gradebook.store_result(result, [row], author="batch", reason="batch")
        return rows

    def mark(self, gradebook: Gradebook, rows: Sequence[int]) -> None:
        """The first two written items are marked, a few answers twice."""
        marks, opinions = [], []
        for item in self.home.assignment.of_kind("written")[:2]:
            for number, row in enumerate(rows):
                points = [Points(100 * int(self.rng.binomial(2, 0.7 - 0.05 * at))) for at in range(2)]
                marks.append(Mark(row, item.id, points[0], author=MARKERS[number % 3]))
                for at, given in enumerate(points if number < 20 else ()):
                    opinions.append((row, item, given, MARKERS[at]))
        gradebook.add_marks(marks)
        store = gradebook.marking(self.home.assignment.title)
        for row, item, given, marker in opinions:
            said = Ruling((), given, "made" if given else "")
            store.save(
                item.id, said, {row: 0}, item.points, author=marker, origins={}, action="", also=OPINION
            )


def code_cell(source: str) -> dict[str, object]:
    """A cell that never ran."""
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}


def main() -> None:
    """Make the class, write its page, print what that took."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.out or Path(folder)
        home = assignment_folder.load(ROOT)
        locations = Locations(home, place, str(place / "gradebook.sqlite"))
        with Gradebook.open(locations.gradebook) as gradebook:
            Made(home, given.students, Path(folder)).hand_in(gradebook)
        before, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        from grader.reports.class_page import render  # noqa: PLC0415  # its imports count

        with Gradebook.open(locations.gradebook) as gradebook:
            found = class_report(gradebook, locations, Rules(deadline=DEADLINE))
        gathered = time.process_time()
        page = render(found).encode()
        write_whole(place / "class.html", page)
        took = time.process_time() - before
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    print(machine())
    print(f"{given.students:,} students: {took:.1f} s of processor time, {gathered - before:.1f} s to read")
    print(f"{more:.0f} MiB more memory than before, a page of {len(page):,} bytes")


if __name__ == "__main__":
    main()
