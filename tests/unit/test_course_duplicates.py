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
    found = shared(a=recording(), b=recording(data={"a": [2.0]}), c=recording(run="other", recorded_at="now"))
    assert found == (Duplicate("1", ("a", "b")),)


def test_a_new_name_for_a_run_does_not_hide_it() -> None:
    assert shared(a=recording(), b=recording(run="other")) == (Duplicate("1", ("a", "b")),)


def test_equal_curves_of_equal_seeds_are_no_copies() -> None:
    other = recording(run="other")
    assert shared(a=recording(), b=recording(run="other", recorded_at="now")) == ()
    assert shared(a=recording(), b=recording(run="other", machine={"cpu": "y"})) == ()
    assert shared(a=recording(run="", recorded_at=""), b=recording(run="", recorded_at="")) == ()
    assert duplicates({"a": fingerprints([recording(), recording(), other])}) == ()


def test_everyone_concerned_is_told_and_the_instructor_once() -> None:
    found = shared(a=recording(), b=recording(), c=recording(run="c", recorded_at="c"))
    assert notices_for("b", found) == ("item 1: the recorded evidence is the same as that of a",)
    assert notices_for("c", found) == ()
    assert summary_line(found) == "the same recorded evidence in several submissions: a, b (items 1)"
    assert summary_line(()) == ""


def test_hostile_recordings_are_only_text() -> None:
    odd = recording(run="\ud800", data={"\ud800": float("nan")})
    assert len(fingerprints([odd])) == 2
