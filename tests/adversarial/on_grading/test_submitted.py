"""Attacks on grading in a submission's own code: none gains a point, and each works on a careless check."""

from __future__ import annotations

import io
import resource
import sys
import time
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from rich.console import Console
from rows import COURSE, Attack, attacks, honest
from support.small_course import SmallCourse, checks_by_name, points_by_item

from grader.model.errors import Fault, Outcome
from grader.model.records import Grade, encode
from grader.reports import junit
from grader.reports.page import render
from grader.reports.terminal import print_report

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

LONGEST = 120
"""Seconds that no attack may make a grading last, however busy the machine: else it holds the grader up."""
MOST = 300 << 10
"""Kilobytes by which no attack may make the grader grow."""
LARGEST_RECORD = 1 << 20


@pytest.fixture(scope="module")
def course() -> Iterator[SmallCourse]:
    with SmallCourse(COURSE) as made:
        yield made


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def shown(grade: Grade) -> Iterator[str]:
    """What people and programs read of a grade, line by line."""
    screen = io.StringIO()
    print_report(grade, Console(file=screen, width=110, color_system=None))
    yield from screen.getvalue().splitlines()
    document = "".join(junit.suites([("hw.py", grade)], []))
    for case in ElementTree.fromstring(document).iter():  # noqa: S314  # our own, and it has to be XML
        yield from (line for value in case.attrib.values() for line in value.splitlines())


@pytest.mark.parametrize("attack", attacks(), ids=str)
def test_an_attack_gains_nothing(attack: Attack, course: SmallCourse) -> None:
    """Its item is lost, by its own fault; the honest item beside it is not; a careless check is passed."""
    beside = "describe" if attack.item != "describe" else "labels"
    start, before = time.monotonic(), memory()
    grade = course.grade(attack.source, only={attack.item, beside, *filter(None, [attack.works])})
    assert time.monotonic() - start < LONGEST
    assert memory() - before < MOST
    earned = points_by_item(grade)
    assert (earned[attack.item], earned[beside]) == ("0", "1")
    if attack.works:
        assert earned[attack.works] == "1", "the attack does not even work on a careless check"
    lost = [check for check in checks_by_name(grade).values() if check.outcome is not Outcome.PASSED]
    assert {check.fault for check in lost} == {Fault.STUDENT}
    assert not grade.attention
    assert len(encode(grade)) < LARGEST_RECORD
    assert not [line for line in shown(grade) if attack.imitates and line.strip().startswith(attack.imitates)]
    assert "<script" not in render(grade)


def test_the_same_done_honestly_earns_all(course: SmallCourse) -> None:
    """The control of those that no careless check is fooled by: their items can be earned."""
    earned = points_by_item(course.grade(honest()))
    assert earned.pop("curve") == "0"  # nothing was recorded
    assert set(earned.values()) == {"1"}


def test_an_imitation_would_be_seen() -> None:
    """The control of what no report may show: printed as it is, it stands at a line's beginning."""
    imitations = [attack for attack in attacks() if attack.imitates]
    assert len(imitations) >= 3
    for attack in imitations:
        assert attack.imitates.replace('"', "").split(":")[0] in attack.source
