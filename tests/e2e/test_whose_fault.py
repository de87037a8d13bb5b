"""A check that breaks is the author's fault only if the reference breaks it too."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.assignments import Item, manifest, write_files
from support.small_course import SmallCourse, checks_by_name, points_by_item

from grader.grading.arbiter import PASSES, SLOW_HERE
from grader.grading.execution import Silent
from grader.grading.outcomes import NOT_CARRIED_OUT, UNUSABLE
from grader.sandbox import processes

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

CHECKS = '''
import numpy as np

from grader import Undecided, assert_close, item, points


@item("sum")
@points(1, hint="add them up")
def test_half(student):
    """half of the total"""
    assert student.total([1.0, 2.0]) / 2 == 1.5


@item("scaled")
@points(1)
def test_scaled(student, rng):
    """scaled(x) is x times the factor"""
    x = rng.normal(size=3)
    assert_close(student.scaled(x), x * student.factor.value, name="scaled(x)")


@item("broken")
@points(1)
def test_broken(student):
    """whatever is handed in, this check divides by zero"""
    student.total([1.0])
    assert 1 / 0


@item("failing")
@points(1)
def test_failing(student):
    """the check breaks on None, and the reference does not pass it either"""
    assert student.total([4.0]) + 1 == 0


@item("doubtful")
@points(1)
def test_doubtful(student):
    """only a person can tell"""
    if student.factor.value != 2:
        raise Undecided("an unusual factor")
'''
RIGHT = """
def total(x): return sum(x)
factor = 2.0
def scaled(x): return x * factor
"""
ITEMS = tuple(Item(name, name) for name in ("sum", "scaled", "broken", "failing", "doubtful"))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallCourse]:
    folder = write_files(
        tmp_path_factory.mktemp("course"),
        {
            "assignment.toml": manifest(
                *ITEMS, notebook="reference/hw.py", limits={"check_seconds": 2, "total_seconds": 6}
            ),
            "hidden_tests/test_all.py": CHECKS,
            "reference/hw.py": f"# %%\n### BEGIN SOLUTION\n{RIGHT}\n### END SOLUTION\n",
        },
    )
    with SmallCourse(folder) as made:
        yield made


def test_a_right_submission_beside_a_broken_check(course: SmallCourse) -> None:
    grade = course.grade(RIGHT)
    assert points_by_item(grade) == {
        "sum": "1",
        "scaled": "1",
        "broken": "undecided",
        "failing": "undecided",
        "doubtful": "1",
    }
    broken = checks_by_name(grade)["test_broken"]
    assert (str(broken.fault), broken.message) == ("author", NOT_CARRIED_OUT)
    assert any("ZeroDivisionError" in line for line in grade.attention)


@pytest.mark.parametrize("value", ["None", "'3'", "[3.0]", "{}", "(1, 2)"])
def test_a_value_that_breaks_the_check_is_the_students(course: SmallCourse, value: str) -> None:
    grade = course.grade(RIGHT + f"\ndef total(x): return {value}")
    found = checks_by_name(grade)["test_half"]
    assert (str(found.outcome), str(found.fault)) == ("failed", "student")
    assert found.message == f"{UNUSABLE} add them up"
    assert PASSES in found.detail
    assert "TypeError" in found.detail
    assert points_by_item(grade) == {
        "sum": "0",
        "scaled": "1",
        "broken": "undecided",
        "failing": "undecided",
        "doubtful": "1",
    }


def test_nan_on_both_sides_is_the_students(course: SmallCourse) -> None:
    """The student's own NaN reached the expected value."""
    grade = course.grade(RIGHT + "\nfactor = float('nan')")
    assert points_by_item(grade)["scaled"] == "0"
    found = checks_by_name(grade)["test_scaled"]
    assert str(found.fault) == "student"
    assert "contains NaN" in found.detail


def test_what_a_check_leaves_to_a_person_stays_so(course: SmallCourse) -> None:
    """Though the reference passes it."""
    grade = course.grade(RIGHT.replace("factor = 2.0", "factor = 3.0"), only={"doubtful", "broken"})
    assert points_by_item(grade) == {"doubtful": "undecided", "broken": "undecided"}
    assert checks_by_name(grade)["test_doubtful"].fault is None


def runs(process: int, module: str) -> bool:
    """Whether ``process`` runs ``module``; others' children, such as a browser, may stand beside it."""
    return module.encode() in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")


