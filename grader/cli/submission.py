"""`grade SUBMISSION...`: each submission to a table on screen, a record and a report on disk."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from grader.cli import options
from grader.course import apart
from grader.files import assert_writable, write_whole
from grader.grading import assignment_folder, opening
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.grade_job import GradeJob
from grader.grading.kept_checks import state_line
from grader.model.errors import UsageError
from grader.model.records import Grade, encode
from grader.notebooks.submission_files import SubmissionFiles
from grader.reports.summary import checks_passed
from grader.sandbox.zygote import Zygote

SHOWING_NEEDS = ("grader.reports.terminal",)  # not needed to start

HELP = """Grade a submission, or several one after the other.

A submission is a notebook or script with what lies beside it, a folder of one student's files, or a zip of
them. Writes OUT/NAME/grade.json and OUT/NAME/report.html and shows a table. If one of several cannot be
graded, the others still are; recorded evidence that two of them share is named at the end.

With --watch it is graded again and again: the state after the cells is kept, what is saved (a file of
checks, the manifest, the submission) decides what runs again, and what became better or worse is shown. No
report is written. Ctrl-C ends.

With --as the grade is also written as another system reads it, with what students may read: gradescope
(results.json), classroom50 (the tests of result.json), github (Markdown for a job's summary) or junit.

Exit status: 0 graded, 1 graded but something needs attention, 2 cannot grade. With --must-pass, 1 also if a
check did not pass.

\b
Examples:
  grade hw3.ipynb
  grade hw3.ipynb --assignment ~/courses/hw3 --out /tmp/reports
  grade neural_networks.py --seed 7 --json
  grade class/*.ipynb
  grade handed_in/ada
  grade hw3.ipynb --public
  grade hw3.ipynb --public --must-pass --as github summary.md --as junit junit.xml
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
@click.option(
    "--as",
    "others",
    metavar="FORMAT FILE",
    multiple=True,
    nargs=2,
    type=(click.Choice(["gradescope", "classroom50", "github", "junit"]), click.Path(path_type=Path)),
    help="Also write it as gradescope, classroom50, github or junit; may be repeated.",
)
@click.option("--must-pass", is_flag=True, help="Leave with status 1 unless every check passes.")
@click.option("--json", "as_json", is_flag=True, help="Print the record alone on standard output.")
@click.option(
    "--no-sandbox", is_flag=True, help="Run without isolation. For your own work only; the grade says so."
)
@click.pass_obj
def command(early: Zygote | None, /, **given: Any) -> None:  # noqa: D103  # its help is HELP
    grade_named(Given(**given), early)


@dataclass(frozen=True)
class Given:
    """The command's arguments and options; ``others`` are formats with their files."""

    paths: tuple[Path, ...]
    assignment: Path | None
    out: Path | None
    seed: int | None
    public: bool
    watch: bool
    others: tuple[tuple[str, Path], ...]
    must_pass: bool
    as_json: bool
    no_sandbox: bool


def grade_named(given: Given, early: Zygote | None) -> None:
    """Grade what is named, show it, and leave with the exit status. Raises CannotGrade.

    ``early`` is a warm process that is starting already.
    """
    seed = options.draw_seed() if given.seed is None else given.seed
    load = functools.cache(assignment_folder.load)  # one object serves all submissions of an assignment
    jobs = [
        GradeJob(
            path,
            home_of(path, given.assignment, load),
            seed,
            public=given.public,
            sandbox=not given.no_sandbox,
        )
        for path in given.paths
    ]
    if given.others and (len(jobs) > 1 or given.watch):
        raise UsageError("--as writes one submission's grade: name one, without --watch")
    for job in jobs:
        assert_writable(reports_of(job, given.out))
    if given.watch:
        watch_one(jobs, reports_of(jobs[0], given.out), as_json=given.as_json)
        return
    elsewhere = Elsewhere(given.others, jobs[0].submission.name, must_pass=given.must_pass)
    folders = {job.folder.sha256: job.folder for job in jobs}

    def shown(grade: Grade, written: Path) -> None:
        elsewhere.write(grade)
        show(grade, written, as_json=given.as_json, folders=folders)

    with opening.WarmProcesses(meanwhile=SHOWING_NEEDS, early=early) as warm:
        status, shared = apart.grade_all(
            jobs,
            [reports_of(job, given.out) for job in jobs],
            warm,
            show=shown,
            tell=functools.partial(options.tell, err=True),
            refuse=elsewhere.refuse,
        )
    if shared:
        options.tell(f"grade: {shared}", err=True)
    if status or elsewhere.failed:
        raise click.exceptions.Exit(status or 1)


@dataclass
class Elsewhere:
    """Writes a grade as other systems read it; ``failed`` if a check has to pass and did not."""

    others: Sequence[tuple[str, Path]]
    name: str
    must_pass: bool
    failed: bool = False

    def write(self, grade: Grade) -> None:
        """Write the grade to each file. Raises UsageError.

        Gradescope would count points that wait for the author or the operator as lost: it gets nothing then.
        """
        from grader.reports.elsewhere import FORMATS  # noqa: PLC0415  # not needed otherwise

        passed, every = checks_passed(grade.items)
        self.failed |= self.must_pass and passed < every
        for form, path in self.others:
            if form == "gradescope" and grade.attention:
                options.tell(f"grade: {path} was not written: {grade.attention[0]}", err=True)
            else:
                write_whole(path, FORMATS[form].graded(grade).encode(), option="--as")

    def refuse(self, why: str) -> None:
        """Write that the submission cannot be read."""
        from grader.reports.elsewhere import FORMATS  # noqa: PLC0415  # as above

        for form, path in self.others:
            text = FORMATS[form].refused(self.name, why.removeprefix(f"{self.name}: "))
            write_whole(path, text.encode(), option="--as")


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
