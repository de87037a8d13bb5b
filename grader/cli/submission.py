"""`grade SUBMISSION...`: each submission to a table on screen, a record and a report on disk."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from grader.cli import options
from grader.course import apart
from grader.files import assert_writable
from grader.grading import assignment_folder, opening
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.grade_job import GradeJob
from grader.grading.kept_checks import state_line
from grader.model.errors import UsageError
from grader.model.records import Grade, encode
from grader.notebooks.submission_files import SubmissionFiles

REPORTS_NEED = ("grader.reports.page", "grader.reports.terminal")  # Jinja2 and Markdown, not needed to start

HELP = """Grade a submission, or several one after the other.

A submission is a notebook or script with what lies beside it, a folder of one student's files, or a zip of
them. Writes OUT/NAME/grade.json and OUT/NAME/report.html and shows a table. If one of several cannot be
graded, the others still are; recorded evidence that two of them share is named at the end.

With --watch it is graded again and again: the state after the cells is kept, what is saved (a file of
checks, the manifest, the submission) decides what runs again, and what became better or worse is shown. No
report is written. Ctrl-C ends.

Exit status: 0 graded, 1 graded but something needs attention, 2 cannot grade.

\b
Examples:
  grade hw3.ipynb
  grade hw3.ipynb --assignment ~/courses/hw3 --out /tmp/reports
  grade neural_networks.py --seed 7 --json
  grade class/*.ipynb
  grade handed_in/ada
  grade hw3.ipynb --public
  grade hw3.ipynb --watch
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
@click.option("--public", is_flag=True, help="Run the public checks on your own work, in this process.")
@click.option("--watch", is_flag=True, help="Keep the state, and run what each save changes.")
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
    watch: bool,
    as_json: bool,
    no_sandbox: bool,
) -> None:
    seed = options.draw_seed() if seed is None else seed
    load = functools.cache(assignment_folder.load)  # one object serves all submissions of an assignment
    jobs = [
        GradeJob(path, home_of(path, assignment, load), seed, public=public, sandbox=not no_sandbox)
        for path in paths
    ]
    for job in jobs:
        assert_writable(reports_of(job, out))
    if watch:
        watch_one(jobs, reports_of(jobs[0], out), as_json=as_json)
        return
    with opening.WarmProcesses(meanwhile=REPORTS_NEED) as warm:
        status, shared = apart.grade_all(
            jobs,
            [reports_of(job, out) for job in jobs],
            warm,
            show=functools.partial(
                show, as_json=as_json, folders={job.folder.sha256: job.folder for job in jobs}
            ),
            tell=functools.partial(options.tell, err=True),
        )
    if shared:
        options.tell(f"grade: {shared}", err=True)
    if status:
        raise click.exceptions.Exit(status)


def watch_one(jobs: Sequence[GradeJob], reports: Path, *, as_json: bool) -> None:
    """Grade one submission at each save, until Ctrl-C. Raises CannotGrade."""
    if len(jobs) > 1 or as_json or jobs[0].public:
        raise UsageError("--watch shows one submission's hidden checks: without --json and --public")
    from grader.authoring.watch import Kept, follow  # noqa: PLC0415  # pytest, not needed otherwise
    from grader.course.report_files import UNPACKED  # noqa: PLC0415  # likewise
    from grader.handed_in.named import package_of  # noqa: PLC0415  # likewise
    from grader.handed_in.package import load  # noqa: PLC0415  # likewise

    job = jobs[0]
    paths = [job.submission.absolute()]

    def read(folder: AssignmentFolder) -> SubmissionFiles:
        package = package_of(job.submission, folder.expected, into=reports / UNPACKED)
        found = {Path(file.path) for file in package.files}
        paths[1:] = sorted(path for path in found if not path.is_relative_to((reports / UNPACKED).absolute()))
        return load(package)

    with opening.WarmProcesses() as warm:
        kept = Kept(read, job, opening.opener(warm.zygote, stays_open=True))
        follow(job.folder.path, [kept], others=lambda: paths)


def reports_of(job: GradeJob, out: Path | None) -> Path:
    """Where a job's reports go: ``out``, or the assignment's own folder for them."""
    return out or job.folder.path / "reports"


def home_of(
    path: Path, assignment: Path | None, load: Callable[[Path], AssignmentFolder]
) -> AssignmentFolder:
    """The assignment of a submission. Raises UsageError if the file or the assignment does not exist."""
    if not os.path.lexists(path):
        raise UsageError(f"{path}: no such file, and no command of this name; see grade --help")
    return load(assignment or assignment_folder.nearest(path))


def show(grade: Grade, written: Path, *, as_json: bool, folders: Mapping[str, AssignmentFolder]) -> None:
    """Print the record alone, or the table and what is known of the checks.

    ``folders`` are the assignments by their digests. Raises UsageError if standard output cannot be written
    to.
    """
    from grader.reports.terminal import print_report  # noqa: PLC0415

    try:
        if as_json:
            click.echo(encode(grade), nl=False)  # bytes: UTF-8, whatever the terminal's encoding
        else:
            print_report(grade, Console(), report_path=str(written / "report.html"))
            if grade.mode == "hidden":
                options.tell(f"Checks: {state_line(folders[grade.assignment_sha256], environ=os.environ)}")
        sys.stdout.flush()
    except UsageError as error:
        raise UsageError(f"{error}; the report is in {written}") from None
