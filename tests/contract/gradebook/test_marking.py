"""What markers write, on both databases: rubric lines are the mark, and nobody overwrites anybody unseen."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import event

from grader.gradebook.marker_notes import OPINION
from grader.gradebook.marking import Conflict, MarkingStore, Outdated, Saved
from grader.gradebook.rows import Mark, NewSubmission
from grader.gradebook.rubrics import LineVersion, Ruling
from grader.gradebook.store import Gradebook
from grader.model.errors import GradebookError, UsageError
from grader.model.points import Points

HW, ITEM, TWO = "HW3", "3.2.3.i", Points.of(2)
FIRST = [(Points.of(1), "No: more updates."), (Points.of(1), "Memory.")]
ACTION = map(str, count())


def submissions(gradebook: Gradebook, number: int) -> list[int]:
    return gradebook.add_submissions(NewSubmission(HW, f"{one}.ipynb", f"{one}") for one in range(number))


@pytest.fixture
def store(gradebook: Gradebook) -> MarkingStore:
    found = gradebook.marking(HW)
    assert found.begin_rubric(ITEM, FIRST)
    return found


def save(
    store: MarkingStore,
    ruling: Ruling,
    seen: dict[int, int],
    *,
    author: str = "ada",
    origin: str = "seen",
    action: str = "",
    also: str = "",
) -> Saved | Conflict | Outdated:
    origins = dict.fromkeys(seen, origin)
    action = action or next(ACTION)
    return store.save(ITEM, ruling, seen, TWO, author=author, origins=origins, action=action, also=also)


def rows_of(store: MarkingStore, *lines: int) -> tuple[int, ...]:
    return tuple(line.row for line in store.rubric(ITEM) if line.line in lines)


def points(gradebook: Gradebook) -> dict[int, str]:
    return {row: str(mark.points) for (row, _), mark in gradebook.marks(HW).items()}


def test_a_rubric_begins_with_the_manifests_lines_once(store: MarkingStore) -> None:
    assert not store.begin_rubric(ITEM, [(TWO, "another")])
    assert [(line.line, line.points, line.text) for line in store.rubric(ITEM)] == [
        (1, *FIRST[0]),
        (2, *FIRST[1]),
    ]
    assert store.rubric("3.3.ii") == []


def test_a_save_of_many_answers_asks_the_database_as_often_as_one_of_few(
    gradebook: Gradebook, store: MarkingStore
) -> None:
    several = submissions(gradebook, 60)
    asked: list[str] = []
    event.listen(gradebook._engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    numbers = []
    for some in (several[:2], several[2:]):
        before = len(asked)
        saved = save(store, Ruling(rows_of(store, 1)), dict.fromkeys(some, 0))
        assert isinstance(saved, Saved)
        assert set(saved.rows) == set(some)
        numbers.append(len(asked) - before)
    assert numbers[0] == numbers[1]
    assert {row: gradebook.marks(HW)[row, ITEM].row for row in several[2:]} == saved.rows


def test_lines_are_the_mark_and_the_student_reads_them(gradebook: Gradebook, store: MarkingStore) -> None:
    one, two = submissions(gradebook, 2)
    ruling = Ruling(rows_of(store, 1), Points.of("0.5"), "half of the second", "See lecture 4.")
    saved = save(store, ruling, {one: 0, two: 0})
    assert isinstance(saved, Saved)
    assert points(gradebook) == {one: "1.5", two: "1.5"}
    mark = gradebook.marks(HW)[one, ITEM]
    assert mark.comment == "+1: No: more updates.\n+0.5: half of the second\nSee lecture 4."
    held = store.held(ITEM)
    assert (held[one].ruling, held[one].row, held[one].origin) == (ruling, saved.rows[one], "seen")


def test_points_stay_between_nothing_and_all(gradebook: Gradebook, store: MarkingStore) -> None:
    (one,) = submissions(gradebook, 1)
    saved = save(store, Ruling(rows_of(store, 1, 2), Points.of(3), "brilliant"), {one: 0})
    assert isinstance(saved, Saved)
    assert points(gradebook) == {one: "2"}
    save(store, Ruling((), Points.of(-3), "copied"), saved.rows)
    assert points(gradebook) == {one: "0"}


def test_an_adjustment_needs_a_reason(gradebook: Gradebook, store: MarkingStore) -> None:
    (one,) = submissions(gradebook, 1)
    with pytest.raises(UsageError, match="needs a reason"):
        save(store, Ruling((), Points.of(1), " "), {one: 0})
    assert store.held(ITEM) == {}


def test_a_save_that_saw_an_older_mark_changes_nothing_and_is_kept(
    gradebook: Gradebook, store: MarkingStore
) -> None:
    one, two = submissions(gradebook, 2)
    first = save(store, Ruling(rows_of(store, 1)), {one: 0})
    assert isinstance(first, Saved)
    mine = Ruling(rows_of(store, 2), comment="mine")
    second = save(store, mine, {one: 0, two: 0}, author="bob")
    assert isinstance(second, Conflict)
    assert {row: held and held.mark.author for row, held in second.now.items()} == {one: "ada"}
    assert points(gradebook) == {one: "1"}  # and none for the other: all or nothing
    [kept] = gradebook.marker_notes(HW).trials(ITEM)
    assert (kept.submission, kept.ruling, kept.points, kept.author) == (one, mine, Points.of(1), "bob")
    third = save(store, mine, {one: first.rows[one], two: 0}, author="bob")
    assert isinstance(third, Saved)
    assert gradebook.marks(HW)[one, ITEM].author == "bob"


def test_a_mark_from_the_command_line_is_seen_too(gradebook: Gradebook, store: MarkingStore) -> None:
    (one,) = submissions(gradebook, 1)
    gradebook.add_marks([Mark(one, ITEM, Points.of(1), "by hand", "eve")])
    found = save(store, Ruling(rows_of(store, 1, 2)), {one: 0})
    assert isinstance(found, Conflict)
    held = found.now[one]
    assert held is not None
    assert (held.mark.author, held.ruling) == ("eve", None)


def test_saving_the_same_again_writes_no_row_and_takes_no_name(
    gradebook: Gradebook, store: MarkingStore
) -> None:
    (one,) = submissions(gradebook, 1)
    first = save(store, Ruling(rows_of(store, 1)), {one: 0})
    assert isinstance(first, Saved)
    again = save(store, Ruling(rows_of(store, 1)), first.rows, author="bob")
    assert again == Saved({}, again.action if isinstance(again, Saved) else "")
    assert gradebook.marks(HW)[one, ITEM].author == "ada"


def test_a_line_that_is_worth_less_scores_everybody_anew_who_has_it(
    gradebook: Gradebook, store: MarkingStore
) -> None:
    one, two, three = submissions(gradebook, 3)
    save(store, Ruling(rows_of(store, 1, 2)), {one: 0})
    save(store, Ruling(rows_of(store, 1), comment="nearly"), {two: 0})
    save(store, Ruling(rows_of(store, 2)), {three: 0})
    old = store.rubric(ITEM)[0]
    new = LineVersion(1, Points.of("0.5"), "No: they need more updates.", author="bob", reason="too much")
    preview = {
        row: (held.mark.points, after) for row, (held, after) in store.preview_line(ITEM, new, TWO).items()
    }
    assert preview == {one: (TWO, Points.of("1.5")), two: (Points.of(1), Points.of("0.5"))}
    assert points(gradebook) == {one: "2", two: "1", three: "1"}

    newest = max(line.row for line in store.versions(ITEM))
    assert store.change_line(ITEM, new, TWO, seen=newest - 1, action="x") is None
    changed = store.change_line(ITEM, new, TWO, seen=newest, action="x")
    assert changed is not None
    assert set(changed.rows) == {one, two}
    assert points(gradebook) == {one: "1.5", two: "0.5", three: "1"}
    mark = gradebook.marks(HW)[two, ITEM]
    assert mark.comment == "+0.5: No: they need more updates.\nnearly"
    assert (mark.author, mark.reason) == ("bob", "rubric line 1: too much")
    assert [line.text for line in store.versions(ITEM)] == [
        FIRST[0][1],
        FIRST[1][1],
        "No: they need more updates.",
    ]
    assert isinstance(save(store, Ruling((old.row,)), {three: store.held(ITEM)[three].row}), Outdated)


def test_a_retired_line_leaves_the_marks_and_a_new_one_comes_last(
    gradebook: Gradebook, store: MarkingStore
) -> None:
    (one,) = submissions(gradebook, 1)
    save(store, Ruling(rows_of(store, 1, 2)), {one: 0})
    newest = max(line.row for line in store.versions(ITEM))
    gone = LineVersion(1, Points.of(1), FIRST[0][1], retired=True, author="ada")
    assert store.change_line(ITEM, gone, TWO, seen=newest, action="x") is not None
    assert points(gradebook) == {one: "1"}
    newest = max(line.row for line in store.versions(ITEM))
    added = LineVersion(0, Points.of("-0.5"), "Confuses the two.", author="ada")
    assert store.change_line(ITEM, added, TWO, seen=newest, action="y") is not None
    assert [(line.line, str(line.points)) for line in store.rubric(ITEM)] == [(2, "1"), (3, "-0.5")]
    with pytest.raises(UsageError, match="needs a text"):
        store.change_line(ITEM, LineVersion(0, TWO, " "), TWO, seen=newest + 1, action="z")


def test_undoing_is_a_new_row_with_what_was_before(gradebook: Gradebook, store: MarkingStore) -> None:
    one, two = submissions(gradebook, 2)
    first = save(store, Ruling(rows_of(store, 1)), {one: 0}, action="first")
    assert isinstance(first, Saved)
    save(store, Ruling(rows_of(store, 1, 2)), {one: first.rows[one], two: 0}, action="second", author="bob")
    undone = store.undo(ITEM, "second", TWO, author="bob", new="third")
    assert isinstance(undone, Saved)
    assert points(gradebook) == {one: "1"}
    assert store.held(ITEM)[one].ruling == Ruling(rows_of(store, 1))
    assert [str(mark.points) for mark in gradebook.mark_history(one, ITEM)] == ["1", "2", "1"]
    assert [str(mark.points) for mark in gradebook.mark_history(two, ITEM)] == ["2", "None"]
    assert isinstance(store.undo(ITEM, "first", TWO, author="ada", new="fourth"), Conflict), (
        "bob marked since"
    )


def test_undoing_puts_back_lines_as_they_are_now(gradebook: Gradebook, store: MarkingStore) -> None:
    (one,) = submissions(gradebook, 1)
    first = save(store, Ruling(rows_of(store, 1, 2)), {one: 0})
    assert isinstance(first, Saved)
    save(store, Ruling(rows_of(store, 2)), first.rows, action="second")
    cheaper = LineVersion(1, Points.of("0.5"), "No.", author="ada")
    newest = max(line.row for line in store.versions(ITEM))
    store.change_line(ITEM, cheaper, TWO, seen=newest, action="x")
    store.undo(ITEM, "second", TWO, author="ada", new="third")
    assert points(gradebook) == {one: "1.5"}
    assert store.held(ITEM)[one].ruling == Ruling(tuple(sorted(rows_of(store, 1, 2))))


def test_one_holds_an_answer_until_the_lease_ends(url: str) -> None:
    now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    with Gradebook.open(url, clock=lambda: now) as book:
        notes = book.marker_notes(HW)
        assert notes.lease(ITEM, "u1", holder="ada", seconds=300) == "ada"
        assert notes.lease(ITEM, "u1", holder="bob", seconds=300) == "ada"
        assert notes.lease(ITEM, "u2", holder="bob", seconds=300) == "bob"
        assert notes.leases(ITEM) == {"u1": "ada", "u2": "bob"}
        now += timedelta(seconds=200)
        assert notes.lease(ITEM, "u1", holder="ada", seconds=300) == "ada"
        now += timedelta(seconds=200)
        assert notes.leases(ITEM) == {"u1": "ada"}
        assert notes.lease(ITEM, "u2", holder="ada", seconds=300) == "ada"
        assert notes.leases(ITEM) == {"u2": "ada"}  # whoever goes on leaves the last one to others
        notes.release("ada")
        assert notes.leases(ITEM) == {}


def test_a_flag_is_open_until_it_is_settled(gradebook: Gradebook) -> None:
    one, two = submissions(gradebook, 2)
    notes = gradebook.marker_notes(HW)
    notes.flag(one, ITEM, words="is this right?", author="ada")
    notes.flag(two, ITEM, words="", author="bob")
    notes.flag(two, ITEM, words="yes", author="ada", raised=False)
    assert notes.flags(ITEM) == {one: ("ada", "is this right?")}
    assert notes.flags("3.3.ii") == {}


def test_an_opinion_is_the_mark_only_where_nobody_else_has_given_one(
    gradebook: Gradebook, store: MarkingStore
) -> None:
    one, two = submissions(gradebook, 2)
    first, second = Ruling(rows_of(store, 1)), Ruling(rows_of(store, 2))
    assert save(store, first, {one: 0}, also=OPINION).rows.keys() == {one}
    for seen in (0, gradebook.marks(HW)[one, ITEM].row):  # looked at before that, and after
        told = save(store, second, {one: seen, two: 0}, author="bob", also=OPINION)
        assert (told.rows, told.opinion) == ({}, True)
    assert gradebook.marks(HW)[one, ITEM].author == "ada"
    kept = gradebook.marker_notes(HW).trials(ITEM)
    assert [(trial.ruling, trial.author, trial.purpose) for trial in kept] == [
        (first, "ada", OPINION),
        (second, "bob", OPINION),
        (second, "bob", OPINION),
    ]


def test_a_request_keeps_the_words_the_reply_and_both_marks(
    gradebook: Gradebook, store: MarkingStore
) -> None:
    (one,) = submissions(gradebook, 1)
    notes = gradebook.marker_notes(HW)
    first = save(store, Ruling(rows_of(store, 1)), {one: 0})
    assert isinstance(first, Saved)
    request = notes.add_request(one, ITEM, words="I did name memory", author="eve")
    assert notes.add_request(one, ITEM, words="I did name memory", author="bob") == request
    [waiting] = notes.requests(ITEM)
    assert (waiting.words, waiting.before, waiting.reply) == ("I did name memory", Points.of(1), "")
    save(store, Ruling(rows_of(store, 1, 2)), first.rows)
    notes.reply(request, words="so you did", author="bob")
    [done] = notes.requests(ITEM)
    assert (done.before, done.after, done.reply, done.replied_by) == (Points.of(1), TWO, "so you did", "bob")
    with pytest.raises(GradebookError, match="no regrade request"):
        notes.reply(request + 1, words="what?", author="bob")


def test_two_markers_save_500_marks_each_on_the_same_answers(
    gradebook: Gradebook, store: MarkingStore, url: str
) -> None:
    """Every save is a row or a conflict that was seen; the last row counts, and none is lost."""
    rows = submissions(gradebook, 12)
    versions = rows_of(store, 1, 2)
    written: dict[str, list[tuple[int, int]]] = {"ada": [], "bob": []}
    failures: list[BaseException] = []

    def mark(author: str) -> None:
        rng = random.Random(author)  # noqa: S311  # not for secrets
        try:
            with Gradebook.open(url) as book:
                own = book.marking(HW)
                for number in range(500):
                    submission = rng.choice(rows)
                    ruling = Ruling(
                        tuple(rng.sample(versions, rng.randint(0, 2))), comment=f"{author} {number}"
                    )
                    while True:
                        held = own.held(ITEM).get(submission)
                        seen = {submission: held.row if held else 0}
                        found = save(own, ruling, seen, author=author, action=f"{author} {number}")
                        if isinstance(found, Saved):
                            written[author].append((submission, found.rows[submission]))
                            break
                        assert isinstance(found, Conflict)
        except BaseException as error:  # noqa: BLE001  # shown below
            failures.append(error)

    markers = [threading.Thread(target=mark, args=(name,)) for name in written]
    for marker in markers:
        marker.start()
    for marker in markers:
        marker.join()
    assert failures == []
    every = [pair for pairs in written.values() for pair in pairs]
    assert len(every) == len({row for _, row in every}) == 1000
    last = dict(sorted(every, key=lambda pair: pair[1]))
    assert {submission: held.row for submission, held in store.held(ITEM).items()} == last
    kept = [len(gradebook.mark_history(submission, ITEM)) for submission in rows]
    assert sum(kept) == 1000
