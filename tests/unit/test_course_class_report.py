"""A class's report: counts, statistics and names, of records that were made for it."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from support.marked_class import add_class, record
from support.tiny import make_tiny

from grader.cli.main import cli
from grader.course.class_page import STATE, follow_class_page, write_class_page
from grader.course.class_report import Attendance, class_report, code_shared
from grader.course.item_figures import discrimination, krippendorffs_alpha
from grader.course.locations import Locations
from grader.course.marker_figures import changed_by_others, rubric_figures
from grader.course.report_files import PAGE, report_name
from grader.course.shared_answers import NEARLY, alike, runs_of
from grader.course.table import ClassRow, Rules
from grader.gradebook.marker_notes import OPINION
from grader.gradebook.rows import Arrival, ItemPoints, Mark, NewSubmission, Refusal, StoredResult, Student
from grader.gradebook.rubrics import Ruling
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.model.assignment import Assignment, Item
from grader.model.class_report import ClassReport, HandedIn, Named, encode
from grader.model.errors import Fault, Outcome
from grader.model.points import ZERO, Points
from grader.model.records import CellResult, CellStatus, CheckResult, Grade, ItemResult
from grader.model.records import encode as encode_record
from grader.model.similarity import Side, SimilarPair

DUE = "2026-11-20T12:00:00+00:00"
COPIED = "The variance of a mean falls with the number of examples, so larger batches have quieter gradients."
MEAN = {
    "outcome": Outcome.FAILED,
    "mistake": "a mean where a sum belongs",
    "detail": "no\n  This is `G.mean(0)`: a",
}
RAISED = {"outcome": Outcome.ERRORED, "detail": "NameError: name 'twice' is not defined\nCell 3"}
SEABORN = CellResult(2, CellStatus.RAISED, 0.1, "import seaborn", "ModuleNotFoundError: seaborn")
SLOW = CellResult(3, CellStatus.OK, 29.0, "train()")


def graded(
    home: assignment_folder.AssignmentFolder, name: str, text: str, failed: dict[str, object], cells=()
) -> Grade:
    """The record of one submission: item 1 with two checks of which one may fail, item 2 with this answer."""
    base = record(home.assignment, name, digest(name), {"2": text})
    code, written = base.items
    (check,) = code.checks
    if failed:
        lost = CheckResult(
            "test_sum",
            "the sum is right",
            "1",
            earned=ZERO,
            possible=Points.of(2),
            fault=Fault.STUDENT,
            **failed,
        )
        code = ItemResult(
            "1", code.title, "code", Points.of(1), code.possible, decided=True, checks=(check, lost, lost)
        )
    made = {field: getattr(base, field) for field in base.__struct_fields__}
    return Grade(**{**made, "items": (code, written), "cells": cells, "earned": code.earned})


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def hand_in(
    gradebook: Gradebook,
    home: assignment_folder.AssignmentFolder,
    name: str,
    student: str,
    at: str,
    grade: Grade,
) -> int:
    row = gradebook.add_submission(NewSubmission(home.assignment.title, name, digest(name), student))
    gradebook.add_arrivals([(row, Arrival(at))], author="batch", reason="batch")
    items = tuple(map(ItemPoints.of, grade.items))
    sums = (grade.earned, grade.possible, grade.decided)
    prints = (("1", "run same"),) if student in ("s0", "s1") else ()
    result = StoredResult(
        digest(name), grade.assignment, digest(name), {}, items, prints, encode_record(grade), *sums
    )
    gradebook.store_result(result, [row], author="batch", reason="batch")
    return row


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Locations:
    """Fourteen students: twelve handed in, one of them twice; one file cannot be read, one is not there."""
    folder = make_tiny(tmp_path_factory.mktemp("course"))
    home = assignment_folder.load(folder)
    locations = Locations(home, folder / "reports", str(folder / "reports/gradebook.sqlite"))
    page = locations.reports / report_name("s0.ipynb") / PAGE
    page.parent.mkdir(parents=True)
    page.write_text("")
    title = home.assignment.title
    with Gradebook.open(locations.gradebook) as gradebook:
        gradebook.add_students(Student(f"s{number}", f"Student {number}") for number in range(14))
        gradebook.add_refusals(title, [Refusal("s12.ipynb", "is not valid JSON", "s12")])
        rows, opinions, two = [], [], Points.of(2)
        for number in range(12):
            failed = MEAN if number < 5 else RAISED if number == 5 else {}
            text = (
                COPIED
                if number < 2
                else ""
                if number == 3
                else f"{number} " + " ".join("abcdefghijkl"[number:])
            )
            cells = (SEABORN,) * 2 if number < 3 else (SLOW,) if number == 7 else ()
            grade = graded(home, f"s{number}.ipynb", text, failed, cells)
            at = "2026-11-20T13:00:00+00:00" if number == 11 else f"2026-11-19T{number:02}:00:00+00:00"
            rows.append(hand_in(gradebook, home, f"s{number}.ipynb", f"s{number}", at, grade))
        again = graded(home, "again.ipynb", COPIED, MEAN)
        hand_in(gradebook, home, "again.ipynb", "s1", "2026-11-01T00:00:00+00:00", again)
        marks, store = [], gradebook.marking(title)
        for number, row in enumerate(rows):
            given = Points.of(2 if number > 5 else 1)
            marks.append(Mark(row, "2", given, author="ann" if number % 2 else "ben"))
            for author in ("ann", "ben") if number < 4 else ():
                said = ZERO if (number, author) == (0, "ben") else given
                opinions.append((row, Ruling((), said, "made" if said else ""), author))
        gradebook.add_marks(marks)
        for row, ruling, author in opinions:
            store.save("2", ruling, {row: 0}, two, author=author, origins={}, action="", also=OPINION)
        gradebook.add_marks([Mark(rows[0], "2", Points.of(2), author="eve", reason="too hard")])
        gradebook.add_marks([Mark(rows[11], "2", None, author="eve", reason="not read yet")])
    return locations


@pytest.fixture(scope="module")
def found(place: Locations) -> ClassReport:
    with Gradebook.open(place.gradebook) as gradebook:
        return class_report(gradebook, place, Rules(deadline=DUE), now=datetime(2026, 12, 1, tzinfo=UTC))


def test_who_handed_in(found: ClassReport) -> None:
    some = found.handed_in
    assert (some.students, some.submissions, some.graded, some.late, some.undecided) == (14, 13, 12, 1, 1)
    assert [one.student for one in some.absent] == ["Student 13 (s13)"]
    assert [(one.student, one.why) for one in some.unreadable] == [
        ("Student 12 (s12)", "s12.ipynb: handed in, but cannot be graded: is not valid JSON")
    ]
    assert some.attention == some.ungraded == ()
    assert len(found.submitted) == 12


def test_points_and_items(found: ClassReport) -> None:
    assert found.scores.earned == tuple(map(Points.of, (2, 2, 2, 2, 2, 3, 3, 5, 5, 5, 5, 5)))
    assert (found.scores.median, found.scores.possible) == (3.0, Points.of(5))
    first, second = found.items
    assert (first.full, first.part, first.none, first.undecided) == (6, 6, 0, 0)
    assert first.mean == pytest.approx((6 * 3 + 6 * 1) / 36)
    assert (second.full, second.part, second.undecided, second.empty) == (6, 5, 1, 1)
    assert first.discrimination == pytest.approx(
        np.corrcoef([1] * 6 + [3] * 5, [2] + [1] * 5 + [2] * 5)[0, 1]
    )


def test_mistakes_have_names_and_examples_with_links(found: ClassReport) -> None:
    mean, raised = found.mistakes
    assert (mean.items, mean.name, mean.formula, mean.students) == (("1",), MEAN["mistake"], "G.mean(0)", 5)
    assert mean.checks == ("the sum is right",)
    assert mean.examples[0].page == f"{report_name('s0.ipynb')}/report.html"
    assert mean.examples[1].page == "", "nobody wrote a page"
    assert (raised.name, raised.students) == ("NameError: name 'twice' is not defined", 1)


def test_cells_are_counted_by_student(found: ClassReport) -> None:
    assert [(one.first_line, one.status, one.students) for one in found.cells] == [
        ("import seaborn", "raised an exception", 3),
        ("train()", "was slow", 1),
    ]


def test_what_is_shared_leaves_out_oneself(found: ClassReport) -> None:
    assert [(one.kind, one.item, [who.student for who in one.students]) for one in found.shared] == [
        ("answer", "2", ["Student 0 (s0)", "Student 1 (s1)"]),
        ("evidence", "1", ["Student 0 (s0)", "Student 1 (s1)"]),
    ]


def test_code_in_common_names_both_with_their_pages() -> None:
    files = {"s0.ipynb": Named("Student 0 (s0)", "s0/report.html")}
    sides = Side("s0", "Student 0", "s0.ipynb"), Side("s1", "", "earlier.ipynb")
    shared = code_shared(SimilarPair(*sides, 0.8, 12.0), files)
    assert (shared.kind, shared.share) == ("code", 0.8)
    assert shared.students == (files["s0.ipynb"], Named("s1"))


def test_markers(found: ClassReport) -> None:
    said = found.marking
    assert (said.marks, said.changed) == (11, 2)
    assert [(one.marker, one.marks) for one in said.markers] == [("ann", 5), ("ben", 5), ("eve", 1)]
    (item,) = said.items
    assert (item.answers, item.equal, item.apart) == (4, 3, 0.25)


def test_the_command_writes_a_page_and_prints_all_for_a_program(
    place: Locations, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    arguments = ["report", "--assignment", str(place.home.path), "--db", place.gradebook, "--deadline", DUE]
    assert not cli.main([*arguments, "--json"], standalone_mode=False)
    told = json.loads(capsysbinary.readouterr().out)
    assert (told["schema"], told["mistakes"][0]["students"]) == ("chainrule.class/1", 5)
    assert "G.mean(0)" in (place.reports / "class.html").read_text(encoding="utf-8")
    assert not cli.main(arguments, standalone_mode=False)
    shown = capsysbinary.readouterr().out.decode()
    assert "13 of 14 handed in, 1 late, 1 cannot be read, 1 not wholly decided" in shown
    assert "5 students  1  `G.mean(0)`: a mean where a sum belongs" in shown


def test_the_same_class_is_the_same_bytes(place: Locations, found: ClassReport) -> None:
    with Gradebook.open(place.gradebook) as gradebook:
        again = class_report(gradebook, place, Rules(deadline=DUE), now=datetime(2026, 12, 1, tzinfo=UTC))
    assert encode(again) == encode(found)


def test_the_page_follows_a_mark_as_if_it_were_written_anew(place: Locations, tmp_path: Path) -> None:
    folder = tmp_path / "course"
    shutil.copytree(place.home.path, folder)
    here = Locations(place.home, folder / "reports", str(folder / "reports/gradebook.sqlite"))
    page, rules = here.reports / "class.html", Rules(deadline=DUE)
    with Gradebook.open(here.gradebook) as gradebook:
        page.unlink(missing_ok=True)
        follow_class_page(gradebook, here)
        assert not page.exists(), "nobody asked for one"
        write_class_page(gradebook, here, rules, with_code=False)
        row = next(iter(gradebook.submissions(here.title))).row
        for news in (
            lambda: gradebook.add_marks([Mark(row, "2", ZERO, author="zoe")]),
            lambda: gradebook.add_students([Student("s14", "Late Comer")]),
        ):
            before = page.stat().st_mtime_ns
            follow_class_page(gradebook, here)
            assert page.stat().st_mtime_ns == before, "nothing is new"
            news()
            follow_class_page(gradebook, here)
            now = datetime(2026, 12, 1, tzinfo=UTC)
            kept = msgspec.json.decode((here.reports / STATE).read_bytes())["report"]
            fresh = json.loads(encode(class_report(gradebook, here, rules, with_code=False, now=now)))
            assert kept["handed_in"] == fresh["handed_in"]
            assert [one["marker"] for one in kept["marking"]["markers"]] == ["ann", "ben", "zoe"]
            assert [one["mean"] for one in kept["items"]] == [one["mean"] for one in fresh["items"]]
            assert [one["name"] for one in kept["mistakes"]] == [one["name"] for one in fresh["mistakes"]]
    assert "zoe" in page.read_text(encoding="utf-8")
    assert "Late Comer" in page.read_text(encoding="utf-8")


def test_of_a_mark_that_another_person_replaced_with_a_withdrawal_between() -> None:
    one, other = Mark(1, "2", ZERO, author="ann"), Mark(1, "2", Points.of(1), author="ben")
    assert changed_by_others([one, msgspec.structs.replace(one, points=None), other]) == 1
    assert changed_by_others([one, msgspec.structs.replace(other, points=ZERO)]) == 0
    assert changed_by_others([one, msgspec.structs.replace(other, item="3")]) == 0


def test_krippendorffs_own_example() -> None:
    """Four observers, twelve units: "Computing Krippendorff's alpha-reliability", 2011, table E."""
    observers = (
        "1 2 3 3 2 1 4 1 2 . . .",
        "1 2 3 3 2 2 4 1 2 5 . 3",
        ". 3 3 3 2 3 4 2 2 5 1 .",
        "1 2 3 3 2 4 4 1 2 5 1 .",
    )
    units = zip(*(one.split() for one in observers), strict=True)
    found = krippendorffs_alpha([float(value) for value in unit if value != "."] for unit in units)
    assert found == pytest.approx(0.849, abs=0.0005)
    assert krippendorffs_alpha([[1, 1], [1, 1]]) is None
    assert krippendorffs_alpha([[1], [2]]) is None


def test_discrimination_leaves_the_item_out_and_says_nothing_of_few() -> None:
    rng = np.random.default_rng(1)
    points = rng.integers(0, 4, (400, 5)).astype(float)
    assert abs(discrimination(points, 2) or 1) < 0.1, "independent items say nothing about each other"
    assert np.corrcoef(points[:, 2], points.sum(axis=1))[0, 1] > 0.3, (
        "with the item itself they would seem to"
    )
    assert discrimination(points[:9], 2) is None
    assert discrimination(np.column_stack([points, np.ones(400)]), 5) is None


def test_copies_are_found_though_words_were_changed_and_common_words_are_not() -> None:
    rng = np.random.default_rng(2)
    words = [f"word{number}" for number in range(400)]
    given = " ".join(words[:12])
    answers = {number: " ".join([given, *rng.choice(words, 40)]) for number in range(100)}
    copied = answers[7].split()
    copied[20] = copied[35] = "other"
    answers |= {100: " ".join(copied), 101: answers[8].upper(), 102: "No.", 103: "No."}
    groups = sorted(alike({number: runs_of(text) for number, text in answers.items()}))
    assert [group for group, _ in groups] == [(7, 100), (8, 101)]
    assert groups[0][1] < groups[1][1] == 1
    longer = {1: runs_of(answers[1]), 2: runs_of(f"{answers[1]} And more.")}
    assert list(alike(longer)) == [((1, 2), NEARLY)]
    question = runs_of(given)
    assert not np.isin(question, runs_of(answers[3], question)).any()


def test_rubric_lines_are_counted_by_line_whichever_version_was_given(tmp_path: Path) -> None:
    assignment = Assignment("HW", Points.of(2), (Item("1", "Why", Points.of(2), "written"),))
    with Gradebook.open(str(tmp_path / "g.sqlite")) as gradebook:
        rows = list(
            add_class(gradebook, assignment, {f"s{number}": {"1": "So."} for number in range(4)}).values()
        )
        store = gradebook.marking("HW")
        store.begin_rubric("1", [(Points.of(1), "says what"), (Points.of(1), "says why")])
        what, why = store.rubric("1")
        for row, lines in zip(rows, ((what,), (what, why), ()), strict=False):
            ruling = Ruling(tuple(line.row for line in lines))
            store.save("1", ruling, {row: 0}, Points.of(2), author="ann", origins={}, action=str(row))
        gradebook.add_marks([Mark(rows[3], "1", Points.of(2), author="table")])
        found = list(rubric_figures(gradebook, "HW", "1", rows))
    assert [(line.text, line.given, line.answers) for line in found] == [
        ("says what", 2, 3),
        ("says why", 1, 3),
    ]


def test_what_cannot_be_read_waits_for_no_batch() -> None:
    """`grade batch` knows of the file, and tried it."""
    waits = ClassRow(Student("ada"), None, None, ungraded="a.ipynb")
    assert [len(attendance(row).ungraded) for row in (waits, refused(waits))] == [1, 0]


def attendance(row: ClassRow) -> HandedIn:
    found = Attendance()
    found.add(row, Named("Ada"))
    return found.figures()


def refused(row: ClassRow) -> ClassRow:
    return msgspec.structs.replace(row, refused=(Refusal("a.ipynb", "not JSON", "ada"),))
