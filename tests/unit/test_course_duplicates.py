"""Copied recordings are found; honest work that is alike is not."""

from __future__ import annotations

from typing import Any

from grader.checks.evidence import Recording
from grader.course.duplicates import Duplicate, duplicates, fingerprints, notices_for, summary_line


def recording(**changes: Any) -> Recording:
    facts = {"item": "1", "data": {"a": [1.0]}, "run": "r", "recorded_at": "then", "machine": {"cpu": "x"}}
    return Recording(**{"parameters": {}, "code": {}, **facts, **changes})


def shared(**submissions: Recording) -> tuple[Duplicate, ...]:
    return duplicates({name: fingerprints([found]) for name, found in submissions.items()})


def test_one_run_in_two_submissions_is_found_whatever_was_changed_in_it() -> None:
    found = shared(a=recording(), b=recording(data={"a": [2.0]}), c=recording(run="other", data={"a": [3.0]}))
    assert found == (Duplicate("1", ("a", "b")),)


def test_new_labels_do_not_hide_a_copy_and_equal_numbers_accuse_nobody() -> None:
    relabelled = recording(run="other", recorded_at="now", machine={"cpu": "y"})
    found = shared(a=recording(), b=relabelled)
    assert found == (Duplicate("1", ("a", "b"), one_run=False),)
    said = "the recorded numbers are equal to those of a, as in a copy or in runs from one seed"
    assert notices_for("b", found) == (f"item 1: {said}",)
    assert summary_line(found) == (
        "equal recorded numbers, as in a copy or in runs from one seed: a, b (items 1)"
    )


def test_one_digit_is_enough_for_two_runs() -> None:
    other = recording(run="other", data={"a": [1.0000000000000002]})
    assert shared(a=recording(), b=other) == ()
    assert shared(a=recording(run="", data={}), b=recording(run="", data={})) == ()
    assert duplicates({"a": fingerprints([recording(), recording(), other])}) == ()


def test_one_run_among_equal_ones_is_told_apart() -> None:
    found = shared(a=recording(), b=recording(), c=recording(run="other"))
    assert found == (Duplicate("1", ("a", "b")), Duplicate("1", ("a", "b", "c"), one_run=False))
    assert summary_line(found) == (
        "the same recorded evidence in several submissions: a, b (items 1); "
        "equal recorded numbers, as in a copy or in runs from one seed: a, b, c (items 1)"
    )


def test_a_class_with_one_seed_is_not_listed_in_every_line() -> None:
    found = shared(**{f"s{number:03}": recording(run=str(number)) for number in range(190)})
    assert len(notices_for("s007", found)) == 1
    assert "s010 and 179 more" in notices_for("s007", found)[0]
    assert "s009 and 180 more" in summary_line(found)


def test_everyone_concerned_is_told_and_the_instructor_once() -> None:
    found = shared(a=recording(), b=recording(), c=recording(run="c", data={"a": [3.0]}))
    assert notices_for("b", found) == ("item 1: the recorded evidence is the same as that of a",)
    assert notices_for("c", found) == ()
    assert summary_line(found) == "the same recorded evidence in several submissions: a, b (items 1)"
    assert summary_line(()) == ""


def test_hostile_recordings_are_only_text() -> None:
    odd = recording(run="\ud800", data={"\ud800": float("nan")})
    assert len(fingerprints([odd])) == 2
