"""Answers that several markers mark, each without seeing the others' marks, and how far they agree. Pure.

The first answers of an item are marked by every marker, so that all read the rubric alike; later a drawn
share is marked by two. The first mark counts; each is kept as an opinion. Where opinions differ, one more
mark settles it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from grader.gradebook.marker_notes import OPINION, SETTLED, Trial
from grader.gradebook.rubrics import Held, LineVersion, current
from grader.review.classroom import Unit, drawn

EVERYBODY = 10


class Panel(msgspec.Struct, frozen=True):
    """The markers, how many first answers of an item all of them mark, and the percentage that two mark."""

    markers: tuple[str, ...] = ()
    everybody: int = EVERYBODY
    twice: int = 0

    def first(self, units: Iterable[Unit]) -> list[str]:
        """The units that every marker marks."""
        return [unit.id for unit in units if not unit.is_empty][: self.everybody]

    def needed(self, units: Sequence[Unit]) -> dict[str, int]:
        """How many markers each unit needs, if more than one."""
        written = [unit.id for unit in units if not unit.is_empty]
        twice = [unit for unit in written if int(drawn("twice", unit)[:8], 16) % 100 < self.twice]
        return dict.fromkeys(twice, 2) | dict.fromkeys(self.first(units), len(self.markers))


class Opinions(msgspec.Struct, frozen=True):
    """Who said what about the units of an item: the last opinion of each marker, by unit.

    ``first`` are those that every marker marks, before any other.
    """

    first: frozenset[str] = frozenset()
    needed: Mapping[str, int] = {}
    given: Mapping[str, Mapping[str, Trial]] = {}
    settled: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls, units: Sequence[Unit], panel: Panel, trials: Iterable[Trial], held: Mapping[int, Held]
    ) -> Opinions:
        """The opinions among an item's trial marks, oldest first.

        A mark that a marker gave before there was another is an opinion, too.
        """
        if len(panel.markers) < 2:  # noqa: PLR2004  # nobody to agree with
            return cls()
        unit_of = {row: unit.id for unit in units for row in unit.submissions}
        given: dict[str, dict[str, Trial]] = defaultdict(dict)
        settled = set()
        for trial in trials:
            unit = unit_of.get(trial.submission)
            if unit is not None and trial.purpose == OPINION:
                given[unit][trial.author] = trial
            elif unit is not None and trial.purpose == SETTLED:
                settled.add(unit)
        needed = panel.needed(units)
        for row, one in held.items():
            unit, mark = unit_of.get(row), one.mark
            if unit in needed and one.ruling is not None and mark.points is not None:
                by_mark = Trial(row, mark.item, OPINION, one.ruling, mark.points, mark.author)
                given[unit].setdefault(mark.author, by_mark)
        return cls(frozenset(panel.first(units)), needed, dict(given), frozenset(settled))

    def is_gathering(self, unit: str) -> bool:
        """Whether a unit needs more opinions: until then nobody sees another's."""
        return len(self.given.get(unit, {})) < self.needed.get(unit, 0)

    def waits_for(self, unit: str, marker: str) -> bool:
        """Whether a unit needs this marker's opinion."""
        return self.is_gathering(unit) and marker not in self.given.get(unit, {})

    def differ(self, unit: str, lines: Mapping[int, int]) -> bool:
        """Whether the opinions on a unit differ and nobody has settled it; ``lines`` are versions' lines."""
        if self.is_gathering(unit) or unit in self.settled:
            return False
        return len({_said(one, lines) for one in self.given.get(unit, {}).values()}) > 1

    def agreement(self, versions: Sequence[LineVersion]) -> list[tuple[LineVersion, int, int]]:
        """For each line: about how many answers all agreed, of how many that have all their opinions."""
        lines = {one.row: one.line for one in versions}
        whole = [
            [_ticked(one, lines) for one in given.values()]
            for unit, given in self.given.items()
            if len(given) > 1 and not self.is_gathering(unit)
        ]
        return [
            (
                line,
                sum(len({line.line in ticked for ticked in several}) == 1 for several in whole),
                len(whole),
            )
            for line in current(versions)
            if whole
        ]


def _ticked(trial: Trial, lines: Mapping[int, int]) -> frozenset[int]:
    return frozenset(lines[row] for row in trial.ruling.versions if row in lines)


def _said(trial: Trial, lines: Mapping[int, int]) -> tuple[frozenset[int], int]:
    return _ticked(trial, lines), trial.ruling.adjustment.hundredths
