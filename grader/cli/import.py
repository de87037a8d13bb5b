"""`grade import SYSTEM SRC`: an assignment of nbgrader or otter, or a pytest suite, in our form."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from grader.cli import options
from grader.model.errors import UsageError
from grader.reports.progress import GradingProgress

if TYPE_CHECKING:
    from grader.authoring.imported.bring import Brought
    from grader.authoring.imported.described import Course

HELP = """Bring an assignment over from nbgrader or otter-grader, or a package with its pytest suite.

SRC is a source notebook with its solutions, or the folder of one assignment. A new folder is written: the
manifest, the solved notebooks with our markers, hidden and public checks, given files, and the students'
folder. IMPORT.md there says what was converted, what was not, and why.

Every test is tried on the reference and the untouched template, in the sandbox. One that can run apart from
the students' code does, with assertions that say what was expected; another runs beside that code, as it did
before, and is marked REVIEW. Exit status: 0 the reference earns every point and the template none, 1
something is to be mended, 2 nothing can be brought over.

\b
Examples:
  grade import nbgrader source/ps1
  grade import nbgrader source/ps1/problem1.ipynb --out ~/courses/ps1
  grade import otter hw01/hw01.ipynb
  grade import pytest hw0/                            a solved package and its tests
  cd ps1 && grade check && grade audit
"""
SYSTEMS = ("nbgrader", "otter", "pytest")


@click.command("import", help=HELP)
@click.argument("system", type=click.Choice(SYSTEMS))
@click.argument("source", metavar="SRC", type=click.Path(path_type=Path))
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="The new folder. [default: called like SRC, in this folder]",
)
def command(*, system: str, source: Path, out: Path | None) -> None:  # noqa: D103  # its help is HELP
    from grader.authoring.imported import report  # noqa: PLC0415  # nbformat and pytest, not for --help
    from grader.files import write_whole  # noqa: PLC0415  # likewise

    course = _reader(system)(source)
    folder = out or Path(source.resolve().stem)
    brought = _bring(course, folder)
    write_whole(folder / "IMPORT.md", report.page(brought).encode())
    options.tell(f"{folder}: {course.title}, from {system}")
    for line in report.lines(brought):
        options.tell(f"  {line}")
    place = shlex.quote(str(folder))
    options.tell(f"Next: read {folder / 'IMPORT.md'}; then cd {place} && grade check && grade audit")
    if not brought.good:
        raise click.exceptions.Exit(1)


def _reader(system: str) -> Callable[[Path], Course]:
    from grader.authoring.imported import nbgrader, otter, pytest_suite  # noqa: PLC0415  # see above

    return {"nbgrader": nbgrader.read, "otter": otter.read, "pytest": pytest_suite.read}[system]


def _bring(course: Course, folder: Path) -> Brought:
    """Write the assignment, with a line of progress on a terminal."""
    from grader.authoring import check  # noqa: PLC0415  # see above
    from grader.authoring.imported.bring import bring  # noqa: PLC0415
    from grader.cli.check import Prefixed  # noqa: PLC0415
    from grader.grading.opening import WarmProcesses  # noqa: PLC0415

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: exists and is not an empty folder; name a new one with --out")
    run = check.plan(seeds=1, quick=True, sandbox=True)[0]
    with WarmProcesses() as warm, GradingProgress(Console(stderr=True)) as live:
        progress = Prefixed(live)
        return bring(course, folder, run=run, warm=warm, progress=progress, on_run=progress.begin)
