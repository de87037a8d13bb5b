"""Every submission of the courses gets its pinned points, and what a wrong one lost names its mistake."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.courses import COURSES, SUBMISSIONS, complete
from support.examples.expected import Expected, read_expected
from support.paths import ROOT

from grader.authoring.template import build
from grader.authoring.template_folder import differences
from grader.grading import assignment_folder, pipeline
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.execution import Silent
from grader.grading.grade_job import GradeJob
from grader.grading.opening import WarmProcesses
from grader.handed_in.named import package_of
from grader.handed_in.package import load
from grader.model.records import Grade, ItemResult

SEEDS = (7, 20_240_229, 2**31 - 5)
HOMES = sorted({path.parents[1] for path in SUBMISSIONS})
load_course = functools.cache(assignment_folder.load)


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmProcesses]:
    with WarmProcesses() as processes:
        yield processes


def graded(submission: Path, seed: int, warm: WarmProcesses, scratch: Path) -> Grade:
    home: AssignmentFolder = load_course(submission.parents[1])
    return grade_of(complete(submission, home, scratch / submission.name), home, seed, warm, scratch)


def grade_of(folder: Path, home: AssignmentFolder, seed: int, warm: WarmProcesses, scratch: Path) -> Grade:
    files = load(package_of(folder, home.expected, into=scratch / "unpacked"))
    job = GradeJob(folder, home, seed)
    return pipeline.grade_file(job, files, opener=warm.open_notebook, progress=Silent()).grade


@pytest.mark.parametrize(
    ("submission", "seed"),
    [(path, SEEDS[number % len(SEEDS)]) for number, path in enumerate(SUBMISSIONS)],
    ids=[path.relative_to(COURSES).as_posix().replace("/submissions", "") for path in SUBMISSIONS],
)
def test_a_submission_gets_its_points(
    submission: Path, seed: int, warm: WarmProcesses, tmp_path: Path
) -> None:
    expected = read_expected(submission)
    grade = graded(submission, seed, warm, tmp_path)
    judged = [item for item in grade.items if item.kind != "written"]
    assert {item.item: lost(item) for item in judged} == {
        item.item: pinned(item, expected) for item in judged
    }
    assert expected.items.keys() <= {item.item for item in judged}
    assert [line for line in grade.attention if not any(part in line for part in expected.attention)] == []
    assert [line for line in grade.notices if not any(part in line for part in expected.notices)] == []
    details = {check.check: check.detail for item in judged for check in item.checks}
    for item in expected.items.values():
        for check, part in item.says.items():
            assert part in details[check]


@pytest.mark.parametrize("course", HOMES, ids=lambda path: path.name)
def test_the_template_is_up_to_date_and_earns_nothing(
    course: Path, warm: WarmProcesses, tmp_path: Path
) -> None:
    home = load_course(course)
    assert differences(course / "student_template", build(home)) == []
    grade = grade_of(course / "student_template", home, 1, warm, tmp_path)
    assert {
        item.item for item in grade.items if item.earned or (not item.decided and item.kind == "code")
    } == set()


def lost(item: ItemResult) -> tuple[str, bool, dict[str, str]]:
    checks = {check.check: str(check.outcome) for check in item.checks if check.outcome != "passed"}
    return str(item.earned), item.decided, checks


def pinned(item: ItemResult, expected: Expected) -> tuple[str, bool, dict[str, str]]:
    own = expected.items.get(item.item)
    return (str(own.points), own.decided, own.lost) if own else (str(item.possible), True, {})


@pytest.mark.parametrize("course", HOMES, ids=lambda path: path.name)
def test_each_course_has_four_wrong_submissions_and_right_ones_of_other_styles(course: Path) -> None:
    own = [read_expected(path) for path in SUBMISSIONS if path.parents[1] == course]
    assert sum(bool(one.items) for one in own) >= 4
    assert sum(not one.items for one in own) >= 2


def test_the_recorder_is_hw3s_own() -> None:
    """What the course gives to keep a run is copied function by function."""

    def functions(path: Path) -> set[str]:
        text = path.read_text(encoding="utf-8")
        found = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
        return {ast.unparse(node) for node in found}

    assert functions(COURSES / "torch_training/reference/utils.py") < functions(ROOT / "reference/utils.py")
