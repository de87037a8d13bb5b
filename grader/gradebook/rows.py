"""The rows of a gradebook as frozen values. Times are ISO 8601 in UTC, empty if not known."""

from __future__ import annotations

import msgspec

from grader.model.points import Points
from grader.model.records import ItemResult
from grader.model.text import one_line

LONGEST_NAME = 80
"""Characters of a name on pages."""


class Student(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody on the roster; ``id`` is the course's name for them."""

    id: str
    name: str = ""
    email: str = ""
    section: str = ""

    @property
    def shown(self) -> str:
        """The name with the id, as pages and messages call them; of a name the first part if it is long."""
        name = one_line(self.name, LONGEST_NAME)
        return f"{name} ({self.id})" if name and self.name != self.id else self.id


class NewSubmission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that somebody handed in; ``student`` is empty if it belongs to nobody on the roster.

    ``name`` is shown to people; ``path`` is the file with this ``sha256``, or the list of a package's files.
    """

    assignment: str
    name: str
    sha256: str
    student: str = ""
    path: str = ""
    submitted_at: str = ""


class Arrival(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a submission was handed in. ``late`` is a platform's word for it, None if it gave none."""

    submitted_at: str = ""
    late: bool | None = None


class SubmissionRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A submission as stored, with its row number, and what was learnt about it since.

    ``student``, ``submitted_at`` and ``late`` (None if unknown) are as last written.
    """

    row: int
    assignment: str
    name: str
    sha256: str
    student: str
    path: str
    submitted_at: str
    received_at: str
    late: bool | None = None


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something handed in that cannot be read, and whose it is if known; ``why`` is empty once it can be."""

    name: str
    why: str
    student: str = ""


class Owner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose a submission is, as a person said."""

    submission: int
    student: str
    author: str = ""
    reason: str = ""
    at: str = ""


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A student's own deadline for an assignment; ``until`` is empty if it was withdrawn."""

    student: str
    until: str
    author: str = ""
    reason: str = ""
    at: str = ""


class ItemPoints(msgspec.Struct, frozen=True, array_like=True):
    """An item's points, in hundredths: enough to add up a class without reading its records.

    ``answer`` is the digest of a written answer, or of what is shown of an evidence item; empty for code.
    ``mistakes`` are the kinds of mistakes that its checks named, each once.
    """

    item: str
    title: str
    kind: str
    earned: int
    possible: int
    decided: bool
    answer: str = ""
    mistakes: tuple[str, ...] = ()

    @classmethod
    def of(cls, item: ItemResult) -> ItemPoints:
        """An item of a record."""
        points = item.earned.hundredths, item.possible.hundredths
        mistakes = tuple(dict.fromkeys(check.mistake for check in item.checks if check.mistake))
        about = (item.item, item.title, item.kind)
        return cls(*about, *points, item.decided, item.answer_sha256, mistakes)


class StoredResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of grading some bytes, whoever handed them in.

    ``key`` is a digest of everything that decided it, ``item_keys`` the same for each item. ``prints`` are
    the fingerprints of recorded evidence, ``record`` is the encoded Grade, and ``decided`` are the points
    that wait for nobody. ``attention`` is why a person has to look at it, empty if nobody has to.
    """

    key: str
    assignment: str
    sha256: str
    item_keys: dict[str, str]
    items: tuple[ItemPoints, ...]
    prints: tuple[tuple[str, str], ...]
    record: bytes
    earned: Points
    possible: Points
    decided: Points
    attention: str = ""


class GradeRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The grade that counts for one submission: the last row that was written for it.

    ``item_points`` is the JSON of its items.
    """

    submission: SubmissionRow
    key: str
    item_points: str
    earned: Points
    possible: Points
    decided: Points
    at: str
    author: str
    reason: str
    attention: str = ""

    @property
    def items(self) -> tuple[ItemPoints, ...]:
        """Its items, decoded on each access: those of a whole class are not kept in memory."""
        return msgspec.json.decode(self.item_points, type=tuple[ItemPoints, ...])


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's points for one item of one submission; ``points`` is None if they were withdrawn.

    ``row`` is its number once it is written: of two marks for an item the larger number is the newer.
    """

    submission: int
    item: str
    points: Points | None
    comment: str = ""
    author: str = ""
    reason: str = ""
    at: str = ""
    row: int = 0
