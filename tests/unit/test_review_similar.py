"""The order and the suggestions: what similar texts got, how sure that is, and nothing for a small class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.marked_class import add_class

from grader.gradebook.marking import Saved
from grader.gradebook.rubrics import Ruling
from grader.gradebook.store import Gradebook
from grader.model.assignment import Assignment, Item, RubricLine
from grader.model.points import Points
from grader.review.classroom import classroom
from grader.review.desk import Desk
from grader.review.groups import SAMPLE, group_id, lines_in
from grader.review.guide import Guide
from grader.review.similar import Texts, logistic, nearness

RIGHT = (
    "it has more updates",
    "more updates are needed",
    "needs many more updates",
    "more updates until the end",
)
WRONG = ("a batch is faster", "the batch is always faster", "faster with a batch", "every batch is faster")


def test_texts_of_the_same_pieces_are_near() -> None:
    near = nearness(["more updates", "more updates!", "больше шагов", "больше шага", ""])
    assert np.allclose(near, near.T)
    assert near[0, 1] > 0.8
    assert near[2, 3] > 0.5
    assert near[0, 2] == near[0, 4] == 0
    assert np.allclose(np.diag(near), 1)


def test_the_regression_is_that_of_scikit_learn() -> None:
    """The same chances as its LogisticRegression on the same nearness, whose kernel form this is."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    features = rng.normal(size=(30, 12))
    near = features @ features.T
    seen = np.arange(14)
    has = (features[seen, 0] + 0.5 * rng.normal(size=14) > 0).astype(float)
    weight = rng.uniform(1, 3, size=14)
    known = linear_model.LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000)
    known.fit(features[seen], has, sample_weight=weight)
    assert np.allclose(logistic(near, seen, has, weight), known.predict_proba(features)[:, 1], atol=1e-4)


def texts() -> Texts:
    every = {f"r{k}": text for k, text in enumerate(RIGHT)} | {f"w{k}": text for k, text in enumerate(WRONG)}
    return Texts(every, dict.fromkeys(every, 1))


def test_similar_texts_get_the_same_lines() -> None:
    marked = {"r0": {1}, "r1": {1}, "r2": {1}, "w0": set(), "w1": set()}
    found = texts().forecast({name: frozenset(lines) for name, lines in marked.items()}, [1, 2])
    assert found.likely("r3") == {1}
    assert found.likely("w2") == found.likely("w3") == set()
    assert 0 < found.wrong < 1


def test_nothing_is_said_before_there_are_marks() -> None:
    assert texts().forecast({"r0": frozenset({1})}, [1]) is None


def test_marks_that_are_all_alike_ask_for_an_unlike_text_and_promise_little() -> None:
    every = {f"r{k}": text for k, text in enumerate((*RIGHT, "more updates still"))} | {
        "odd": "faster batches"
    }
    found = Texts(every, {**dict.fromkeys(every, 1), "odd": 5}).forecast(
        dict.fromkeys([f"r{k}" for k in range(5)], frozenset({1})), [1]
    )
    assert max(found.tells, key=found.tells.get) == "odd"
    assert found.wrong > 0.1


RUBRIC = (RubricLine(Points.of(1), "More updates."),)
HW = Assignment("Small", Points.of(1), (Item("1", "Why", Points.of(1), "written", RUBRIC),))


def a_class(size: int) -> dict[str, dict[str, str]]:
    kinds = (*RIGHT, *WRONG)
    return {f"s{k:03}": {"1": f"{kinds[k % 8]} {'in run' if k % 3 else 'at'} {k}"} for k in range(size)}


def mark(desk: Desk, number: int) -> list[str]:
    seen = []
    for _ in range(number):
        unit = desk.next_unit("1")
        view = desk.view("1", unit.id)
        ruling = Ruling(tuple(line.row for line in view.lines) if "updates" in unit.text else ())
        found = desk.save("1", unit.id, ruling, view.seen, unit.submissions[0])
        assert isinstance(found, Saved)
        seen.append(unit.id)
    return seen