class Counts(Silent):
    """Counts the processes that a submission may have left when the reference is about to run.

    A sandbox's supervisor may still be tidying up; what it supervised has ended.
    """

    def __init__(self) -> None:
        self.found: list[int] = []

    def note(self, text: str) -> None:
        if text.startswith("in doubt"):
            warm = [one for one in processes.children(os.getpid()) if runs(one, "grader.sandbox.warm")]
            supervisors = [supervisor for one in warm for supervisor in processes.children(one)]
            self.found.append(sum(len(processes.descendants(one)) - 1 for one in supervisors))
            assert warm


def test_nothing_of_the_submission_runs_beside_the_reference(course: SmallCourse) -> None:
    """Else it could slow the reference down, whose time-out would excuse its own."""
    counts = Counts()
    source = (
        RIGHT
        + """
import subprocess
others = [subprocess.Popen(["sleep", "1000"], start_new_session=True) for _ in range(3)]
def total(x):
    while True: pass
"""
    )
    grade = course.grade(source, only={"sum"}, progress=counts)
    assert counts.found == [0]
    found = checks_by_name(grade)["test_half"]
    assert (str(found.outcome), str(found.fault)) == ("timed_out", "student")


def test_without_a_reference_nobody_is_charged(tmp_path: Path) -> None:
    folder = write_files(
        tmp_path / "course",
        {"assignment.toml": manifest(*ITEMS), "hidden_tests/test_all.py": CHECKS},
    )
    with SmallCourse(folder) as course:
        grade = course.grade(RIGHT + "\ndef total(x): return None")
    assert points_by_item(grade)["sum"] == "undecided"


def test_the_time_of_the_submission_as_a_whole_is_no_doubt_about_the_machine(course: SmallCourse) -> None:
    """With all of it used up the reference could not be run either: that says nothing about the machine."""
    grade = course.grade(RIGHT + "\nimport time; time.sleep(1.6)", seconds=1.5)
    charged = [check for check in checks_by_name(grade).values() if check.item not in ("broken", "failing")]
    assert {str(check.fault) for check in charged} == {"student"}
    assert not any(SLOW_HERE in check.detail for check in checks_by_name(grade).values())


# -- what pytest offers, and objects in place of data --------------------------------------------------

IN_A_CHECK = '''
import pytest

from grader import item, points


@item("raises")
@points(1, hint="what may n be?")
def test_raises(student):
    """a negative n raises ValueError"""
    with pytest.raises(ValueError, match="^negative"):
        student.root(-1)


@item("any")
@points(1)
def test_any(student):
    """a negative n raises some exception"""
    with pytest.raises(Exception):
        student.root(-1)


@item("skips")
@points(1)
def test_bonus(student):
    """skipped until there is a bonus"""
    if not student.has("bonus"):
        pytest.skip("needs bonus first")


@item("skips here")
@points(1)
@pytest.mark.skipif(True, reason="needs a machine that nobody has")
def test_machine(student):
    """skipped on every machine"""


@item("fails")
@points(1)
@pytest.mark.xfail(reason="the text is being rewritten")
def test_may_fail(student):
    """expected to fail"""
    assert student.root(4) == 3


@item("data")
@points(1)
def test_size(student):
    """size is a number"""
    assert student.made().size + 1 == 7


@item("object")
@points(1)
def test_made(student):
    """made() is compared, though it is an object"""
    assert student.made() == 6


@item("prints")
@points(1)
def test_prints(student, capsys):
    """greet says hello to stdout alone"""
    student.greet("Ann")
    assert capsys.readouterr().out == "Hello Ann\\n"
    student.greet("Bo")
    out, err = capsys.readouterr()
    assert (out, err) == ("Hello Bo\\n", "")


@item("warns")
@points(1)
def test_warns(student):
    """pytest.warns cannot see the other side"""
    with pytest.warns(UserWarning):
        student.greet("Cy")


@item("writes")
@points(1, hint="each weight counts")
def test_writes(student):
    """a check that changes its own copy of the weights is right"""
    w = student.weights()
    w[0] += 1
    assert student.total(w) == 7


@item("aliases")
@points(1)
def test_aliases(student):
    """a check that expects student code to see what it wrote is wrong"""
    student.weights()[0] += 1
    assert student.total(student.weights()) == 7


@pytest.fixture
def after(student):
    yield
    assert student.root(9) == 3


@item("after")
@points(1)
def test_after(student, after):
    """the author's fixture looks once more afterwards"""
'''
IN_A_CHECK_RIGHT = """
bonus = True
def greet(name): print("Hello", name)
import numpy as np
W = np.array([1.0, 2.0, 3.0])
def weights(): return W
def total(w): return w.sum()


class Made:
    size = 6


def made(): return Made()


def root(n):
    if n < 0:
        raise ValueError("negative")
    return n ** 0.5
"""
IN_A_CHECK_ITEMS = (
    "raises",
    "any",
    "skips",
    "skips here",
    "fails",
    "data",
    "object",
    "prints",
    "warns",
    "writes",
    "aliases",
    "after",
)


