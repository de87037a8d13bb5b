"""`grade batch FOLDER`: everything that a class handed in, into the gradebook."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click
import msgspec
from rich.console import Console

from grader.cli import options
from grader.course.duplicates import duplicates, summary_line
from grader.course.intake import Intake, take_in
from grader.course.keys import keys_of
from grader.course.local_pool import LocalPool
from grader.course.run import ClassRun, Content, Pool, Tell
from grader.course.table import junit_lines, write_class_table
from grader.course.worker import Settings, patience
from grader.files import assert_writable, write_whole
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import UsageError
from grader.model.records import decode
from grader.reports.progress import BatchProgress, Ended, EndedAs

HELP = """Grade everything in FOLDER: notebooks, a folder a student, or a zip file as Canvas, Moodle or
Gradescope give it.

Grades go to the gradebook (OUT/gradebook.sqlite), reports to OUT/NAME/, and a table of the class to
OUT/grades.csv. What was graded before with the same tests is not graded again: start it as often as you like.
Ctrl-C finishes what runs and keeps the rest for the next start.

Exit status: 0 everything is graded, 1 something needs attention, 2 cannot grade, 130 stopped.

\b
Examples:
  grade batch submissions/                          a folder, with all processors
  grade batch canvas.zip --roster students.csv      whose is what, and who handed in nothing
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
    help="The class, as you keep it or as Canvas, Moodle or Gradescope export it.",
)
@options.workers()
@click.option("--limit", metavar="N", type=click.IntRange(1), help="Grade at most so many submissions.")
@click.option("--only", metavar="ITEM", multiple=True, help="Grade this item alone; may be given again.")
@click.option(
    "--seed", metavar="N", type=click.IntRange(0, options.MAX_SEED), help="[default: the last batch's]"
)
@click.option("--dry-run", is_flag=True, help="Say what would be graded; grade nothing.")
@click.option("--junit", metavar="FILE", type=click.Path(path_type=Path), help="Write JUnit XML.")
@click.option("--dask", metavar="ADDRESS", help="Grade on the workers of this Dask scheduler.")
@click.option("--no-reports", is_flag=True, help="Fill the gradebook only: no pages, no records on disk.")
def command(**options: object) -> None:  # noqa: D103  # its help is HELP
    grade_class(msgspec.convert(options, Options, strict=False, dec_hook=_as_given))


class Options(msgspec.Struct, frozen=True):
    """What the command was called with."""

    path: Path
    assignment: Path | None
    out: Path | None
    db: str | None
    roster: Path | None
    workers: int | None
    limit: int | None
    only: tuple[str, ...]
    seed: int | None
    dry_run: bool
    junit: Path | None
    dask: str | None
    no_reports: bool


def _as_given(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, Path):
        return value
    raise NotImplementedError(kind)


@dataclass(frozen=True)
class Places:
    """Where things are: the assignment, and where reports and the gradebook go."""

    home: AssignmentFolder
    reports: Path
    database: str


def grade_class(given: Options) -> None:
    """Grade, show, and leave with the exit status."""
    console = Console(stderr=True)
    places = find_places(given)
    wanted_items(given.only, places.home)
    with Gradebook.open(places.database) as book:
        title = places.home.assignment.title
        with book.one_batch(title, who=who()):
            run = class_run(given, places, book)
            intake = take_in(given.path, places.home, book, into=places.reports, roster=given.roster)
            if given.dry_run:
                show_plan(run, intake, Console())
                return
            status = grade_all(given, places, run, intake, console)
    if status:
        raise click.exceptions.Exit(status)


def find_places(given: Options) -> Places:
    """Where things are. Raises UsageError for what is missing before anything is graded."""
    if not os.path.lexists(given.path):
        raise UsageError(f"{given.path}: no such folder or zip file")
    home = assignment_folder.load(given.assignment or assignment_folder.nearest(given.path))
    reports = given.out or home.path / "reports"
    assert_writable(reports)
    return Places(home, reports, given.db or str(reports / "gradebook.sqlite"))


def wanted_items(only: Sequence[str], home: AssignmentFolder) -> None:
    """Raise UsageError for an item that the assignment does not have."""
    for item in only:
        if home.assignment.find(item) is None:
            known = ", ".join(entry.id for entry in home.assignment.item)
            raise UsageError(f"--only {item}: the assignment has no such item; it has {known}")


def class_run(given: Options, places: Places, book: Gradebook) -> ClassRun:
    """The batch, with the seed of the class's earlier grades where there are any."""
    title = places.home.assignment.title
    seed = seed_of_class(book, title) if given.seed is None else given.seed
    if seed is None:
        seed = secrets.randbelow(options.MAX_SEED)
    return ClassRun(
        book=book,
        assignment=title,
        keys=keys_of(places.home, seed=seed),
        seed=seed,
        author=getpass.getuser(),
        reason="batch",
        only=given.only,
    )


