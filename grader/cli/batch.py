"""`grade batch FOLDER`: grade everything that a class handed in."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from grader.cli import options
from grader.course.after_marks import follow
from grader.course.batch import (
    Batch,
    batch_of,
    grade_files,
    seed_of_class,
    shared_evidence,
    this_process,
    write_junit,
)
from grader.course.duplicates import summary_line
from grader.course.intake import Intake, Sources, same_content, take_in
from grader.course.locations import Locations, locations_for, remember
from grader.course.plan import unique_work
from grader.course.pools import Pool, dask_pool, local_pool
from grader.course.table import write_class_table
from grader.gradebook.store import Gradebook
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.kept_checks import state_line
from grader.model.errors import UsageError
from grader.model.text import one_line
from grader.reports.progress import BatchProgress
from grader.sandbox import modes

HELP = """Grade everything in FOLDER: notebooks, one folder per student, or a download as Canvas, Moodle,
Blackboard, Brightspace or Gradescope make it.

Grades go to the gradebook (OUT/gradebook.sqlite), reports to OUT/NAME/, and the class's table to
OUT/grades.csv. What was graded before with the same tests is not graded again, so run it as often as you
like. Ctrl-C finishes what is being graded and keeps the rest for the next run.

Exit status: 0 everything is graded, 1 something needs attention, 2 cannot grade, 130 stopped.

\b
Examples:
  grade batch submissions/                          a folder, with all processors
  grade batch canvas.zip --roster students.csv      who is who, and who handed in nothing
  grade batch moodle.zip --roster worksheet.csv --zone Europe/Berlin
  grade batch submissions/ --times times.csv        when each was handed in (columns: id, time)
  grade batch submissions/ --dry-run                what would be graded, and why
  grade batch submissions/ --only 3.1.5             that item alone
  grade batch submissions/ --db postgresql+psycopg://grader@db/hw3
  grade batch submissions/ --junit report.xml       for continuous integration
"""


@click.command("batch", help=HELP)
@click.argument("path", metavar="FOLDER", type=click.Path(path_type=Path))
@options.assignment("this folder, or FOLDER's")
@options.out()
@click.option(
    "--db", metavar="URL", help="The gradebook: a file or a database URL. [default: OUT/gradebook.sqlite]"
)
@click.option(
    "--roster",
    metavar="CSV",
    type=click.Path(path_type=Path),
    help="The class, as you keep it or as a learning platform exports it; Moodle's worksheet too.",
)
@click.option(
    "--times",
    metavar="CSV",
    type=click.Path(path_type=Path),
    help="When each was handed in: columns id, login or email, and time.",
)
@click.option(
    "--zone",
    metavar="NAME",
    default="",
    help="Zone of times that name none, such as Europe/Berlin. [default: this machine's]",
)
@options.workers()
@click.option("--limit", metavar="N", type=click.IntRange(1), help="Grade at most N submissions.")
@click.option("--only", metavar="ITEM", multiple=True, help="Grade this item alone; may be repeated.")
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(0, options.MAX_SEED),
    help="Seed of all random inputs. [default: the last batch's]",
)
@click.option("--dry-run", is_flag=True, help="Say what would be graded; grade nothing.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write JUnit XML.")
@click.option("--dask", metavar="ADDRESS", help="Grade on the workers of this Dask scheduler.")
@click.option("--no-reports", is_flag=True, help="Fill the gradebook only: no pages, no records on disk.")
def command(**options: Any) -> None:  # noqa: D103  # its help is HELP
    grade_class(Options(**options))


@dataclass(frozen=True)
class Options:
    """The command's arguments and options."""

    path: Path
    assignment: Path | None
    out: Path | None
    db: str | None
    roster: Path | None
    times: Path | None
    zone: str
    workers: int | None
    limit: int | None
    only: tuple[str, ...]
    seed: int | None
    dry_run: bool
    junit: Path | None
    dask: str | None
    no_reports: bool


