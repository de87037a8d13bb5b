"""Which submission counts, what being late costs, and totals: pure functions of what was handed in."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.gradebook.policy import (
    Candidate,
    Lateness,
    after_penalty,
    choice,
    late_days,
    lateness,
    later_of,
    moment,
)
from grader.gradebook.rows import Arrival, ItemPoints, Mark
from grader.gradebook.totals import total_of
from grader.model.errors import UsageError
from grader.model.points import Points
from grader.model.records import ItemResult

DUE = "2026-11-30T23:59+00:00"


def candidate(order: int, at: str, earned: int) -> Candidate:
    return Candidate(order, at, Points.of(earned))


THREE = [
    candidate(1, "2026-11-29T10:00+00:00", 12),
    candidate(2, "2026-11-30T23:30-01:00", 20),  # half past midnight UTC: late
    candidate(3, "2026-11-30T10:00+00:00", 15),
]


@pytest.mark.parametrize(("name", "order"), [("latest", 2), ("best", 2), ("deadline", 3)])
def test_which_submission_counts(name: str, order: int) -> None:
    assert choice(name, DUE)(THREE).order == order


def test_of_equal_ones_the_last_counts() -> None:
    assert choice("best")([candidate(1, "", 5), candidate(2, "", 5), candidate(3, "", 4)]).order == 2
    assert choice("latest")([candidate(1, "", 5), candidate(2, "", 4)]).order == 2


def test_where_all_are_late_the_first_counts() -> None:
    late = [candidate(1, "2026-12-02T00:00+00:00", 9), candidate(2, "2026-12-01T12:00+00:00", 8)]
    assert choice("deadline", DUE)(late).order == 2


def test_an_unknown_time_is_on_time() -> None:
    assert choice("deadline", DUE)([candidate(1, "", 9), candidate(2, "2026-12-01T12:00", 8)]).order == 1


@pytest.mark.parametrize(("name", "deadline"), [("deadline", ""), ("first", ""), ("deadline", "tomorrow")])
def test_a_choice_that_makes_no_sense_is_explained(name: str, deadline: str) -> None:
    with pytest.raises(UsageError):
        choice(name, deadline)


@pytest.mark.parametrize(
    ("at", "days"),
    [
        ("2026-11-30T23:59+00:00", 0),
        ("2026-11-30T23:59:01+00:00", 1),
        ("2026-12-01T23:59+00:00", 1),
        ("2026-12-01T23:59:01+00:00", 2),
        ("2026-12-01T00:58+01:00", 0),
        ("", 0),
    ],
)
def test_begun_days_after_the_deadline(at: str, days: int) -> None:
    assert late_days(at, DUE) == days


def test_grace_time_costs_nothing_but_does_not_move_the_deadline() -> None:
    hour = timedelta(hours=1)
    assert late_days("2026-12-01T00:30+00:00", DUE, grace=hour) == 0
    assert late_days("2026-12-01T01:30+00:00", DUE, grace=hour) == 1
    assert late_days("2026-12-01T12:00+00:00", "") == 0


@pytest.mark.parametrize(
    ("arrival", "extended", "words", "days"),
    [
        (Arrival("2026-12-01T12:00+00:00"), False, "late", 1),
        (Arrival("2026-12-01T12:00+00:00", late=False), False, "late", 1),  # our deadline, not the platform's
        (Arrival("2026-11-30T12:00+00:00", late=True), False, "on time", 0),
        (Arrival(late=True), False, "late by an unknown time", 3),
        (Arrival(late=True), True, "late by an unknown time", 0),
        (Arrival(late=False), False, "not marked late", 0),
        (Arrival(), False, "unknown", 0),
    ],
)
def test_lateness_by_a_time_or_by_a_platforms_word(
    arrival: Arrival, *, extended: bool, words: str, days: int
) -> None:
    assert lateness(arrival, DUE, unknown_days=3, is_extended=extended) == Lateness(words, days)


def test_a_platforms_word_holds_without_a_deadline_too() -> None:
    assert lateness(Arrival(late=True), "") == Lateness("late by an unknown time", 1)
    assert lateness(Arrival("2026-12-01T12:00+00:00"), "") == lateness(Arrival(), "") == Lateness()


def test_an_extension_never_makes_a_deadline_earlier() -> None:
    assert later_of(DUE, "2026-12-02T12:00+00:00") == "2026-12-02T12:00+00:00"
    assert later_of(DUE, "2026-11-29T12:00+00:00") == later_of(DUE, "") == DUE
    assert later_of("", "2026-12-02T12:00+00:00") == ""


def test_a_time_without_a_zone_is_utc() -> None:
    assert moment("2026-11-30T23:59") == moment(DUE)


def test_a_late_day_takes_its_share_of_the_possible_points() -> None:
    assert after_penalty(Points.of(40), Points.of(46), days=1, percent_per_day=10) == Points.of("35.4")
    assert after_penalty(Points.of(3), Points.of(46), days=1, percent_per_day=10) == Points.of(0)


@given(st.integers(0, 4600), st.integers(0, 30), st.integers(0, 100))
def test_a_penalty_never_adds_and_never_goes_below_zero(earned: int, days: int, percent: int) -> None:
    left = after_penalty(Points(earned), Points(4600), days=days, percent_per_day=percent)
    assert Points(0) <= left <= Points(earned)


def item(name: str, kind: str, earned: int, possible: int, *, decided: bool) -> ItemPoints:
    points = Points.of(earned), Points.of(possible)
    return ItemPoints.of(ItemResult(name, name, kind, *points, decided))


ITEMS = (
    item("code", "code", 4, 6, decided=True),
    item("prose", "written", 0, 2, decided=False),
    item("broken", "code", 1, 4, decided=False),
)


def test_a_total_without_marks_is_the_grade() -> None:
    total = total_of(ITEMS, {})
    assert (total.earned, total.possible, total.awaiting) == (Points.of(5), Points.of(12), Points.of(6))
    assert not total.complete


def test_a_mark_decides_and_goes_before_the_checks() -> None:
    marks = {
        "prose": Mark(1, "prose", Points.of("1.5")),
        "broken": Mark(1, "broken", Points.of(4)),
        "code": Mark(1, "code", Points.of(5), "the hint misled"),
        "nowhere": Mark(1, "nowhere", Points.of(100)),
    }
    total = total_of(ITEMS, marks)
    assert (total.earned, total.awaiting) == (Points.of("10.5"), Points.of(0))
    assert total.complete
    assert total.items[0].mark is marks["code"]


def test_a_withdrawn_mark_counts_nothing() -> None:
    assert total_of(ITEMS, {"prose": Mark(1, "prose", None)}) == total_of(ITEMS, {})
