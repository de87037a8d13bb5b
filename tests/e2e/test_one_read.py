"""A submission's file is read once: what happens to it while it is graded changes and breaks nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from support.evidence_course import make_course, make_notebook, recording, shown
from support.notebooks import code, write_notebook
from support.tiny import RIGHT, make_tiny

from grader.course.jobs import Done, Job, run_job
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.execution import Progress
from grader.grading.grade_job import GradeJob
from grader.grading.opening import WarmProcesses
from grader.handed_in.named import package_of
from grader.model.errors import Fault
from grader.model.records import Grade, decode, encode, without_figures
from grader.notebooks.submission_file import read
from grader.notebooks.submission_files import SubmissionFiles
from grader.session.notebook import Notebook

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmProcesses]:
    with WarmProcesses() as processes:
        yield processes


@pytest.fixture
def course(tmp_path: Path) -> AssignmentFolder:
    """An assignment whose submission `a.ipynb` holds evidence and a figure."""
    make_notebook(tmp_path / "a.ipynb", shown(recording("2"), **{"image/png": PNG}))
    return assignment_folder.load(make_course(tmp_path))


def delete(path: Path) -> None:
    path.unlink()


def change(path: Path) -> None:
    path.write_text("not a notebook any more")


MISHAPS = pytest.mark.parametrize("mishap", [delete, change], ids=["deleted", "changed"])


def job_for(folder: AssignmentFolder) -> Job:
    package = package_of(folder.path / "a.ipynb", folder.expected, into=folder.path / "kept")
    return Job(name="a.ipynb", package=package, seed=1)


def graded(
    job: Job, folder: AssignmentFolder, warm: WarmProcesses, mishap: Callable[[Path], None]
) -> tuple[Done, Grade]:
    """What a worker answers when the file meets with a mishap as soon as it has been read."""

    def opener(grading: GradeJob, submission: SubmissionFiles, progress: Progress) -> Notebook:
        mishap(Path(job.package.first.path))
        return warm.open_notebook(grading, submission, progress)

    done = run_job(job, folder, opener)
    assert done.record, done.error
    return done, decode(done.record)


@MISHAPS
def test_a_file_that_is_gone_while_it_is_graded_gets_the_grade_of_what_was_read(course, warm, mishap):
    job = job_for(course)
    done, grade = graded(job, course, warm, mishap)
    assert grade.submission.sha256 == job.sha256
    assert [str(item.earned) for item in grade.items] == ["1", "2", "2"]
    assert len(grade.items[1].figures) == 1
    assert {item for item, _ in done.prints} == {"2", "3"}


@MISHAPS
def test_items_of_an_earlier_grade_keep_their_pictures_too(course, warm, mishap):
    """An earlier record is kept without its pictures: they come from the same read."""
    job = job_for(course)
    before, _ = graded(job, course, warm, lambda _: None)
    bare = encode(without_figures(decode(before.record)))
    again = msgspec.structs.replace(job, only=("1",), previous=bare)
    _, grade = graded(again, course, warm, mishap)
    assert [str(item.earned) for item in grade.items] == ["1", "2", "2"]
    assert len(grade.items[1].figures) == 1


@MISHAPS
def test_a_file_that_is_gone_before_it_is_read_is_nobodys_answer(course, warm, mishap):
    job = job_for(course)
    mishap(Path(job.package.first.path))
    done = run_job(job, course, warm.open_notebook)
    assert (done.record, done.fault) == (b"", Fault.INFRASTRUCTURE)
    what = "deleted" if mishap is delete else "changed"
    assert done.error == f"a.ipynb: the file was {what} before it was graded; grade it again"


@MISHAPS
def test_of_several_each_is_graded_as_it_was_when_the_command_began(tmp_path, mishap):
    """The first submission runs without walls and does to the second file what it likes."""
    home = make_tiny(tmp_path)
    second = write_notebook(home / "b.ipynb", RIGHT)
    digest = read(second).sha256
    source = {
        delete: f"import os; os.remove({str(second)!r})",
        change: f"open({str(second)!r}, 'w').write('not a notebook any more')",
    }[mishap]
    write_notebook(home / "a.ipynb", [*RIGHT, code(source)])
    command = [sys.executable, "-m", "grader.cli.main", "a.ipynb", "b.ipynb", "--no-sandbox"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert not second.exists() or second.read_text().startswith("not a notebook")
    records = [decode((home / "reports" / name / "grade.json").read_bytes()) for name in ("a", "b")]
    assert [str(record.earned) for record in records] == ["3", "3"]
    assert records[1].submission.sha256 == digest


def test_the_template_is_read_once_for_an_assignment(course, monkeypatch):
    folder = assignment_folder.load(course.path)
    reference = folder.path / folder.assignment.notebook
    reference.parent.mkdir(exist_ok=True)
    reference.write_text("# %% [markdown]\n# Step\n")
    cells = folder.template_cells
    reference.unlink()
    assert folder.template_cells is cells
    assert replace(folder).template_cells == ()
