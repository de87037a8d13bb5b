"""From check results and found answers to points. Pure: the only place where points are decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from grader.model.assignment import Assignment, Item
from grader.model.errors import Fault
from grader.model.points import ZERO, total
from grader.model.records import CheckResult, Figure, ItemResult

AWAITS_MARKING = "a person's marks"
AWAITS_EVIDENCE = "a person's look at the evidence (this item has no automatic check)"
AWAITS_FIGURE = "a person's look (a figure, but no recorded evidence)"
NO_CHECKS = "checks: none could be run for this item"


@dataclass(frozen=True)
class HandedIn:
    """What a submission holds for a written or evidence item.

    ``recorded`` is whether there is recorded evidence, readable or not.
    """

    text: str = ""
    figures: tuple[Figure, ...] = ()
    found: bool = False
    recorded: bool = False


def score(
    assignment: Assignment, results: Sequence[CheckResult], handed_in: Mapping[str, HandedIn]
) -> tuple[ItemResult, ...]:
    """Every item of the assignment with its points, in the manifest's order."""
    return tuple(
        score_item(
            item,
            [result for result in results if result.item == item.id],
            handed_in.get(item.id, HandedIn()),
        )
        for item in assignment.item
    )


def score_item(item: Item, results: Sequence[CheckResult], handed_in: HandedIn) -> ItemResult:
    """One item: checks decide code, and evidence where there are checks for it; a person decides the rest."""
    if item.kind == "code":
        return score_code(item, results)
    if item.kind == "evidence" and results:
        return score_evidence(item, results, handed_in)
    return score_handed_in(item, handed_in)


def score_code(item: Item, results: Sequence[CheckResult]) -> ItemResult:
    """An item decided by checks. A check that failed through nobody's answer leaves it undecided."""
    waits_for = blocked(results) if results else NO_CHECKS
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


def score_evidence(item: Item, results: Sequence[CheckResult], handed_in: HandedIn) -> ItemResult:
    """An item decided by checks of what was recorded, shown with its figures.

    A figure without a recording may be honest work that was run without the recorder: a person looks at it.
    """
    waits_for = blocked(results)
    if handed_in.figures and not handed_in.recorded:
        waits_for = waits_for or AWAITS_FIGURE
    return replace(
        score_code(item, results),
        decided=not waits_for,
        found=handed_in.found,
        answer=handed_in.text,
        figures=handed_in.figures,
        waits_for=waits_for,
    )


def blocked(results: Sequence[CheckResult]) -> str:
    """Why checks that nobody's answer is to blame for leave an item undecided; "" when none does."""
    others = [result for result in results if result.fault not in (None, Fault.STUDENT)]
    faults = ", ".join(sorted({str(result.fault) for result in others}))
    return f"{len(others)} of {len(results)} checks could not be carried out ({faults})" if others else ""


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
