"""`grade regrade`: what today's tests would change about grades that were given, and then the change."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.cli import options
from grader.cli.batch import Places, Telling, make_pool, seed_of_class, stoppable, who
from grader.cli.marks import gradebook_of
from grader.course.keys import keys_of, result_key
from grader.course.plan import File
from grader.course.run import ClassRun, Content
from grader.course.table import grade_of, marks_by_submission, write_class_table
from grader.digests import digest_of_file
from grader.files import write_whole
from grader.gradebook.rows import GradeRow, StoredResult
from grader.gradebook.spreadsheets import write_table
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import total_of
from grader.model.errors import UsageError
from grader.model.points import Points
from grader.model.records import decode
from grader.model.text import one_line
from grader.reports.changes import in_words, item_changes
from grader.reports.progress import BatchProgress, Ended

HELP = """Grade the class again with today's tests, and show who changes, by how much, and which check did it.

Nothing is changed until --apply. Items that no change touches are not graded again, marks that people gave
stay, and earlier grades stay in the gradebook.

\b
Examples:
  grade regrade                                          who would change
  grade regrade --csv changes.csv                        ... as a table
  grade regrade --apply --reason "3.1.5 accepts (1, D)"  write the new grades

Exit status: 0 nothing needs attention, 1 something does, 2 cannot grade.
"""
SHOWN = 40


class Change(msgspec.Struct, frozen=True):
    """One submission's change. ``before`` and ``after`` have the marks in them that people gave."""

    grade: GradeRow
    key: str
    before: Points
    after: Points
    why: tuple[str, ...]


@click.command("regrade", help=HELP)
@click.option("--dry-run", is_flag=True, help="Show and write no grade; the default.")
@click.option("--apply", "applies", is_flag=True, help="Write the new grades.")
@click.option("--reason", default="", help="Why, for the gradebook; --apply needs it.")
@options.csv("Write the changes.")
@options.workers()
@options.author()
@options.gradebook
def command(  # noqa: D103  # its help is HELP
    *,
    dry_run: bool,
    applies: bool,
    reason: str,
    csv_path: Path | None,
    workers: int | None,
    author: str,
    assignment: Path | None,
    db: str | None,
) -> None:
    if applies and dry_run:
        raise UsageError("--dry-run writes nothing and --apply does; choose one")
    if applies and not reason.strip():
        raise UsageError('--apply needs --reason, for example --reason "3.1.5 accepts (1, D)"')
    home, place = gradebook_of(assignment, db)
    places = Places(home, home.path / "reports", place)
    with Gradebook.open(place) as book, book.one_batch(home.assignment.title, who=who()):
        run = class_run(places, book, author=author, reason=reason)
        ended, missing, stopped = grade_again(places, run, workers)
        changes = list(changes_of(run))
        show(changes, missing, ended, Console())
        if csv_path is not None:
            write_changes(csv_path, changes)
        if applies and not stopped:
            apply(run, places, changes)
            click.echo(f"{len(changes):,} grades written")
        elif changes:
            click.echo('nothing is changed yet; `grade regrade --apply --reason "..."` does it')
    if stopped:
        raise click.exceptions.Exit(130)
    if ended or missing:
        raise click.exceptions.Exit(1)


def class_run(places: Places, book: Gradebook, *, author: str, reason: str) -> ClassRun:
    """The batch of everything that has a grade, which keeps results and writes no grade."""
    title = places.home.assignment.title
    seed = seed_of_class(book, title)
    if seed is None:
        raise UsageError(f"{book.place}: nothing of {title!r} is graded yet; `grade batch FOLDER` does it")
    keys = keys_of(places.home, seed=seed)
    return ClassRun(book, title, keys, seed, author, reason, writes_grades=False)