@pytest.fixture
def large(tmp_path: Path) -> Iterator[tuple[Gradebook, Desk]]:
    """A class of 104 and a desk whose forecasts are always ready."""
    with Gradebook.open(str(tmp_path / "g.sqlite")) as book:
        add_class(book, HW, a_class(104))
        room = classroom(book, HW)
        yield book, Desk(book, room, HW.title, "ada", guide=Guide(waits=True))


def test_a_large_class_gets_suggestions_that_nobody_is_given(large: tuple[Gradebook, Desk]) -> None:
    book, desk = large
    mark(desk, 12)
    right = 0
    for unit in desk.room.units["1"]:
        view = desk.view("1", unit.id)
        if unit.submissions[0] not in view.held:
            right += bool(view.suggested) == ("updates" in unit.text)
            assert view.ruling == Ruling()
    assert right >= 88
    assert 0 < desk.view("1", desk.room.units["1"][0].id).wrong < 0.5
    assert len(book.marks(HW.title)) == 12


def test_a_mark_unlike_those_of_similar_answers_is_pointed_out(large: tuple[Gradebook, Desk]) -> None:
    _, desk = large
    seen = mark(desk, 40)
    slip = next(name for name in seen if "updates" in desk.room.unit("1", name).text)
    assert desk.view("1", slip).doubted == ()
    view = desk.view("1", slip)
    desk.save("1", slip, Ruling(), view.seen, view.unit.submissions[0])
    assert desk.view("1", slip).doubted == ("similar answers have: More updates.",)


def test_a_group_is_shown_whole_and_confirmed_at_once(large: tuple[Gradebook, Desk]) -> None:
    book, desk = large
    mark(desk, 9)
    assert desk.view("1", desk.next_unit("1").id).group is None
    mark(desk, 3)
    marked = set(book.marks(HW.title))
    one = next(unit for unit in desk.room.units["1"] if desk.view("1", unit.id).suggested)
    group = desk.view("1", group_id([1])).group
    assert group == desk.view("1", one.id).group
    likely = [unit for unit in desk.room.units["1"] if desk.view("1", unit.id).suggested]
    assert {unit.id for unit in group.units} == {unit.id for unit in likely}
    assert len(group.sample) == SAMPLE
    assert 0 < group.wrong < 0.5
    view = desk.view("1", group_id([1]))
    out, *rest = view.unit.submissions
    saved = desk.save("1", view.unit.id, view.ruling, dict.fromkeys(rest, 0), rest[0])
    assert set(saved.rows) == set(rest)
    held = book.marking(HW.title).held("1", rest)
    assert {(str(one.mark.points), one.origin) for one in held.values()} == {("1", "group")}
    assert (out, "1") not in book.marks(HW.title)
    desk.undo()
    assert set(book.marks(HW.title)) == marked


def test_what_somebody_looks_at_or_asks_about_is_in_no_group(large: tuple[Gradebook, Desk]) -> None:
    book, desk = large
    mark(desk, 12)
    group = desk.view("1", group_id([1])).group
    taken, flagged, asked, kept = group.units[:4]
    other = Desk(book, desk.room, HW.title, "bob", guide=Guide(waits=True))
    other.flag("1", flagged.id, words="odd", raised=True)
    other.view("1", taken.id)
    book.marker_notes(HW.title).add_request(asked.submissions[0], "1", words="why?", author="eve")
    left = {unit.id for unit in desk.view("1", group_id([1])).group.units}
    assert left == {unit.id for unit in group.units} - {taken.id, flagged.id, asked.id}
    assert kept.id in left


def test_only_names_of_groups_are_groups() -> None:
    assert lines_in(group_id([])) == frozenset()
    assert lines_in(group_id([3, 1])) == {1, 3}
    assert [lines_in(name) for name in ("", "empty", "x group:1", "group:a", "group:1,,2", "group:-1")] == [
        None
    ] * 6


def test_a_small_class_keeps_its_plain_order(tmp_path: Path) -> None:
    with Gradebook.open(str(tmp_path / "g.sqlite")) as book:
        add_class(book, HW, a_class(40))
        room = classroom(book, HW)
        desk = Desk(book, room, HW.title, "ada", guide=Guide(waits=True))
        assert mark(desk, 40) == [unit.id for unit in room.units["1"]]
