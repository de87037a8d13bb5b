"""`grade SUBMISSION...`: each submission to a table on screen, a record and a report on disk."""

from __future__ import annotations

import itertools
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from grader.cli import options
from grader.cli.files import assert_writable, cannot_write, replace_whole
from grader.cli.streams import abandon_stdout
from grader.grading import folder, openers, run
from grader.grading.duplicates import duplicates, fingerprints, notices_for, summary_line
from grader.grading.evidence import claims_in
from grader.model.errors import SubmissionError, UsageError
from grader.model.records import Grade, encode
from grader.notebooks.intake import read
from grader.reports.progress import GradingProgress

REPORTS_NEED = ("grader.reports.html", "grader.reports.table")  # Jinja2 and Markdown, not needed to start
MAX_NAME_BYTES = 100  # of a report's folder; file systems allow 255

HELP = """Grade a submission (.ipynb or .py), or several one after the other.

Writes OUT/NAME/grade.json and OUT/NAME/report.html and shows a table. Exit status: 0 graded, 1 graded but
something needs attention, 2 cannot grade. Of several, one that cannot be graded costs the others nothing,
and recorded evidence that is the same in two of them is named at the end.

\b
Examples:
  grade hw3.ipynb
  grade hw3.ipynb --assignment ~/courses/hw3 --out /tmp/reports
  grade neural_networks.py --seed 7 --json
  grade class/*.ipynb
  grade hw3.ipynb --public
"""


@click.command("submission", help=HELP)
@click.argument(
    "paths",
    metavar="SUBMISSION...",
    nargs=-1,
    required=True,
    type=click.Path(readable=False, path_type=Path),
)
@options.assignment("this folder, or the submission's")
@options.out()
@options.seed("drawn, and recorded")
@click.option("--public", is_flag=True, help="Run the public checks, in this process, for your own work.")
@click.option("--json", "as_json", is_flag=True, help="Print the record alone on standard output.")
@click.option(
    "--no-sandbox", is_flag=True, help="Run without isolation. For your own work only; the grade says so."
)
def command(  # noqa: D103  # its help is HELP
    paths: tuple[Path, ...],
    *,
    assignment: Path | None,
    out: Path | None,
    seed: int | None,
    public: bool,
    as_json: bool,
    no_sandbox: bool,
) -> None:
    seed = secrets.randbelow(options.MAX_SEED) if seed is None else seed
    tasks = [
        Task(run.GradeJob(path, home_of(path, assignment), seed, public=public, sandbox=not no_sandbox), name)
        for path, name in zip(paths, report_names(paths), strict=True)
    ]
    for task in tasks:
        assert_writable(task.reports(out))
    if len(tasks) == 1:
        opener = partial(openers.open_notebook, also=REPORTS_NEED)
        status = carry_out(tasks[0], tasks[0].reports(out), opener, as_json=as_json)
    else:
        status = carry_out_all(tasks, out, as_json=as_json)
    if status:
        raise click.exceptions.Exit(status)


@dataclass(frozen=True)
class Task:
    """One submission to grade, and the name of its report's folder."""

    job: run.GradeJob
    name: str

    def reports(self, out: Path | None) -> Path:
        """Where the reports go: ``out``, or the assignment's own folder for them."""
        return out or self.job.folder.path / "reports"


def home_of(path: Path, assignment: Path | None) -> folder.AssignmentFolder:
    """The assignment of a submission. Raises UsageError where the file or the assignment does not exist."""
    if not os.path.lexists(path):
        raise UsageError(f"{path}: no such file, and no command of this name; see grade --help")
    return folder.load(assignment or nearest_assignment(path))


def carry_out(task: Task, out: Path, opener: run.Opener, *, as_json: bool) -> int:
    """Grade one submission, write its report and show it; the exit status that the grade asks for."""
    with GradingProgress(Console(stderr=True)) as progress:
        grade = run.grade(task.job, opener=opener, watch=progress)
        progress.note("writing the report")
        written = write_reports(grade, out, name=task.name)
    show(grade, written, as_json=as_json)
    return 1 if grade.attention else 0


def carry_out_all(tasks: Sequence[Task], out: Path | None, *, as_json: bool) -> int:
    """Grade one after the other; the worst exit status. What cannot be graded is a line on standard error."""
    status, (told, line) = 0, with_shared_evidence(tasks)
    with openers.WarmProcesses() as warm:
        for task in told:
            try:
                found = carry_out(task, task.reports(out), warm.open_notebook, as_json=as_json)
            except SubmissionError as error:
                click.echo("grade: " + " ".join(str(error).split()), err=True)
                found = 2
            status = max(status, found)
    if line:
        click.echo(f"grade: {line}", err=True)
    return status


def with_shared_evidence(tasks: Sequence[Task]) -> tuple[list[Task], str]:
    """The tasks, each with a notice of the evidence that it shares with others, and a line that names all."""
    found = {}
    for task in tasks:
        with suppress(SubmissionError):  # said when it is its turn
            cells = read(task.job.submission).cells
            found[str(task.job.submission)] = fingerprints(claims_in(cells))
    shared = duplicates(found)
    told = [
        replace(task, job=replace(task.job, notices=notices_for(str(task.job.submission), shared)))
        for task in tasks
    ]
    return told, summary_line(shared)


def nearest_assignment(submission: Path) -> Path:
    """This folder, or the submission's own, or one above it: the first that holds a manifest."""
    here = Path.cwd()
    around = submission.absolute().parent
    candidates = (here, around, *around.parents)
    return next((place for place in candidates if (place / folder.MANIFEST).is_file()), here)


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


def report_name(file_name: str) -> str:
    """A folder's name from a file's: letters of any script, digits, dots, dashes and underlines only."""
    plain = re.sub(r"[^\w.-]+", "_", Path(file_name).stem).strip("._")
    return plain.encode()[:MAX_NAME_BYTES].decode(errors="ignore") or "submission"


def report_names(paths: Sequence[Path]) -> list[str]:
    """A folder's name for each file; the second of one name, from another folder, gets a number."""
    names: list[str] = []
    for path in paths:
        plain = report_name(path.name)
        numbered = (f"{plain}-{number}" for number in itertools.count(2))
        names.append(plain if plain not in names else next(name for name in numbered if name not in names))
    return names


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
