"""What pytest offers to authors works in checks: helpers, fixtures, classes, cases, Hypothesis."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.assignments import Item, manifest, write_files
from support.small_course import SmallCourse, checks_by_name, points_by_item

from grader.grading.beside import importable
from grader.model.errors import ManifestError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

CONFTEST = """
import pytest
from helpers import FACTOR


@pytest.fixture
def doubled(student):
    return student.scaled(FACTOR)
"""
HELPERS = """
from shapes import square

FACTOR = 2


def area(x):
    return square(x)
"""
CHECKS = '''
import numpy as np
import pytest
from helpers import FACTOR, area
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes.round import circle

from grader import assert_close, item, points, seconds


@item("helpers")
@points(1)
def test_helpers(student, doubled):
    """a helper, a package of them, and a fixture that uses them"""
    assert FACTOR == 2 and area(3) == 9 and circle(1) == 3
    assert doubled == 6


@item("class")
@points(1)
class TestFirst:
    """A class of checks."""

    def test_one(self, student):
        """one of the first class"""
        assert student.scaled(1) == 3


@item("class")
class TestSecond:
    """Another with a check of the same name."""

    @points(1)
    def test_one(self, student):
        """one of the second class"""
        assert student.scaled(1) == 3


@item("cases")
@points(1)
@pytest.mark.parametrize("x", [3, pytest.param(-7, marks=points(2))])
def test_cases(student, x):
    """scaled, case by case"""
    assert student.scaled(x) == 3 * x


@item("cases")
@points("0.5")
@pytest.mark.parametrize("x", [0, 10**9], ids=["zero", "a large number"])
def test_named(student, x):
    """scaled, each case named"""
    assert student.scaled(x) == 3 * x


@item("property")
@points(1, hint="what of the sign?")
@settings(max_examples=30)
@given(x=st.integers(-1000, 1000))
def test_property(student, x):
    """scaled is three times x for every x"""
    assert_close(student.scaled(x), 3 * x)
    print(x)


@item("time")
@points(1)
@seconds(6)
def test_slow(student):
    """slow(2) gives two"""
    assert student.slow(2) == 2


@item("time")
@points(1)
def test_as_slow(student):
    """without a limit of its own, a check has the manifest's"""
    assert student.slow(2) == 2
