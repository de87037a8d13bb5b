"""Which of one student's files is graded. Names and sizes decide; nothing is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence

import msgspec

from grader.handed_in.trees import Entry
from grader.model.text import printable

NOTEBOOK, SCRIPT, ARCHIVE = ".ipynb", ".py", ".zip"
_COPY = re.compile(r"(?:^copy of )|(?:[ _-]*(?:\(\d+\)|copy(?: ?\d+)?|-\d+)$)")
_SHOWN = 3


class ExpectedNames(msgspec.Struct, frozen=True):
    """What the assignment's notebook is called: file names without their ending, in lower case."""

    stems: frozenset[str]

    @classmethod
    def of(cls, names: Collection[str]) -> ExpectedNames:
        """From file names such as "hw3.ipynb"."""
        return cls(frozenset(stem_of(name).casefold() for name in names))

    def fit(self, name: str) -> int:
        """How well a name fits: 3 for the same, 2 for a copy ("hw3 (1)"), 1 if it holds it ("hw3_ada")."""
        stem = stem_of(name).casefold()
        if stem in self.stems:
            return 3
        if _COPY.sub("", stem) in self.stems:
            return 2
        return int(any(own in stem for own in self.stems if own))

    def without(self, stem: str) -> str:
        """The rest of a file's stem, which may be a student's name: "hw3_ada" gives "ada"; "" for no rest."""
        for own in sorted(self.stems):
            rest = re.sub(rf"(?i)^{re.escape(own)}[ _.-]+|[ _.-]+{re.escape(own)}$", "", stem)
            if rest and rest != stem:
                return rest
        return ""


def stem_of(name: str) -> str:
    """A file's name without its ending."""
    return os.path.splitext(name)[0]  # noqa: PTH122  # a name; making a Path of it is slow


def gradable(files: Sequence[Entry]) -> list[Entry]:
    """Notebooks, and zips that may hold some. Without any, scripts; beside notebooks those are helpers."""
    notebooks = [entry for entry in files if entry.suffix in (NOTEBOOK, ARCHIVE)]
    return notebooks or [entry for entry in files if entry.suffix == SCRIPT]


def graded_file(files: Sequence[Entry], expected: ExpectedNames) -> tuple[Entry, str]:
    """The file to grade among one student's gradable files, and a notice about the others ("" if none).

    It is the one named like the assignment's notebook, or nearly so; otherwise the largest, most likely the
    one the student worked in. Notebooks come before zips, outer files before inner ones, then names decide.
    """

    def order(entry: Entry) -> tuple[int, bool, int, int, str]:
        fit = expected.fit(entry.name)
        depth = len(entry.place) if fit else 0
        return -fit, entry.suffix == ARCHIVE, depth, -entry.size, "/".join(entry.place)

    first, *others = sorted(files, key=order)
    if not others:
        return first, ""
    why = "named like the assignment's" if expected.fit(first.name) else "the largest"
    return first, f"{printable(first.name)} was taken, being {why}; left out: {listed(others)}"


def listed(files: Sequence[Entry]) -> str:
    """The first few files' names, for one line."""
    some = ", ".join(printable(entry.called or "/".join(entry.place[-2:])) for entry in files[:_SHOWN])
    return some if len(files) <= _SHOWN else f"{some} and {len(files) - _SHOWN} more"
