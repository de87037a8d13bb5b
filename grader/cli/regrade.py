"""`grade regrade`: show what today's tests would change, and change it."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.cli import options
from grader.course.after_marks import follow
from grader.course.batch import grade_files, this_process
from grader.course.locations import existing_locations
from grader.course.pools import local_pool
from grader.course.regrade import (
    Change,
    apply_changes,
    changes_of,
    regrade_of,
    work_to_regrade,
    write_changes,
)
from grader.gradebook.store import Gradebook
from grader.model.errors import UsageError
from grader.model.text import one_line
from grader.reports.progress import BatchProgress, Ended

HELP = """Grade the class again with today's tests, and show whose points change, by how much, and which check
did it.

Nothing is changed without --apply. Items that no change touches are not graded again, marks that people gave
stay, and earlier grades stay in the gradebook.

Exit status: 0 nothing needs attention, 1 something does, 2 cannot grade, 130 stopped.

\b
Examples:
  grade regrade                                          whose points would change
  grade regrade --csv changes.csv                        ... as a table
  grade regrade --apply --reason "3.1.5 accepts (1, D)"  write the new grades
"""
SHOWN = 40


@click.command("regrade", help=HELP)
@click.option("--dry-run", is_flag=True, help="Show the changes and write no grade; the default.")
@click.option("--apply", "applies", is_flag=True, help="Write the new grades.")
@click.option("--reason", default="", help="Why, for the gradebook and for the students; --apply needs it.")
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
    locations = existing_locations(assignment, db, environ=os.environ)
    with (
        Gradebook.open(locations.gradebook) as gradebook,
        gradebook.one_batch(locations.title, who=this_process()),
    ):
        batch = regrade_of(locations, gradebook, author=author, reason=reason)
        files, lost = work_to_regrade(batch)
        progress = BatchProgress(Console(stderr=True), total=len(files), clock=time.monotonic)
        pool = local_pool(locations.home, "", workers=workers)
        failed, stopped = grade_files(batch, files, pool, progress)
        changes = list(changes_of(batch))
        show(changes, lost, failed, Console())
        if csv_path is not None:
            write_changes(csv_path, changes)
        if applies and not stopped:
            apply_changes(batch, changes)
            follow(gradebook, locations, {change.grade.submission.student for change in changes})
            options.tell(f"{len(changes):,} grades written")
        elif changes:
            options.tell('nothing is changed yet; `grade regrade --apply --reason "..."` does it')
    if stopped:
        raise click.exceptions.Exit(130)
    if failed or lost:
        raise click.exceptions.Exit(1)


def show(changes: Sequence[Change], lost: Sequence[str], failed: Sequence[Ended], console: Console) -> None:
    """The changes that students would see, and what could not be graded again."""
    seen = [change for change in changes if change.why]
    if seen:
        show_changes(seen, console)
    up = sum(change.gain > 0 for change in seen)
    down = sum(change.gain < 0 for change in seen)
    console.print(
        f"{len(seen):,} change: {up:,} gain, {down:,} lose, {len(seen) - up - down:,} keep their total; "
        f"{len(changes) - len(seen):,} were graded again and stay as they are",
        highlight=False,
    )
    for name in lost:
        console.print(
            Text(f"{one_line(name, 200)}: its file is gone or changed; hand the folder to `grade batch`")
        )
    for end in failed:
        console.print(Text(f"{one_line(end.name, 200)}: {one_line(end.why, 300)}"))


def show_changes(changes: Sequence[Change], console: Console) -> None:
    """A table of the largest changes."""
    table = Table(box=None, pad_edge=False)
    for column in ("student", "before", "after", "why"):
        is_number = column in ("before", "after")
        is_name = column == "student"  # which in two lines would read as two names
        table.add_column(
            column,
            justify="right" if is_number else "left",
            no_wrap=is_name,
            overflow="ellipsis" if is_name else "fold",
        )
    for change in sorted(changes, key=lambda one: abs(one.gain), reverse=True)[:SHOWN]:
        name = change.grade.submission.student or change.grade.submission.name
        why = "\n".join(one_line(text, 300) for text in change.why)
        table.add_row(Text(one_line(name, 60)), str(change.before), str(change.after), Text(why))
    console.print(table)
    if len(changes) > SHOWN:
        console.print(f"... and {len(changes) - SHOWN:,} more; --csv FILE has all", highlight=False)
