"""What lies on a marker's desk: units in a blind order, nobody twice, marks that belong to rubric lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import until
from support.marked_class import add_class

from grader.gradebook.marking import Conflict, Saved
from grader.gradebook.marks import MarkGiven, class_marks, mark_of
from grader.gradebook.rows import Mark
from grader.gradebook.rubrics import LineVersion, Ruling
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import total_of
from grader.model.assignment import Assignment, Item, RubricLine
from grader.model.endings import NOT_HANDED_IN
from grader.model.errors import UsageError
from grader.model.points import Points
from grader.model.records import ItemResult
from grader.review.classroom import EMPTY, answer_of, classroom, units_of
from grader.review.desk import Desk
from grader.review.reloading import Reloader

TWO, ONE = Points.of(2), Points.of(1)
RUBRIC = (RubricLine(ONE, "No."), RubricLine(ONE, "Memory."))
HW = Assignment("Small", Points.of(4), (Item("1", "Why", TWO, "written", RUBRIC), Item("2", "Code", TWO)))
ANSWERS = {
    "ada": {"1": "No, because of memory."},
    "bob": {"1": "no because of memory"},
    "cyd": {"1": "Yes."},
    "dan": {},
    "eve": {},
    "fay": {"1": "Perhaps."},
}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(str(tmp_path / "g.sqlite")) as opened:
        yield opened


@pytest.fixture
def rows(book: Gradebook) -> dict[str, int]:
    return add_class(book, HW, ANSWERS)


@pytest.fixture
def desk(book: Gradebook, rows: dict[str, int]) -> Desk:
    return Desk(book, classroom(book, HW), HW.title, "ada")


def mark_all(desk: Desk, unit_id: str, *lines: int, comment: str = "") -> Saved:
    view = desk.view("1", unit_id)
    versions = tuple(line.row for line in view.lines if line.line in lines)
    seen = {row: view.held[row].row if row in view.held else 0 for row in view.unit.submissions}
    found = desk.save("1", unit_id, Ruling(versions, comment=comment), seen, view.unit.submissions[0])
    assert isinstance(found, Saved)
    return found


def points(book: Gradebook, rows: dict[str, int]) -> dict[str, str]:
    by_row = {row: str(mark.points) for (row, _), mark in book.marks(HW.title).items()}
    return {student: by_row[row] for student, row in rows.items() if row in by_row}


def test_empty_answers_come_first_and_the_same_words_are_one(desk: Desk, rows: dict[str, int]) -> None:
    units = desk.room.units["1"]
    assert [sorted(unit.submissions) for unit in units[:2]] == [
        [rows["dan"], rows["eve"]],
        [rows["ada"], rows["bob"]],
    ]
    assert units[0].id == EMPTY
    assert len(units) == 4


def test_the_order_is_drawn_for_each_item_and_stays(desk: Desk) -> None:
    answers = [answer for unit in desk.room.units["1"] for answer in unit.answers]
    many = [type(answers[0])(row, "1", f"answer {row}", f"answer {row}", is_empty=False) for row in range(40)]
    order = [unit.answers[0].submission for unit in units_of(many, seed="a")]
    assert order != sorted(order)
    assert order == [unit.answers[0].submission for unit in units_of(reversed(many), seed="a")]
    assert order != [unit.answers[0].submission for unit in units_of(many, seed="b")]


def test_a_pasted_picture_without_words_is_not_empty() -> None:
    results = [ItemResult("1", "Why", "written", Points(0), TWO, decided=False, found=True)] * 2
    units = units_of([answer_of(row, result) for row, result in enumerate(results)], seed="a")
    assert [len(unit.answers) for unit in units] == [1, 1]
    assert not any(unit.is_empty for unit in units)


def test_a_missing_file_is_no_empty_answer(book: Gradebook) -> None:
    rows = add_class(book, HW, {"gil": {}}, waits_for=NOT_HANDED_IN)
    room = classroom(book, HW)
    assert room.units["1"] == ()
    assert room.absent == {"1": (rows["gil"],)}


def test_one_key_gives_all_empty_answers_nothing(desk: Desk, book: Gradebook, rows: dict[str, int]) -> None:
    assert desk.next_unit("1").id == EMPTY
    mark_all(desk, EMPTY)
    assert points(book, rows) == {"dan": "0", "eve": "0"}
    held = book.marking(HW.title).held("1")
    assert {one.origin for one in held.values()} == {"empty"}


def test_the_same_words_get_one_mark_and_say_who_was_looked_at(
    desk: Desk, book: Gradebook, rows: dict[str, int]
) -> None:
    unit = desk.room.units["1"][1]
    mark_all(desk, unit.id, 1, 2, comment="well put")
    assert points(book, rows) == {"ada": "2", "bob": "2"}
    origins = [book.marking(HW.title).held("1")[row].origin for row in unit.submissions]
    assert origins == ["seen", "identical"]
    assert desk.standing("1").comments() == ["well put"]


def test_a_member_that_was_taken_out_stays_open(desk: Desk, rows: dict[str, int]) -> None:
    unit = desk.room.units["1"][1]
    view = desk.view("1", unit.id)
    first = unit.submissions[0]
    desk.save("1", unit.id, Ruling((view.lines[0].row,)), {first: 0}, first)
    assert desk.view("1", unit.id).open_submissions == unit.submissions[1:]
    assert desk.progress("1").marked == 1


def test_two_markers_get_different_answers(desk: Desk, book: Gradebook) -> None:
    other = Desk(book, desk.room, HW.title, "bob")
    first = desk.next_unit("1")
    desk.view("1", first.id)
    second = other.next_unit("1")
    assert second.id != first.id
    assert other.view("1", first.id).holder == "ada"
    desk.leave()
    assert other.next_unit("1").id == first.id


def test_what_is_put_aside_comes_last(desk: Desk) -> None:
    first = desk.next_unit("1")
    desk.put_aside("1", first.id)
    seen = []
    while (unit := desk.next_unit("1")) is not None:
        seen.append(unit.id)
        mark_all(desk, unit.id)
    assert seen[-1] == first.id
    assert len(seen) == 4
    assert desk.progress("1").units_left == 0


def test_undo_takes_back_the_last_action_as_new_rows(
    desk: Desk, book: Gradebook, rows: dict[str, int]
) -> None:
    mark_all(desk, EMPTY)
    mark_all(desk, desk.room.units["1"][1].id, 1)
    item, unit, done = desk.undo()
    assert (item, unit) == ("1", desk.room.units["1"][1].id)
    assert isinstance(done, Saved)
    assert points(book, rows) == {"dan": "0", "eve": "0"}
    desk.undo()
    assert points(book, rows) == {}
    assert desk.undo() is None
    assert len(book.mark_history(rows["dan"], "1")) == 2


def test_undo_goes_back_save_by_save_though_a_line_was_repriced(
    desk: Desk, book: Gradebook, rows: dict[str, int]
) -> None:
    unit = desk.room.unit("1", desk.room.units["1"][2].id)
    mark_all(desk, unit.id, 1)
    mark_all(desk, unit.id, 1, 2)
    view = desk.view("1", unit.id)
    dear = LineVersion(1, Points.of("0.5"), "No.")
    assert desk.change_line("1", dear, seen=view.newest_line) is not None
    assert list(points(book, rows).values()) == ["1.5"]
    assert isinstance(desk.undo()[2], Saved)
    assert list(points(book, rows).values()) == ["0.5"]
    assert isinstance(desk.undo()[2], Saved)
    assert points(book, rows) == {}


def test_undo_after_somebody_elses_mark_is_a_conflict(
    desk: Desk, book: Gradebook, rows: dict[str, int]
) -> None:
    mark_all(desk, EMPTY)
    book.add_marks([Mark(rows["dan"], "1", ONE, "I know them", "bob")])
    _, _, done = desk.undo()
    assert isinstance(done, Conflict)
    assert points(book, rows) == {"dan": "1", "eve": "0"}


def test_answers_of_another_unit_are_refused(desk: Desk, rows: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="not of one unit"):
        desk.save("1", EMPTY, Ruling(), {rows["cyd"]: 0}, rows["cyd"])
    with pytest.raises(UsageError, match="not marked here; there are 1"):
        desk.view("2", EMPTY)
    with pytest.raises(UsageError, match="no answer 'x'"):
        desk.view("1", "x")


def test_a_line_added_while_marking_is_there_for_the_next_answer(desk: Desk, book: Gradebook) -> None:
    view = desk.view("1", EMPTY)
    new = LineVersion(0, Points.of("0.5"), "Names the cache.")
    assert desk.preview("1", new) == {}
    assert desk.change_line("1", new, seen=view.newest_line) is not None
    assert desk.change_line("1", new, seen=view.newest_line) is None
    lines = desk.view("1", EMPTY).lines
    assert [line.text for line in lines] == ["No.", "Memory.", "Names the cache."]
    assert lines[-1].author == "ada"


def test_progress_counts_by_marker_and_shows_the_points_given(
    desk: Desk, book: Gradebook, rows: dict[str, int]
) -> None:
    mark_all(desk, EMPTY)
    mark_all(Desk(book, desk.room, HW.title, "bob"), desk.room.units["1"][1].id, 1)
    progress = desk.progress("1")
    assert (progress.answers, progress.marked, progress.units_left) == (6, 4, 2)
    assert progress.by_marker == {"ada": 2, "bob": 2}
    assert progress.points == {Points(0): 2, ONE: 2}


def hand_in_again(book: Gradebook, text: str) -> dict[str, int]:
    """Ada hands in a second file; its answer to item 1 is this text."""
    return add_class(book, HW, {"ada": {"1": text}}, again=True)


def test_the_same_words_handed_in_again_keep_their_mark(
    desk: Desk, book: Gradebook, rows: dict[str, int]
) -> None:
    unit = desk.room.units["1"][1]
    mark_all(desk, unit.id, 1)
    second = hand_in_again(book, ANSWERS["ada"]["1"])["ada"]
    again = Desk(book, classroom(book, HW), HW.title, "bob")
    assert rows["ada"] not in again.room.seats
    view = again.view("1", unit.id)
    assert second in view.unit.submissions
    assert view.held[second].mark.submission == rows["ada"]
    assert view.seen[second] == 0
    assert again.progress("1").marked == 2
    assert again.next_unit("1").id == EMPTY


def test_changed_words_show_the_old_mark(desk: Desk, book: Gradebook, rows: dict[str, int]) -> None:
    mark_all(desk, desk.room.units["1"][1].id, 1)
    second = hand_in_again(book, "Something else.")["ada"]
    again = Desk(book, classroom(book, HW), HW.title, "bob")
    unit = next(one for one in again.room.units["1"] if second in one.submissions)
    view = again.view("1", unit.id)
    assert view.held == {}
    assert view.before[second].mark.points == ONE
    assert again.progress("1").marked == 1


def test_a_flag_brings_a_marked_answer_to_a_colleague(
    desk: Desk, book: Gradebook, rows: dict[str, int]
) -> None:
    while (unit := desk.next_unit("1")) is not None:
        mark_all(desk, unit.id)
    last = desk.room.units["1"][-1]
    desk.flag("1", last.id, words="sure?", raised=True)
    assert desk.next_unit("1") is None
    desk.leave()
    other = Desk(book, desk.room, HW.title, "bob")
    assert other.next_unit("1") == last
    other.flag("1", last.id, words="yes", raised=False)
    assert other.next_unit("1") is None


def test_a_request_brings_a_marked_answer_back_until_it_has_a_reply(
    desk: Desk, book: Gradebook, rows: dict[str, int]
) -> None:
    while (unit := desk.next_unit("1")) is not None:
        mark_all(desk, unit.id)
    book.marker_notes(HW.title).add_request(rows["cyd"], "1", words="why?", author="eve")
    unit = desk.next_unit("1")
    assert unit.submissions == (rows["cyd"],)
    with pytest.raises(UsageError, match="needs words"):
        desk.reply("1", unit.id, " ")
    assert desk.reply("1", unit.id, "because") == 1
    assert desk.next_unit("1") is None


def test_what_is_on_the_desk_can_be_saved_though_the_class_has_changed(
    desk: Desk, book: Gradebook, rows: dict[str, int]
) -> None:
    same, cyds = (
        desk.room.units["1"][1],
        next(u for u in desk.room.units["1"] if rows["cyd"] in u.submissions),
    )
    views = [desk.view("1", unit.id) for unit in (same, cyds)]
    again = add_class(
        book, HW, {"ada": ANSWERS["ada"], "cyd": {"1": "No."}, "gil": {"1": "Yes."}}, again=True
    )
    desk.room = classroom(book, HW)
    for view in views:
        found = desk.save(
            "1", view.unit.id, Ruling((view.lines[0].row,)), view.seen, view.unit.submissions[0]
        )
        assert isinstance(found, Saved)
    assert desk.view("1", same.id).held[again["ada"]].mark.submission == rows["ada"]
    late = desk.view("1", next(unit.id for unit in desk.room.units["1"] if again["cyd"] in unit.submissions))
    assert late.before[again["cyd"]].mark.points == ONE  # other words: her mark is shown, and does not count
    assert desk.progress("1").answers == 7


def test_the_class_is_read_anew_once_a_batch_has_ended() -> None:
    looks = iter([(1,), (2,), (3,), (3,), (3,)])
    read: list[str] = []
    reloader = Reloader(lambda: next(looks, (3,)), lambda: read.append("read"), known=(1,), every=0.01)
    until(lambda: next(looks, None) is None)
    until(lambda: read == ["read"])
    reloader.close()
    assert read == ["read"]


def test_a_written_items_bonus_is_given_by_lines_and_lies_above_the_points(book: Gradebook) -> None:
    lines = (*RUBRIC, RubricLine(ONE, "And why the maximum."))
    extra = Item("x", "Extra", Points.of(0), "written", (RubricLine(ONE, "Found it."),), bonus=ONE)
    assignment = Assignment("Bonus", TWO, (Item("1", "Why", TWO, "written", lines, bonus=ONE), extra))
    row = add_class(book, assignment, {"ada": {"1": "No.", "x": "Here."}})["ada"]
    mine = Desk(book, classroom(book, assignment), assignment.title, "ada")
    unit = mine.next_unit("1").id
    mark_all(mine, unit, *(line.line for line in mine.view("1", unit).lines))
    [grade] = book.grades(assignment.title)
    so_far = total_of(grade.items, class_marks(book, assignment.title).counting[row])
    assert (str(so_far.earned), str(so_far.possible), so_far.complete) == ("3", "2", False)
    given = MarkGiven("x", ONE, "")
    mark = mark_of(grade, given, author="ada", reason="", bonus=assignment.bonuses)
    done = total_of(grade.items, {**class_marks(book, assignment.title).counting[row], "x": mark})
    assert (str(done.earned), done.complete) == ("4", True)
    with pytest.raises(UsageError, match="worth 0 to 0"):
        mark_of(grade, given, author="ada", reason="", bonus={})
