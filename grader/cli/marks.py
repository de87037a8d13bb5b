"""`grade marks export` and `grade marks import`: people's points as a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import options
from grader.course.locations import open_gradebook
from grader.files import read_whole, write_whole
from grader.gradebook.marks import COLUMNS, GradedSubmissions, marks_from_table, rows_to_mark
from grader.gradebook.spreadsheets import read_table, write_table

HELP = """Marks as a table: export it, fill it in with any spreadsheet, import it.

\b
Examples:
  grade marks export to-mark.csv            what waits for a person, and what is marked already
  grade marks import to-mark.csv            all rows or, if one is wrong, none
"""


@click.group("marks", help=HELP)
def command() -> None:  # noqa: D103  # its help is HELP
    pass


@command.command("export")
@click.argument("path", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also items that checks have decided.")
@options.gradebook
def export_marks(path: Path, *, everything: bool, assignment: Path | None, db: str | None) -> None:
    """Write the items that wait for a person, one row per item, with the marks given so far."""
    with open_gradebook(assignment, db) as (gradebook, title):
        names = {student.id: student.name for student in gradebook.students().values()}
        graded = GradedSubmissions(gradebook, title)
        rows = list(rows_to_mark(graded, gradebook.marks(title), names, everything=everything))
    write_whole(path, "".join(write_table(COLUMNS, rows)).encode())
    waiting = sum(row[COLUMNS.index("points")] == "" for row in rows)
    options.tell(f"{path}: {len(rows):,} rows, {waiting:,} without points")


@command.command("import")
@click.argument("path", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option(
    "--reason", default="marked by table", help="Why, for the gradebook. [default: marked by table]"
)
@options.author()
@options.gradebook
def import_marks(path: Path, *, reason: str, author: str, assignment: Path | None, db: str | None) -> None:
    """Read the points of a table's rows; an empty cell changes nothing, `none` withdraws a mark."""
    data = read_whole(path)
    with open_gradebook(assignment, db) as (gradebook, title):
        rows = read_table(data, source=path.name)
        graded = GradedSubmissions(gradebook, title)
        found = marks_from_table(rows, graded, source=path.name, author=author, reason=reason)
        written = gradebook.add_marks(found)
    options.tell(f"{written:,} marks written, {len(found) - written:,} as before")
