"""A class's report of which everything is known, for the tests of its page."""

from __future__ import annotations

import msgspec

from grader.model.class_report import (
    Agreement,
    CellTrouble,
    ClassReport,
    HandedIn,
    ItemFigures,
    MarkerFigures,
    Marking,
    Mistake,
    Named,
    RubricFigures,
    Scores,
    Shared,
)
from grader.model.points import Points

WHO = tuple(Named(f"Student {number}", f"s{number}-1/report.html") for number in range(20))


def made(text: str = "G.mean(0)") -> ClassReport:
    """A class of which everything is known, with this text wherever somebody's words can be."""
    who = tuple(msgspec.structs.replace(one, student=f"{text} {one.student}", why=text) for one in WHO)
    items = tuple(
        ItemFigures(
            f"3.{number}", text, "written", Points.of(2), number, 9, 1, 5, 3, number / 20, number / 30 - 0.1
        )
        for number in range(20)
    )
    return ClassReport(
        assignment=text,
        made_at="2026-12-01T10:00:00+00:00",
        deadline="2026-11-20T12:00:00+00:00",
        handed_in=HandedIn(300, 280, 270, 12, 30, who, who[:2], who[:1], who[:3]),
        scores=Scores(
            tuple(Points.of(number % 46) for number in sorted(range(46))),
            Points.of(46),
            Points.of(2),
            20.0,
            22.5,
            10.0,
            40.0,
        ),
        items=items,
        mistakes=tuple(
            Mistake(
                text if number % 3 else "", "wrong value", ("3.1",), (text,) * 4, 30 - number, who[:4], text
            )
            for number in range(30)
        ),
        cells=(CellTrouble("was slow", text, text, 4, 28.0, who[:4]),),
        marking=Marking(
            30,
            2,
            (MarkerFigures(text, 20, 0.1), MarkerFigures("b", 1)),
            (Agreement("3.1", 9, 4, 0.5, 0.3),),
            (
                RubricFigures("3.1", text, Points.of(1), 3, 9),
                RubricFigures("3.1", "Why.", Points.of("0.5"), 9, 9),
            ),
        ),
        shared=(
            Shared("answer", "3.1", who, "nearly the same words", 0.8),
            Shared("evidence", "3.2", who[:2], "a run"),
        ),
        compared=("answer", "evidence"),
        submitted=tuple(f"2026-11-{day}T10:00:00+00:00" for day in range(10, 21)),
    )
