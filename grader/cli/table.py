"""`grade table`: where the class stands, with marks, late days and the submission that counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.cli import options
from grader.course.locations import open_gradebook
from grader.course.table import ClassRow, Late, class_rows, write_class_table
from grader.gradebook.policy import choice, moment
from grader.model.text import one_line

HELP = """Show where the class stands: one row per student, with the points from checks and from people.

\b
Examples:
  grade table
  grade table --csv grades.csv --choose best
  grade table --choose deadline --deadline 2026-11-30T23:59+01:00
  grade table --deadline 2026-11-30T23:59+01:00 --late-percent 10 --grace 15
"""
SHOWN = 500


@click.command("table", help=HELP)
@options.csv("Write the table as CSV.")
@click.option(
    "--choose",
    type=click.Choice(["latest", "best", "deadline"]),
    default="latest",
    help="Which of a student's submissions counts. [default: latest]",
)
@click.option(
    "--deadline", metavar="TIME", default="", help="Such as 2026-11-30T23:59+01:00; UTC if it names no zone."
)
@click.option(
    "--late-percent",
    metavar="N",
    type=click.IntRange(0, 100),
    default=0,
    help="Percent of the possible points that each started day after the deadline costs.",
)
@click.option(
    "--grace",
    metavar="MINUTES",
    type=click.IntRange(0),
    default=0,
    help="Minutes after the deadline that do not count as late.",
)
@options.gradebook
def command(  # noqa: D103  # its help is HELP
    *,
    csv_path: Path | None,
    choose: str,
    deadline: str,
    late_percent: int,
    grace: int,
    assignment: Path | None,
    db: str | None,
) -> None:
    moment(deadline)
    rule = Late(deadline, late_percent, grace)
    chosen = choice(choose, deadline)
    with open_gradebook(assignment, db) as (gradebook, title):
        rows = list(class_rows(gradebook, title, choose=chosen, late=rule))
        if csv_path is not None:
            write_class_table(gradebook, title, csv_path, choose=chosen, late=rule)
    show(rows, Console(), with_late=bool(deadline))


def show(rows: Sequence[ClassRow], console: Console, *, with_late: bool) -> None:
    """The class on a terminal."""
    table = Table(box=None, pad_edge=False)
    for column in ("student", "submission"):
        table.add_column(column, overflow="fold")
    for column in ("earned", "awaiting", "of", *(("late days", "final") if with_late else ())):
        table.add_column(column, justify="right")
    for row in rows[:SHOWN]:
        table.add_row(*shown(row, with_late=with_late))
    console.print(table)
    if len(rows) > SHOWN:
        console.print(f"... and {len(rows) - SHOWN:,} more; --csv FILE has all", highlight=False)
    handed_in = [row for row in rows if row.total is not None]
    complete = sum(row.total.complete for row in handed_in if row.total is not None)
    console.print(
        f"{len(handed_in):,} of {len(rows):,} handed in; {complete:,} have every point decided",
        highlight=False,
    )


def shown(row: ClassRow, *, with_late: bool) -> list[Text]:
    """The cells of one row."""
    name = row.student.name or row.student.id or "nobody on the roster"
    if row.grade is None or row.total is None:
        return [Text(one_line(name, 60)), Text("nothing handed in", "dim")]
    total = row.total
    cells = [Text(one_line(name, 60)), Text(one_line(row.grade.submission.name, 60))]
    cells += [Text(str(total.earned)), Text(str(total.awaiting), "blue" if total.awaiting else "dim")]
    cells.append(Text(str(total.possible)))
    if with_late:
        cells += [Text(str(row.late_days)), Text(str(row.final), "bold")]
    return cells
