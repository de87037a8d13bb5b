"""`grade similar`: which submissions of a class have much code in common, pair by pair."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from grader.cli import options
from grader.course.locations import open_gradebook
from grader.course.similarity.classwide import similar_code
from grader.course.similarity.pages import write_pages
from grader.model.similarity import Similarity
from grader.model.text import counted
from grader.reports.similar_page import MEANING, called

HELP = """Show which students' submissions have much code in common.

All pairs of the class are compared by the syntax trees of their code, without what the course gave. What few
have counts most, what half the class has not at all. Names, order, layout and comments do not matter. Each
pair gets a page with the passages side by side. Nobody is accused, and no points change.

\b
Examples:
  grade similar
  grade similar --out similar/
  grade similar --json | jq '.pairs[:5]'
"""
SHOWN = 20


@click.command("similar", help=HELP)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where the pages go. [default: `similar` in the folder of the reports]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the record alone, for scripts; writes no pages.")
@options.gradebook
def command(*, out: Path | None, as_json: bool, assignment: Path | None, db: str | None) -> None:  # noqa: D103  # its help is HELP
    console = Console(stderr=True)
    with (
        open_gradebook(assignment, db, environ=os.environ) as (gradebook, locations),
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("reading submissions", total=None)
        record, codes = similar_code(
            gradebook,
            locations,
            told=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if as_json:
        click.echo(msgspec.json.encode(record) + b"\n", nl=False)
        return
    index = write_pages(record, codes, out or locations.reports / "similar")
    for line in lines(record):
        options.tell(line)
    options.tell(f"side by side: {index}")


def lines(record: Similarity) -> Iterator[str]:
    """The record in some lines."""
    submissions = counted(record.compared, "submission", "submissions")
    yield (
        f"{submissions} of {counted(record.students, 'student', 'students')} compared: "
        f"{counted(len(record.pairs), 'pair', 'pairs')} with {100 * record.line:.0f} % or more in common "
        f"(about {record.expected:.1f} expected by chance)"
    )
    for pair in record.pairs[:SHOWN]:
        yield f"  {100 * pair.share:3.0f} %  {called(pair.left)} and {called(pair.right)}"
    if len(record.pairs) > SHOWN:
        yield f"  ... and {len(record.pairs) - SHOWN:,} more on the page"
    for group in record.groups[:SHOWN]:
        yield f"  {len(group)} students are connected: {', '.join(group[:SHOWN])}"
    yield from record.notices[:SHOWN]
    if record.pairs:
        yield MEANING