'''
RIGHT = """
import time


def scaled(x):
    SEEN.append(x)
    return 3 * x


def slow(x):
    end = time.process_time() + 2
    while time.process_time() < end: pass
    return x


SEEN = []
"""
ITEMS = (
    Item("helpers", "helpers"),
    Item("class", "class", points=2),
    Item("cases", "cases", points=4),
    Item("property", "property"),
    Item("time", "time", points=2),
)
FILES = {
    "assignment.toml": manifest(*ITEMS, limits={"check_seconds": 1, "total_seconds": 60}),
    "hidden_tests/test_all.py": CHECKS,
    "hidden_tests/conftest.py": CONFTEST,
    "hidden_tests/helpers.py": HELPERS,
    "hidden_tests/shapes/__init__.py": "def square(x): return x * x",
    "hidden_tests/shapes/round.py": "from math import pi\n\n\ndef circle(r): return int(pi * r)",
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallCourse]:
    with SmallCourse(write_files(tmp_path_factory.mktemp("course"), FILES)) as made:
        yield made


def test_a_right_answer_earns_all_of_it(course: SmallCourse) -> None:
    """But the check that is given less time than the code takes."""
    grade = course.grade(RIGHT)
    assert points_by_item(grade) == {"helpers": "1", "class": "2", "cases": "4", "property": "1", "time": "1"}
    assert grade.attention == ()


def test_each_check_has_a_name_and_a_title_of_its_own_and_no_title_an_input(course: SmallCourse) -> None:
    grade = course.grade(RIGHT, only={"class", "cases"})
    found = {check.check: check.title for check in checks_by_name(grade).values()}
    assert found == {
        "TestFirst::test_one": "one of the first class",
        "TestSecond::test_one": "one of the second class",
        "test_cases[3]": "scaled, case by case (case 1)",
        "test_cases[-7]": "scaled, case by case (case 2)",
        "test_named[zero]": "scaled, each case named: zero",
        "test_named[a large number]": "scaled, each case named: a large number",
    }


def test_a_wrong_answer_loses_the_cases_that_see_it(course: SmallCourse) -> None:
    grade = course.grade(f"{RIGHT}\ndef scaled(x): return 3 * abs(x)", only={"cases", "property"})
    assert points_by_item(grade) == {"cases": "2", "property": "0"}
    found = checks_by_name(grade)["test_property"]
    assert (str(found.outcome), str(found.fault), found.message) == ("failed", "student", "what of the sign?")
    assert "test_property(" in found.detail


def test_a_property_is_tried_with_examples_of_the_seed_alone(course: SmallCourse) -> None:
    """And what one submission failed on is not kept for the next."""

    def seen(seed: int, source: str = RIGHT) -> str:
        printing = source.replace("SEEN.append(x)", "print(x)")
        return checks_by_name(course.grade(printing, seed=seed, only={"property"}))["test_property"].printed

    first = seen(1)
    assert len(first.split()) == 30
    seen(1, RIGHT.replace("return 3 * x", "return 3 * x if x < 500 else 0"))
    assert seen(1) == first
    assert seen(2) != first


def test_an_exception_in_a_property_is_the_students(course: SmallCourse) -> None:
    grade = course.grade(f"{RIGHT}\ndef scaled(x): return [][x]", only={"property"})
    found = checks_by_name(grade)["test_property"]
    assert (str(found.outcome), str(found.fault)) == ("errored", "student")


def test_a_property_ends_at_the_checks_own_time(course: SmallCourse) -> None:
    source = RIGHT.replace("SEEN.append(x)", "slow(1) if x else None")
    found = checks_by_name(course.grade(source, only={"property"}))["test_property"]
    assert (str(found.outcome), str(found.fault)) == ("timed_out", "student")


def test_what_a_student_hands_in_takes_no_helpers_place(course: SmallCourse, tmp_path: Path) -> None:
    """Nor does a file where `grade` was started."""
    (tmp_path / "helpers.py").write_text("FACTOR = 0\ndef area(x): return 0")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        patch.syspath_prepend(tmp_path)
        grade = course.grade(RIGHT, only={"helpers"})
    assert points_by_item(grade) == {"helpers": "1"}


@pytest.mark.parametrize("name", ["helpers", "shapes", "test_all", "conftest"])
def test_student_code_imports_no_helper(course: SmallCourse, name: str) -> None:
    grade = course.grade(f"import {name}\nLEAKED = True\n{RIGHT}", only={"helpers"})
    assert any(name in cell.error for cell in grade.cells)


def test_helpers_of_another_assignment_are_other_modules(tmp_path: Path) -> None:
    for name, factor in (("first", 5), ("second", 7)):
        folder = write_files(
            tmp_path / name,
            {
                "assignment.toml": manifest(Item("1", "1")),
                "hidden_tests/test_it.py": (
                    "from grader import item, points\nfrom helpers import FACTOR\n\n@item('1')\n@points(1)\n"
                    f"def test_it(student):\n    assert FACTOR == {factor} == student.factor"
                ),
                "hidden_tests/helpers.py": f"FACTOR = {factor}",
            },
        )
        with SmallCourse(folder) as other:
            assert points_by_item(other.grade(f"factor = {factor}")) == {"1": "1"}


def test_only_files_beside_it_see_a_helper(tmp_path: Path) -> None:
    write_files(tmp_path, {"only_here.py": "X = 1", "asks.py": "import only_here", "textwrap.py": "Y = 1"})
    with importable(tmp_path):
        with pytest.raises(ModuleNotFoundError):
            __import__("only_here")
        asks = compile("import only_here, textwrap", str(tmp_path / "asks.py"), "exec")
        names: dict[str, object] = {}
        try:
            exec(asks, names)
        finally:
            sys.modules.pop("only_here", None)
    assert names["only_here"].X == 1  # type: ignore[attr-defined]
    assert not hasattr(names["textwrap"], "Y")


@pytest.mark.parametrize("limit", [61, 1e9])
def test_a_check_may_not_take_more_than_a_submission(tmp_path: Path, limit: float) -> None:
    folder = write_files(tmp_path / "course", FILES)
    checks = folder / "hidden_tests/test_all.py"
    checks.write_text(CHECKS.replace("seconds(6)", f"seconds({limit})"))
    with SmallCourse(folder) as made, pytest.raises(ManifestError, match=r"test_slow.*limits\.total_seconds"):
        made.grade(RIGHT)


@pytest.mark.parametrize("limit", ["0", "-1", "float('inf')", "float('nan')"])
def test_a_limit_that_is_none_is_told(tmp_path: Path, limit: str) -> None:
    folder = write_files(tmp_path / "course", FILES)
    checks = folder / "hidden_tests/test_all.py"
    checks.write_text(CHECKS.replace("seconds(6)", f"seconds({limit})"))
    with SmallCourse(folder) as made:
        grade = made.grade(RIGHT)
    assert any("more than 0 seconds" in line for line in grade.attention)


# -- some of the points ------------------------------------------------------------------------------------

AWARDS = '''
import pytest

