"""What a regrade changes: which items, by how much, and because of which checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from grader.model.points import ZERO, Points
from grader.model.records import CheckResult, Grade, ItemResult

MOST_CHECKS = 3


class ItemChange(msgspec.Struct, frozen=True):
    """One item before and after; ``checks`` describes the checks that differ, one line for each."""

    item: str
    before: Points
    after: Points
    checks: tuple[str, ...]


def item_changes(before: Grade, after: Grade) -> tuple[ItemChange, ...]:
    """The items whose points differ, or which only one grade decides; in the later grade's order."""
    old = {item.item: item for item in before.items}
    new = {item.item: item for item in after.items}
    names = dict.fromkeys([*new, *old])
    return tuple(change for name in names if (change := _change(name, old.get(name), new.get(name))))


def _change(name: str, old: ItemResult | None, new: ItemResult | None) -> ItemChange | None:
    before, after = (item.earned if item else ZERO for item in (old, new))
    if before == after and (old and old.decided) == (new and new.decided):
        return None
    return ItemChange(name, before, after, tuple(_differences(_checks(old), _checks(new))))


def _checks(item: ItemResult | None) -> dict[str, CheckResult]:
    return {check.check: check for check in item.checks} if item else {}


def _differences(old: Mapping[str, CheckResult], new: Mapping[str, CheckResult]) -> Iterator[str]:
    for name in dict.fromkeys([*new, *old]):
        was, now = old.get(name), new.get(name)
        if was is None and now is not None:
            yield f"{name} is new ({now.outcome}, {now.earned} of {now.possible})"
        elif now is None and was is not None:
            yield f"{name} is gone ({was.earned} of {was.possible})"
        elif was is not None and now is not None and (was.outcome, was.earned) != (now.outcome, now.earned):
            yield f"{name}: {was.outcome} {was.earned} -> {now.outcome} {now.earned}"


def in_words(change: ItemChange) -> str:
    """One item's change on one line."""
    why = "; ".join(change.checks[:MOST_CHECKS]) or "no check of it differs"
    if len(change.checks) > MOST_CHECKS:
        why += f"; and {len(change.checks) - MOST_CHECKS} more"
    return f"{change.item}: {change.before} -> {change.after} ({why})"
