"""What is different in a student's feedback since they got the one before."""

from __future__ import annotations

from collections.abc import Iterator

from grader.model.points import Points
from grader.reports.feedback_notebook import points_words
from grader.reports.safe_words import Safe, SafeGrade, SafeItem


def changes(before: SafeGrade, after: SafeGrade, why: str) -> tuple[Safe, ...]:
    """One line for each item that changed, with ``why`` it was graded again; empty if nothing did."""
    old = {item.item: item for item in before.items}
    lines = [
        Safe(f"{item.item} {item.title}: {said}")
        for item in after.items
        if item.item in old and (said := "; ".join(_of_item(old[item.item], item, why)))
    ]
    if before.name != after.name:
        lines.insert(0, Safe(f"{after.name} counts now, not {before.name}"))
    if before.late != after.late:
        lines.insert(0, after.late or Safe("Nothing is taken off for being late any more"))
    return tuple(lines)


def _of_item(before: SafeItem, after: SafeItem, why: str) -> Iterator[str]:
    was, now = points_words(before), points_words(after)
    if was != now:
        yield f"{now}, before: {was}"
    if before.mark != after.mark:
        yield "a person has marked it" if before.mark is None else "its mark has changed"
    elif _ends(before) != _ends(after):
        yield f"graded again{f' ({why})' if why else ''}"
    elif (before.words, before.checks, before.answer) != (after.words, after.checks, after.answer):
        yield "what is said about it has changed"


def _ends(item: SafeItem) -> list[tuple[str, str, Points]]:
    return [(check.title, check.outcome, check.earned) for check in item.checks]
