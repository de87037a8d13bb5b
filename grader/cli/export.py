"""`grade export FORMAT FILE`: the class's grades as another system takes them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from grader.cli import options
from grader.course.export import Leaving, Matched, as_csv, as_json, encoded, leaving, matched
from grader.course.filled_sheets import PLATFORMS, Wanted, fill
from grader.course.locations import open_gradebook
from grader.course.table import Rules, class_rows
from grader.files import read_whole, write_whole
from grader.gradebook.policy import moment
from grader.gradebook.rows import Student
from grader.gradebook.spreadsheets import read_sheet
from grader.model.text import counted, one_line

HELP = """Write the class's grades to FILE, as FORMAT: canvas, moodle, csv or json.

The roster of the last `grade batch --roster` comes back with its columns: Canvas's own gradebook with this
assignment's column, Moodle's own worksheet with grades and comments. A newer one is given with --roster.
Whoever has points that nobody has decided yet is left out and named, and so is who handed in nothing.

Exit status: 0 everybody who handed in is in it, 1 somebody is left out, 2 nothing was written.

\b
Examples:
  grade export canvas canvas.csv
  grade export canvas canvas.csv --roster newer.csv --column "HW3 (4711)"
  grade export moodle worksheet.csv --deadline 2026-11-30T23:59+01:00 --late-percent 10
  grade export csv grades.csv
  grade export json grades.json
"""
NAMED = 20


@click.command("export", help=HELP)
@click.argument("form", metavar="FORMAT", type=click.Choice([*PLATFORMS, "csv", "json"]))
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--roster",
    metavar="CSV",
    type=click.Path(path_type=Path),
    help="The sheet to fill in. [default: the last batch's --roster]",
)
@click.option(
    "--column", metavar="NAME", default="", help="Canvas's column. [default: the assignment's title]"
)
@click.option(
    "--maximum",
    type=click.Choice(["same", "scale", "keep"]),
    default="same",
    help="If the other system's maximum is another: refuse (same), scale the points, or keep them.",
)
@options.counting
@options.lateness
@options.gradebook
def command(**options: Any) -> None:  # noqa: D103  # its help is HELP
    export(Options(**options))


@dataclass(frozen=True)
class Options:
    """The command's arguments and options."""

    form: str
    path: Path
    roster: Path | None
    column: str
    maximum: str
    choose: str
    deadline: str
    late_percent: int
    grace: int
    unknown_late_days: int
    assignment: Path | None
    db: str | None

    @property
    def rules(self) -> Rules:
        """Which submission counts, and what being late costs. Raises UsageError."""
        moment(self.deadline)
        return Rules(self.choose, self.deadline, self.late_percent, self.grace, self.unknown_late_days)


def export(given: Options) -> None:
    """Write the file and say who is not in it; leave with the exit status."""
    roster = None if given.roster is None else read_whole(given.roster, option="--roster")
    with open_gradebook(given.assignment, given.db, environ=os.environ) as (gradebook, locations):
        title = locations.title
        found = leaving(class_rows(gradebook, title, given.rules))
        kept = gradebook.roster(title) if given.roster is None else (given.roster.name, roster or b"")
        sheet = None if kept is None else read_sheet(kept[1], source=kept[0])
        people = gradebook.students()
        people |= {one: Student(one) for one in found.rows if one not in people}
        theirs = Matched([], []) if sheet is None else matched(sheet, people, gradebook, title)
    skipped = dict[str, str]()
    written: Collection[str] = found.rows
    if given.form in PLATFORMS:
        wanted = Wanted(title, given.column, given.maximum)
        filled = fill(given.form, sheet, theirs.students, found, wanted)
        data, written, skipped = encoded(filled.lines, filled.encoding), filled.students, filled.skipped
    elif given.form == "json":
        data = as_json(found, sheet, theirs.students, assignment=title)
    else:
        data = as_csv(found, sheet, theirs.students)
    write_whole(given.path, data)
    show(given.path, len(written), [*found.undecided, *not_in(written, found, skipped)], found, theirs)


def not_in(written: Collection[str], found: Leaving, skipped: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Whose points are decided and yet not in the file, each with the reason."""
    for student in found.rows.keys() - set(written):
        name = found.rows[student].student.name or student
        yield name, skipped.get(student, "no row of the sheet is theirs; --roster takes a newer one")


def show(path: Path, written: int, left: Sequence[tuple[str, str]], found: Leaving, theirs: Matched) -> None:
    """Say what was written and who is not in it; leave with status 1 if somebody who handed in is not."""
    options.tell(
        f"{path}: {counted(written, 'grade', 'grades')}; {len(left):,} left out, "
        f"{len(found.absent):,} handed in nothing"
    )
    lines = [f"left out: {one_line(name, 60)}: {one_line(why, 300)}" for name, why in sorted(left)]
    lines += [f"left as it was in the sheet: {one_line(why, 300)}" for why in theirs.strangers]
    for line in lines[:NAMED]:
        options.tell(line)
    if len(lines) > NAMED:
        options.tell(f"... and {len(lines) - NAMED:,} more; `grade export json` names all who are undecided")
    if left:
        raise click.exceptions.Exit(1)
