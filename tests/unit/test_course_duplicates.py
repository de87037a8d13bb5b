"""Copied recordings are found; honest work that is alike is not."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from grader.checks.evidence import Recording
from grader.checks.likeness import sketch
from grader.course.duplicates import Duplicate, SameAs, duplicates, notices_for, summary_line
from grader.course.fingerprints import fingerprints
from grader.grading.functions import Sketch, sketched


def recording(**changes: Any) -> Recording:
    facts = {"item": "1", "data": {"a": [1.0]}, "run": "r", "recorded_at": "then", "machine": {"cpu": "x"}}
    return Recording(**{"parameters": {}, "code": {}, **facts, **changes})


def shared(**submissions: Recording) -> tuple[Duplicate, ...]:
    return duplicates({name: fingerprints([found]) for name, found in submissions.items()})


def test_one_run_in_two_submissions_is_found_whatever_was_changed_in_it() -> None:
    found = shared(a=recording(), b=recording(data={"a": [2.0]}), c=recording(run="other", data={"a": [3.0]}))
    assert found == (Duplicate("1", ("a", "b")),)


def test_where_each_student_has_a_seed_equal_numbers_are_one_run() -> None:
    prints = {name: fingerprints([recording(run=name)]) for name in ("a", "b")}
    found = duplicates(prints, own_seeds=True)
    assert found == (Duplicate("1", ("a", "b"), SameAs.NUMBERS_OF_OWN_SEEDS),)
    (said,) = notices_for("b", found)
    assert "though each student's runs begin from a seed of their own" in said


def test_new_labels_do_not_hide_a_copy_and_equal_numbers_accuse_nobody() -> None:
    relabelled = recording(run="other", recorded_at="now", machine={"cpu": "y"})
    found = shared(a=recording(), b=relabelled)
    assert found == (Duplicate("1", ("a", "b"), SameAs.NUMBERS),)
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
    assert found == (Duplicate("1", ("a", "b")), Duplicate("1", ("a", "b", "c"), SameAs.NUMBERS))
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


# -- one function, whatever was changed in the recording -----------------------------------------------


def shown(values: np.ndarray, *, seed: int, label: str = "run", least: float = 0.5) -> tuple[str, str]:
    """The fingerprint of a model with these outputs, through the author's file."""
    [fingerprint] = prints_of({"1": {label: Sketch(sketch(values), least, seed)}})
    return fingerprint


def prints_of(models: Any) -> frozenset[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "likeness.py").write_text("def sketches(recordings): return recordings")
        return sketched(Path(folder), models)


def outputs(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=2000)


def test_a_trained_on_copy_of_another_seed_is_named_and_others_are_not() -> None:
    copied = outputs(1) + 0.6 * outputs(2)
    models = {"a": outputs(1), "b": copied, "c": outputs(3), "d": outputs(4)}
    found = duplicates(
        {name: frozenset({shown(y, seed=number)}) for number, (name, y) in enumerate(models.items())}
    )
    assert found == (Duplicate("1", ("a", "b"), SameAs.FUNCTION),)
    said = "the trained model or a part of it is nearly that of a though the recorded seeds differ"
    assert notices_for("b", found)[0].startswith(f"item 1: {said}")
    assert "nearly the same trained models or parts of them from different seeds" in summary_line(found)


def test_runs_from_one_seed_are_named_gently() -> None:
    found = duplicates({name: frozenset({shown(outputs(1), seed=42)}) for name in ("a", "b")})
    assert found == (Duplicate("1", ("a", "b"), SameAs.FUNCTION_OF_ONE_SEED),)
    assert "as in runs from one seed or where" in summary_line(found)


def test_what_is_equal_to_the_last_digit_is_not_told_twice() -> None:
    both = fingerprints([recording()]) | {shown(outputs(1), seed=1)}
    found = duplicates({"a": both, "b": both})
    assert found == (Duplicate("1", ("a", "b")),)


def test_models_of_other_labels_and_other_bounds_are_not_compared() -> None:
    assert duplicates({"a": frozenset({shown(outputs(1), seed=1)}), "b": frozenset()}) == ()
    other = shown(outputs(1), seed=2, label="other")
    assert duplicates({"a": frozenset({shown(outputs(1), seed=1)}), "b": frozenset({other})}) == ()
    strict = shown(outputs(1) + 0.6 * outputs(2), seed=2, least=0.99)
    assert duplicates({"a": frozenset({shown(outputs(1), seed=1)}), "b": frozenset({strict})}) == ()


def test_two_models_of_one_submission_accuse_nobody() -> None:
    own = frozenset({shown(outputs(1), seed=1), shown(outputs(1), seed=2)})
    assert duplicates({"a": own, "b": frozenset({shown(outputs(5), seed=3)})}) == ()


def test_a_class_with_earlier_classes_is_compared_in_little_memory() -> None:
    rows = {f"s{number:04}": outputs(number) for number in range(600)}
    rows["copy"] = rows["s0321"] + 0.3 * outputs(9999)
    found = duplicates(
        {name: frozenset({shown(y, seed=number)}) for number, (name, y) in enumerate(rows.items())}
    )
    assert [one.submissions for one in found] == [("s0321", "copy")]
