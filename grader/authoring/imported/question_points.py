"""A question of otter as an item: its cases, and how its points are shared among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grader.authoring.imported.described import Course, ForeignItem, ForeignTest, worth
from grader.model.points import ZERO, Points, total


@dataclass(frozen=True)
class Case:
    """One test case: points are None where the question's are shared out."""

    source: str
    where: str
    hidden: bool = False
    points: float | None = None
    hint: str = ""
    name: str = ""


def add_question(
    course: Course, told: Mapping[str, Any], title: str, cases: Sequence[Case], *, notebook: str
) -> None:
    """Add a question as an item with its tests."""
    name = " ".join(str(told.get("name") or "question").split())
    item = ForeignItem(name, title or name, ZERO, notebook)
    if told.get("manual") is True:
        points = worth(told.get("points"))
        if points == ZERO:
            course.note(name, "has no points and is marked by a person there: it is text and no item")
        else:
            course.items.append(replace(item, points=points, written=True))
        return
    course.seen += len(cases)
    shares = _shares(told.get("points"), cases)
    together = told.get("all_or_nothing") is True and len(cases) > 1
    tests = _together(name, cases, shares) if together else _apart(name, cases, shares)
    points = total(test.points for test in tests)
    if points == ZERO:
        course.note(name, "has no tests that are worth points: it is no item")
        return
    course.items.append(replace(item, points=points))
    course.tests += tests


def _shares(points: object, cases: Sequence[Case]) -> list[float]:
    """What each case is worth, by otter's rules."""
    if isinstance(points, dict):
        each = points.get("each", 1)
        return [float(each) if isinstance(each, int | float) else 1.0] * len(cases)
    if isinstance(points, list) and len(points) == len(cases):
        return [float(value) if isinstance(value, int | float) else 0.0 for value in points]
    said = [case.points for case in cases]
    free = sum(value is None for value in said)
    known = sum(value for value in said if value is not None)
    if isinstance(points, int | float):
        rest = max(0.0, points - known) / free if free else 0.0
    else:
        rest = 1 / free if free and known == 0 else 0.0
    return [rest if value is None else float(value) for value in said]


def _apart(name: str, cases: Sequence[Case], shares: Sequence[float]) -> list[ForeignTest]:
    exact = round(sum(shares) * 100)
    tests, given = [], 0
    for number, case in enumerate(cases, start=1):
        upto = round(sum(shares[:number]) * 100) if number < len(cases) else exact
        title = case.name or f"{name}, test {number}"
        tests.append(
            ForeignTest(
                name,
                f"{name}_{number}",
                title,
                Points(upto - given),
                case.source,
                case.where,
                public="" if case.hidden else case.source,
                hint=case.hint,
            )
        )
        given = upto
    return tests


def _together(name: str, cases: Sequence[Case], shares: Sequence[float]) -> list[ForeignTest]:
    """All or nothing: one test with all cases, and for students the public ones."""
    shown = [case.source for case in cases if not case.hidden]
    return [
        ForeignTest(
            name,
            name,
            name,
            worth(sum(shares)),
            "\n".join(case.source for case in cases),
            cases[0].where,
            public="\n".join(shown),
            hint=next((case.hint for case in cases if case.hint), ""),
        )
    ]
