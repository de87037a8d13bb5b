"""What a recording says, in the author's hands: data where it is whole, one line where it is not."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reference_files import load

from grader.checks.evidence import FORMAT, Evidence, Recording, student_seed
from grader.grading.recorded import Recorded, texts_of
from grader.model.assignment import EvidenceRules
from grader.model.errors import AuthorError, BadEvidence, CheckFailed, Undecided

UTILS = load("utils")
RNG = np.random.default_rng(0)
MACHINE = {"cpu": "a", "python": "3.11.2", "numpy": "2.1.0", "torch": "2.13.0", "device": "cpu"}


def recording(**changes: Any) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "item": "1",
        "data": {"runs": {"0.1": {"loss": [2.0, 1, 0.5]}}, "text": "to be", "count": 7},
        "parameters": {"SEED": 42},
        "code": {"train": "0" * 16},
        "machine": MACHINE,
        "run": "f" * 32,
        "recorded_at": "2026-11-23T15:40:00+00:00",
        **changes,
    }


def recording_of(**data: Any) -> Recording:
    return Recording.of(recording(data=data))


def test_a_whole_recording_gives_its_data() -> None:
    whole = Recording.of(recording())
    curve = whole.curve("runs", "0.1", "loss", length=3)
    assert curve.dtype == np.float64
    assert curve.tolist() == [2.0, 1.0, 0.5]
    assert (whole.text("text", least=5), whole.number("count"), whole.labels("runs")) == (
        "to be",
        7.0,
        ("0.1",),
    )
    assert (whole.parameters, whole.run) == ({"SEED": 42}, "f" * 32)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": "chainrule.evidence/2"}, "of version 'chainrule.evidence/2'; this grader reads"),
        ({"format": None}, "of no version"),
        ({"format": "x\x1b[2J" * 999}, "x"),
        ({"data": [1]}, "no object 'data'"),
        ({"machine": None}, "no object 'machine'"),
        ({"run": 5}, "no text 'run'"),
    ],
)
def test_another_format_or_a_lost_part_is_one_line(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadEvidence) as caught:
        Recording.of(recording(**changes))
    message = str(caught.value)
    assert said in message
    assert message.isprintable()
    assert len(message) < 200


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1, 2], "`a` has 2 values, expected 3"),
        ([1, "NaN", 2], "`a`: entry 2 is the text 'NaN', expected a finite number"),
        ([1, float("nan"), 2], "entry 2 is nan"),
        ([1, 2, 10**400], "entry 3 is a number out of range"),
        ([True, 1, 2], "entry 1 is true"),
        ([1, None, 2], "entry 2 is null"),
        ([1, [2], 2], "entry 2 is a list of 1 entry"),
        ("1, 2, 3", "`a` is the text '1, 2, 3', expected a list"),
        ({"x": 1}, "`a` is an object of 1 entry"),
    ],
)
def test_a_curve_that_is_none_says_where(value: object, said: str) -> None:
    with pytest.raises(BadEvidence, match=r"^[^\n]*$") as caught:
        recording_of(a=value).curve("a", length=3)
    assert said in str(caught.value)


def test_what_is_missing_or_of_another_kind_is_named() -> None:
    empty = recording_of(a={"b": 1}, t="ab")
    for call, said in [
        (lambda: empty.curve("a", "c"), "no `a.c`"),
        (lambda: empty.curve("a", "b", "c"), "no `a.b.c`"),
        (lambda: empty.labels("t"), "`t` is the text 'ab', expected an object"),
        (lambda: empty.text("a", "b"), "`a.b` is 1, expected text"),
        (lambda: empty.text("t", least=3), "`t` has 2 characters, expected at least 3"),
        (lambda: empty.number("t"), "`t` is the text 'ab', expected a finite number"),
    ]:
        with pytest.raises(BadEvidence) as caught:
            call()
        assert said in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(value=json_values)
def test_whatever_a_file_holds_is_data_or_a_line(value: object) -> None:
    held = recording_of(a=value)
    for fetch in (held.curve, held.text, held.number, held.labels):
        found: object = None
        said = ""
        try:
            found = fetch("a")
        except BadEvidence as error:
            said = str(error)
        assert said.isprintable()
        assert len(said) < 200
        assert not isinstance(found, np.ndarray) or bool(np.isfinite(found).all())


def test_the_recording_is_the_only_one_there_is() -> None:
    one, other = Recording.of(recording()), Recording.of(recording(run="e" * 32))
    assert Evidence("1", RNG, (one,), problems=("a copy is cut short",)).recorded is one
    for evidence, said in [
        (Evidence("1", RNG), "nothing was recorded for item 1"),
        (Evidence("1", RNG, problems=("it is cut short", "x")), "it is cut short"),
        (Evidence("1", RNG, (one, other)), "several different recordings were found for item 1; keep"),
    ]:
        with pytest.raises(CheckFailed) as caught:
            assert evidence.recorded
        assert said in str(caught.value)


def test_another_items_recording_is_there_if_it_is_the_only_one() -> None:
    one, other = (Recording.of(recording(run=run)) for run in "ab")
    evidence = Evidence("1", RNG, others={"2": (one,), "3": (one, other), "4": ()})
    assert evidence.other("2") is one
    assert [evidence.other(item) for item in ("3", "4", "5")] == [None] * 3


def test_reports_show_recorded_texts_and_no_weights() -> None:
    held = {"w": {"shape": [3], "type": "int8", "data": "AAAA", "scale": "AACAPw=="}}
    found = texts_of(Recorded((recording_of(text="to be", runs={"1": {"weights": held}}, weights=held),)))
    assert "to be" in found
    assert "AA" not in found


def test_the_same_machine_is_processor_and_libraries() -> None:
    one = Recording.of(recording())

    def same(**changes: str) -> bool:
        there = Recording.of(recording(machine={**MACHINE, **changes}))
        return Evidence("1", RNG, (there,), replay=one).same_machine

    assert same(python="3.14")
    assert not any(same(**{key: "other"}) for key in ("cpu", "numpy", "torch", "device"))
    assert not Evidence("1", RNG, (one,)).same_machine


def test_a_recording_from_before_torch_was_loaded_is_of_the_same_machine() -> None:
    without = {key: MACHINE[key] for key in ("cpu", "numpy")}
    one = Recording.of(recording())
    assert Evidence("1", RNG, (Recording.of(recording(machine=without)),), replay=one).same_machine
    for missing in without:
        there = Recording.of(recording(machine={key: MACHINE[key] for key in MACHINE if key != missing}))
        assert not Evidence("1", RNG, (there,), replay=one).same_machine


def test_a_replay_that_failed_is_the_authors() -> None:
    evidence = Evidence("1", RNG, (Recording.of(recording()),), replay_error="replay.py: no")
    assert evidence.recorded
    with pytest.raises(AuthorError, match=r"replay\.py: no"):
        assert evidence.replayed


@given(st.text(min_size=1))
def test_a_students_seed_is_the_one_of_their_template(student: str) -> None:
    """Without regard to capitals and to spaces around the id, and one that numpy and torch take."""
    if not unicodedata.normalize("NFKC", student).strip().casefold():
        with pytest.raises(ValueError, match="your own id"):
            UTILS.student_seed(student)
        return
    assert UTILS.student_seed(student) == student_seed(f" {student} ") in range(2**32)


def test_known_seeds_of_students() -> None:
    assert student_seed("s1234567") == student_seed(" S1234567\n") == 0x82379674  # from `sha256sum`
    assert student_seed("s1234568") != student_seed("s1234567")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"STUDENT": "ada", "SEED": student_seed("ada")}, ""),
        ({"STUDENT": "ada", "SEED": student_seed("ada"), "OTHER": student_seed("ada")}, ""),
        ({"STUDENT": "ada", "SEED": student_seed("ada"), "OTHER": 1}, "from `OTHER` = 1"),
        ({"STUDENT": "ada", "SEED": student_seed("bob")}, "the seed of 'ada' is"),
        ({"STUDENT": "ada", "SEED": float(student_seed("ada"))}, "the seed of 'ada' is"),
        ({"STUDENT": "ada"}, "lacks `STUDENT` or a seed (`SEED`, `OTHER`)"),
        ({"STUDENT": " ", "SEED": student_seed("")}, "lacks `STUDENT`"),
        ({"STUDENT": ["ada"], "SEED": student_seed("ada")}, "lacks `STUDENT`"),
        ({"SEED": 42}, "lacks `STUDENT`"),
    ],
)
def test_a_run_from_another_seed_than_the_students_waits_for_a_person(
    parameters: dict[str, Any], said: str
) -> None:
    found = Recording.of(recording(parameters=parameters))
    assert Evidence("1", RNG, (found,)).recorded is found
    own = Evidence("1", RNG, (found,), rules=EvidenceRules("student", seeds=("SEED", "OTHER")))
    if not said:
        assert own.recorded is found
        return
    with pytest.raises(Undecided) as undecided:
        own.recorded  # noqa: B018
    assert said in str(undecided.value)
