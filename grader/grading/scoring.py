"""From check results and found answers to points. Pure: the only place where points are decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from grader.digests import digest_of, digest_of_texts
from grader.model.assignment import Assignment, Item
from grader.model.errors import Fault, Outcome
from grader.model.points import ZERO, Points, total
from grader.model.records import CheckResult, Figure, ItemResult

AWAITS_MARKING = "a person's marks"
AWAITS_EVIDENCE = "a person's look at the evidence (this item has no automatic check)"
AWAITS_FIGURE = "a person's look (a figure, but no recorded evidence)"
AWAITS_DECISION = "a person's look"
NO_CHECKS = "checks: none could be run for this item"


@dataclass(frozen=True)
class AnswerShown:
    """What a report shows of a written or evidence item, for a person to mark.

    ``recorded`` is whether there is recorded evidence, readable or not.
    """

    text: str = ""
    figures: tuple[Figure, ...] = ()
    found: bool = False
    recorded: bool = False

    @property
    def sha256(self) -> str:
        """The digest of its words, however they are spaced, and its figures."""
        figures = (digest_of(figure.png) for figure in self.figures)
        return digest_of_texts((" ".join(self.text.split()), *figures))


def points_for(outcome: Outcome, worth: Points) -> Points:
    """What one check earns: all that it is worth if it passed, else nothing; a deduction gives nothing."""
    return max(ZERO, worth) if outcome is Outcome.PASSED else ZERO


def score(
    assignment: Assignment,
    results: Sequence[CheckResult],
    answers: Mapping[str, AnswerShown],
    *,
    waiting: Mapping[str, str] | None = None,
) -> tuple[ItemResult, ...]:
    """Every item of the assignment with its points, in the order of the manifest.

    Items in ``waiting`` stay undecided, and wait for what it says.
    """
    results = [settled(result) for result in results]
    scored = (
        score_item(
            item,
            [result for result in results if result.item == item.id],
            answers.get(item.id, AnswerShown()),
        )
        for item in assignment.item
    )
    known = waiting or {}
    return tuple(
        replace(result, waits_for=known[result.item], decided=False) if result.item in known else result
        for result in scored
    )


def settled(result: CheckResult) -> CheckResult:
    """The result as it counts: a check of negative points gives none, and takes them if the student fails."""
    if result.possible >= ZERO:
        return result
    is_charged = result.fault is Fault.STUDENT and result.outcome is not Outcome.PASSED
    return replace(result, earned=result.possible if is_charged else ZERO, possible=ZERO)


def score_item(item: Item, results: Sequence[CheckResult], answer: AnswerShown) -> ItemResult:
    """One item: checks decide code, and evidence that has checks; a person decides the rest."""
    if item.kind == "code":
        return score_code(item, results)
    if item.kind == "evidence" and results:
        return score_evidence(item, results, answer)
    return score_for_a_person(item, answer)


def score_code(item: Item, results: Sequence[CheckResult]) -> ItemResult:
    """An item decided by checks. It stays undecided if one could not decide, or could not be carried out.

    Deductions take it to 0 at most.
    """
    waits_for = blocked(results) if results else NO_CHECKS
    return ItemResult(
        item=item.id,
        title=item.title,
        kind=item.kind,
        earned=max(ZERO, total(result.earned for result in results)),
        possible=item.points,
        decided=not waits_for,
        checks=tuple(results),
        waits_for=waits_for,
    )


def score_evidence(item: Item, results: Sequence[CheckResult], answer: AnswerShown) -> ItemResult:
    """An item decided by checks of what was recorded, shown with its figures.

    A figure without a recording may come from an honest run without the recorder: a person looks at it.
    """
    waits_for = blocked(results)
    if answer.figures and not answer.recorded:
        waits_for = waits_for or AWAITS_FIGURE
    return replace(
        score_code(item, results),
        decided=not waits_for,
        found=answer.found,
        answer=answer.text,
        figures=answer.figures,
        waits_for=waits_for,
        answer_sha256=answer.sha256,
    )


def blocked(results: Sequence[CheckResult]) -> str:
    """Why an item stays undecided; "" if the checks decide it.

    Checks failed through no fault of the student's, or left the decision to a person.
    """
    others = [result for result in results if result.fault not in (None, Fault.STUDENT)]
    faults = ", ".join(sorted({str(result.fault) for result in others}))
    if others:
        return f"{len(others)} of {len(results)} checks could not be carried out ({faults})"
    open_ones = [result.detail for result in results if result.outcome is Outcome.UNDECIDED]
    if open_ones:
        return f"{AWAITS_DECISION}: {'; '.join(open_ones)}"
    skipped = [
        result.detail
        for result in results
        if result.outcome is Outcome.SKIPPED and result.fault is None and result.possible
    ]
    return f"{AWAITS_DECISION}: a check was skipped: {'; '.join(skipped)}" if skipped else ""


def score_for_a_person(item: Item, answer: AnswerShown) -> ItemResult:
    """An item that a person decides. It has earned nothing yet, and it is not a zero: it is undecided."""
    return ItemResult(
        item=item.id,
        title=item.title,
        kind=item.kind,
        earned=ZERO,
        possible=item.points,
        decided=False,
        found=answer.found,
        answer=answer.text,
        figures=answer.figures,
        waits_for=AWAITS_MARKING if item.kind == "written" else AWAITS_EVIDENCE,
        answer_sha256=answer.sha256,
    )


def score_public(assignment: Assignment, results: Sequence[CheckResult]) -> tuple[ItemResult, ...]:
    """The items that have public checks; a public check awards no points."""
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


def needs_attention(
    items: Sequence[ItemResult],
    errors: Sequence[str],
    *,
    headlines: Sequence[str] = (),
    known: Collection[str] = (),
) -> tuple[str, ...]:
    """One line for each problem that a person has to solve before the grade is final.

    ``headlines`` come first; they say what the items in ``known`` wait for.
    """
    lines = [*headlines, *errors]
    for item in items:
        if item.kind == "code" and not item.decided and item.item not in known:
            lines.append(f"item {item.item}: waits for {item.waits_for}")
        lines += [
            f"item {item.item}: check `{check.check}`: {check.fault}: {check.detail}"
            for check in item.checks
            if check.fault not in (None, Fault.STUDENT)
        ]
    return tuple(lines)
