"""An earlier grade with some items graded anew: the two make one."""

from __future__ import annotations

import msgspec

from grader.grading.scoring import needs_attention
from grader.model.assignment import Assignment
from grader.model.records import Grade, decided_points, earned_points, possible_points


def merge(earlier: Grade, fresh: Grade, assignment: Assignment) -> Grade:
    """The fresh grade with the items that it lacks from the earlier one, in the manifest's order.

    What ran, when and with which versions is the fresh grade's.
    """
    items = {item.item: item for item in (*earlier.items, *fresh.items)}
    kept = tuple(item for item in earlier.items if all(item.item != new.item for new in fresh.items))
    together = tuple(items[item.id] for item in assignment.item if item.id in items)
    return msgspec.structs.replace(
        fresh,
        items=together,
        earned=earned_points(together),
        possible=possible_points(together),
        decided=decided_points(together),
        attention=(*fresh.attention, *needs_attention(kept, ())),
    )
