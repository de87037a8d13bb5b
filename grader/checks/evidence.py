"""Evidence: what a student's own long run left in the saved notebook.

A ``Recording`` is one entry of it: plain data of a bounded size, written by the student, not yet believed.
``Evidence`` is what the fixture ``evidence`` gives to a check: the recording in the file, and what the same
cells recorded when grading replayed them. Whatever is wrong with a recording raises BadEvidence, whose one
line the student may read.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from grader.model.assignment import EvidenceRules
from grader.model.endings import NOTHING_RECORDED
from grader.model.errors import AuthorError, BadEvidence, Undecided
from grader.model.text import counted, snippet

FORMAT = "chainrule.evidence/1"

_TABLES = ("data", "parameters", "code", "machine")
_TEXTS = ("item", "run", "recorded_at")
_LARGEST = 1e300  # beyond it sums overflow
_ALWAYS = ("cpu", "numpy")
_MACHINE = (*_ALWAYS, "torch", "device")


@dataclass(frozen=True)
class Recording:
    """One entry made by the template's ``record``. Nothing in it is verified.

    ``data`` is what was recorded, ``parameters`` the notebook's upper-case names, ``code`` a digest of each
    function and class, ``machine`` where it ran, ``run`` a random number that identifies the recording.
    Read ``data`` through the methods: they raise BadEvidence, in words, for what is missing or malformed.
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
        """The recording in a JSON object. Raises BadEvidence for another format or for missing parts."""
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
        """The value in ``data`` at this path of keys. Raises BadEvidence when there is none."""
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
            raise BadEvidence(f"{_path(path)} is {_kind(table)}, expected an object with one entry per run")
        return tuple(table)

    def curve(self, *path: str, length: int | None = None) -> NDArray[np.float64]:
        """The finite numbers of the list at this path, as float64 of shape (length,).

        Raises BadEvidence for another length and for an entry that is not a finite number.
        """
        values = self.at(*path)
        if not isinstance(values, list):
            raise BadEvidence(f"{_path(path)} is {_kind(values)}, expected a list of numbers")
        if length is not None and len(values) != length:
            raise BadEvidence(
                f"{_path(path)} has {counted(len(values), 'value', 'values')}, expected {length}"
            )
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
            length = counted(len(value), "character", "characters")
            raise BadEvidence(f"{_path(path)} has {length}, expected at least {least}")
        return value


@dataclass(frozen=True)
class Evidence:
    """The evidence for one item. ``rng`` draws from the run's seed and the check's name.

    ``recordings`` are the item's distinct readable recordings; ``problems`` has one line for each unreadable
    one. ``replay`` is what the cells recorded during grading; ``replay_error`` says how the author's
    ``replay.py`` failed, if it did. ``others`` are the readable recordings of all items. ``rules`` say from
    which seeds runs begin.
    """

    item: str
    rng: np.random.Generator
    recordings: tuple[Recording, ...] = ()
    problems: tuple[str, ...] = ()
    replay: Recording | None = None
    replay_error: str = ""
    others: Mapping[str, tuple[Recording, ...]] = field(default_factory=dict)
    rules: EvidenceRules = field(default_factory=EvidenceRules)

    @property
    def recorded(self) -> Recording:
        """The item's only recording.

        Raises BadEvidence when there is none, or several that differ, and Undecided where each student has a
        seed and this run began from another.
        """
        if not self.recordings:
            raise BadEvidence(next(iter(self.problems), f"{NOTHING_RECORDED} {self.item}"))
        if len(self.recordings) > 1:
            raise BadEvidence(
                f"several different recordings were found for item {self.item}; "
                "keep the output of one run only"
            )
        if self.rules.own_seeds:
            _assert_own_seed(self.recordings[0], self.rules)
        return self.recordings[0]

    def other(self, item: str) -> Recording | None:
        """The only readable recording of another item; None if there is none, or several that differ."""
        found = self.others.get(item, ())
        return found[0] if len(found) == 1 else None

    @property
    def replayed(self) -> Recording | None:
        """What the same cells recorded during grading; None if they recorded nothing.

        Raises AuthorError when the author's replay failed: that costs nobody points.
        """
        if self.replay_error:
            raise AuthorError(self.replay_error)
        return self.replay

    @property
    def same_machine(self) -> bool:
        """Whether the recording names the processor and the libraries of this machine.

        One that does not name torch was made before torch was imported, which it may be here: that is no
        difference.
        """
        if self.replay is None:
            return False
        here, there = self.replay.machine, self.recorded.machine
        named = [key for key in _MACHINE if key in there or key in _ALWAYS]
        return all(key in there and here.get(key) == there[key] for key in named)


def student_seed(student: str) -> int:
    """The seed of a student's own runs, from 0 to 2**32 - 1, drawn from an id such as their login.

    The first four bytes of the id's SHA-256 digest, after NFKC, without spaces around it and without regard
    to capitals. The template's ``student_seed`` is the same function.
    """
    name = unicodedata.normalize("NFKC", student).strip().casefold()
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:4], "big")


def _assert_own_seed(recording: Recording, rules: EvidenceRules) -> None:
    student = recording.parameters.get(rules.student)
    seeds = {name: recording.parameters[name] for name in rules.seeds if name in recording.parameters}
    if not isinstance(student, str) or not student.strip() or not seeds:
        raise Undecided(
            f"each student's runs begin from a seed of their own, and this recording lacks "
            f"`{rules.student}` or a seed (`{'`, `'.join(rules.seeds)}`): a person decides"
        )
    own = student_seed(student)
    for name, seed in seeds.items():
        if type(seed) is not int or seed != own:
            raise Undecided(
                f"this run began from `{name}` = {_kind(seed)}, and the seed of "
                f"'{snippet(student, limit=40)}' is {own}: a person decides"
            )


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
        return "a number out of range"
    if isinstance(value, int | float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return f"the text '{snippet(value, limit=40)}'"
    kind = "a list" if isinstance(value, list) else "an object"
    return f"{kind} of {counted(len(value), 'entry', 'entries')}"  # type: ignore[arg-type]  # JSON has no other form


def _version(found: object) -> str:
    return f"version '{snippet(found, limit=40)}'" if isinstance(found, str) else "no version that it names"


def _path(path: tuple[str, ...]) -> str:
    return f"`{snippet('.'.join(path), limit=80)}`"
