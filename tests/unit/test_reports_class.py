"""The class's page and screen: inert, self-contained, the same bytes again, thirty lines on a terminal."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console
from support.class_samples import made
from support.report_samples import HOSTILE

from grader.model.class_report import ClassReport, HandedIn, ItemFigures, Scores
from grader.model.points import Points
from grader.reports.class_page import render
from grader.reports.class_pictures import distribution
from grader.reports.class_summary import remark
from grader.reports.class_terminal import print_class


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


def test_submissions_are_counted_in_whole_numbers() -> None:
    drawn = distribution(Scores((Points.of(1), Points.of(3)), Points.of(5), Points(0), median=2.0))
    assert re.findall(r">([\d.]+)</text>", drawn) == ["0", "1", "2", "3", "4", "5", "0", "1"]


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


@pytest.mark.parametrize(
    ("discrimination", "decided", "said"),
    [
        (-0.02, 100, "says little about the rest"),
        (-0.3, 100, "those who do well elsewhere do worse here: look at its checks or rubric"),
        (-0.3, 12, "says little about the rest"),
        (0.1, 12, ""),
        (0.25, 300, ""),
        (None, 300, ""),
    ],
)
def test_what_may_be_chance_is_not_said_of_an_item(
    discrimination: float | None, decided: int, said: str
) -> None:
    item = ItemFigures("1", "a", "code", Points.of(1), decided, 0, 0, 0, 0, 0.5, discrimination)
    assert remark(item) == said
