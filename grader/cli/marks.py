"""`grade marks export` and `grade marks import`: people's points as a spreadsheet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import click

from grader.cli import options
from grader.course.after_marks import follow
from grader.course.batch import grade_record
from grader.course.locations import open_gradebook
from grader.course.table import Rules, class_rows
from grader.files import read_whole, write_whole
from grader.gradebook.mark_sheets import COLUMNS, Reader, rows_to_mark
from grader.gradebook.marks import class_marks
from grader.gradebook.rows import GradeRow
from grader.gradebook.spreadsheets import read_table, write_table
from grader.model.text import counted

HELP = """Marks as a table: export it, fill it in with any spreadsheet, import it.

The table has the answers of the submissions that count, and the marks given so far. Importing it changes only
the rows in which you changed points or comment, and none that somebody else has marked since.

\b
Examples:
  grade marks export to-mark.csv            what waits for a person, and what is marked already
  grade marks import to-mark.csv            what you changed in it; if a row is wrong, nothing
"""


@click.group("marks", help=HELP)
def command() -> None:  # noqa: D103  # its help is HELP
    pass


@command.command("export")
@click.argument("path", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also items that checks have decided.")
@options.counting
@options.gradebook
def export_marks(
    path: Path, *, everything: bool, choose: str, deadline: str, assignment: Path | None, db: str | None
) -> None:
    """Write the items that wait for a person, one row per item, with the marks given so far."""
    with open_gradebook(assignment, db, environ=os.environ) as (gradebook, locations):
        names = {student.id: student.name for student in gradebook.students().values()}
        rows = class_rows(gradebook, locations.title, Rules(choose, deadline))
        counting = [row.grade for row in rows if row.grade is not None]

        def answers_of(grade: GradeRow) -> Mapping[str, str]:
            return {item.item: item.answer for item in grade_record(gradebook, grade.key).items}

        marks = class_marks(gradebook, locations.title)
        lines = list(rows_to_mark(counting, marks, names, answers_of, everything=everything))
    # With a byte order mark: without, Excel shows names in another alphabet as signs.
    write_whole(path, "".join(write_table(COLUMNS, lines)).encode("utf-8-sig"))
    waiting = sum(row[COLUMNS.index("points")] == "" for row in lines)
    options.tell(f"{path}: {counted(len(lines), 'row', 'rows')}, {waiting:,} without points")


@command.command("import")
@click.argument("path", metavar="FILE.csv", type=click.Path(path_type=Path))
@click.option(
    "--reason", default="marked by table", help="Why, for the gradebook. [default: marked by table]"
)
@options.author()
@options.gradebook
def import_marks(path: Path, *, reason: str, author: str, assignment: Path | None, db: str | None) -> None:
    """Read the points of a table's rows; an empty cell changes nothing, `none` withdraws a mark.

    The exit status is 1 if somebody else has changed a mark that you changed too: that row is not imported.
    """
    data = read_whole(path)
    with open_gradebook(assignment, db, environ=os.environ) as (gradebook, locations):
        rows = read_table(data, source=path.name)
        marks = class_marks(gradebook, locations.title)
        bonus = locations.home.assignment.bonuses
        reader = Reader(gradebook, locations.title, marks, author=author, reason=reason, bonus=bonus)
        sheet = reader.read(rows, source=path.name)
        written, late = gradebook.add_seen_marks(sheet.marks)
        follow(gradebook, locations, reader.students_of(mark for mark, _ in sheet.marks))
        conflicts = [*sheet.conflicts, *(reader.conflict(mark, now) for mark, now in late)]
    left = len(rows) - written - len(conflicts)
    options.tell(f"{counted(written, 'mark', 'marks')} written, {counted(left, 'row', 'rows')} as before")
    for line in conflicts:
        options.tell(line)
    if conflicts:
        raise click.exceptions.Exit(1)
