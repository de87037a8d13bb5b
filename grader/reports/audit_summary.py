"""What the terminal and the page say of an audit: per region, and where checks charge oddly."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

import msgspec

from grader.model.audit import Audit, Difference, MutantResult, RegionRecord, Verdict
from grader.model.points import ZERO, Points, total
from grader.model.text import plural

NOTICED = (Verdict.KILLED, Verdict.SLOW)


class RegionLine(msgspec.Struct, frozen=True):
    """A region's counts, and what one mistake in it costs: least, usually, most, in points of its item."""

    region: RegionRecord
    mutants: int
    noticed: int
    raised: int
    survived: int
    equivalent: int
    accepted: int
    slow: int
    least: Points
    usually: Points
    most: Points

    @property
    def percent(self) -> str:
        """The share of those that count which a check noticed."""
        counted = self.noticed + self.survived
        return f"{100 * self.noticed / counted:.1f} %" if counted else "–"

    @property
    def charge(self) -> str:
        """What one mistake costs, as "least to most"; "" if none was noticed."""
        if not self.noticed:
            return ""
        return str(self.least) if self.least == self.most else f"{self.least} to {self.most}"


def region_lines(audit: Audit) -> list[RegionLine]:
    """One line per region, in the order of the reference."""
    return [_line(audit, number, region) for number, region in enumerate(audit.regions)]


def _line(audit: Audit, number: int, region: RegionRecord) -> RegionLine:
    own = [mutant for mutant in audit.mutants if mutant.region == number]
    noticed = [mutant for mutant in own if mutant.verdict in NOTICED]
    lost = [mutant.lost.get(region.item, ZERO).hundredths for mutant in noticed] or [0]
    counts = {verdict: sum(mutant.verdict is verdict for mutant in own) for verdict in Verdict}
    return RegionLine(
        region,
        len(own),
        len(noticed),
        sum(mutant.raised for mutant in noticed),
        counts[Verdict.SURVIVED],
        counts[Verdict.EQUIVALENT],
        counts[Verdict.ACCEPTED],
        counts[Verdict.SLOW],
        Points(min(lost)),
        Points(int(statistics.median(lost))),
        Points(max(lost)),
    )


def score_line(audit: Audit) -> str:
    """How many mutants the checks noticed, of those that are not the reference in other words."""
    noticed = audit.of(*NOTICED)
    text = f"{len(noticed)} of {audit.counted} mutants noticed ({audit.score:.1f} %)"
    slow = len(audit.of(Verdict.SLOW))
    raised = sum(mutant.raised for mutant in noticed)
    inside = [f"{raised} by an exception alone"] if raised else []
    inside += [f"{slow} by running too long"] if slow else []
    return text + (f", {' and '.join(inside)}" if inside else "")


def other_lines(audit: Audit) -> Iterator[str]:
    """What is to be said about those that do not count."""
    if equivalent := audit.of(Verdict.EQUIVALENT):
        least = min(mutant.inputs for mutant in equivalent)
        yield (
            f"{len(equivalent)} equivalent: each gave the reference's values in every call that was tried, "
            f"at least {least} of them"
        )
    if accepted := audit.of(Verdict.ACCEPTED):
        yield f"{len(accepted)} accepted: `audit.toml` says why each may survive"
    if len(audit.mutants) < audit.made:
        yield f"{audit.made} mutants can be made; {len(audit.mutants)} were drawn with seed {audit.seed}"


def charge_lines(audit: Audit) -> Iterator[str]:
    """Where a mistake costs more, elsewhere, or less than it should."""
    for number, region in enumerate(audit.regions):
        noticed = [one for one in audit.mutants if one.region == number and one.verdict in NOTICED]
        worth = region.taken_out.get(region.item, ZERO)
        yield from _twice(region, worth, noticed)
        yield from _elsewhere(region, noticed)
        free = [mutant for mutant in noticed if mutant.killed_by and not mutant.lost]
        if free:
            names = ", ".join(dict.fromkeys(name for mutant in free for name in mutant.killed_by))
            yield f"{region.name}: {_mutants(free)} noticed but {_lose(free)} no points ({names})"


def _twice(region: RegionRecord, worth: Points, noticed: Sequence[MutantResult]) -> Iterator[str]:
    over = [mutant for mutant in noticed if worth < mutant.lost.get(region.item, ZERO)]
    if over:
        worst = max(over, key=lambda mutant: mutant.lost[region.item].hundredths)
        yield (
            f"{region.name} is worth {worth} {_points(worth)}, but {_mutants(over)} {_lose(over)} more, up "
            f"to {worst.lost[region.item]} ({worst.what}): other checks of {region.item} charge for it too"
        )


def _elsewhere(region: RegionRecord, noticed: Sequence[MutantResult]) -> Iterator[str]:
    for item in sorted({item for mutant in noticed for item in mutant.lost} - {region.item}):
        fell = [mutant for mutant in noticed if item in mutant.lost]
        most = max(mutant.lost[item] for mutant in fell)
        yield (
            f"{region.name} belongs to {region.item}, but {_mutants(fell)} also {_lose(fell)} points of "
            f"{item}, up to {most}"
        )


def _mutants(found: Sequence[MutantResult]) -> str:
    return f"{len(found)} {plural(len(found), 'mutant', 'mutants')}"


def _lose(found: Sequence[MutantResult]) -> str:
    return plural(len(found), "loses", "lose")


def _points(points: Points) -> str:
    return "point" if points == Points.of(1) else "points"


def miss_line(difference: Difference | None, mutant: MutantResult) -> str:
    """Which check should have seen a survivor."""
    if difference is None:
        return mutant.why
    if difference.same_input:
        return f"`{difference.check}` makes this very call and passes: what it compares does not show it"
    return (
        f"`{difference.check}` makes this call, but only with inputs on which both agree; "
        f"here they are {difference.variation}"
    )


def total_worth(audit: Audit) -> Points:
    """The points of all items that are audited."""
    return total(item.points for item in audit.items)


def survivors_by_region(audit: Audit) -> list[tuple[RegionRecord, list[MutantResult]]]:
    """The survivors of each region that has any."""
    found = []
    for number, region in enumerate(audit.regions):
        own = [one for one in audit.of(Verdict.SURVIVED) if one.region == number]
        found += [(region, own)] if own else []
    return found