from grader import StudentError, award, item, points


@item("part")
@points(2, hint="try each number")
def test_part(student):
    """half a point for each number"""
    right = 0
    for x in (1, 2, 3, 4):
        try:
            right += student.scaled(x) == 3 * x
        except StudentError:
            pass
    award(right / 2, f"{right} of 4")


@item("wrong")
@points(1)
def test_wrong(student):
    """awards what the student says"""
    award(student.share())


@item("raises")
@points(1)
def test_raises(student):
    """an exception, and all points for it"""
    with pytest.raises(Exception):
        student.refuse()
    award(1)
'''


@pytest.fixture(scope="module")
def awarding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallCourse]:
    items = (Item("part", "part", points=2), Item("wrong", "wrong"), Item("raises", "raises"))
    files = {
        "assignment.toml": manifest(*items, limits={"check_seconds": 1}),
        "hidden_tests/test_all.py": AWARDS,
    }
    with SmallCourse(write_files(tmp_path_factory.mktemp("awarding"), files)) as made:
        yield made


@pytest.mark.parametrize(
    ("scaled", "earned", "outcome"),
    [
        ("return 3 * x", "2", "passed"),
        ("return 3 * x if x != 2 else 0", "1.5", "partial"),
        ("return 9", "0.5", "partial"),
        ("return 3 * [0, 1][x]", "0.5", "partial"),
        ("return 0", "0", "failed"),
    ],
)
def test_a_fraction_of_the_points(awarding: SmallCourse, scaled: str, earned: str, outcome: str) -> None:
    grade = awarding.grade(f"def scaled(x): {scaled}", only={"part"})
    found = checks_by_name(grade)["test_part"]
    assert (points_by_item(grade)["part"], str(found.outcome)) == (earned, outcome)
    if outcome != "passed":
        assert (str(found.fault), found.message) == ("student", "try each number")
        assert f"{earned} of 2 points: " in found.detail


@pytest.mark.parametrize(
    "share", ["1.01", "-0.5", "float('nan')", "None", "'many'", "True", "10**400", "[1]"]
)
def test_no_award_but_part_of_what_the_check_is_worth(awarding: SmallCourse, share: str) -> None:
    """Whatever a careless check takes from the student."""
    grade = awarding.grade(f"def share(): return {share}", only={"wrong"})
    assert points_by_item(grade)["wrong"] == "undecided"
    assert grade.earned.hundredths == 0


@pytest.mark.parametrize(
    ("share", "earned"), [("1", "1"), ("'0.25'", "0.25"), ("1 / 3", "0.33"), ("-0.0", "0")]
)
def test_an_award_is_rounded_to_hundredths(awarding: SmallCourse, share: str, earned: str) -> None:
    assert points_by_item(awarding.grade(f"def share(): return {share}", only={"wrong"}))["wrong"] == earned


@pytest.mark.parametrize(
    ("source", "earned"),
    [
        ("def refuse(): raise ValueError", "1"),
        ("def refuse():\n    while True: pass", "0"),
        ("del refuse", "0"),
        ("def refuse(): return 1", "0"),
    ],
)
def test_no_award_for_what_gave_no_answer(awarding: SmallCourse, source: str, earned: str) -> None:
    grade = awarding.grade(f"def scaled(x): pass\ndef refuse(): pass\n{source}", only={"raises"})
    assert points_by_item(grade)["raises"] == earned


# -- above the points, and off them -------------------------------------------------------------------------

EXTRA = '''
from grader import item, points


