"""`grade SUBMISSION`: one submission to a table on screen, a record and a report on disk."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

import click
from rich.console import Console

from grader.cli.streams import abandon_stdout
from grader.grading import folder, openers, run
from grader.model.errors import UsageError
from grader.model.records import Grade, encode
from grader.reports.progress import GradingProgress

MAX_SEED = 2**31
MAX_NAME_BYTES = 100  # of a report's folder; file systems allow 255

HELP = """Grade one submission (.ipynb or .py).

Writes OUT/NAME/grade.json and OUT/NAME/report.html and shows a table. Exit status: 0 graded, 1 graded but
something needs attention, 2 cannot grade.

\b
Examples:
  grade hw3.ipynb
  grade hw3.ipynb --assignment ~/courses/hw3 --out /tmp/reports
  grade neural_networks.py --seed 7 --json
  grade hw3.ipynb --public
"""


@click.command("submission", help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", metavar="SUBMISSION", type=click.Path(readable=False, path_type=Path))
@click.option(
    "--assignment",
    "assignment",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder with assignment.toml. [default: this folder, or the submission's]",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where reports go. [default: ASSIGNMENT/reports]",
)
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(0, MAX_SEED),
    help="Seed of all random inputs. [default: drawn, and recorded]",
)
@click.option("--public", is_flag=True, help="Run the public checks, in this process, for your own work.")
@click.option("--json", "as_json", is_flag=True, help="Print the record alone on standard output.")
@click.option(
    "--no-sandbox", is_flag=True, help="Run without isolation. For your own work only; the grade says so."
)
def command(  # noqa: D103  # its help is HELP
    path: Path,
    *,
    assignment: Path | None,
    out: Path | None,
    seed: int | None,
    public: bool,
    as_json: bool,
    no_sandbox: bool,
) -> None:
    if not os.path.lexists(path):
        raise UsageError(f"{path}: no such file, and no command of this name; see grade --help")
    home = folder.load(assignment or nearest_assignment(path))
    reports = out or home.path / "reports"
    assert_writable(reports)
    job = run.GradeJob(
        submission=path,
        folder=home,
        seed=secrets.randbelow(MAX_SEED) if seed is None else seed,
        public=public,
        sandbox=not no_sandbox,
    )
    console = Console(stderr=True)
    with GradingProgress(console) as progress:
        grade = run.grade(job, opener=openers.open_notebook, watch=progress)
        progress.note("writing the report")
        written = write_reports(grade, reports)
    show(grade, written, as_json=as_json)
    if grade.attention:
        raise click.exceptions.Exit(1)


def nearest_assignment(submission: Path) -> Path:
    """This folder, or the submission's own, or one above it: the first that holds a manifest."""
    here = Path.cwd()
    around = submission.absolute().parent
    candidates = (here, around, *around.parents)
    return next((place for place in candidates if (place / folder.MANIFEST).is_file()), here)


def assert_writable(out: Path) -> None:
    """Find out before the grading, not after it, that no report can be written. Raises UsageError."""
    nearest = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise cannot_write(nearest, "not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise cannot_write(nearest, "permission denied, or the disk is read-only")


def cannot_write(place: Path, why: str | None) -> UsageError:
    """The line for a report that finds no place."""
    return UsageError(f"the report cannot be written to {place}: {why}; choose another --out")


def write_reports(grade: Grade, out: Path, *, name: str | None = None) -> Path:
    """Write grade.json and report.html below ``out``; the folder they are in. Raises UsageError.

    ``name`` is that folder's, made from the submission's where it is left out.
    Each file is put in place whole: a full disk or a second grading leaves no half of one.
    """
    from grader.reports.html import render  # noqa: PLC0415  # Jinja2 and Markdown, not needed to start

    place = out / (name or report_name(grade.submission.name))
    try:
        place.mkdir(parents=True, exist_ok=True)
        replace_whole(place / "grade.json", encode(grade))
        replace_whole(place / "report.html", render(grade).encode())
    except OSError as error:
        raise cannot_write(place, error.strerror) from None
    return place


def replace_whole(path: Path, data: bytes) -> None:
    """Write a file beside ``path`` and move it there, so that the name never holds a part. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def report_name(file_name: str) -> str:
    """A folder's name from a file's: letters of any script, digits, dots, dashes and underlines only."""
    plain = re.sub(r"[^\w.-]+", "_", Path(file_name).stem).strip("._")
    return plain.encode()[:MAX_NAME_BYTES].decode(errors="ignore") or "submission"


def show(grade: Grade, written: Path, *, as_json: bool) -> None:
    """The record alone, or the table. Raises UsageError where standard output takes nothing."""
    from grader.reports.table import print_report  # noqa: PLC0415

    try:
        if as_json:
            click.echo(encode(grade), nl=False)  # bytes: UTF-8, whatever the terminal's encoding
        else:
            print_report(grade, Console(), report_path=str(written / "report.html"))
    except BrokenPipeError:
        raise  # the reader has seen enough: no mistake
    except OSError as error:
        abandon_stdout()
        raise UsageError(f"standard output: {error.strerror}; the report is in {written}") from None
