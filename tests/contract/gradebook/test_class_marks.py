"""Which marks count for which submission: those for the same answer, whichever file holds it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from grader.checks.evidence import Recording
from grader.course.batch import shared_evidence
from grader.course.duplicates import summary_line
from grader.course.fingerprints import begun_as
from grader.gradebook.mark_sheets import Reader
from grader.gradebook.marks import class_marks
from grader.gradebook.rows import ItemPoints, Mark, NewSubmission, StoredResult, Student
from grader.gradebook.store import Gradebook
from grader.model.assignment import Assignment, EvidenceRules
from grader.model.errors import UsageError
from grader.model.points import Points

HW = "HW3"


def hand_in(gradebook: Gradebook, student: str, name: str, **answers: str) -> int:
    """A graded submission with these answers, by item; its row."""
    items = tuple(
        ItemPoints(item, item, "written", 0, 300, decided=False, answer=digest)
        for item, digest in answers.items()
    )
    result = StoredResult(f"key {name}", HW, name, {}, items, (), b"{}", Points(0), Points(300), Points(0))
    row = gradebook.add_submission(NewSubmission(HW, name, name, student))
    gradebook.store_result(result, [row], author="", reason="")
    return row


def counting(gradebook: Gradebook) -> dict[int, dict[str, str]]:
    found = class_marks(gradebook, HW).counting
    return {row: {item: str(mark.points) for item, mark in marks.items()} for row, marks in found.items()}


def test_a_mark_counts_wherever_its_student_gives_the_same_answer(gradebook: Gradebook) -> None:
    first = hand_in(gradebook, "ada", "one", a="words", b="other words", c="")
    second = hand_in(gradebook, "ada", "two", a="words", b="new words", c="")
    theirs = hand_in(gradebook, "bob", "three", a="words")
    nobodys = [hand_in(gradebook, "", name, a="words") for name in ("four", "five")]
    gradebook.add_marks([Mark(first, item, Points.of(2)) for item in "abc"])
    gradebook.add_marks([Mark(nobodys[0], "a", Points.of(1))])
    assert counting(gradebook) == {
        first: {"a": "2", "b": "2", "c": "2"},
        second: {"a": "2"},  # "c" has no digest: it was stored before there were any
        nobodys[0]: {"a": "1"},
    }
    left = class_marks(gradebook, HW).elsewhere
    assert {row: sorted(marks) for row, marks in left.items()} == {second: ["b", "c"]}
    assert theirs not in left


def test_the_newest_mark_for_an_answer_counts_unless_the_file_has_its_own(gradebook: Gradebook) -> None:
    rows = [hand_in(gradebook, "ada", name, a="words") for name in ("one", "two", "three")]
    gradebook.add_marks([Mark(rows[1], "a", Points.of(1))])
    gradebook.add_marks([Mark(rows[0], "a", Points.of(3))])
    assert counting(gradebook)[rows[2]] == {"a": "3"}
    gradebook.add_marks([Mark(rows[2], "a", Points.of(0))])
    assert counting(gradebook)[rows[2]] == {"a": "0"}
    gradebook.add_marks([Mark(rows[2], "a", None)])
    assert rows[2] not in counting(gradebook), "one that was withdrawn counts nowhere else"


def test_a_mark_that_somebody_else_has_changed_is_not_overwritten(gradebook: Gradebook) -> None:
    row = hand_in(gradebook, "ada", "one", a="words", b="words")
    gradebook.add_marks([Mark(row, "a", Points.of(1), author="eve")])
    seen = next(iter(gradebook.all_marks(HW)))
    gradebook.add_marks([Mark(row, "a", Points.of(2), author="eve")])
    mine = [(Mark(row, "a", Points.of(3), author="max"), seen), (Mark(row, "b", Points.of(3)), 0)]
    written, conflicts = gradebook.add_seen_marks(mine)
    assert (written, [(str(a.points), str(b.points)) for a, b in conflicts]) == (1, [("3", "2")])
    assert {item: str(mark.points) for (_, item), mark in gradebook.marks(HW).items()} == {"a": "2", "b": "3"}


@pytest.fixture
def read(gradebook: Gradebook) -> Callable[..., tuple[list[str], int]]:
    """Reads rows of a sheet; the points that it wants to write, and the number of conflicts."""

    def read_rows(*rows: dict[str, str]) -> tuple[list[str], int]:
        reader = Reader(gradebook, HW, class_marks(gradebook, HW), author="max", reason="", bonus={})
        sheet = reader.read(rows, source="m.csv")
        return [str(mark.points) for mark, _ in sheet.marks], len(sheet.conflicts)

    return read_rows


def test_a_row_changes_something_only_if_somebody_changed_it(
    gradebook: Gradebook, read: Callable[..., tuple[list[str], int]]
) -> None:
    row = hand_in(gradebook, "ada", "one", **{"1.10": "words"})
    gradebook.add_marks([Mark(row, "1.10", Points.of(1), "=so it is", author="eve")])
    (old,) = gradebook.all_marks(HW)
    sheet = {"key": f"#{row}:1.10", "version": f"v{old}", "item": "1.1", "comment": "'=so it is"}
    assert read({**sheet, "points": "1.0"}) == ([], 0)
    assert read({**sheet, "points": "2,5"}) == (["2.5"], 0)
    assert read({**sheet, "points": ""}) == ([], 0)
    assert read({**sheet, "points": "none"}) == (["None"], 0)
    gradebook.add_marks([Mark(row, "1.10", Points.of(2), "=so it is", author="eve")])
    assert read({**sheet, "points": "1"}) == ([], 0), "as it was exported"
    assert read({**sheet, "points": "2"}) == ([], 0), "both want the same"
    assert read({**sheet, "points": "3"}) == ([], 1)
    assert read({**sheet, "points": "3", "version": ""}) == (["3"], 0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"key": "1:1.10"}, "not one like #17:1.10"),
        ({"version": "five"}, "not one like v5"),
        ({"version": "v77"}, "no mark v77"),
        ({"points": "4"}, "4 points; it is worth 0 to 3"),
        ({"points": "1"}, "gives the same item other points"),
    ],
)
def test_wrong_rows_are_named(
    gradebook: Gradebook, read: Callable[..., tuple[list[str], int]], change: dict[str, str], why: str
) -> None:
    row = hand_in(gradebook, "ada", "one", **{"1.10": "words"})
    right = {"key": f"#{row}:1.10", "version": "v0", "points": "2", "comment": ""}
    with pytest.raises(UsageError, match=r"nothing was imported\. m.csv, line 3") as caught:
        read(right, {**right, **change})
    assert why in str(caught.value)


def test_what_a_student_shares_with_themselves_is_not_shared(gradebook: Gradebook) -> None:
    for student, name in (("ada", "one"), ("ada", "two"), ("bob", "three")):
        row = hand_in(gradebook, student, name, a=name)
        prints = (("4.1", "run 1"), *([("4.2", "run 2")] if student == "ada" else []))
        result = StoredResult(
            f"with prints {name}", HW, name, {}, (), prints, b"{}", Points(0), Points(0), Points(0)
        )
        gradebook.store_result(result, [row], author="", reason="")
    shared = shared_evidence(gradebook, Assignment(HW, Points(0), ()))
    assert [(one.item, one.submissions) for one in shared] == [("4.1", ("two", "three"))]


def test_a_run_from_another_students_seed_is_named_and_an_unknown_id_accuses_nobody(
    gradebook: Gradebook,
) -> None:
    rules = EvidenceRules("student")
    written = {"ada": " ADA", "bob": "ada", "eve": "12345", "joe": ""}
    gradebook.add_students(Student(name) for name in (*written, "zoe"))
    for student, said in written.items():
        row = hand_in(gradebook, student, f"{student}.ipynb", a=student)
        facts = {"data": {}, "code": {}, "machine": {}, "run": student, "recorded_at": ""}
        prints = begun_as([Recording("4.1", parameters={"STUDENT": said}, **facts)], rules)
        key = f"of {student}"
        result = StoredResult(key, HW, student, {}, (), tuple(prints), b"{}", Points(0), Points(0), Points(0))
        gradebook.store_result(result, [row], author="", reason="")
    [found] = shared_evidence(gradebook, Assignment(HW, Points(0), (), evidence=rules))
    assert (found.item, found.submissions) == ("4.1", ("bob.ipynb", "ada"))
    assert summary_line([found]) == (
        "runs from the seed of another student than who handed them in: bob.ipynb, ada (items 4.1)"
    )
    assert (
        begun_as([Recording("4.1", parameters={"STUDENT": "ada"}, **facts)], EvidenceRules()) == frozenset()
    )
