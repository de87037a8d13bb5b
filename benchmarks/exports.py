"""`python -m benchmarks.exports [STUDENTS ...]`: processor time and memory of `grade export`, by class size.

Each student handed in twice, and a person marked three of eleven items. By default 1,000 and 10,000 students.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grader.course.intake import read_given_roster
from grader.gradebook import statements
from grader.gradebook.database import writing
from grader.gradebook.rows import ItemPoints, Mark, NewSubmission, StoredResult
from grader.gradebook.store import Gradebook
from grader.model.points import Points

TITLE = "HW"
ITEMS = [(f"{n}", f"An item of this assignment, {n}", "written" if n > 8 else "code") for n in range(1, 12)]
MANIFEST = f'title = "{TITLE}"\npoints = 44\n' + "".join(
    f'[[item]]\nid = "{item}"\ntitle = "{title}"\nkind = "{kind}"\npoints = 4\n'
    + ('rubric = [{ points = 4, text = "Right." }]\n' if kind == "written" else "")
    for item, title, kind in ITEMS
)


def write_sheets(folder: Path, students: int) -> None:
    """Canvas's and Moodle's sheet of the same class."""
    canvas = ["Student,ID,SIS User ID,SIS Login ID,Section,HW (42)", "Points Possible,,,,,44"]
    canvas += [f'"Family {n}, Given",{900_000 + n},s{n},l{n},A,' for n in range(students)]
    (folder / "canvas.csv").write_text("\n".join(canvas))
    moodle = [
        "Identifier,Full name,ID number,Status,Grade,Maximum Grade,Grade can be changed,"
        "Last modified (submission),Last modified (grade),Feedback comments"
    ]
    moodle += [
        f'Participant {2000 + n},"Given Family {n}",s{n},Submitted,,44.00,Yes,-,-,' for n in range(students)
    ]
    (folder / "moodle.csv").write_text("\n".join(moodle))


def result_of(one: NewSubmission) -> StoredResult:
    """What grading it found: three of four points for each item, written ones undecided."""
    items = tuple(
        ItemPoints(item, title, kind, 300, 400, decided=kind == "code", answer=one.sha256)
        for item, title, kind in ITEMS
    )
    points = (Points.of(24), Points.of(44), Points.of(32))
    return StoredResult(one.sha256, TITLE, one.sha256, {}, items, (), b"{}", *points)


def make_class(folder: Path, students: int) -> None:
    """A manifest, a gradebook and the platforms' sheets."""
    (folder / "assignment.toml").write_text(MANIFEST)
    write_sheets(folder, students)
    with Gradebook.open(str(folder / "gradebook.sqlite")) as book:
        read_given_roster(folder / "canvas.csv", TITLE, book)
        new = [
            NewSubmission(TITLE, f"s{n}/{turn}.ipynb", f"{n}.{turn}", str(900_000 + n))
            for n in range(students)
            for turn in range(2)
        ]
        rows = book.add_submissions(new)
        with writing(book._engine) as connection:  # one transaction: twenty thousand would take minutes
            for one, row in zip(new, rows, strict=True):
                statements.add_result(connection, result_of(one), "")
                statements.add_grade(connection, row, one.sha256, ("", "b", "benchmark"))
        written = [item for item, _, kind in ITEMS if kind == "written"]
        marks = [Mark(row, item, Points.of(2), "says why", author="b") for row in rows for item in written]
        book.add_marks(marks)


def measure(folder: Path, form: str) -> str:
    """One export in a process of its own: seconds on the clock, processor seconds, peak memory."""
    command = [sys.executable, "-m", "grader.cli.main", "export", form, f"out.{form}"]
    command += ["--db", "gradebook.sqlite", "--roster", f"{'moodle' if form == 'moodle' else 'canvas'}.csv"]
    began = time.perf_counter()
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    assert status == 0, status
    spent = usage.ru_utime + usage.ru_stime
    return f"{seconds:6.1f} s  {spent:6.1f} s of processor time  {usage.ru_maxrss / 1024:6.0f} MB"


def main() -> int:
    """Print a line for each size and format."""
    for students in map(int, sys.argv[1:] or ["1000", "10000"]):
        with tempfile.TemporaryDirectory() as name:
            make_class(Path(name), students)
            for form in ("canvas", "moodle", "csv", "json"):
                print(f"{students:6,} students  {form:6}  {measure(Path(name), form)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
