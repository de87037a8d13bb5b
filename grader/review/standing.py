"""How an item stands at one moment: its answers, marks, rubric, and what markers and students say about it.

Read once for a request, so that all of a screen says the same.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from grader.gradebook.marker_notes import Request
from grader.gradebook.rubrics import Held, LineVersion, Ruling, current
from grader.model.assignment import Item
from grader.model.points import Points
from grader.review.classroom import Classroom, Unit
from grader.review.opinions import Opinions
from grader.review.similar import Forecast


class Progress(msgspec.Struct, frozen=True):
    """How far an item is: answers, how many have a mark, by whom, and how often which points were given."""

    answers: int
    marked: int
    by_marker: dict[str, int]
    points: dict[Points, int]
    units_left: int


class Standing(msgspec.Struct, frozen=True, dict=True):
    """An item now. ``held`` are the marks of the class's answers by submission, withdrawn ones too.

    ``before`` are marks that students have for another answer, which they handed in earlier. ``versions`` are
    all versions of the rubric's lines, ``flags`` who asks for a look, ``leases`` who looks at which unit.
    """

    room: Classroom
    item: Item
    units: tuple[Unit, ...]
    versions: Sequence[LineVersion]
    held: Mapping[int, Held]
    before: Mapping[int, Held]
    flags: Mapping[int, tuple[str, str]]
    requests: Sequence[Request]
    leases: Mapping[str, str]
    opinions: Opinions
    forecast: Forecast | None

    @functools.cached_property
    def lines(self) -> list[LineVersion]:
        """The rubric's lines as they are now."""
        return current(self.versions)

    @functools.cached_property
    def line_of(self) -> dict[int, int]:
        """The line of each version's row."""
        return {one.row: one.line for one in self.versions}

    def asked(self, marker: str) -> set[int]:
        """The submissions that a colleague flagged, or whose student asks for another look."""
        flagged = {row for row, (who, _) in self.flags.items() if who != marker}
        return flagged | {one.submission for one in self.requests if not one.reply}

    def others(self, marker: str) -> set[str]:
        """The units that somebody else looks at."""
        return {unit for unit, holder in self.leases.items() if holder != marker}

    @functools.cached_property
    def marked(self) -> frozenset[int]:
        """The submissions whose answers have a mark."""
        return frozenset(row for row, one in self.held.items() if is_marked(one))

    @functools.cached_property
    def left(self) -> frozenset[str]:
        """The units that have an answer without a mark."""
        return frozenset(unit.id for unit in self.units if self.is_open(unit))

    def is_open(self, unit: Unit) -> bool:
        """Whether an answer of a unit has no mark."""
        return not self.marked.issuperset(unit.submissions)

    def differ(self, unit: str) -> bool:
        """Whether markers differ on a unit, and nobody has settled it."""
        return self.opinions.differ(unit, self.line_of)

    @functools.cached_property
    def progress(self) -> Progress:
        """How far it is."""
        rows = {row for unit in self.units for row in unit.submissions}
        marks = [self.held[row].mark for row in self.marked & rows]
        points = Counter(mark.points.hundredths for mark in marks if mark.points is not None)
        return Progress(
            answers=len(rows),
            marked=len(marks),
            by_marker=dict(Counter(mark.author for mark in marks).most_common()),
            points={Points(hundredths): points[hundredths] for hundredths in sorted(points)},
            units_left=len(self.left),
        )

    def comments(self, *, most: int = 30) -> list[str]:
        """The comments given, most used first."""
        rulings = (one.ruling for one in self.held.values())
        used = Counter(ruling.comment for ruling in rulings if ruling is not None and ruling.comment)
        return [comment for comment, _ in used.most_common(most)]

    def first_ruling(self, unit: Unit) -> Ruling:
        """What the page begins with: the ruling that a marked unit has. Nothing while an answer waits.

        Who was taken out of a unit would otherwise get the others' mark by one key too many.
        """
        own = (self.held.get(row) for row in unit.submissions)
        rulings = [one.ruling for one in own if one is not None and is_marked(one) and one.ruling is not None]
        return Ruling() if not rulings or self.is_open(unit) else self.usable(rulings[0])

    def usable(self, ruling: Ruling) -> Ruling:
        """The ruling without versions of lines that are no longer the newest."""
        known = {line.row for line in self.lines}
        return msgspec.structs.replace(ruling, versions=tuple(row for row in ruling.versions if row in known))


def is_marked(held: Held | None) -> bool:
    """Whether an answer has a mark that counts."""
    return held is not None and held.mark.points is not None


def marks_of_class(
    room: Classroom, item: str, every: Mapping[int, Held]
) -> tuple[dict[int, Held], dict[int, Held]]:
    """The marks that answers have, and those that their students have for another answer.

    A mark for the same answer in an earlier file counts unless this submission has a mark of its own.
    """
    held = {row: one for row, one in every.items() if row in room.seats}
    before: dict[int, Held] = {}
    for row, several in room.earlier.items():
        for other in several:
            found = every.get(other.submission)
            if found is None or not is_marked(found) or (row in held and held[row].mark.submission == row):
                continue
            kind = held if item in other.items else before
            if row not in kind or kind[row].row < found.row:
                kind[row] = found
    return held, {row: one for row, one in before.items() if row not in held}