def grade_class(given: Options) -> None:
    """Grade, show, and leave with the exit status."""
    if given.dask is None and not given.dry_run:
        modes.usual_mode()  # says now, and once, that this system has no sandbox
    locations = locations_for(given.path, assignment=given.assignment, out=given.out, db=given.db)
    assert_items_exist(given.only, locations.home)
    with (
        Gradebook.open(locations.gradebook) as gradebook,
        gradebook.one_batch(locations.title, who=this_process()),
    ):
        seed = seed_of_class(gradebook, locations.title) if given.seed is None else given.seed
        batch = batch_of(
            locations, gradebook, seed=options.draw_seed() if seed is None else seed, only=given.only
        )
        intake = take_in(given.path, locations, gradebook, Sources(given.roster, given.times, given.zone))
        if given.dry_run:
            show_plan(batch, intake, Console())
            return
        remember(locations, environ=os.environ)
        status = grade_and_write(given, locations, batch, intake)
    if status:
        raise click.exceptions.Exit(status)


def assert_items_exist(only: Sequence[str], home: AssignmentFolder) -> None:
    """Raise UsageError for an item that the assignment does not have."""
    for item in only:
        if home.assignment.find(item) is None:
            known = ", ".join(entry.id for entry in home.assignment.item)
            raise UsageError(f"--only {item}: the assignment has no such item; it has {known}")


def grade_and_write(given: Options, locations: Locations, batch: Batch, intake: Intake) -> int:
    """Grade what is left, write the tables; the exit status."""
    console = Console(stderr=True)
    files = batch.register(intake.submissions)
    batch.register_refused(intake.refused, intake.submissions)
    known = batch.reuse_results(files) if not given.only else set()
    left = [file for sha256, file in files.items() if sha256 not in known][: given.limit]
    progress = BatchProgress(console, total=len(left), clock=time.monotonic)
    for line in (*intake.lines, *same_content(intake.submissions)):
        progress.note(line)
    progress.note(f"checks: {state_line(locations.home, environ=os.environ)}")
    if known:
        progress.note(f"{len(known):,} are graded already, with the same tests")
    failed, stopped = grade_files(batch, left, pool_of(given, locations, progress), progress)
    batch.register_unreadable(failed, intake.submissions)
    if given.no_reports:
        write_class_table(batch.gradebook, batch.assignment, locations.table)
    else:
        follow(batch.gradebook, locations)
    if given.junit is not None:
        without_grade = [(end.name, end.why) for end in failed if not end.possible]
        unread = [(one.name, one.why) for one in intake.refused]
        write_junit(given.junit, batch, [*unread, *without_grade])
    shared = summary_line(shared_evidence(batch.gradebook, locations.home.assignment))
    if shared:
        console.print(shared, markup=False, highlight=False, soft_wrap=True)
    console.print(progress.summary())
    options.tell(f"The class's table: {locations.table}")
    if stopped:
        return 130
    return int(bool(failed) or bool(intake.refused))


def pool_of(given: Options, locations: Locations, progress: BatchProgress) -> Pool:
    """The pool that the options ask for."""
    reports = "" if given.no_reports else str(locations.reports.absolute())
    if given.dask is not None:
        return dask_pool(given.dask, locations.home, reports, notify=progress.note)
    return local_pool(locations.home, reports, workers=given.workers)


def show_plan(batch: Batch, intake: Intake, console: Console) -> None:
    """Say what would be graded and why; nothing is written."""
    files = unique_work((taken.new.name, taken.package) for taken in intake.submissions)
    jobs = list(batch.jobs(files.values()))
    for line in intake.lines:
        console.print(Text(one_line(line, options.LONGEST_LINE)), soft_wrap=True)
    for job in jobs:
        why = f"only {', '.join(job.only)}" if job.only else "new, or everything changed"
        console.print(Text(one_line(f"{job.name}: {why}", options.LONGEST_LINE)), soft_wrap=True)
    console.print(
        f"{len(jobs):,} to grade, {len(files) - len(jobs):,} known, {len(intake.refused):,} cannot be read",
        highlight=False,
    )
