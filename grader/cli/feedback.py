"""`grade feedback`: each student's own notebook back, with points and comments beside their cells."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track

from grader.cli import options
from grader.course.feedback import FOLDER, PAGE, PDF, Made, make_all, wanted_of
from grader.course.feedback_files import Unsent, pdf_of, write_mail_table, write_zip
from grader.course.locations import Locations, open_gradebook
from grader.course.table import ClassRow, Rules, class_rows
from grader.gradebook.people import People
from grader.gradebook.store import Gradebook
from grader.host import is_installed, processors
from grader.model.errors import UsageError
from grader.model.text import counted, one_line

HELP = """Write each student's feedback: a page, and their own notebook with what is said between their cells.

It goes to OUT/feedback/STUDENT/: feedback.html, and hw3.feedback.ipynb for hw3.ipynb. Of hidden checks it
holds names and hints, never an input or an expected value. Run it again after a mark or a regrade: only what
changed is written, and says what changed and why. --zip and --mail then hold what was not sent yet.

Exit status: 0 everybody has feedback, 1 somebody has none or only a part, 2 nothing was written.

\b
Examples:
  grade feedback                             everybody whose submission is graded
  grade feedback --student ada --student s1234567
  grade feedback --only 3.4.ii               of this item alone; nothing is said of the others
  grade feedback --zip moodle --to up.zip    for "Upload multiple feedback files in a zip"
  grade feedback --zip canvas --to up.zip    for Canvas's "Upload Submissions"
  grade feedback --mail mail.csv             email, name, file: for a mail merge
  grade feedback --pdf                       also feedback.pdf, by Chromium
"""
INSTALL = "pip install 'chainrule[feedback]'"
NAMED = 20
FEW = 4
"""Students whose feedback is not worth a process of its own."""


@click.command("feedback", help=HELP)
@click.option("--student", "students", metavar="WHO", multiple=True, help="This student alone; repeatable.")
@click.option("--only", metavar="ITEM", multiple=True, help="Feedback on this item alone; repeatable.")
@click.option(
    "--zip", "platform", type=click.Choice(["moodle", "canvas"]), help="Also a zip as this platform takes it."
)
@click.option(
    "--to", metavar="ZIP", type=click.Path(path_type=Path), help="[default: OUT/feedback-PLATFORM.zip]"
)
@click.option("--mail", metavar="CSV", type=click.Path(path_type=Path), help="Also a table for a mail merge.")
@click.option("--all", "everything", is_flag=True, help="Put everybody into --zip and --mail, sent or not.")
@click.option("--pdf", is_flag=True, help="Also each page as feedback.pdf; needs Chromium or Chrome.")
@options.counting
@options.lateness
@options.workers()
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where feedback/ is. [default: the reports]",
)
@options.gradebook
def command(**given: Any) -> None:  # noqa: D103  # its help is HELP
    asked = Options(**given)
    assert_installed()
    with open_gradebook(asked.assignment, asked.db, environ=os.environ) as (gradebook, locations):
        folder = (asked.out or locations.reports) / FOLDER
        rows = rows_of(asked, gradebook, locations)
        graded = sum(row.grade is not None for row in rows)
        made = list(progress(make_class(asked, gradebook, locations, rows, folder), graded))
        numbers = gradebook.participants(locations.title)
    if not made:
        raise UsageError("nobody has a grade here yet; `grade batch FOLDER` grades")
    left = [one for row in rows if row.grade is None for one in row.attention]
    left += send(asked, made, folder, numbers)
    raise click.exceptions.Exit(report(made, left, folder))


@dataclass(frozen=True)
class Options:
    """What the command line said."""

    students: tuple[str, ...]
    only: tuple[str, ...]
    platform: str | None
    to: Path | None
    mail: Path | None
    everything: bool
    pdf: bool
    choose: str
    deadline: str
    late_percent: int
    grace: int
    unknown_late_days: int
    workers: int | None
    out: Path | None
    assignment: Path | None
    db: str | None


def rows_of(asked: Options, gradebook: Gradebook, locations: Locations) -> list[ClassRow]:
    """The class, or the students who were named. Raises UsageError for one whom nobody knows."""
    people = People.of(gradebook, locations.title)
    students = [people.find(word).id for word in asked.students]
    costs = (asked.late_percent, asked.grace, asked.unknown_late_days)
    rows = class_rows(gradebook, locations.title, Rules(asked.choose, asked.deadline, *costs))
    return [row for row in rows if not students or row.student.id in students]


def make_class(
    asked: Options, gradebook: Gradebook, locations: Locations, rows: Sequence[ClassRow], folder: Path
) -> Iterator[Made]:
    """Write the feedback that was asked for. Raises UsageError."""
    for item in asked.only:
        if locations.home.assignment.find(item) is None:
            known = ", ".join(one.id for one in locations.home.assignment.item)
            raise UsageError(f"--only {item}: not an item of this assignment; it has {known}")
    wanted = wanted_of(gradebook, rows, items=asked.only)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    workers = 1 if len(rows) <= FEW else asked.workers or processors()
    yield from make_all(wanted, locations.home, folder, now=now, workers=workers)


def send(asked: Options, made: Sequence[Made], folder: Path, numbers: Mapping[str, str]) -> list[Unsent]:
    """Write the zip, the table and the PDFs that were asked for; who is not in them, and why."""
    left: list[Unsent] = []
    if asked.pdf:
        for one in made:
            if not (folder / one.folder / PDF).exists():
                pdf_of(folder / one.folder / PAGE)
    if asked.platform is not None:
        to = asked.to or folder.with_name(f"{FOLDER}-{asked.platform}.zip")
        sent, left = write_zip(to, made, folder, asked.platform, numbers, everything=asked.everything)
        options.tell(f"{to}: feedback of {counted(sent, 'student', 'students')}")
    if asked.mail is not None:
        left += write_mail_table(asked.mail, made, folder, everything=asked.everything)
    return left


def assert_installed() -> None:
    """Raises UsageError where a library is missing that only this command needs."""
    missing = [name for name in ("nbconvert", "latex2mathml") if not is_installed(name)]
    if missing:
        raise UsageError(f"grade feedback needs {' and '.join(missing)}: {INSTALL}")


def progress(made: Iterator[Made], count: int) -> Iterator[Made]:
    """The same, with a bar on a terminal."""
    console, is_shown = Console(stderr=True), sys.stderr.isatty()
    yield from track(made, "feedback", total=count, console=console, transient=True, disable=not is_shown)


def report(made: Sequence[Made], left: Sequence[Unsent], folder: Path) -> int:
    """Say what was written and what could not be; the exit status."""
    new = sum(one.is_new for one in made)
    options.tell(f"{folder}: {counted(len(made), 'student', 'students')}, {new:,} new or changed")
    lines = [f"{one.whose}: without their notebook: {one.problem}" for one in made if one.problem]
    lines += [f"{name}: {why}" for name, why in left]
    for line in lines[:NAMED]:
        options.tell(one_line(line, 300))
    if len(lines) > NAMED:
        options.tell(f"... and {len(lines) - NAMED:,} more")
    return 1 if lines else 0
