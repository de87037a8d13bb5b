"""From check results and found answers to points. Pure: the only place where points are decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.model.assignment import Assignment, Item
from grader.model.errors import Fault
from grader.model.points import ZERO, total
from grader.model.records import CheckResult, Figure, ItemResult

AWAITS_MARKING = "a person's marks"
AWAITS_EVIDENCE = "a person's look at the evidence (evidence is not checked automatically yet)"
NO_CHECKS = "checks: none could be run for this item"


@dataclass(frozen=True)
class HandedIn:
    """What a submission holds for an item that checks do not decide."""

    text: str = ""
    figures: tuple[Figure, ...] = ()
    found: bool = False


def score(
    assignment: Assignment, results: Sequence[CheckResult], handed_in: Mapping[str, HandedIn]
) -> tuple[ItemResult, ...]:
    """Every item of the assignment with its points, in the manifest's order."""
    return tuple(
        score_code(item, [result for result in results if result.item == item.id])
        if item.kind == "code"
        else score_handed_in(item, handed_in.get(item.id, HandedIn()))
        for item in assignment.item
    )


def score_code(item: Item, results: Sequence[CheckResult]) -> ItemResult:
    """An item decided by checks. A check that failed through nobody's answer leaves it undecided."""
    blocked = [result for result in results if result.fault not in (None, Fault.STUDENT)]
    waits_for = ""
    if not results:
        waits_for = NO_CHECKS
    elif blocked:
        faults = sorted({str(result.fault) for result in blocked})
        waits_for = f"{len(blocked)} of {len(results)} checks could not be carried out ({', '.join(faults)})"
    return ItemResult(
        item=item.id,
        title=item.title,
        kind=item.kind,
        earned=total(result.earned for result in results),
        possible=item.points,
        decided=not waits_for,
        checks=tuple(results),
        waits_for=waits_for,
    )


def score_handed_in(item: Item, handed_in: HandedIn) -> ItemResult:
    """An item that a person decides: shown, worth nothing yet, and not zero."""
    return ItemResult(
        item=item.id,
        title=item.title,
        kind=item.kind,
        earned=ZERO,
        possible=item.points,
        decided=False,
        found=handed_in.found,
        answer=handed_in.text,
        figures=handed_in.figures,
        waits_for=AWAITS_MARKING if item.kind == "written" else AWAITS_EVIDENCE,
    )


def score_public(assignment: Assignment, results: Sequence[CheckResult]) -> tuple[ItemResult, ...]:
    """The items that public checks speak about; a public check awards no points."""
    return tuple(
        ItemResult(
            item=item.id,
            title=item.title,
            kind=item.kind,
            earned=ZERO,
            possible=ZERO,
            decided=True,
            checks=tuple(result for result in results if result.item == item.id),
        )
        for item in assignment.item
        if any(result.item == item.id for result in results)
    )


def needs_attention(items: Sequence[ItemResult], errors: Sequence[str]) -> tuple[str, ...]:
    """One line for each thing that the author or the operator has to mend before the grade is final."""
    lines = list(errors)
    for item in items:
        if item.kind == "code" and not item.decided:
            lines.append(f"item {item.item}: waits for {item.waits_for}")
        lines += [
            f"item {item.item}: check `{check.check}`: {check.fault}: {check.detail}"
            for check in item.checks
            if check.fault not in (None, Fault.STUDENT)
        ]
    return tuple(lines)
