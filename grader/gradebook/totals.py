"""A submission's points, from its checks and from marks: the one place where the two are put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import intern

import msgspec

from grader.gradebook.rows import ItemPoints, Mark
from grader.model.points import Points, total


class ItemTotal(msgspec.Struct, frozen=True):
    """One item as it counts: a mark replaces what the checks found."""

    item: str
    title: str
    kind: str
    earned: Points
    possible: Points
    decided: bool
    mark: Mark | None = None


class Total(msgspec.Struct, frozen=True):
    """A submission's points; ``awaiting`` are the possible points that nobody has decided yet."""

    items: tuple[ItemTotal, ...]
    earned: Points
    possible: Points
    awaiting: Points

    @property
    def complete(self) -> bool:
        """Whether every point is decided."""
        return all(item.decided for item in self.items)


def total_of(items: Iterable[ItemPoints], marks: Mapping[str, Mark]) -> Total:
    """The total of a grade's items with the marks that count for its submission, by item.

    A mark replaces what the checks gave, decided or not: an override is an ordinary mark. Marks for items
    that the grade does not have do not count.
    """
    counted = tuple(item_total(item, marks.get(item.item)) for item in items)
    return Total(
        items=counted,
        earned=total(item.earned for item in counted),
        possible=total(item.possible for item in counted),
        awaiting=total(item.possible for item in counted if not item.decided),
    )


def item_total(item: ItemPoints, mark: Mark | None) -> ItemTotal:
    """One item, with its mark if there is one."""
    points = None if mark is None else mark.points
    # One text for a whole class, not one for each of its students.
    return ItemTotal(
        item=intern(item.item),
        title=intern(item.title),
        kind=intern(item.kind),
        earned=Points(item.earned) if points is None else points,
        possible=Points(item.possible),
        decided=item.decided or points is not None,
        mark=None if points is None else mark,
    )
