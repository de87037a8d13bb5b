"""One grade from an earlier one and a fresh one of some items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from grader.grading.scoring import needs_attention
from grader.model.assignment import Assignment
from grader.model.records import (
    Figure,
    Grade,
    ItemResult,
    decided_points,
    earned_points,
    possible_points,
)

Pictures = Mapping[str, Sequence[Figure]]


def merge(earlier: Grade, fresh: Grade, assignment: Assignment, pictures: Pictures) -> Grade:
    """The fresh grade, with the items that it lacks from the earlier one, in the manifest's order.

    Cells, times and versions are the fresh grade's. ``pictures`` are each item's: earlier records are stored
    without them.
    """
    new = {item.item: item for item in fresh.items}
    kept = {item.item: with_pictures(item, pictures) for item in earlier.items if item.item not in new}
    items = {**kept, **new}
    together = tuple(items[item.id] for item in assignment.item if item.id in items)
    shown = {figure for item in together for figure in item.figures}
    return msgspec.structs.replace(
        fresh,
        items=together,
        earned=earned_points(together),
        possible=possible_points(together),
        decided=decided_points(together),
        figures=tuple(figure for figure in fresh.figures if figure not in shown),
        attention=(*fresh.attention, *needs_attention(tuple(kept.values()), ())),
    )


def with_pictures(item: ItemResult, pictures: Pictures) -> ItemResult:
    """The item with its pictures from the submission."""
    return msgspec.structs.replace(item, figures=tuple(pictures.get(item.item, item.figures)))
