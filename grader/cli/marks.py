"""`grade mark` and `grade marks`: the points that people give, with who, when and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from grader.cli import options
from grader.files import read_whole, write_whole
from grader.gradebook.marks import COLUMNS, Grades, given_mark, mark_of, marks_from, table_of
from grader.gradebook.spreadsheets import read_table, write_table
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import UsageError

MARK_HELP = """Give one item of one submission POINTS, as a person.

SUBMISSION is a file's name as in the class's table, a student's id, or # and the number that `grade marks
export` shows. POINTS `none` takes a mark back. A mark goes before what checks found; both are kept, with who,
when and why.

\b
Examples:
  grade mark ada.ipynb 3.2.3.i 1.5 --comment "says nothing about memory"
  grade mark s1234567 3.1.1 6 --reason "the hint misled"
  grade mark '#17' 3.2.3.i none
"""

MARKS_HELP = """Marks by the table: export, fill in with any spreadsheet, import.

\b
Examples:
  grade marks export to-mark.csv            what waits for a person, with what is marked already
  grade marks import to-mark.csv            all rows or, when one is wrong, none
"""


@click.command("mark", help=MARK_HELP)
@click.argument("submission")
@click.argument("item")
@click.argument("points")
@click.option("--comment", default="", help="What the student reads beside the points.")
@click.option("--reason", default="marked", help="Why, for the gradebook. [default: marked]")
@options.author()
@options.gradebook
def mark(  # noqa: D103  # its help is MARK_HELP
    submission: str,
    item: str,
    points: str,
    *,
    comment: str,
    reason: str,
    author: str,
    assignment: Path | None,
    db: str | None,
) -> None:
    given = given_mark(item, points, comment, where="POINTS")
    if given is None:
        raise UsageError("POINTS is empty; write a number, or none to take a mark back")
    with opened(assignment, db) as (book, title):
        found = Grades(book, title).find(submission)
        written = book.add_marks([mark_of(found, given, author=author, reason=reason)])
        name = found.submission.name
    said = "no mark" if given.points is None else f"{given.points} points"
    click.echo(f"{name}: item {item}: {said}" + ("" if written else " (as before)"))


@click.group("marks", help=MARKS_HELP)
def marks() -> None:  # noqa: D103  # its help is MARKS_HELP
    pass


@marks.command("export")
@click.argument("path", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also items that checks have decided.")
@options.gradebook
def export_marks(path: Path, *, everything: bool, assignment: Path | None, db: str | None) -> None:
    """Write the items that wait for a person, one row each, with the marks given so far."""
    with opened(assignment, db) as (book, title):
        names = {student.id: student.name for student in book.students().values()}
        rows = list(table_of(Grades(book, title), book.marks(title), names, everything=everything))
    write_whole(path, "".join(write_table(COLUMNS, rows)).encode())
    waiting = sum(row[COLUMNS.index("points")] == "" for row in rows)
    click.echo(f"{path}: {len(rows):,} rows, {waiting:,} without points")


@marks.command("import")
@click.argument("path", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option(
    "--reason", default="marked by table", help="Why, for the gradebook. [default: marked by table]"
)
@options.author()
@options.gradebook
def import_marks(path: Path, *, reason: str, author: str, assignment: Path | None, db: str | None) -> None:
    """Write the points of a table's rows; empty cells change nothing, `none` takes a mark back."""
    data = read_whole(path)
    with opened(assignment, db) as (book, title):
        rows = read_table(data, source=path.name)
        found = marks_from(rows, Grades(book, title), source=path.name, author=author, reason=reason)
        written = book.add_marks(found)
    click.echo(f"{written:,} marks written, {len(found) - written:,} as before")


@contextmanager
def opened(assignment: Path | None, db: str | None) -> Iterator[tuple[Gradebook, str]]:
    """The assignment's gradebook and the assignment's title."""
    home, place = gradebook_of(assignment, db)
    with Gradebook.open(place) as book:
        yield book, home.assignment.title


def gradebook_of(assignment: Path | None, db: str | None) -> tuple[AssignmentFolder, str]:
    """The assignment and where its gradebook is. Raises UsageError where there is none yet."""
    home = assignment_folder.load(assignment or assignment_folder.nearest(Path.cwd() / "x"))
    place = db or str(home.path / "reports" / "gradebook.sqlite")
    if "://" not in place and not Path(place).exists():
        raise UsageError(f"{place}: no gradebook here yet; `grade batch FOLDER` makes it, --db names another")
    return home, place
