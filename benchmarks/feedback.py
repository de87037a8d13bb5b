"""`python -m benchmarks.feedback [STUDENTS]`: processor time, memory and secrets of `grade feedback`.

Each of the students (300 by default) hands in the full solution of HW3 with its plots and recordings, and
another line in it. 1,000 records full of marked secrets follow, each as a page and a notebook. With
``--gradebook URL`` of examples that were graded, it looks in each student's output for the numbers that the
details of their checks hold.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from grader.course.feedback import FOLDER, folder_of
from grader.course.feedback_notebook import feedback_notebooks, one_notebook, parts_of, written
from grader.course.packages import kept_package
from grader.course.table import class_rows
from grader.gradebook.rows import ItemPoints, NewSubmission, StoredResult, Student
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.model.records import Grade, decode, encode
from grader.notebooks.submission_file import read
from grader.notebooks.submission_files import SubmissionFiles
from grader.reports.feedback_page import Told, render
from grader.reports.safe_words import safe_grade
from tests.support.marked_secrets import NUMBER as SEED
from tests.support.marked_secrets import SECRET, numbers_of_checks, records

ROOT = Path(__file__).parents[1]
SOLUTION = ROOT / "examples" / "full_marks" / "hw3.ipynb"
GRADE = [sys.executable, "-c", "from grader.cli.main import main; main()"]
FUZZED = 1_000


def graded() -> Grade:
    """The solution's record."""
    found = subprocess.run(
        [*GRADE, str(SOLUTION), "--assignment", str(ROOT), "--json"], capture_output=True, check=False
    )
    return decode(found.stdout)


def make_class(folder: Path, students: int) -> None:
    """A gradebook in which each student has handed in the solution, with a line of their own."""
    grade, tree = graded(), json.loads(SOLUTION.read_bytes())
    with Gradebook.open(str(folder / "gradebook.sqlite")) as book:
        book.add_students(Student(f"s{n}", f"Student {n}", f"s{n}@example.edu") for n in range(students))
        for n in range(students):
            tree["cells"][1]["source"] = [f"# {n}\n", *tree["cells"][1]["source"]][:40]
            path = folder / f"s{n}.ipynb"
            path.write_text(json.dumps(tree))
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
            row = book.add_submission(NewSubmission(grade.assignment, path.name, sha256, f"s{n}", str(path)))
            items, points = (
                tuple(map(ItemPoints.of, grade.items)),
                (grade.earned, grade.possible, grade.decided),
            )
            result = StoredResult(sha256, grade.assignment, sha256, {}, items, (), encode(grade), *points)
            book.store_result(result, [row], author="benchmark", reason="batch")


def measured(folder: Path, students: int) -> None:
    """Feedback for everybody, then again with nothing to do."""
    command = [*GRADE, "feedback", "--assignment", str(ROOT), "--db", str(folder / "gradebook.sqlite")]
    for what in ("written", "again, nothing changed"):
        start = time.monotonic()
        started = subprocess.Popen([*command, "--workers", "2"], stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(started.pid, 0)
        assert status == 0
        print(
            f"{students} students, {what}: {used.ru_utime + used.ru_stime:.1f} s of processor time, "
            f"{time.monotonic() - start:.0f} s here, largest process {used.ru_maxrss / 1024:.0f} MB"
        )


def fuzzed() -> int:
    """How many of the fuzzed records leave a marked secret in a page or a notebook."""
    home = assignment_folder.load(ROOT)
    parts = parts_of(SubmissionFiles.of_file(read(SOLUTION)), home, {})
    small = [part.__class__(part.name, part.cells[:12], {}, {}, {}) for part in parts]
    found = 0
    for grade in records(FUZZED):
        told = safe_grade(grade)
        notebooks = feedback_notebooks(told, small, "Ada", ())
        texts = [
            render(one_notebook(notebooks), Told(told, "Ada")),
            *(written(one).decode() for one in notebooks.values()),
        ]
        found += any(SECRET in text or str(SEED) in text for text in texts)
    return found


def leaks(url: str) -> Iterator[tuple[str, bool]]:
    """Each number of checks' details that is not in its student's own file, and whether they are told it."""
    home = assignment_folder.load(ROOT)
    with Gradebook.open(url) as book:
        class_ = list(class_rows(book, home.assignment.title))
        rows = {folder_of(row, set()): row.grade for row in class_ if row.grade is not None}
        records = dict(book.records(row.key for row in rows.values()))
    out = Path(url).parent / FOLDER
    for folder, row in rows.items():
        package = kept_package(row.submission)
        own = "".join(
            Path(file.path).read_text(errors="replace") for file in (package.files if package else ())
        )
        secrets = numbers_of_checks(decode(records[row.key]), own)
        for path in out.glob(f"{folder}/*"):
            text = path.read_text()
            yield from ((f"{path.parent.name}: {number}", number in text) for number in secrets)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("students", type=int, nargs="?", default=300)
    parser.add_argument("--gradebook", default="")
    given = parser.parse_args()
    if given.gradebook:
        looked = list(leaks(given.gradebook))
        found = [what for what, is_there in looked if is_there]
        print(f"{len(found)} of {len(looked):,} numbers of checks in students' output", *found[:20], sep="\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        make_class(Path(folder), given.students)
        measured(Path(folder), given.students)
    print(f"{fuzzed()} of {FUZZED:,} records full of secrets leave one")


if __name__ == "__main__":
    main()
