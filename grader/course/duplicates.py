"""The same recording in two submissions: found for the instructor, never punished.

A run draws its name at random, so two submissions with the same name hold the same run. If a recording has no
name, data, machine and second together give it away. Curves do not: with fixed seeds honest ones are equal.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.checks.evidence import Recording
from grader.grading.recorded import recordings_in
from grader.model.text import printable
from grader.notebooks.cells import Cell


@dataclass(frozen=True)
class Duplicate:
    """One item whose recording is the same in several submissions, named in the order they were given."""

    item: str
    submissions: tuple[str, ...]


def fingerprints(recordings: Iterable[Recording]) -> frozenset[tuple[str, str]]:
    """Pairs of an item and a digest, equal for equal recordings, small enough to compare a whole class."""
    return frozenset(
        (one.item, digest) for one in recordings for digest in (_run_of(one), _data_of(one)) if digest
    )


def shared_by(submissions: Mapping[str, Iterable[Cell]]) -> tuple[Duplicate, ...]:
    """The recordings that several submissions share; ``submissions`` are their cells by their names."""
    return duplicates({name: fingerprints(recordings_in(cells)) for name, cells in submissions.items()})


def duplicates(found: Mapping[str, frozenset[tuple[str, str]]]) -> tuple[Duplicate, ...]:
    """The recordings that several submissions share; ``found`` maps their names to their fingerprints."""
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, prints in found.items():
        for fingerprint in sorted(prints):
            owners[fingerprint].append(name)
    shared = {Duplicate(item, tuple(names)) for (item, _), names in owners.items() if len(names) > 1}
    return tuple(sorted(shared, key=lambda duplicate: (duplicate.item, duplicate.submissions)))


def notices_for(name: str, shared: Sequence[Duplicate]) -> tuple[str, ...]:
    """One line for each item whose recording this submission shares with others."""
    return tuple(
        f"item {printable(duplicate.item)}: the recorded evidence is the same as that of "
        f"{', '.join(printable(other) for other in duplicate.submissions if other != name)}"
        for duplicate in shared
        if name in duplicate.submissions
    )


def summary_line(shared: Sequence[Duplicate]) -> str:
    """One line for the instructor; "" when nothing is shared."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for duplicate in shared:
        groups[duplicate.submissions].append(duplicate.item)
    groups_shown = [
        f"{', '.join(map(printable, names))} (items {', '.join(map(printable, dict.fromkeys(items)))})"
        for names, items in groups.items()
    ]
    return (
        f"the same recorded evidence in several submissions: {'; '.join(groups_shown)}"
        if groups_shown
        else ""
    )


def _run_of(recording: Recording) -> str:
    return f"run {_digest(recording.run)}" if recording.run else ""


def _data_of(recording: Recording) -> str:
    if not recording.recorded_at:
        return ""
    told = json.dumps([recording.data, recording.machine, recording.recorded_at], sort_keys=True)
    return f"data {_digest(told)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32]
