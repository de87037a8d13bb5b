"""What students may read: 0 secrets, whatever a record holds; and of their own errors what is theirs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.marked_secrets import HINT, NUMBER, SECRET, record, records

from grader.grading.outcomes import check_end, message_for_student
from grader.grading.own_code import OwnCode
from grader.model.errors import (
    AuthorError,
    CallTimedOut,
    CheckFailed,
    Fault,
    InfrastructureError,
    Outcome,
    SandboxDied,
    StudentError,
    Undecided,
    UnsupportedValue,
)
from grader.model.points import Points
from grader.model.records import CheckResult
from grader.notebooks.cells import Cell
from grader.reports import junit
from grader.reports.elsewhere import FORMATS
from grader.reports.safe_words import check_words, safe_check, safe_grade, waiting_words


@given(st.integers())
def test_nothing_of_a_record_reaches_a_student_but_what_was_decided(seed: int) -> None:
    grade = record(seed)
    told = msgspec.json.encode(safe_grade(grade), enc_hook=str).decode()
    assert SECRET not in told
    assert str(NUMBER) not in told
    assert f"{NUMBER:,}" not in told


@given(st.integers())
def test_junit_and_other_systems_get_what_students_may_read(seed: int) -> None:
    grade = record(seed)
    suite = junit.suite("Ada (s1)", grade)
    for text in (suite, *(form.graded(grade) for form in FORMATS.values())):
        assert SECRET not in text
        assert str(NUMBER) not in text
    open_ends = {Outcome.UNDECIDED, Outcome.SKIPPED}
    checks = [one for item in grade.items for one in item.checks if one.outcome not in open_ends]
    assert suite.count("<failure ") == sum(safe_check(one).costs for one in checks)


def test_what_helps_does_reach_them() -> None:
    told = [safe_grade(grade) for grade in records(60)]
    words = {check.words for grade in told for item in grade.items for check in item.checks}
    assert HINT in words
    sentences = {text for grade in told for item in grade.items for text in item.words}
    do_this = "run the cells of 3.1 and save the notebook before you hand it in."
    assert f"Nothing recorded was found for 3.1.i: {do_this}" in sentences
    assert {cell.error for grade in told for cell in grade.cells} == {"FileNotFoundError: no file 'core.py'"}
    assert any(
        "says nothing about memory" in item.mark.comment for g in told for item in g.items if item.mark
    )


CODE = """
class Layer:
    def forward(self, x):
        if x is None: raise ValueError("give me an array")
        raise ValueError(f"the shape {x.shape} does not fit {self.w}")
def backward(grad, w): return layer.params["w"]
"""
OWN = OwnCode("hw3.ipynb", [Cell(5, "code", CODE)])


NO_SHAPE = "'NoneType' object has no attribute 'shape'"
BROADCAST = "operands could not be broadcast together with shapes"


@pytest.mark.parametrize(
    ("kind", "message", "shown"),
    [
        ("ValueError", "give me an array", "give me an array"),
        ("ValueError", f"the shape (7, {SECRET}) does not fit {SECRET}", "the shape … does not fit …"),
        ("KeyError", "'w'", "'w'"),
        ("KeyError", f"'{SECRET}'", "'…'"),
        ("NameError", "name 'layer' is not defined", "name 'layer' is not defined"),
        ("AttributeError", NO_SHAPE, NO_SHAPE),
        ("TypeError", "backward() missing 1 required positional argument: 'w'", "backward() missing …"),
        ("ValueError", f"{BROADCAST} (3,41) (5,41) ", f"{BROADCAST} (…) (…)"),
        ("ValueError", f"{SECRET} does not fit", ""),
        ("ValueError", "0.25 -1.5 3.75", ""),
        ("ValueError", "give me an array" * 500, ""),
    ],
)
def test_of_their_own_error_they_read_what_is_theirs(kind: str, message: str, shown: str) -> None:
    said = OWN.says_of(StudentError(kind, message, place=("", 5, 4)))
    assert said.startswith(f"Your code raised {kind} in cell 5, line 4{f': {shown}' if shown else '.'}")
    assert SECRET not in said


ERRORS: list[Any] = [
    CheckFailed,
    UnsupportedValue,
    CallTimedOut,
    SandboxDied,
    Undecided,
    AuthorError,
    InfrastructureError,
    AssertionError,
    ValueError,
    lambda text: StudentError("ValueError", text, text, place=("", 5, 3)),
    lambda text: StudentError(text, text, text, place=(text, 99, 3)),
    lambda text: StudentError("KeyError", repr(text), text, kinds=(text,)),
    lambda text: StudentError("TypeError", f"Layer() got an unexpected keyword argument '{text}'"),
    lambda text: StudentError("IndexError", f"index {NUMBER} is out of bounds for axis 0 with size 5", text),
]


@pytest.mark.parametrize("make", ERRORS)
def test_a_hidden_check_ends_in_words_without_what_it_knows(make: Any) -> None:
    error = make(f"expected {SECRET}, got {NUMBER}")
    error.mistake = f"a factor {SECRET}"
    end = check_end(error, OWN)
    for hint in (None, HINT):
        told = message_for_student(end, hidden=True, hint=hint)
        assert SECRET not in told
        assert str(NUMBER) not in told


def test_the_kind_of_mistake_only_where_the_author_allows_it() -> None:
    error = CheckFailed("expected 1.5")
    error.mistake = "a mean where a sum belongs"
    end = check_end(error)
    told = [message_for_student(end, hidden=True, hint=None, tells_mistake=tells) for tells in (False, True)]
    assert ["a mean where a sum" in text for text in told] == [False, True]


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (Outcome.ERRORED, Fault.AUTHOR),
        (Outcome.TIMED_OUT, Fault.INFRASTRUCTURE),
        (Outcome.UNDECIDED, None),
        (Outcome.SKIPPED, None),
    ],
)
def test_what_is_not_the_students_is_one_sentence(outcome: Outcome, fault: Fault | None) -> None:
    check = CheckResult("test_x[3]", "x", "1", outcome, Points(0), Points.of(1), fault, message=SECRET)
    assert "costs nothing" in check_words(check)


def test_a_decided_item_waits_for_nothing() -> None:
    item = record(1).items[0]
    assert waiting_words(msgspec.structs.replace(item, decided=True, waits_for=SECRET)) == ""