def seed_of_class(book: Gradebook, assignment: str) -> int | None:
    """The seed that the class was graded with last: the same again is the same run. None for the first."""
    last = book.last_result(assignment)
    return None if last is None else decode(last.record).seed


def who() -> str:
    """This process, for whoever would start a second batch."""
    return f"process {os.getpid()} of {getpass.getuser()} on {socket.gethostname()}"


def grade_all(given: Options, places: Places, run: ClassRun, intake: Intake, console: Console) -> int:
    """Grade what has to be, write the tables; the exit status."""
    contents = run.enter(intake.handed)
    known = run.book_known(contents) if not given.only else set()
    left = [content for sha256, content in contents.items() if sha256 not in known]
    left = left[: given.limit]
    progress = BatchProgress(console, total=len(left), clock=time.monotonic)
    ended: list[Ended] = []
    with stoppable(progress) as stop, progress:
        for line in intake.lines:
            progress.note(line)
        if known:
            progress.note(f"{len(known):,} are graded already, with the same tests")
        reports = "" if given.no_reports else str(places.reports.absolute())
        pool = make_pool(places, reports=reports, workers=given.workers, dask=given.dask)
        run.run(pool, contents, run.works(left), Telling(progress, ended, stop))
    write_tables(given, places, run, intake, ended)
    shared = summary_line(duplicates(dict(run.book.prints(run.assignment))))
    if shared:
        console.print(shared, markup=False, highlight=False, soft_wrap=True)
    console.print(progress.summary())
    click.echo(f"The class's table: {places.reports / 'grades.csv'}")
    if stop():
        return 130
    return int(any(end.kind is not EndedAs.GRADED for end in ended) or bool(intake.refused))


@dataclass(frozen=True)
class Telling(Tell):
    """Shows each end and keeps those that somebody has to look at."""

    progress: BatchProgress
    kept: list[Ended]
    is_stopped: Callable[[], bool]

    def ended(self, end: Ended) -> None:
        """A submission ended."""
        self.progress.ended(end)
        if end.kind is not EndedAs.GRADED:
            self.kept.append(end)

    def stop(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self.is_stopped()


@contextlib.contextmanager
def stoppable(progress: BatchProgress) -> Iterator[Callable[[], bool]]:
    """Ctrl-C, or a polite end from outside, lets what runs finish; a second one stops at once."""
    asked: list[int] = []
    told: list[bool] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)  # nothing is printed here: the signal may have come in the middle of a print

    def is_asked() -> bool:
        if asked and not told:
            told.append(True)
            progress.note("finishing what runs; the rest is kept for the next start (again to stop at once)")
        return bool(asked)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield is_asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_pool(places: Places, *, reports: str, workers: int | None, dask: str | None) -> Pool:
    """Who grades: processes here, or a cluster. Reports go nowhere where ``reports`` is empty."""
    if dask is not None:
        from grader.course.dask_reports import dask_pool  # noqa: PLC0415  # distributed takes a second

        pool: Pool = dask_pool(dask, places.home, reports)
        return pool
    return LocalPool(
        [sys.executable, "-m", "grader.course.worker"],
        msgspec.json.encode(Settings(str(places.home.path), reports)),
        count=workers or processors(),
        patience=patience(places.home.assignment.limits),
    )


def processors() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def write_tables(
    given: Options, places: Places, run: ClassRun, intake: Intake, ended: Sequence[Ended]
) -> None:
    """The class's table, and JUnit XML where it is asked for."""
    write_class_table(run.book, run.assignment, places.reports / "grades.csv")
    if given.junit is not None:
        without = [
            (end.name, end.why) for end in ended if end.kind is not EndedAs.GRADED and not end.possible
        ]
        lines = junit_lines(run.book, run.assignment, [*intake.refused, *without])
        write_whole(given.junit, "".join(lines).encode(), option="--junit")


def show_plan(run: ClassRun, intake: Intake, console: Console) -> None:
    """Say what would be graded and why; nothing is written."""
    contents: dict[str, Content] = {}
    for entry in intake.handed:
        contents.setdefault(entry.file.sha256, Content(entry.file))
    works = list(run.works(contents.values()))
    for line in intake.lines:
        console.print(line, markup=False, highlight=False)
    for work in works:
        why = f"only {', '.join(work.only)}" if work.only else "new, or everything changed"
        console.print(f"{work.name}: {why}", markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"{len(works):,} to grade, {len(contents) - len(works):,} known, "
        f"{len(intake.refused):,} cannot be read",
        highlight=False,
    )
