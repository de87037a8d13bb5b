"""`grade SUBMISSION...`: each submission to a table on screen, a record and a report on disk."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import click
from rich.console import Console

from grader.cli import options
from grader.cli.streams import abandon_stdout
from grader.course.duplicates import duplicates, fingerprints, notices_for, summary_line
from grader.course.report_files import report_names, write_reports
from grader.files import assert_writable
from grader.grading import assignment_folder, opening, pipeline
from grader.grading.recorded import claims_in
from grader.model.errors import SubmissionError, UsageError
from grader.model.records import Grade, encode
from grader.notebooks.submission_file import read
from grader.reports.progress import GradingProgress

REPORTS_NEED = ("grader.reports.page", "grader.reports.terminal")  # Jinja2 and Markdown, not needed to start

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
        Task(
            pipeline.GradeJob(path, home_of(path, assignment), seed, public=public, sandbox=not no_sandbox),
            name,
        )
        for path, name in zip(paths, report_names(paths), strict=True)
    ]
    for task in tasks:
        assert_writable(task.reports(out))
    with opening.WarmProcesses(meanwhile=REPORTS_NEED) as warm:
        if len(tasks) == 1:
            status = carry_out(tasks[0], tasks[0].reports(out), warm.open_notebook, as_json=as_json)
        else:
            status = carry_out_all(tasks, out, warm.open_notebook, as_json=as_json)
    if status:
        raise click.exceptions.Exit(status)


@dataclass(frozen=True)
class Task:
    """One submission to grade, and the name of its report's folder."""

    job: pipeline.GradeJob
    name: str

    def reports(self, out: Path | None) -> Path:
        """Where the reports go: ``out``, or the assignment's own folder for them."""
        return out or self.job.folder.path / "reports"


def home_of(path: Path, assignment: Path | None) -> assignment_folder.AssignmentFolder:
    """The assignment of a submission. Raises UsageError where the file or the assignment does not exist."""
    if not os.path.lexists(path):
        raise UsageError(f"{path}: no such file, and no command of this name; see grade --help")
    return assignment_folder.load(assignment or assignment_folder.nearest(path))


def carry_out(task: Task, out: Path, opener: pipeline.Opener, *, as_json: bool) -> int:
    """Grade one submission, write its report and show it; the exit status that the grade asks for."""
    with GradingProgress(Console(stderr=True)) as progress:
        grade = pipeline.grade(task.job, opener=opener, progress=progress)
        progress.note("writing the report")
        written = write_reports(grade, out, name=task.name)
    show(grade, written, as_json=as_json)
    return 1 if grade.attention else 0


def carry_out_all(tasks: Sequence[Task], out: Path | None, opener: pipeline.Opener, *, as_json: bool) -> int:
    """Grade one after the other; the worst exit status. What cannot be graded is a line on standard error."""
    status, (told, line) = 0, with_shared_evidence(tasks)
    for task in told:
        try:
            found = carry_out(task, task.reports(out), opener, as_json=as_json)
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


def show(grade: Grade, written: Path, *, as_json: bool) -> None:
    """The record alone, or the table. Raises UsageError where standard output takes nothing."""
    from grader.reports.terminal import print_report  # noqa: PLC0415

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
