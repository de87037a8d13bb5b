"""Several markers: the first answers are marked by all, each without the others' marks; a share by two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.marked_class import add_class

from grader.gradebook.marking import Saved
from grader.gradebook.rubrics import Ruling
from grader.gradebook.store import Gradebook
from grader.model.assignment import Assignment, Item, RubricLine
from grader.model.points import Points
from grader.review.classroom import EMPTY, classroom
from grader.review.desk import Desk, View
from grader.review.opinions import Panel

TWO, ONE = Points.of(2), Points.of(1)
RUBRIC = (RubricLine(ONE, "No."), RubricLine(ONE, "Memory."))
HW = Assignment("Small", TWO, (Item("1", "Why", TWO, "written", RUBRIC),))
DeskOf = Callable[[str], Desk]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(str(tmp_path / "g.sqlite")) as opened:
        add_class(opened, HW, {f"s{k}": {"1": f"Answer {k}."} for k in range(12)} | {"s12": {}})
        yield opened


def desks(book: Gradebook, *, everybody: int, twice: int = 0) -> tuple[Desk, Desk]:
    room, panel = classroom(book, HW), Panel(("ada", "bob"), everybody, twice)
    return tuple(Desk(book, room, HW.title, name, panel=panel) for name in panel.markers)


def give(desk: Desk, view: View, *lines: int) -> Saved:
    versions = tuple(line.row for line in view.lines if line.line in lines)
    found = desk.save("1", view.unit.id, Ruling(versions), view.seen, view.unit.submissions[0])
    assert isinstance(found, Saved)
    return found


def all_of(desk: Desk, *lines: int) -> list[str]:
    """What a marker is given until nothing is left, each with these lines; while others are away."""
    seen = []
    while (unit := desk.next_unit("1")) is not None:
        give(desk, desk.view("1", unit.id), *lines)
        seen.append(unit.id)
    desk.leave()
    return seen


def test_the_first_answers_are_marked_by_all_and_nobody_sees_the_others_mark(book: Gradebook) -> None:
    ada, bob = desks(book, everybody=3)
    first = [unit.id for unit in ada.room.units["1"] if not unit.is_empty][:3]
    assert all_of(ada, 1)[:4] == [EMPTY, *first]
    view = bob.view("1", first[0])
    assert (view.hidden, view.ruling, view.holder) == (True, Ruling(), "")
    assert give(bob, view, 1, 2).opinion
    assert all_of(bob, 1) == first[1:] + first[:1]  # those that wait for him, then the one that is to settle
    marks = book.marks(HW.title)
    assert {mark.author for mark in marks.values()} == {"ada"}  # what settled it was hers
    agreement = ada.standing("1").opinions.agreement(ada.standing("1").versions)
    assert [(line.text, agreed, of) for line, agreed, of in agreement] == [("No.", 3, 3), ("Memory.", 2, 3)]


def test_a_difference_is_shown_to_whoever_comes_next_and_settled_by_one_mark(book: Gradebook) -> None:
    ada, bob = desks(book, everybody=1)
    unit = next(unit for unit in ada.room.units["1"] if not unit.is_empty)
    give(ada, ada.view("1", unit.id), 1)
    give(bob, bob.view("1", unit.id), 2)
    view = ada.view("1", unit.id)
    assert not view.hidden
    assert [(one.author, one.points) for one in view.opinions] == [("ada", ONE), ("bob", ONE)]
    ada.leave()
    give(bob, bob.view("1", unit.id), 1, 2)
    assert book.marks(HW.title)[unit.submissions[0], "1"].points == TWO
    assert ada.view("1", unit.id).opinions == ()


def test_an_opinion_can_be_changed_until_all_have_theirs(book: Gradebook) -> None:
    ada, bob = desks(book, everybody=1)
    unit = next(unit for unit in ada.room.units["1"] if not unit.is_empty)
    give(ada, ada.view("1", unit.id), 1)
    view = ada.view("1", unit.id)
    assert len(view.ruling.versions) == 1
    give(ada, view, 1, 2)
    assert book.marks(HW.title)[unit.submissions[0], "1"].points == TWO
    give(bob, bob.view("1", unit.id), 1, 2)
    assert ada.standing("1").opinions.agreement(ada.standing("1").versions)[0][1:] == (1, 1)
    assert not ada.standing("1").differ(unit.id)


def test_a_share_is_marked_twice_after_everything_has_a_mark(book: Gradebook) -> None:
    ada, bob = desks(book, everybody=0, twice=40)
    assert len(all_of(ada, 1)) == 13
    again = all_of(bob, 1)
    assert 0 < len(again) < 12
    assert all_of(ada) == all_of(bob) == []
    assert {mark.author for mark in book.marks(HW.title).values()} == {"ada"}


def test_one_marker_alone_is_asked_once(book: Gradebook) -> None:
    desk = Desk(book, classroom(book, HW), HW.title, "ada", panel=Panel(("ada",), 10, 100))
    assert len(all_of(desk, 1)) == 13
    assert book.marker_notes(HW.title).trials("1") == []


def test_what_one_marker_marked_alone_is_their_opinion_once_another_comes(book: Gradebook) -> None:
    alone = Desk(book, classroom(book, HW), HW.title, "ada")
    all_of(alone, 1)
    ada, bob = desks(book, everybody=2)
    assert ada.next_unit("1") is None
    first = bob.next_unit("1")
    assert bob.view("1", first.id).hidden
    give(bob, bob.view("1", first.id), 1)
    assert not ada.standing("1").differ(first.id)
    assert [of for _, _, of in ada.standing("1").opinions.agreement(ada.standing("1").versions)] == [1, 1]
