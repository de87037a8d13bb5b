"""The class's page and screen: inert, self-contained, the same bytes again, thirty lines on a terminal."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import msgspec
import pytest
from rich.console import Console
from support.report_samples import HOSTILE

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
    Scores,
    Shared,
)
from grader.model.points import Points
from grader.reports.class_page import render
from grader.reports.class_terminal import print_class

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
            30, 2, (MarkerFigures(text, 20, 0.1), MarkerFigures("b", 1)), (Agreement("3.1", 9, 4, 0.5, 0.3),)
        ),
        shared=(
            Shared("answer", "3.1", who, "nearly the same words", 0.8),
            Shared("evidence", "3.2", who[:2], "a run"),
        ),
        compared=("answer", "evidence"),
        submitted=tuple(f"2026-11-{day}T10:00:00+00:00" for day in range(10, 21)),
    )


class Elements(HTMLParser):
    """A page's elements with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    "text", ["G.mean(0)", HOSTILE, '"><script>alert(1)</script>', "$\\frac{1}{2}$ </svg>"]
)
def test_the_page_is_inert_and_self_contained(text: str) -> None:
    html = render(made(text))
    for tag, attributes in Elements(html).found:
        assert tag not in {"script", "iframe", "object", "form", "base", "link", "img", "foreignobject"}
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "xlink:href"}:
                assert re.fullmatch(r"(s\d+-1/report\.html)?(#[\w.-]+)?", value or ""), (tag, value)
    assert html.count("<svg") == 3
    assert "http" not in re.sub(r'xmlns(:xlink)?="[^"]*"', "", html.partition("</style>")[2]).replace(
        "http-equiv", ""
    )
    assert not set(html) & set("\x00\x07\x1b\u202e\u200b")


def test_pictures_take_the_pages_colours_keep_text_and_are_the_same_again() -> None:
    html = render(made())
    assert html == render(made())
    drawn = html.partition("<svg")[2].rpartition("</svg>")[0]
    assert not re.search(r"#0[0-9]0[0-9]0[0-9]\b", drawn), "a colour that no scheme changes"
    assert ">points so far, of 46</text>" in drawn
    assert "<style" not in drawn, "it would hold for the whole page"


def test_a_class_of_nobody_has_a_page() -> None:
    empty = ClassReport(
        "HW", "2026-12-01T10:00:00+00:00", "", HandedIn(0, 0, 0, 0, 0), Scores((), Points(0), Points(0)), ()
    )
    assert "<svg" not in render(empty)
    print_class(empty, Console(file=io.StringIO()))


def test_thirty_lines_say_the_most_important() -> None:
    console = Console(file=io.StringIO(), width=100)
    print_class(made(HOSTILE), console, page="reports/class.html")
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert len(text.splitlines()) <= 30
    assert not set(text) & set("\x00\x07\x1b\u202e\u200b")
    assert "280 of 300 handed in, 12 late, 2 cannot be read, 30 not wholly decided" in text
    assert "29 students  3.1  `" in text
    assert "Page: reports/class.html" in text
