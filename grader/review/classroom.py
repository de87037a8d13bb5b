"""What a class wrote: the written answers of the submissions that count, item by item, from their records.

Texts are the students' and stay as they are; whoever shows them makes them safe.
"""

from __future__ import annotations

import functools
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from grader.course.table import class_rows
from grader.gradebook.rows import GradeRow, Student, SubmissionRow
from grader.gradebook.store import Gradebook
from grader.model import endings
from grader.model.assignment import Assignment, Item
from grader.model.records import Grade, ItemResult, decode
from grader.review.wording import plain

ABSENT = frozenset({endings.NOT_THE_FILE, endings.NOT_HANDED_IN, endings.IN_ANOTHER_FILE})
"""What an item waits for whose file is not there: nothing written is then no empty answer."""
EMPTY = "empty"


class Answer(msgspec.Struct, frozen=True):
    """One student's answer to one item. ``text`` is Markdown, untrusted; ``words`` are for comparing.

    ``is_empty`` is whether nothing was handed in for it, no picture either. ``digest`` covers its plots too.
    """

    submission: int
    item: str
    text: str
    words: str
    is_empty: bool
    digest: str = ""


class Unit(msgspec.Struct, frozen=True, dict=True):
    """Answers that are looked at as one: the same words, or nothing at all. The first one is shown."""

    id: str
    item: str
    answers: tuple[Answer, ...]

    @property
    def text(self) -> str:
        """The words, as the first of them wrote them."""
        return self.answers[0].text

    @property
    def is_empty(self) -> bool:
        """Whether they wrote nothing."""
        return self.id == EMPTY

    @functools.cached_property
    def submissions(self) -> tuple[int, ...]:
        """The rows of the submissions that it holds."""
        return tuple(answer.submission for answer in self.answers)


class Seat(msgspec.Struct, frozen=True):
    """A submission that counts: whose it is, and its result's key. ``number`` is its name while blind."""

    number: int
    submission: SubmissionRow
    student: Student
    key: str

    @property
    def name(self) -> str:
        """Whose it is, for who may know."""
        return self.student.name or self.student.id or self.submission.name


class Earlier(msgspec.Struct, frozen=True):
    """Another submission of the same student; ``items`` are those that it answers in the same way."""

    submission: int
    key: str
    items: frozenset[str]


class Classroom(msgspec.Struct, frozen=True):
    """A class's answers, in units, each item's in its own blind order.

    ``absent`` are submissions that lack the file with an item's answer: a person has to look there first.
    ``earlier`` are a student's other submissions, by the row of the one that counts.
    """

    items: tuple[Item, ...]
    seats: dict[int, Seat]
    units: dict[str, tuple[Unit, ...]]
    absent: dict[str, tuple[int, ...]]
    earlier: dict[int, tuple[Earlier, ...]] = {}

    def unit(self, item: str, name: str) -> Unit | None:
        """The unit of this id."""
        return next((unit for unit in self.units.get(item, ()) if unit.id == name), None)

    def item(self, name: str) -> Item | None:
        """The written item of this id."""
        return next((item for item in self.items if item.id == name), None)


def classroom(gradebook: Gradebook, assignment: Assignment, *, only: Iterable[str] = ()) -> Classroom:
    """The class as the gradebook has it now; of some items if they are named."""
    wanted = set(only)
    items = tuple(item for item in assignment.of_kind("written") if not wanted or item.id in wanted)
    found: dict[str, list[Answer]] = {item.id: [] for item in items}
    absent: dict[str, list[int]] = defaultdict(list)
    counted = [
        (row.grade.submission, row.student, row.grade.key)
        for row in class_rows(gradebook, assignment.title)
        if row.grade is not None
    ]
    holders: dict[str, list[int]] = defaultdict(list)
    for handed_in, _, key in counted:
        holders[key].append(handed_in.row)  # identical files share one result
    for key, record in gradebook.records(holders):
        for result in decode(record).items:
            for submission in holders[key] if result.item in found else ():
                if not result.found and result.waits_for in ABSENT:
                    absent[result.item].append(submission)
                else:
                    found[result.item].append(answer_of(submission, result))
    counted.sort(key=lambda seat: drawn(assignment.title, str(seat[0].row)))
    seats = {seat[0].row: Seat(number, *seat) for number, seat in enumerate(counted, start=1)}
    units = {item: units_of(answers, seed=f"{assignment.title}\0{item}") for item, answers in found.items()}
    missing = {item: tuple(rows) for item, rows in absent.items()}
    return Classroom(items, seats, units, missing, _earlier(gradebook.grades(assignment.title), seats))


def _earlier(grades: Iterable[GradeRow], seats: Mapping[int, Seat]) -> dict[int, tuple[Earlier, ...]]:
    """What students with several submissions handed in beside the one that counts."""
    own: dict[str, list[GradeRow]] = defaultdict(list)
    for grade in grades:
        if grade.submission.student:
            own[grade.submission.student].append(grade)
    found = {}
    for several in own.values():
        counts = next((grade for grade in several if grade.submission.row in seats), None)
        if counts is None or len(several) == 1:
            continue
        digests = {item.item: item.answer for item in counts.items}
        found[counts.submission.row] = tuple(
            Earlier(
                other.submission.row,
                other.key,
                frozenset(
                    one.item for one in other.items if one.answer and one.answer == digests.get(one.item)
                ),
            )
            for other in several
            if other is not counts
        )
    return found


def grade_of(gradebook: Gradebook, key: str) -> Grade | None:
    """The record of a result; None if the gradebook has lost it."""
    result = gradebook.result(key)
    return None if result is None else decode(result.record)


def answer_of(submission: int, result: ItemResult) -> Answer:
    """The answer of a record's item."""
    is_empty = not result.found and not result.answer.strip()
    words = plain(result.answer)
    return Answer(submission, result.item, result.answer, words, is_empty, result.answer_sha256)


def units_of(answers: Iterable[Answer], *, seed: str) -> tuple[Unit, ...]:
    """The answers in units, in the order of marking: empty ones, the same words by their number, the rest.

    Within that the order is drawn from the seed, so that it says nothing about whose an answer is.
    """
    groups: dict[str, list[Answer]] = defaultdict(list)
    for answer in sorted(answers, key=lambda one: drawn(seed, str(one.submission))):
        # A pasted picture without words is like no other.
        alike = EMPTY if answer.is_empty else answer.words or f"#{answer.submission}"
        groups[alike].append(answer)
    found = [
        Unit(EMPTY if alike == EMPTY else drawn(seed, alike)[:16], group[0].item, tuple(group))
        for alike, group in groups.items()
    ]
    return tuple(sorted(found, key=lambda unit: (not unit.is_empty, -len(unit.answers))))


def drawn(seed: str, text: str) -> str:
    """What an order is drawn by: the same for the same seed, and nothing that a name would tell."""
    return hashlib.sha256(f"{seed}\0{text}".encode()).hexdigest()