@item("main")
@points(2)
def test_main(student):
    """main"""
    assert student.main() == 1


@item("main")
@points(-0.5, hint="a loop is slow")
def test_no_loop(student):
    """no loop"""
    assert student.loops() == 0


@item("main")
@points(-2)
def test_other(student):
    """a deduction that breaks where the check does"""
    assert 1 / student.divisor() == 1


@item("extra")
@points(1)
def test_extra(student):
    """extra"""
    assert student.extra() == 1


@item("both")
@points(1)
def test_part(student):
    """the item's own point"""
    assert student.main() == 1


@item("both")
@points(0.5)
def test_above(student):
    """half a point above"""
    assert student.extra() == 1
'''
EXTRA_RIGHT = """
def main(): return 1
def loops(): return 0
def divisor(): return 1
def extra(): return 1
"""


@pytest.fixture(scope="module")
def extra(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallCourse]:
    items = (
        Item("main", "main", points=2),
        Item("extra", "x", points=0, bonus=1),
        Item("both", "b", bonus=0.5),
    )
    files = {
        "assignment.toml": manifest(*items, notebook="reference/hw.py", limits={"check_seconds": 1}),
        "hidden_tests/test_all.py": EXTRA,
        "reference/hw.py": f"# %%\n### BEGIN SOLUTION\n{EXTRA_RIGHT}\n### END SOLUTION\n",
    }
    with SmallCourse(write_files(tmp_path_factory.mktemp("extra"), files)) as made:
        yield made


@pytest.mark.parametrize(
    ("wrong", "points", "earned"),
    [
        ("", {"main": "2", "extra": "1", "both": "1.5"}, "4.5"),
        ("def extra(): return 0", {"main": "2", "extra": "0", "both": "1"}, "3"),
        ("def loops(): return 1", {"main": "1.5", "extra": "1", "both": "1.5"}, "4"),
        ("def loops(): raise ValueError", {"main": "1.5", "extra": "1", "both": "1.5"}, "4"),
        ("def divisor(): return 0", {"main": "0", "extra": "1", "both": "1.5"}, "2.5"),
        ("def main(): return 0\ndef loops(): return 1", {"main": "0", "extra": "1", "both": "0.5"}, "1.5"),
    ],
)
def test_a_bonus_lies_above_the_points_and_a_deduction_takes_them(
    extra: SmallCourse, wrong: str, points: dict[str, str], earned: str
) -> None:
    grade = extra.grade(f"{EXTRA_RIGHT}\n{wrong}")
    assert (points_by_item(grade), str(grade.earned)) == (points, earned)
    assert (str(grade.possible), str(grade.decided), grade.complete) == ("3", "3", True)
    found = checks_by_name(grade)["test_no_loop"]
    assert (str(found.earned), str(found.possible)) == ("-0.5" if "loops" in wrong else "0", "0")


def test_a_deduction_that_only_the_check_breaks_takes_nothing(tmp_path: Path) -> None:
    """Without a reference nobody knows whose fault it is: the item waits."""
    files = {
        "assignment.toml": manifest(Item("main", "main", points=2), Item("both", "b", bonus=0.5)),
        "hidden_tests/test_all.py": EXTRA.replace('@item("extra")\n@points(1)', '@item("both")\n@points(0)'),
    }
    with SmallCourse(write_files(tmp_path, files)) as made:
        grade = made.grade(f"{EXTRA_RIGHT}\ndef divisor(): return 0")
    assert points_by_item(grade) == {"main": "undecided", "both": "1.5"}
    assert str(grade.earned) == "3.5"
