"""A wrong array gets its formula's name in the real sandbox; students read what the author allows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.assignments import Item, manifest, write_files
from support.small_course import SmallCourse, checks_by_name

from grader.course.report_files import write_reports
from grader.model.records import CheckResult

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

CHECKS = '''
import numpy as np

from grader import Formulas, assert_close, item, points

pytestmark = item("1")
LAYER = Formulas(X="N D", W="D K", b="K", G="N K")


def case(rng):
    return [rng.normal(size=shape) for shape in ((7, 5), (5, 3), 3, (7, 3))]


@points(1, hint="add up", tell_mistake=True)
def test_bias(student, rng):
    """the gradient of b"""
    X, W, b, G = case(rng)
    layer = student.Layer(5, 3)
    layer.params["W"], layer.params["b"] = W, b
    layer.backward(X, G)
    assert_close(layer.gradient["b"], G.sum(0), formulas=LAYER(X=X, W=W, b=b, G=G))


@points(1, hint="multiply")
def test_forward(student, rng):
    """the forward pass"""
    X, W, b, G = case(rng)
    layer = student.Layer(5, 3)
    layer.params["W"], layer.params["b"] = W, b
    assert_close(layer.forward(X), X @ W + b, formulas=LAYER(X=X, W=W, b=b))
'''
RIGHT = """
import numpy as np
class Layer:
    def __init__(self, inputs, outputs):
        assert (inputs, outputs) in ((5, 3), (4, 5)), "sizes that no check has"
        self.params, self.gradient = {}, {}
    def forward(self, X):
        return X @ self.params["W"] + self.params["b"]
    def backward(self, X, grad):
        self.gradient["b"] = grad.sum(0)
"""
SUM, FORWARD = "grad.sum(0)", 'X @ self.params["W"] + self.params["b"]'


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallCourse]:
    folder = write_files(
        tmp_path_factory.mktemp("course"),
        {
            "assignment.toml": manifest(Item("1", "A layer", points=2), limits={"check_seconds": 5}),
            "hidden_tests/test_all.py": CHECKS,
        },
    )
    with SmallCourse(folder) as made:
        yield made


def checks(course: SmallCourse, old: str, new: str) -> dict[str, CheckResult]:
    """The checks of the right solution with one change."""
    assert RIGHT.count(old) == 1
    return checks_by_name(course.grade(RIGHT.replace(old, new), seed=5))


def test_a_right_solution_is_not_asked_again(course: SmallCourse) -> None:
    found = checks(course, "(4, 5)", "(5, 3)")
    assert {check.outcome for check in found.values()} == {"passed"}
    assert {check.mistake for check in found.values()} == {""}


def test_the_instructor_reads_the_formula_and_the_student_the_kind(course: SmallCourse) -> None:
    check = checks(course, SUM, "grad.mean(0)")["test_bias"]
    assert check.detail.endswith("This is `G.mean(0)`: a mean where a sum belongs.")
    assert check.mistake == "a mean where a sum belongs"
    assert check.message == "add up It looks like this mistake: a mean where a sum belongs."


def test_a_student_reads_no_kind_where_the_author_did_not_allow_it(course: SmallCourse) -> None:
    check = checks(course, FORWARD, 'X @ self.params["W"] - self.params["b"]')["test_forward"]
    assert check.detail.endswith("This is `X @ W - b`: a difference where a sum belongs.")
    assert (check.message, check.mistake) == ("multiply", "a difference where a sum belongs")


def test_code_that_works_once_is_looked_up_on_the_checks_own_inputs(course: SmallCourse) -> None:
    check = checks(course, "(4, 5)", "(5, 4)")["test_bias"]
    assert check.outcome == "passed"
    once = RIGHT.replace("(4, 5)", "(5, 4)").replace(SUM, "grad.mean(0)")
    assert checks_by_name(course.grade(once))["test_bias"].mistake == "a mean where a sum belongs"


def test_a_constant_is_not_taken_for_a_size_that_it_meets_by_chance(course: SmallCourse) -> None:
    check = checks(course, SUM, "grad.sum(0) / 7")["test_bias"]
    assert "This is" not in check.detail


def test_what_is_printed_when_it_is_called_again_is_not_in_the_record(course: SmallCourse) -> None:
    check = checks(course, SUM, "grad.mean(0); print('backward')")["test_bias"]
    assert check.printed == "backward\n"


@pytest.mark.parametrize(
    "again",
    [
        "np.full(1 << 22, 1e308)",
        "np.full((2, 4), np.nan)",
        "'text'",
        "[[1], [1, 2]]",
        "object()",
        "time.sleep(60)",
        "os._exit(1)",
        "exec('raise SystemExit')",
        "np.zeros((2,) * 40)",
    ],
)
def test_an_answer_that_changes_when_it_is_asked_again_breaks_nothing(
    course: SmallCourse, again: str
) -> None:
    change = f"grad.sum(0) * np.array([1, 2, 4]) if len(grad) == 7 else {again}"
    source = "import os, time\n" + RIGHT.replace(SUM, change)
    found = checks_by_name(course.grade(source))
    assert (found["test_bias"].outcome, found["test_bias"].fault) == ("failed", "student")
    assert found["test_bias"].mistake == ""
    assert found["test_forward"].outcome == "passed"


def test_slow_code_is_not_called_again(course: SmallCourse) -> None:
    check = checks(course, SUM, "grad.mean(0); __import__('time').sleep(2)")["test_bias"]
    assert 2 < check.seconds < 4
    assert check.mistake == "a mean where a sum belongs"


def test_the_reports_show_it(course: SmallCourse, tmp_path: Path) -> None:
    grade = course.grade(RIGHT.replace(SUM, "grad.mean(0)"))
    write_reports(grade, tmp_path, name="hw", home=course.folder)
    page = next(tmp_path.rglob("report.html")).read_text(encoding="utf-8")
    assert "a mean where a sum belongs" in page
