"""The same evidence in two submissions: found for the instructor, never punished.

A run draws its name at random, so two submissions with the same name hold the same run. A copy may have a new
name, second and machine, but its numbers are equal in every digit. So are those of two honest runs from one
seed on like machines: such groups are named in words that accuse nobody. Where the author's file keeps
sketches of trained models, a copy is found though its numbers were changed: by the function that it computes
or by its neurons.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grader.checks.likeness import alike, connected, unsketch
from grader.course.fingerprints import RUN, SEED_OF, seed_of
from grader.grading.functions import Prints, ShownFunction
from grader.model.text import printable

MOST_NAMED = 10
"""Submissions of one group that a line names."""


class SameAs(enum.Enum):
    """What several submissions share, the surest first, with the words of a notice and of the last line."""

    RUN = (
        "the recorded evidence is the same as that of {}",
        "the same recorded evidence in several submissions",
    )
    NUMBERS = (
        "the recorded numbers are equal to those of {}, as in a copy or in runs from one seed",
        "equal recorded numbers, as in a copy or in runs from one seed",
    )
    NUMBERS_OF_OWN_SEEDS = (
        "the recorded numbers are equal to those of {}, though each student's runs begin from a seed of "
        "their own",
        "equal recorded numbers, though each student's runs begin from a seed of their own",
    )
    FUNCTION = (
        "the trained model or a part of it is nearly that of {} though the recorded seeds differ, as where "
        "one run goes on from the other",
        "nearly the same trained models or parts of them from different seeds, as where one run goes on from "
        "another",
    )
    FUNCTION_OF_ONE_SEED = (
        "the trained model or a part of it is nearly that of {}, as in runs from one seed or where one run "
        "goes on from the other",
        "nearly the same trained models or parts of them, as in runs from one seed or where one run goes on "
        "from another",
    )
    SEED_OF_ANOTHER = (
        "the run began from the seed of {}, who is somebody else",
        "runs from the seed of another student than who handed them in",
    )


@dataclass(frozen=True)
class Duplicate:
    """One item of which several submissions hold the same, named in the order they were given."""

    item: str
    submissions: tuple[str, ...]
    same: SameAs = SameAs.RUN


def duplicates(found: Mapping[str, Prints], *, own_seeds: bool = False) -> tuple[Duplicate, ...]:
    """The evidence that several submissions share; ``found`` maps their names to their fingerprints.

    What one group shares for an item is told once, in the surest way. With ``own_seeds`` every student's runs
    begin from another seed, and equal numbers are those of one run.
    """
    shared: dict[tuple[str, tuple[str, ...]], Duplicate] = {}
    for one in (*_equal(found, own_seeds=own_seeds), *_functions(found)):
        shared.setdefault((one.item, one.submissions), one)
    return tuple(sorted(shared.values(), key=lambda one: (one.item, one.submissions)))


def from_others_seeds(
    found: Mapping[str, Prints], owners: Mapping[str, str], roster: Iterable[str]
) -> Iterator[Duplicate]:
    """Submissions whose runs name another student of the roster than their owner, with that student's id.

    An id that nobody on the roster has accuses nobody: some write their number and others their login.
    """
    whose = {seed_of(student): student for student in roster}
    for name, owner in owners.items():
        for item, fingerprint in sorted(found[name]):
            named = whose.get(fingerprint, owner)
            if seed_of(named) != seed_of(owner):
                yield Duplicate(item, (name, named), SameAs.SEED_OF_ANOTHER)


def notices_for(name: str, shared: Sequence[Duplicate]) -> tuple[str, ...]:
    """One line for each item whose evidence this submission shares with others."""
    lines = []
    for one in (one for one in shared if name in one.submissions):
        others = _named([other for other in one.submissions if other != name])
        lines.append(f"item {printable(one.item)}: {one.same.value[0].format(others)}")
    return tuple(lines)


def summary_line(shared: Sequence[Duplicate]) -> str:
    """One line for the instructor; "" when nothing is shared."""
    groups: dict[tuple[SameAs, tuple[str, ...]], list[str]] = defaultdict(list)
    for one in shared:
        groups[one.same, one.submissions].append(one.item)
    shown: dict[SameAs, list[str]] = {kind: [] for kind in SameAs}
    for (kind, names), items in groups.items():
        shown[kind].append(f"{_named(names)} (items {', '.join(map(printable, dict.fromkeys(items)))})")
    return "; ".join(f"{kind.value[1]}: {'; '.join(lines)}" for kind, lines in shown.items() if lines)


def _equal(found: Mapping[str, Prints], *, own_seeds: bool) -> list[Duplicate]:
    """Equal fingerprints: of one run first, then of equal numbers."""
    numbers = SameAs.NUMBERS_OF_OWN_SEEDS if own_seeds else SameAs.NUMBERS
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, prints in found.items():
        for fingerprint in sorted(prints):
            if ShownFunction.of(fingerprint[1]) is None and not fingerprint[1].startswith(SEED_OF):
                owners[fingerprint].append(name)
    shared = [
        Duplicate(item, tuple(names), SameAs.RUN if digest.startswith(RUN) else numbers)
        for (item, digest), names in owners.items()
        if len(names) > 1
    ]
    return sorted(shared, key=lambda one: one.same is not SameAs.RUN)


def _functions(found: Mapping[str, Prints]) -> Iterator[Duplicate]:
    """Models that are nearly one function, all pairs of the class, one kind of model after the other."""
    kinds: dict[tuple[str, str, int], list[tuple[str, ShownFunction]]] = defaultdict(list)
    for name, prints in found.items():
        for item, fingerprint in sorted(prints):
            if (shown := ShownFunction.of(fingerprint)) is not None:
                kinds[item, shown.label, len(shown.text)].append((name, shown))
    groups: dict[tuple[str, tuple[str, ...]], bool] = {}
    for (item, _, _), models in kinds.items():
        for group in connected(_alike(models)):
            names = tuple(dict.fromkeys(models[number][0] for number in group))
            seeds = {models[number][1].seed for number in group}
            if len(names) > 1:
                groups[item, names] = groups.get((item, names), True) and len(seeds) == len(group)
    for (item, names), own_seeds in groups.items():
        yield Duplicate(item, names, SameAs.FUNCTION if own_seeds else SameAs.FUNCTION_OF_ONE_SEED)


def _alike(models: Sequence[tuple[str, ShownFunction]]) -> list[tuple[int, int]]:
    """Pairs of places of models that are alike enough for both."""
    read = {place: unsketch(shown.text) for place, (_, shown) in enumerate(models)}
    rows = {place: steps for place, steps in read.items() if steps is not None}
    if len(rows) < 2:  # noqa: PLR2004  # two make a pair
        return []
    places, least = list(rows), [models[place][1].least for place in rows]
    return [
        (places[i], places[j])
        for i, j, value in alike(np.stack(list(rows.values())), least=min(least))
        if value >= max(least[i], least[j])
    ]


def _named(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    named = ", ".join(map(printable, names[:MOST_NAMED]))
    return f"{named} and {more} more" if more > 0 else named
