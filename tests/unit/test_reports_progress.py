"""The live line, the plain lines and the JUnit XML of a batch."""

import io
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from grader.model.errors import Fault, Outcome
from grader.model.points import Points
from grader.model.records import CheckResult, ItemResult
from grader.reports.junit import cases_of, suites
from grader.reports.progress import BatchProgress, Ended, EndedAs, duration


def shown(*ends: Ended, terminal: bool, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    console = Console(file=file, force_terminal=terminal, width=100, color_system=None, legacy_windows=False)
    times = iter(float(second) for second in range(10_000))
    with BatchProgress(console, total=len(ends), clock=lambda: next(times)) as progress:
        for end in ends:
            progress.ended(end)
    console.print(progress.summary())
    return raw.getvalue().decode(encoding)


GRADED = Ended("ada.ipynb", EndedAs.GRADED, Points.of(18), Points.of(30), Points.of(46), seconds=2.0)
REFUSED = Ended(
    "bob.ipynb", EndedAs.REFUSED, why="bob.ipynb: the file is empty; save it and hand it in again"
)


def test_without_a_terminal_every_submission_is_a_plain_line() -> None:
    lines = shown(GRADED, REFUSED, terminal=False).splitlines()
    assert lines[0] == "[1/2] ada.ipynb  18 of 30 decided, 46 in all"
    assert lines[1].startswith("[2/2] bob.ipynb  cannot be graded: bob.ipynb: the file is empty")
    assert lines[2].startswith("1 graded · 1 cannot be graded in 1.0 s, 120 a minute")


def test_on_a_terminal_only_what_needs_somebody_stays() -> None:
    text = shown(GRADED, REFUSED, terminal=True)
    assert "[2/2] bob.ipynb" in text
    assert "[1/2] ada.ipynb" not in text
    assert "2/2" in text


def test_a_terminal_without_unicode_loses_nothing_but_looks() -> None:
    assert "1 graded, 1 cannot be graded" in shown(GRADED, REFUSED, terminal=True, encoding="ascii")


def test_a_hostile_name_is_one_clean_line() -> None:
    end = Ended("a\n\x1b[2Jb\u202e.ipynb", EndedAs.LOST, why="3 workers died\r\n on it")
    [line, _] = shown(end, terminal=False).splitlines()
    assert line == "[1/1] a b.ipynb  killed their workers: 3 workers died on it"


@pytest.mark.parametrize(
    ("seconds", "words"), [(4.23, "4.2 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (59.96, "60.0 s")]
)
def test_times_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def check(outcome: Outcome, fault: Fault | None, message: str = "") -> CheckResult:
    return CheckResult("test_a", "forward", "3.1.1", outcome, Points(0), Points.of(2), fault, message)


def item(*checks: CheckResult, waits_for: str = "") -> ItemResult:
    worth = {"earned": Points(0), "possible": Points.of(2), "decided": not waits_for}
    return ItemResult("3.1.1", "Linear layer", "code", **worth, checks=checks, waits_for=waits_for)


def parsed(*lines: str) -> ElementTree.Element:
    return ElementTree.fromstring("".join(lines))  # noqa: S314  # our own XML


@pytest.mark.parametrize(
    ("one", "tag"),
    [
        (item(check(Outcome.PASSED, None)), None),
        (item(check(Outcome.FAILED, Fault.STUDENT, "wrong sign")), "failure"),
        (item(check(Outcome.ERRORED, Fault.AUTHOR)), "error"),
        (item(waits_for="a person's marks"), "skipped"),
    ],
)
def test_a_case_for_every_end(one: ItemResult, tag: str | None) -> None:
    [case] = [parsed(text) for text in cases_of(one)]
    assert [inside.tag for inside in case] == ([tag] if tag else [])
    assert case.get("classname") == "3.1.1"


def test_who_cannot_be_graded_is_an_error() -> None:
    [error] = parsed(*suites([], [("bob.ipynb", "empty")])).iter("error")
    assert error.get("message") == "empty"


@given(st.text())
def test_any_text_makes_well_formed_xml(text: str) -> None:
    parsed("<all>", *cases_of(item(check(Outcome.FAILED, Fault.STUDENT, text))), "</all>")
    parsed(*suites([], [(text, text)]))
