"""Answers that would probably get the same lines, to be confirmed at once by a person who has seen them.

A group is a unit that exists for one look: its members are the unmarked answers of the last forecast. First
come some of them in full, drawn at random, then all others, those that are most in doubt first.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import msgspec

from grader.review.classroom import Unit, drawn
from grader.review.similar import Forecast

PREFIX = "group:"
ENOUGH_SEEN = 10
"""Marked units from which on groups are offered: with fewer the stated bound has not been found to hold."""
SAMPLE = 10
MOST_NAME = 200
"""Characters of a group's lines."""


class Group(msgspec.Struct, frozen=True, dict=True):
    """Units that would get the same lines, those most in doubt first.

    ``wrong`` is the stated bound on the share of its answers for which that would be wrong.
    """

    lines: frozenset[int]
    units: tuple[Unit, ...]
    wrong: float

    @functools.cached_property
    def sample(self) -> tuple[Unit, ...]:
        """Some of them, drawn at random."""
        return tuple(sorted(self.units, key=lambda unit: drawn("sample", unit.id))[:SAMPLE])

    @functools.cached_property
    def rest(self) -> tuple[Unit, ...]:
        """The others."""
        shown = {unit.id for unit in self.sample}
        return tuple(unit for unit in self.units if unit.id not in shown)

    @property
    def answers(self) -> int:
        """How many there are."""
        return sum(len(unit.answers) for unit in self.units)

    @property
    def as_unit(self) -> Unit:
        """All answers as one unit, for the marks."""
        answers = tuple(answer for unit in self.sample + self.rest for answer in unit.answers)
        return Unit(group_id(self.lines), answers[0].item, answers)


def group_id(lines: Iterable[int]) -> str:
    """How a group of an item is called."""
    return PREFIX + ",".join(map(str, sorted(lines)))


def lines_in(unit_id: str) -> frozenset[int] | None:
    """The lines of the group that is called so; None if it is no group's id."""
    name, found, lines = unit_id[:MOST_NAME].partition(PREFIX)
    numbers = lines.split(",") if lines else []
    is_one = not name and found and all(one.isascii() and one.isdecimal() for one in numbers)
    return frozenset(map(int, numbers)) if is_one else None


def group_of(units: Iterable[Unit], forecast: Forecast | None, lines: frozenset[int]) -> Group | None:
    """The units that would get these lines; None unless there are several of which enough is known."""
    if forecast is None or forecast.seen < ENOUGH_SEEN:
        return None
    own = [unit for unit in units if forecast.lines.get(unit.id) == lines]
    if len(own) < 2:  # noqa: PLR2004  # one is no group
        return None
    own.sort(key=lambda unit: -forecast.doubt[unit.id])
    wrong = forecast.wrong_among({unit.id: len(unit.answers) for unit in own})
    return Group(lines, tuple(own), wrong)
