"""What is known of a whole class at one moment; statistics are None where there is too little for them.

``page`` is always the place of a student's report relative to the class page, "" if there is none. Texts may
be what students wrote: whoever shows them escapes them.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from grader.model.points import Points

SCHEMA = "chainrule.class/1"


class Named(msgspec.Struct, frozen=True):
    """A student or, of nobody's, a file; ``why`` is to be known about it, ``item`` where to look."""

    student: str
    page: str = ""
    why: str = ""
    item: str = ""


class HandedIn(msgspec.Struct, frozen=True):
    """How many students there are, and what they handed in.

    ``late`` and ``on_time`` are counted by the deadline or a platform's word, ``undecided`` are graded
    submissions of which a person has to decide something, ``ungraded`` those that no batch has graded.
    """

    students: int
    submissions: int
    graded: int
    late: int
    undecided: int
    absent: tuple[Named, ...] = ()
    unreadable: tuple[Named, ...] = ()
    ungraded: tuple[Named, ...] = ()
    attention: tuple[Named, ...] = ()


class ItemFigures(msgspec.Struct, frozen=True):
    """How the class did on one item, of the submissions in which it is decided.

    ``full``, ``part`` and ``none`` count them by their points; ``undecided`` are the others, of which
    ``empty`` hold nothing for the item. ``mean`` is a share of the possible points, ``discrimination`` the
    correlation with the rest of the points.
    """

    item: str
    title: str
    kind: str
    possible: Points
    full: int
    part: int
    none: int
    undecided: int
    empty: int = 0
    mean: float | None = None
    discrimination: float | None = None

    @property
    def decided(self) -> int:
        """In how many submissions it is decided."""
        return self.full + self.part + self.none

    @property
    def full_share(self) -> float | None:
        """The share of full marks."""
        return self.full / self.decided if self.decided else None


class Scores(msgspec.Struct, frozen=True):
    """The points of each graded submission so far, ascending; ``awaiting`` is the median of what is open."""

    earned: tuple[Points, ...]
    possible: Points
    awaiting: Points
    mean: float | None = None
    median: float | None = None
    lower: float | None = None
    upper: float | None = None


class Mistake(msgspec.Struct, frozen=True):
    """One way in which ``students`` of them did not pass ``checks`` (their titles) of ``items``.

    ``name`` is the same for all of them; where it is "", ``outcome`` is all that is known. ``formula`` is
    what most of them computed, if that was found.
    """

    name: str
    outcome: str
    items: tuple[str, ...]
    checks: tuple[str, ...]
    students: int
    examples: tuple[Named, ...] = ()
    formula: str = ""


class CellTrouble(msgspec.Struct, frozen=True):
    """A cell that raised, crashed, was stopped or was slow, in the notebooks of ``students`` of them.

    Cells are the same if their first line and their error are; ``seconds`` are the longest.
    """

    status: str
    first_line: str
    error: str
    students: int
    seconds: float
    examples: tuple[Named, ...] = ()


class MarkerFigures(msgspec.Struct, frozen=True):
    """How one person marks: the points that count, and by how large a share above the items' means."""

    marker: str
    marks: int
    above: float | None = None


class Agreement(msgspec.Struct, frozen=True):
    """How markers who did not see each other's marks agree on one item.

    ``equal`` of ``answers`` got the same points from all; ``apart`` is the mean distance of two marks in
    points, ``alpha`` is Krippendorff's.
    """

    item: str
    answers: int
    equal: int
    apart: float
    alpha: float | None = None


class RubricFigures(msgspec.Struct, frozen=True):
    """A line of an item's rubric: ``given`` of the ``answers`` that were marked by lines got it."""

    item: str
    text: str
    points: Points
    given: int
    answers: int


class Marking(msgspec.Struct, frozen=True):
    """``changed`` of ``marks`` replaced those of another person; ``rubric`` has the lines in its order."""

    marks: int = 0
    changed: int = 0
    markers: tuple[MarkerFigures, ...] = ()
    items: tuple[Agreement, ...] = ()
    rubric: tuple[RubricFigures, ...] = ()


class Shared(msgspec.Struct, frozen=True):
    """What several students' submissions have in common; why is for a person to find out.

    ``kind`` is "answer", "evidence" or "code"; ``share`` of 1 is the same, else how much is, None if that has
    no number.
    """

    kind: str
    item: str
    students: tuple[Named, ...]
    words: str
    share: float | None = None


class ClassReport(msgspec.Struct, frozen=True):
    """A class, as the gradebook has it at ``made_at``; ``compared`` are the kinds that were looked at.

    ``notices`` say what could not be compared.
    """

    assignment: str
    made_at: str
    deadline: str
    handed_in: HandedIn
    scores: Scores
    items: tuple[ItemFigures, ...]
    mistakes: tuple[Mistake, ...] = ()
    cells: tuple[CellTrouble, ...] = ()
    marking: Marking = Marking()
    shared: tuple[Shared, ...] = ()
    compared: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    submitted: tuple[str, ...] = ()
    schema: str = SCHEMA


def encode(report: ClassReport) -> bytes:
    """The report as indented JSON, UTF-8, points as decimal numbers."""
    encoder = msgspec.json.Encoder(enc_hook=_out, decimal_format="number")
    return msgspec.json.format(encoder.encode(report), indent=2) + b"\n"


def _out(value: Any) -> Decimal:
    if isinstance(value, Points):
        return value.decimal
    raise NotImplementedError(type(value))
