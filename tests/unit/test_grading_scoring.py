"""Points are decided here and nowhere else: what costs some, what costs none, what waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assignments import Item, manifest

from grader.grading.outcomes import NO_HINT, check_end, message_for_student
from grader.grading.scoring import AnswerShown, needs_attention, points_for, score, score_public
from grader.model.assignment import parse
from grader.model.errors import (
    AuthorError,
    BadEvidence,
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
from grader.model.points import ZERO, Points, total
from grader.model.records import CheckResult, Figure, decided_points, earned_points, possible_points

ASSIGNMENT = parse(
    manifest(
        Item("a", "A", points=2),
        Item("b", "B", points=1.5),
        Item("e", "E", kind="evidence"),
        Item("w", "W", points=2, rubric="says why"),
    )
)


def result(
    item: str, worth: str, outcome: Outcome = Outcome.PASSED, fault: Fault | None = None
) -> CheckResult:
    """A check that earned all when it passed, nothing else."""
    points = Points.of(worth)
    return CheckResult("test_x", "x", item, outcome, points_for(outcome, points), points, fault, detail="why")


def by_id(results: list[CheckResult], handed_in: dict[str, AnswerShown] | None = None) -> dict[str, object]:
    """The scored items by id."""
    return {item.item: item for item in score(ASSIGNMENT, results, handed_in or {})}


def test_a_students_failure_costs_its_own_points_only():
    items = score(
        ASSIGNMENT,
        [result("a", "1.25"), result("a", "0.75", Outcome.FAILED, Fault.STUDENT), result("b", "1.5")],
        {},
    )
    assert [(item.item, str(item.earned), item.decided) for item in items[:2]] == [
        ("a", "1.25", True),
        ("b", "1.5", True),
    ]


@pytest.mark.parametrize("fault", [Fault.AUTHOR, Fault.INFRASTRUCTURE])
def test_another_s_fault_leaves_the_item_undecided_and_asks_for_attention(fault):
    items = score(ASSIGNMENT, [result("a", "2", Outcome.ERRORED, fault), result("b", "1.5")], {})
    assert not items[0].decided
    assert items[1].decided
    lines = needs_attention(items, [])
    assert any("item a" in line and str(fault) in line for line in lines)
    assert not any("item b" in line for line in lines)


def test_an_item_without_checks_is_not_zero_but_needs_attention():
    items = score(ASSIGNMENT, [result("a", "2")], {})
    assert not items[1].decided
    assert any("item b" in line for line in needs_attention(items, []))


def test_written_and_evidence_items_wait_for_a_person_and_ask_for_no_attention():
    items = score(
        ASSIGNMENT, [result("a", "2"), result("b", "1.5")], {"w": AnswerShown("because", (), found=True)}
    )
    evidence, written = items[2], items[3]
    assert not evidence.decided
    assert not written.decided
    assert "no automatic check" in evidence.waits_for
    assert (written.answer, written.found, evidence.found) == ("because", True, False)
    assert needs_attention(items, []) == ()
    assert (str(decided_points(items)), str(earned_points(items)), str(possible_points(items))) == (
        "3.5",
        "3.5",
        "6.5",
    )


BAD = result("e", "1", Outcome.FAILED, Fault.STUDENT)
FIGURE = Figure(b"", 1, 1, 3)


@pytest.mark.parametrize(
    ("check", "handed", "decided", "earned"),
    [
        (result("e", "1"), AnswerShown(recorded=True, found=True), True, "1"),
        (BAD, AnswerShown(figures=(FIGURE,), recorded=True, found=True), True, "0"),
        (BAD, AnswerShown(), True, "0"),
        (BAD, AnswerShown(figures=(FIGURE,), found=True), False, "0"),
        (result("e", "1", Outcome.ERRORED, Fault.AUTHOR), AnswerShown(recorded=True), False, "0"),
    ],
    ids=["sound", "unsound", "nothing", "a figure alone", "the author's fault"],
)
def test_checks_decide_evidence_but_a_figure_alone_waits_for_a_person(check, handed, decided, earned):
    items = score(ASSIGNMENT, [result("a", "2"), result("b", "1.5"), check], {"e": handed})
    assert (items[2].decided, str(items[2].earned), items[2].found) == (decided, earned, handed.found)
    assert (items[2].checks, items[2].figures) == ((check,), handed.figures)
    assert ("figure" in items[2].waits_for) == (bool(handed.figures) and not handed.recorded)
    assert bool(needs_attention(items, [])) == (check.fault is Fault.AUTHOR)


OPEN = result("e", "1", Outcome.UNDECIDED)


def test_what_a_check_leaves_open_waits_for_a_person_whatever_else_passed_and_asks_for_no_attention():
    for others in ([], [BAD], [result("e", "0")]):
        items = score(ASSIGNMENT, [result("a", "2"), result("b", "1.5"), OPEN, *others], {})
        assert (items[2].decided, str(items[2].earned)) == (False, "0")
        assert items[2].waits_for == "a person's look: why"
        assert needs_attention(items, []) == ()


def test_a_student_reads_that_a_person_looks_and_not_the_two_sides():
    end = check_end(Undecided("2.0 was recorded, 3.0 computed"))
    assert (end.outcome, end.fault, end.detail) == (
        Outcome.UNDECIDED,
        None,
        "2.0 was recorded, 3.0 computed",
    )
    said = [message_for_student(end, hidden=hidden, hint="a hint") for hidden in (True, False)]
    assert said == ["A person will look at this; until then it costs nothing."] * 2


def test_what_is_wrong_with_their_own_evidence_a_student_reads_without_the_hint():
    end = check_end(BadEvidence("`loss` has 3 values, expected 5"))
    assert (end.outcome, end.fault) == (Outcome.FAILED, Fault.STUDENT)
    said = [message_for_student(end, hidden=hidden, hint="a hint") for hidden in (True, False)]
    assert said == ["`loss` has 3 values, expected 5"] * 2


def test_public_checks_award_nothing_and_list_only_items_they_are_about():
    items = score_public(ASSIGNMENT, [result("a", "0"), result("a", "0", Outcome.FAILED, Fault.STUDENT)])
    assert [item.item for item in items] == ["a"]
    assert possible_points(items) == ZERO


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_sums_of_points_are_exact_in_any_order(hundredths):
    points = [Points(value) for value in hundredths]
    assert total(points).hundredths == sum(hundredths) == total(reversed(points)).hundredths


@pytest.mark.parametrize(
    ("error", "outcome", "fault"),
    [
        (CheckFailed("x"), Outcome.FAILED, Fault.STUDENT),
        (AssertionError("x"), Outcome.FAILED, Fault.STUDENT),
        (StudentError("ValueError", "x"), Outcome.ERRORED, Fault.STUDENT),
        (UnsupportedValue("x"), Outcome.UNSUPPORTED_VALUE, Fault.STUDENT),
        (CallTimedOut("x"), Outcome.TIMED_OUT, Fault.STUDENT),
        (SandboxDied("x"), Outcome.CRASHED, Fault.STUDENT),
        (SandboxDied("x", out_of_memory=True), Outcome.OUT_OF_MEMORY, Fault.STUDENT),
        (AuthorError("x"), Outcome.ERRORED, Fault.AUTHOR),
        (TypeError("x"), Outcome.ERRORED, Fault.AUTHOR),
        (KeyError("x"), Outcome.ERRORED, Fault.AUTHOR),
        (InfrastructureError("x"), Outcome.ERRORED, Fault.INFRASTRUCTURE),
    ],
)
def test_every_error_names_an_outcome_and_whose_fault_it_is(error, outcome, fault):
    end = check_end(error)
    assert (end.outcome, end.fault) == (outcome, fault)
    assert "x" in end.detail


def test_no_error_is_a_pass():
    assert check_end(None).outcome is Outcome.PASSED
    assert message_for_student(check_end(None), hidden=True, hint="h") == ""


@pytest.mark.parametrize(
    "error",
    [
        CheckFailed("expected 42"),
        StudentError("ValueError", "42", "line 42"),
        UnsupportedValue("42"),
        CallTimedOut("42"),
    ],
)
def test_a_hidden_check_tells_a_student_the_hint_and_nothing_of_values_or_tracebacks(error):
    message = message_for_student(check_end(error), hidden=True, hint="mind the bias")
    assert "mind the bias" in message
    assert "42" not in message


def test_a_hidden_check_without_a_hint_says_so_kindly():
    assert message_for_student(check_end(CheckFailed("42")), hidden=True, hint=None) == NO_HINT


def test_a_public_check_tells_everything():
    assert "expected 42" in message_for_student(check_end(CheckFailed("expected 42")), hidden=False, hint="h")


def test_an_author_s_error_is_never_explained_to_the_student():
    message = message_for_student(check_end(TypeError("secret 42")), hidden=False, hint="h")
    assert "42" not in message
    assert "costs nothing" in message


def test_an_author_s_error_names_the_place_in_the_check():
    namespace: dict[str, object] = {}
    exec(compile("def test_it():\n    None + 1", "test_somewhere.py", "exec"), namespace)
    with pytest.raises(TypeError) as caught:
        namespace["test_it"]()  # type: ignore[operator]
    assert "test_somewhere.py:2" in check_end(caught.value).detail


@pytest.mark.parametrize("outcome", Outcome)
def test_a_check_earns_all_that_it_is_worth_or_nothing(outcome):
    assert points_for(outcome, Points(150)) == (Points(150) if outcome is Outcome.PASSED else ZERO)
