"""`grade audit`: tests the tests, with mistakes made in the reference on purpose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grader.cli import options
from grader.grading import assignment_folder
from grader.host import processors

if TYPE_CHECKING:
    from grader.authoring.audit import Wanted
    from grader.model.audit import Audit

HELP = """Test the tests: make mistakes in the reference and look which check notices.

Each mutant is the reference with one mistake in a solution region, as people make them with arrays,
backpropagation, gradient checkers, optimizers, attention and data. Its item's hidden checks run on it. What
no check notices is printed with an input on which it differs from the reference, and the check that should
have seen it. A mutant that gives the reference's values in every call that was tried is called equivalent and
does not count. hidden_tests/audit.toml says which survivors are accepted, and why.

Exit status: 0 done, 1 fewer mutants were noticed than --fail-under asks for, 2 the audit cannot be done.

\b
Examples:
  grade audit                              every mutant of the assignment in this folder
  grade audit --limit 200 --seed 3         200 of them, others for another seed
  grade audit --only 3.1.1 --only 3.1.2    the regions of these items
  grade audit --fail-under 95 --limit 500  in CI
  grade audit --assignment ~/hw3 --out audit/   with a page, audit/audit.html
"""
MISSED = 1


@click.command("audit", help=HELP)
@options.assignment("this folder")
@click.option("--only", "only", metavar="ITEM", multiple=True, help="Only regions of this item; repeatable.")
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1),
    help="Mutants to try, drawn from --seed, of every kind; beyond all single mistakes come pairs of them. "
    "[default: all]",
)
@options.seed("0")
@click.option(
    "--fail-under",
    "fail_under",
    metavar="PERCENT",
    type=click.FloatRange(0, 100),
    help="Exit with status 1 if the checks notice fewer than this.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where audit.html and audit.json go. [default: ASSIGNMENT/reports/audit]",
)
@options.workers()
@click.option("--no-sandbox", is_flag=True, help="Run without isolation: the reference is your own code.")
def command(  # noqa: D103  # its options; its help is HELP
    *,
    assignment: Path | None,
    only: tuple[str, ...],
    limit: int | None,
    seed: int | None,
    fail_under: float | None,
    out: Path | None,
    workers: int | None,
    no_sandbox: bool,
) -> int:
    from grader.authoring.audit import Wanted  # noqa: PLC0415  # numpy and pytest, not needed for --help

    home = assignment_folder.load(assignment or Path())
    place = out if out is not None else home.path / "reports" / "audit"
    wanted = Wanted(
        only=frozenset(only),
        limit=limit,
        seed=seed or 0,
        workers=workers or processors(),
        sandbox=not no_sandbox,
    )
    found = run(home, wanted)
    show(found, place)
    if fail_under is not None and found.score < fail_under:
        options.tell(
            f"grade audit: {found.score:.1f} % of mutants noticed, --fail-under asks for {fail_under:g} %",
            err=True,
        )
        return MISSED
    return 0


def run(home: assignment_folder.AssignmentFolder, wanted: Wanted) -> Audit:
    """Audit with a progress bar on a terminal."""
    from grader.authoring.audit import audit  # noqa: PLC0415  # see above

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    tasks = {}

    def on_progress(what: str, done: int, count: int) -> None:
        if what not in tasks:
            bar.start()  # only now: the processes are forked before the bar's thread runs
            tasks[what] = bar.add_task(what, total=count)
        bar.update(tasks[what], completed=done)

    try:
        return audit(home, wanted, progress=on_progress)
    finally:
        bar.stop()


def show(found: Audit, place: Path) -> None:
    """Write the record and the page, and print the table."""
    from grader.files import cannot_write, replace_whole  # noqa: PLC0415
    from grader.model.audit import encode  # noqa: PLC0415
    from grader.reports.audit_page import render  # noqa: PLC0415
    from grader.reports.audit_table import print_audit  # noqa: PLC0415

    try:
        place.mkdir(parents=True, exist_ok=True)
        replace_whole(place / "audit.json", encode(found))
        replace_whole(place / "audit.html", render(found).encode())
    except OSError as error:
        raise cannot_write(place, error.strerror) from None
    print_audit(found, Console(), page=str(place / "audit.html"))