def grade_again(places: Places, run: ClassRun, workers: int | None) -> tuple[list[Ended], list[str], bool]:
    """Find out today's results; who needs attention, whose file is gone, and whether it was stopped."""
    contents: dict[str, Content] = {}
    missing: list[str] = []
    graded = {grade.submission.row for grade in run.book.grades(run.assignment)}
    entries = [entry for entry in run.book.submissions(run.assignment) if entry.row in graded]
    keys = {entry.sha256: result_key(run.keys.of_items(entry.sha256)) for entry in entries}
    known = run.book.known(keys.values())
    for entry in entries:
        if keys[entry.sha256] in known:
            continue
        if entry.sha256 not in contents and digest_of_file(Path(entry.path)) != entry.sha256:
            missing.append(entry.name)
            continue
        contents.setdefault(entry.sha256, Content(File(entry.name, entry.path, entry.sha256)))
    progress = BatchProgress(Console(stderr=True), total=len(contents), clock=time.monotonic)
    ended: list[Ended] = []
    with stoppable(progress) as stop, progress:
        pool = make_pool(places, reports="", workers=workers, dask=None)
        run.run(pool, contents, run.works(contents.values()), Telling(progress, ended, stop))
    return ended, missing, stop()


def changes_of(run: ClassRun) -> Iterator[Change]:
    """Every grade that today's result would change."""
    marks = marks_by_submission(run.book, run.assignment)
    for grade in run.book.grades(run.assignment):
        key = result_key(run.keys.of_items(grade.submission.sha256))
        if key == grade.key:
            continue
        result = run.book.result(key)
        if result is None:
            continue  # it waits for attention, or its file is gone
        own = marks.get(grade.submission.row, {})
        before, after = total_of(grade.items, own), total_of(result.items, own)
        yield Change(grade, key, before.earned, after.earned, reasons(run.book, grade, result))


def reasons(book: Gradebook, grade: GradeRow, result: StoredResult) -> tuple[str, ...]:
    """Which checks made the difference, item by item."""
    return tuple(map(in_words, item_changes(grade_of(book, grade.key), decode(result.record))))


def show(changes: Sequence[Change], missing: Sequence[str], ended: Sequence[Ended], console: Console) -> None:
    """The changes that students would see, as a table; how many grades stay as they are."""
    seen = [change for change in changes if change.why]
    if seen:
        table = Table(box=None, pad_edge=False)
        for column in ("student", "before", "after", "why"):
            is_number = column in ("before", "after")
            table.add_column(column, justify="right" if is_number else "left", overflow="fold")
        for change in sorted(seen, key=lambda one: abs(difference(one)), reverse=True)[:SHOWN]:
            name = change.grade.submission.student or change.grade.submission.name
            why = "\n".join(one_line(text, 300) for text in change.why)
            table.add_row(Text(one_line(name, 60)), str(change.before), str(change.after), Text(why))
        console.print(table)
    if len(seen) > SHOWN:
        console.print(f"... and {len(seen) - SHOWN:,} more; --csv FILE has all", highlight=False)
    up = sum(difference(change) > 0 for change in seen)
    down = sum(difference(change) < 0 for change in seen)
    console.print(
        f"{len(seen):,} change: {up:,} gain, {down:,} lose, {len(seen) - up - down:,} keep their total; "
        f"{len(changes) - len(seen):,} were graded again and stay as they are",
        highlight=False,
    )
    for name in missing:
        console.print(
            Text(f"{one_line(name, 200)}: its file is gone or changed; hand the folder to `grade batch`")
        )
    for end in ended:
        console.print(Text(f"{one_line(end.name, 200)}: {one_line(end.why, 300)}"))


def difference(change: Change) -> int:
    """Hundredths of a point gained."""
    return change.after.hundredths - change.before.hundredths


def write_changes(path: Path, changes: Sequence[Change]) -> None:
    """The changes as CSV. Raises UsageError where it finds no place."""
    rows = (
        [
            change.grade.submission.student,
            change.grade.submission.name,
            change.before,
            change.after,
            "; ".join(change.why),
        ]
        for change in changes
        if change.why
    )
    lines = write_table(["student", "submission", "before", "after", "why"], rows)
    write_whole(path, "".join(lines).encode(), option="--csv")


def apply(run: ClassRun, places: Places, changes: Sequence[Change]) -> None:
    """Make today's results the grades, all or none, and write the class's table anew."""
    pairs = [(change.grade.submission.row, change.key) for change in changes]
    run.book.add_grades(pairs, author=run.author, reason=run.reason)
    write_class_table(run.book, run.assignment, places.reports / "grades.csv")
