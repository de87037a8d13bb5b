"""Mistakes by name: one cause is one mistake, whichever items and texts it shows in."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from support.report_samples import failed, make_grade, make_items, with_checks

from grader.course.common_troubles import EXAMPLES, NOT_DONE, Troubles
from grader.model.class_report import Named
from grader.model.errors import Fault, Outcome
from grader.model.points import Points
from grader.model.records import CheckResult, Grade

STUDENTS = [Named(f"s{number}") for number in range(9)]


def ended(item: str, detail: str, **changes: object) -> CheckResult:
    return failed(item, f"check of {item}", Points.of(1), detail=detail, **changes)


def grade(*checks: CheckResult) -> Grade:
    items = make_items()
    for check in checks:
        items = with_checks(items, check.item, check)
    return make_grade(items)


def found(grades: dict[int, Grade]) -> Iterator[tuple[str, str, tuple[str, ...], int]]:
    troubles = Troubles(STUDENTS)
    for student, one in grades.items():
        troubles.add(student, one)
    return ((one.name, one.outcome, one.items, one.students) for one in troubles.mistakes())


def test_one_cause_in_several_items_is_one_mistake() -> None:
    raised = {"outcome": Outcome.ERRORED}
    one = grade(
        ended("3.1.1", "NotImplementedError: TODO: forward\n  cell 3", **raised),
        ended("3.1.2", "NotImplementedError: TODO: the mask", **raised),
        ended("3.3.i", "nothing was recorded for item 3.3.i"),
        ended("4.1.iii.curves", "nothing was recorded for item 4.1.iii.curves"),
    )
    assert list(found({0: one, 1: one})) == [
        (NOT_DONE, "raised an exception", ("3.1.1", "3.1.2"), 2),
        ("nothing was recorded", "recorded nothing", ("3.3.i", "4.1.iii.curves"), 2),
    ]


def test_a_likely_cause_is_named_without_the_numbers_of_one_array() -> None:
    grades = {
        number: grade(
            ended("3.1.1", f"differs\n  Likely cause: every entry is 1/{number + 3} of what is expected")
        )
        for number in range(2)
    }
    assert [name for name, *_ in found(grades)] == ["every entry is …/… of what is expected"]


def test_an_error_is_named_without_the_count_of_one_file() -> None:
    lost = "`loss` is not defined; cell {} should define it, but it raised an exception."
    raised = {"outcome": Outcome.ERRORED}
    grades = {number: grade(ended("3.1.1", lost.format(number + 5), **raised)) for number in range(2)}
    [(name, _, _, students)] = found(grades)
    assert (name, students) == (lost.replace("cell {}", "a cell"), 2)


def test_a_formula_of_no_known_kind_is_a_name() -> None:
    one = grade(ended("3.1.1", "differs\n  This is `G @ W`."))
    assert [(name, items) for name, _, items, _ in found({0: one})] == [("`G @ W`", ("3.1.1",))]


def test_without_a_name_two_checks_are_two() -> None:
    one = grade(ended("3.1.1", "assert False"), ended("3.1.2", "assert False"))
    assert [(name, items) for name, _, items, _ in found({0: one})] == [("", ("3.1.1",)), ("", ("3.1.2",))]


def test_what_others_answer_for_is_no_mistake_and_the_first_are_the_examples() -> None:
    theirs = msgspec.structs.replace(ended("3.1.1", "no"), fault=Fault.AUTHOR)
    assert list(found({0: grade(theirs)})) == []
    troubles = Troubles(STUDENTS)
    for student in (7, 3, 8, 1, 5, 2):
        troubles.add(student, grade(ended("3.1.1", "assert False")))
    (one,) = troubles.mistakes()
    assert [who.student for who in one.examples] == ["s1", "s2", "s3", "s5"]
    assert len(one.examples) == EXAMPLES
    assert one.examples[0].item == "3.1.1"