@pytest.fixture(scope="module")
def pytests_course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallCourse]:
    folder = write_files(
        tmp_path_factory.mktemp("pytests"),
        {
            "assignment.toml": manifest(
                *(Item(name, name) for name in IN_A_CHECK_ITEMS),
                notebook="reference/hw.py",
                limits={"check_seconds": 1},
            ),
            "hidden_tests/test_all.py": IN_A_CHECK,
            "reference/hw.py": f"# %%\n### BEGIN SOLUTION\n{IN_A_CHECK_RIGHT}\n### END SOLUTION\n",
        },
    )
    with SmallCourse(folder) as made:
        yield made


def test_a_right_answer_loses_nothing_to_what_pytest_offers(pytests_course: SmallCourse) -> None:
    grade = pytests_course.grade(IN_A_CHECK_RIGHT)
    assert points_by_item(grade) == {
        "raises": "1",
        "any": "1",
        "skips": "1",
        "skips here": "undecided",
        "fails": "undecided",
        "data": "1",
        "object": "undecided",
        "prints": "1",
        "warns": "undecided",
        "writes": "1",
        "aliases": "undecided",
        "after": "1",
    }
    found = checks_by_name(grade)
    assert found["test_machine"].fault is None
    assert "needs a machine" in found["test_machine"].message
    assert found["test_machine"].message == found["test_machine"].message.strip()
    assert "the text is being rewritten" in found["test_may_fail"].detail
    assert str(found["test_made"].fault) == "author"
    assert ".value" in found["test_made"].detail
    assert any("test_made" in line for line in grade.attention)


@pytest.mark.parametrize(
    ("wrong", "lost"),
    [
        ("def root(n): return abs(n) ** 0.5", {"raises", "any"}),
        ("def root(n): raise TypeError('negative')", {"raises", "after"}),
        ("def root(n): raise ValueError('it is negative')", {"raises", "after"}),
        ("def root(n):\n    while n < 0: pass\n    return 3", {"raises", "any"}),
        ("def root(n): import os; os._exit(0)", {"raises", "any", "after"}),
        ("del root", {"raises", "any", "after"}),
        ("def root(n): return n / 3", {"raises", "any"}),
        ("del bonus", {"skips"}),
        ("Made.size = [6]", {"data"}),
        ("Made.size = Made()", {"data"}),
        ("del Made.size", {"data"}),
        ("def greet(name): print('Hi', name)", {"prints"}),
        ("def total(w): return w[1:].sum()", {"writes"}),
        ("import sys\ndef greet(name): print('Hello', name, file=sys.stderr)", {"prints"}),
    ],
)
def test_a_wrong_answer_loses_its_point(pytests_course: SmallCourse, wrong: str, lost: set[str]) -> None:
    grade = pytests_course.grade(f"{IN_A_CHECK_RIGHT}\n{wrong}")
    points = points_by_item(grade)
    assert {name for name, earned in points.items() if earned == "0"} == lost, points
    faults = {str(check.fault) for item in grade.items if item.item in lost for check in item.checks}
    assert faults == {"student"}


def test_a_check_that_writes_into_a_copy_is_asked_of_the_reference(pytests_course: SmallCourse) -> None:
    """It may mean its own copy, or take that for the student's array."""
    found = checks_by_name(
        pytests_course.grade(f"{IN_A_CHECK_RIGHT}\ndef total(w): return 0", only={"writes", "aliases"})
    )
    wrong = found["test_writes"]
    assert (str(wrong.outcome), str(wrong.fault), wrong.message) == (
        "failed",
        "student",
        "each weight counts",
    )
    assert str(found["test_aliases"].fault) == "author"
    assert "which is a copy" in found["test_aliases"].detail


def test_a_hidden_check_says_the_hint_and_not_what_was_expected(pytests_course: SmallCourse) -> None:
    found = checks_by_name(pytests_course.grade(f"{IN_A_CHECK_RIGHT}\ndef root(n): return 1"))["test_raises"]
    assert (str(found.outcome), found.message) == ("failed", "what may n be?")
    assert found.detail == "nothing was raised, expected ValueError"
