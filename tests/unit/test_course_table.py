"""The class as a table: what waits for a grade is never silent."""

from pathlib import Path

import msgspec
import pytest

from grader.cli.table import about_mistakes
from grader.course import table
from grader.course.table import COLUMNS, cells, class_rows
from grader.gradebook.rows import ItemPoints, NewSubmission, Refusal, StoredResult, Student
from grader.gradebook.store import Gradebook
from grader.model.points import Points

HW = "HW3"


def result(sha256: str) -> StoredResult:
    items = (ItemPoints("1", "Linear layer", "code", 400, 600, decided=True),)
    points = [Points.of(4), Points.of(6), Points.of(6)]
    return StoredResult(f"key {sha256}", HW, sha256, {"1": "x"}, items, (), b"{}", *points)


def test_what_came_after_the_graded_one_and_waits_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in = [  # name, student, time, whether it is graded
        ("ada_1", "ada", "", True),
        ("ada_2", "ada", "", False),
        ("bob_1", "bob", "", False),
        ("bob_2", "bob", "", True),
        ("cyd_2", "cyd", "2026-11-21T10:00:00+00:00", False),
        ("cyd_1", "cyd", "2026-11-20T10:00:00+00:00", True),
        ("dan", "dan", "", False),
        ("eve", "", "", False),
        ("eve", "eve", "", True),  # known by now
        ("who_1", "", "", True),
        ("who_2", "", "", False),
    ]
    with Gradebook.open(str(tmp_path / "gradebook.sqlite")) as gradebook:
        for name, student, at, is_graded in handed_in:
            row = gradebook.add_submission(NewSubmission(HW, name, name, student, submitted_at=at))
            if is_graded:
                gradebook.store_result(result(name), [row], author="ada", reason="batch")
        rows = list(class_rows(gradebook, HW))
        monkeypatch.setattr(table, "AT_ONCE", 1)
        assert list(class_rows(gradebook, HW)) == rows, "however many are read at a time"
    found = [(row.student.id, row.grade and row.grade.submission.name, row.ungraded) for row in rows]
    assert found == [
        ("", "who_1", ""),
        ("", None, "who_2"),
        ("ada", "ada_1", "ada_2"),
        ("bob", "bob_2", ""),
        ("cyd", "cyd_1", "cyd_2"),
        ("dan", None, "dan"),
        ("eve", "eve", ""),
    ]
    attention = [dict(zip(COLUMNS, cells(row, ()), strict=True))["attention"] for row in rows]
    assert [str(text).startswith("ada_2 is waiting") for text in attention].index(True) == 2
    assert attention[0] == attention[3] == ""


def test_what_cannot_be_read_is_named_with_its_reason_and_its_student(tmp_path: Path) -> None:
    with Gradebook.open(str(tmp_path / "gradebook.sqlite")) as gradebook:
        gradebook.add_students([Student("ada", "Ada"), Student("bob", "Bob"), Student("cyd", "Cyd")])
        row = gradebook.add_submission(NewSubmission(HW, "ada/hw.ipynb", "aa", "ada"))
        gradebook.store_result(result("aa"), [row], author="ada", reason="batch")
        refused = [
            Refusal("ada/more.zip", "damaged", "ada"),
            Refusal("bob.zip", "a bomb", "bob"),
            Refusal("x.zip", "10,001 files"),
        ]
        gradebook.add_refusals(HW, refused)
        rows = list(class_rows(gradebook, HW))
    shown = [dict(zip(COLUMNS, cells(row, ()), strict=True)) for row in rows]
    assert [(row["id"], row["submission"], str(row["earned"]), row["attention"]) for row in shown] == [
        ("", "x.zip", "", "handed in, but cannot be graded: 10,001 files"),
        ("ada", "ada/hw.ipynb", "4", "ada/more.zip is handed in, but cannot be graded: damaged"),
        ("bob", "bob.zip", "", "handed in, but cannot be graded: a bomb"),
        ("cyd", "", "", ""),
    ]


def test_the_kinds_of_mistakes_of_a_class_are_counted(tmp_path: Path) -> None:
    kinds = {"ada": ("a mean where a sum belongs", "the sign is flipped"), "bob": ("the sign is flipped",)}
    with Gradebook.open(str(tmp_path / "gradebook.sqlite")) as gradebook:
        for name in ("ada", "bob", "cyd"):
            row = gradebook.add_submission(NewSubmission(HW, name, name, name))
            items = (msgspec.structs.replace(result(name).items[0], mistakes=kinds.get(name, ())),)
            stored = msgspec.structs.replace(result(name), items=items)
            gradebook.store_result(stored, [row], author="ada", reason="batch")
        rows = list(class_rows(gradebook, HW))
    assert list(about_mistakes(rows)) == [
        "item 1: 2 submissions: the sign is flipped",
        "item 1: 1 submission: a mean where a sum belongs",
    ]


def test_points_that_were_stored_before_mistakes_had_names_are_read() -> None:
    old = b'["1", "Linear layer", "code", 400, 600, true]'
    assert msgspec.json.decode(old, type=ItemPoints).mistakes == ()
