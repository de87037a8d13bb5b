"""What a student's own run left in the saved notebook, as a check holds it.

A ``Claim`` is one recording, a student's word: plain data of a bounded size that nobody has believed yet.
``Evidence`` is what the ``evidence`` fixture gives to a check: the item's claim, and what the same cells
recorded when they were run again while grading. What is wrong with a recording is raised as BadEvidence, one
line that its student may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from grader.checks.formatting import clean
from grader.model.errors import AuthorError, BadEvidence

FORMAT = "chainrule.evidence/1"

_TABLES = ("data", "parameters", "code", "machine")
_TEXTS = ("item", "run", "recorded_at")
_LARGEST = 1e300  # beyond it sums overflow
_ALWAYS = ("cpu", "numpy")
_MACHINE = (*_ALWAYS, "torch", "device")


@dataclass(frozen=True)
class Claim:
    """One recording of the template's ``record``; everything in it is what the student's file says.

    ``data`` is what was recorded, ``parameters`` the notebook's upper-case names, ``code`` a digest of each
    function and class, ``machine`` where it ran, ``run`` a random number that names this very recording.
    Fetch from ``data`` with the methods: they raise BadEvidence in words where something is missing.
    """

    item: str
    data: Mapping[str, Any]
    parameters: Mapping[str, Any]
    code: Mapping[str, Any]
    machine: Mapping[str, Any]
    run: str
    recorded_at: str

    @classmethod
    def of(cls, recording: Mapping[str, Any]) -> Self:
        """The claim that this object holds. Raises BadEvidence for another format, or what has lost parts."""
        found = recording.get("format")
        if found != FORMAT:
            raise BadEvidence(f"the recording is of {_version(found)}; this grader reads {FORMAT}")
        for key in _TABLES:
            if not isinstance(recording.get(key), dict):
                raise BadEvidence(f"the recording is incomplete: it has no object {key!r}")
        for key in _TEXTS:
            if not isinstance(recording.get(key), str):
                raise BadEvidence(f"the recording is incomplete: it has no text {key!r}")
        return cls(**{key: recording[key] for key in (*_TABLES, *_TEXTS)})

    def at(self, *path: str) -> Any:
        """What stands below ``data`` at this path of keys. Raises BadEvidence when it is not there."""
        place: Any = self.data
        for depth, key in enumerate(path, start=1):
            if not isinstance(place, dict) or key not in place:
                raise BadEvidence(f"the recording has no {_path(path[:depth])}")
            place = place[key]
        return place

    def labels(self, *path: str) -> tuple[str, ...]:
        """The keys of the object at this path, in the file's order. Raises BadEvidence for anything else."""
        table = self.at(*path)
        if not isinstance(table, dict):
            raise BadEvidence(f"{_path(path)} is {_kind(table)}, expected an object with one entry a run")
        return tuple(table)

    def curve(self, *path: str, length: int | None = None) -> NDArray[np.float64]:
        """The finite numbers of the list at this path, as float64 of shape (length,).

        Raises BadEvidence for another length, and for an entry that is no finite number.
        """
        values = self.at(*path)
        if not isinstance(values, list):
            raise BadEvidence(f"{_path(path)} is {_kind(values)}, expected a list of numbers")
        if length is not None and len(values) != length:
            raise BadEvidence(f"{_path(path)} has {len(values)} values, expected {length}")
        found = [_number(value) for value in values]
        for position, number in enumerate(found):
            if number is None:
                raise BadEvidence(
                    f"{_path(path)}: entry {position + 1} is {_kind(values[position])}, "
                    "expected a finite number"
                )
        return np.array(found, dtype=np.float64)

    def number(self, *path: str) -> float:
        """The finite number at this path. Raises BadEvidence for anything else."""
        value = self.at(*path)
        number = _number(value)
        if number is None:
            raise BadEvidence(f"{_path(path)} is {_kind(value)}, expected a finite number")
        return number

    def text(self, *path: str, least: int = 1) -> str:
        """The text at this path, of ``least`` characters or more. Raises BadEvidence for anything else."""
        value = self.at(*path)
        if not isinstance(value, str):
            raise BadEvidence(f"{_path(path)} is {_kind(value)}, expected text")
        if len(value) < least:
            raise BadEvidence(f"{_path(path)} has {len(value)} characters, expected at least {least}")
        return value


@dataclass(frozen=True)
class Evidence:
    """The evidence for one item. ``rng`` draws from the run's seed and the check's name.

    ``claims`` are the item's readable recordings, those that differ; ``problems`` say in one line each what
    is wrong with others. ``repeated`` is what the grading's own run of the notebook recorded; where the
    author's ``beginning.py`` failed, ``broken`` says how.
    """

    item: str
    rng: np.random.Generator
    claims: tuple[Claim, ...] = ()
    problems: tuple[str, ...] = ()
    repeated: Claim | None = None
    broken: str = ""

    @property
    def claimed(self) -> Claim:
        """The item's one claim. Raises BadEvidence when there is none, or several that differ."""
        if not self.claims:
            raise BadEvidence(next(iter(self.problems), f"nothing was recorded for item {self.item}"))
        if len(self.claims) > 1:
            raise BadEvidence(
                f"{len(self.claims)} different recordings were found for item {self.item}; "
                "keep the output of one run only"
            )
        return self.claims[0]

    @property
    def again(self) -> Claim | None:
        """What the same cells recorded while grading; None when they recorded nothing.

        Raises AuthorError where they were not run as the author wanted: that costs nobody points.
        """
        if self.broken:
            raise AuthorError(self.broken)
        return self.repeated

    @property
    def same_machine(self) -> bool:
        """Whether the claim says that it was made on a processor and with libraries like this one's.

        A claim that names no torch was made before torch was loaded; it may be loaded here all the same.
        """
        if self.repeated is None:
            return False
        here, there = self.repeated.machine, self.claimed.machine
        named = [key for key in _MACHINE if key in there or key in _ALWAYS]
        return all(key in there and here.get(key) == there[key] for key in named)


def _number(value: object) -> float | None:
    """A finite float; None for anything else, truth values and text included."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST:
        return None
    return float(value)


def _kind(value: object) -> str:
    """What a value is, in a few words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and not -_LARGEST < value < _LARGEST:
        return "a number without bounds"
    if isinstance(value, int | float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return f"the text '{clean(value, limit=40)}'"
    return f"{'a list' if isinstance(value, list) else 'an object'} of {len(value)} entries"  # type: ignore[arg-type]  # JSON has no other form


def _version(found: object) -> str:
    return f"version '{clean(found, limit=40)}'" if isinstance(found, str) else "no version that it names"


def _path(path: tuple[str, ...]) -> str:
    return f"`{clean('.'.join(path), limit=80)}`"
