"""The same recording in two submissions: found for the instructor, never punished.

A run draws its name at random, so two submissions with the same name hold the same run. A copy may have a new
name, second and machine, but its numbers are equal in every digit. So are those of two honest runs from one
seed on like machines: such groups are named in words that accuse nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.checks.evidence import Recording
from grader.model.text import printable

MOST_NAMED = 10
"""Submissions of one group that a line names."""

_RUN, _NUMBERS = "run", "numbers"


@dataclass(frozen=True)
class Duplicate:
    """One item whose recording is the same in several submissions, named in the order they were given.

    ``one_run`` is whether they hold the same run; else only all recorded numbers and texts are equal.
    """

    item: str
    submissions: tuple[str, ...]
    one_run: bool = True


def fingerprints(recordings: Iterable[Recording]) -> frozenset[tuple[str, str]]:
    """Pairs of an item and a digest, equal for equal recordings, small enough to compare a whole class."""
    return frozenset(
        (one.item, digest) for one in recordings for digest in (_run_of(one), _numbers_of(one)) if digest
    )


def duplicates(found: Mapping[str, frozenset[tuple[str, str]]]) -> tuple[Duplicate, ...]:
    """The recordings that several submissions share; ``found`` maps their names to their fingerprints."""
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, prints in found.items():
        for fingerprint in sorted(prints):
            owners[fingerprint].append(name)
    shared = {
        Duplicate(item, tuple(names), one_run=digest.startswith(_RUN))
        for (item, digest), names in owners.items()
        if len(names) > 1
    }
    by_run = {(one.item, one.submissions) for one in shared if one.one_run}
    told = (one for one in shared if one.one_run or (one.item, one.submissions) not in by_run)
    return tuple(sorted(told, key=lambda one: (one.item, one.submissions, one.one_run)))


def notices_for(name: str, shared: Sequence[Duplicate]) -> tuple[str, ...]:
    """One line for each item whose recording this submission shares with others."""
    lines = []
    for one in (one for one in shared if name in one.submissions):
        others = _named([other for other in one.submissions if other != name])
        what = (
            f"the recorded evidence is the same as that of {others}"
            if one.one_run
            else f"the recorded numbers are equal to those of {others}, as in a copy or in runs from one seed"
        )
        lines.append(f"item {printable(one.item)}: {what}")
    return tuple(lines)


def summary_line(shared: Sequence[Duplicate]) -> str:
    """One line for the instructor; "" when nothing is shared."""
    groups: dict[tuple[bool, tuple[str, ...]], list[str]] = defaultdict(list)
    for one in shared:
        groups[one.one_run, one.submissions].append(one.item)
    shown: dict[bool, list[str]] = {True: [], False: []}
    for (one_run, names), items in groups.items():
        shown[one_run].append(f"{_named(names)} (items {', '.join(map(printable, dict.fromkeys(items)))})")
    parts = [
        f"{what}: {'; '.join(shown[one_run])}"
        for one_run, what in (
            (True, "the same recorded evidence in several submissions"),
            (False, "equal recorded numbers, as in a copy or in runs from one seed"),
        )
        if shown[one_run]
    ]
    return "; ".join(parts)


def _named(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    named = ", ".join(map(printable, names[:MOST_NAMED]))
    return f"{named} and {more} more" if more > 0 else named


def _run_of(recording: Recording) -> str:
    return f"{_RUN} {_digest(recording.run)}" if recording.run else ""


def _numbers_of(recording: Recording) -> str:
    """Of all that was recorded, which no relabelling changes."""
    if not recording.data:
        return ""
    return f"{_NUMBERS} {_digest(json.dumps(recording.data, sort_keys=True))}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
