"""`grade report`: the class on one page, on the terminal, or as JSON."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from grader.cli import options
from grader.course.class_page import PAGE, write_class_page
from grader.course.locations import Locations, open_gradebook
from grader.course.table import Rules
from grader.gradebook.policy import moment
from grader.gradebook.store import Gradebook
from grader.model.class_report import ClassReport, encode
from grader.reports.class_terminal import print_class

HELP = """Show the class on one page: who handed in, the points, how hard and how telling each item was,
mistakes by name with examples, cells that were slow or failed, how markers agree, what several share.

The page is written beside the students' reports, as class.html, and from then on it follows every mark, batch
and regrade; the terminal shows the most important of it.
--json prints all of it for a program. The page is for you: it names students and their mistakes.

\b
Examples:
  grade report
  grade report --deadline 2026-11-30T23:59+01:00
  grade report --json | jq '.mistakes[0]'
"""
WIDEST = 160


@click.command("report", help=HELP)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, and nothing else.")
@click.option("--no-code", is_flag=True, help="Do not compare code, which takes longest.")
@options.counting
@options.lateness
@options.gradebook
def command(  # noqa: D103  # its help is HELP
    *,
    as_json: bool,
    no_code: bool,
    assignment: Path | None,
    db: str | None,
    **counting: Any,
) -> None:
    moment(counting["deadline"])
    names = ("choose", "deadline", "late_percent", "grace", "unknown_late_days")
    rules = Rules(*(counting[name] for name in names))
    with open_gradebook(assignment, db, environ=os.environ) as (gradebook, locations):
        found = written(gradebook, locations, rules, with_code=not no_code)
    page = locations.reports / PAGE
    if as_json:
        click.echo(encode(found), nl=False)
    else:
        console = Console()
        if not console.is_terminal:  # nobody's screen is too narrow for it
            console.width = max(console.width, WIDEST)
        print_class(found, console, page=str(page))


def written(gradebook: Gradebook, locations: Locations, rules: Rules, *, with_code: bool) -> ClassReport:
    """The class, whose page is written, with a bar on a terminal while records and submissions are read."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading the class", total=None)

        def on_read(done: int, count: int) -> None:
            bar.update(task, completed=done, total=count)

        return write_class_page(gradebook, locations, rules, with_code=with_code, progress=on_read)
