"""Which of one person's files is the submission. Names and sizes decide; nothing is opened."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Sequence

import msgspec

from grader.handed_in.trees import Entry
from grader.notebooks.text import shown

NOTEBOOK, SCRIPT, ARCHIVE = ".ipynb", ".py", ".zip"
_COPY = re.compile(r"(?:^copy of )|(?:[ _-]*(?:\(\d+\)|copy(?: ?\d+)?|-\d+)$)")
_SHOWN = 3


class Wanted(msgspec.Struct, frozen=True):
    """What the assignment's notebook is called: stems, in lower case."""

    stems: frozenset[str]

    @classmethod
    def of(cls, names: Collection[str]) -> Wanted:
        """From file names such as "hw3.ipynb"."""
        return cls(frozenset(stem_of(name).casefold() for name in names))

    def fit(self, name: str) -> int:
        """How well a name fits: 3 the same, 2 a copy of it ("hw3 (1)"), 1 holds it ("hw3_ada"), 0 not."""
        stem = stem_of(name).casefold()
        if stem in self.stems:
            return 3
        if _COPY.sub("", stem) in self.stems:
            return 2
        return int(any(own in stem for own in self.stems if own))

    def without(self, stem: str) -> str:
        """The rest of a file's stem, which may be somebody's name: "hw3_ada" gives "ada"."""
        for own in sorted(self.stems):
            rest = re.sub(rf"(?i)^{re.escape(own)}[ _.-]+|[ _.-]+{re.escape(own)}$", "", stem)
            if rest and rest != stem:
                return rest
        return ""


def stem_of(name: str) -> str:
    """A file's name without its ending."""
    return os.path.splitext(name)[0]  # noqa: PTH122  # a name, of which no Path has to be made


def gradable(files: Sequence[Entry]) -> list[Entry]:
    """Notebooks and zips, which may hold some; where there are none the scripts, which else are helpers."""
    notebooks = [entry for entry in files if entry.suffix in (NOTEBOOK, ARCHIVE)]
    return notebooks or [entry for entry in files if entry.suffix == SCRIPT]


def choose(files: Sequence[Entry], wanted: Wanted) -> tuple[Entry, str]:
    """One person's submission among their gradable files, and a notice about the others (empty if none).

    The one named like the assignment's notebook, or nearly so; else the largest, which is the one that was
    worked in. A notebook goes before a zip; of equal ones the outermost, then the first by name.
    """

    def order(entry: Entry) -> tuple[int, bool, int, int, str]:
        fit = wanted.fit(entry.name)
        depth = len(entry.place) if fit else 0
        return -fit, entry.suffix == ARCHIVE, depth, -entry.size, "/".join(entry.place)

    first, *others = sorted(files, key=order)
    if not others:
        return first, ""
    why = "named like the assignment's" if wanted.fit(first.name) else "the largest"
    return first, f"{shown(first.name)} was taken, being {why}; left out: {listed(others)}"


def listed(files: Sequence[Entry]) -> str:
    """Names of files for one line, the first few."""
    some = ", ".join(shown(entry.called or "/".join(entry.place[-2:])) for entry in files[:_SHOWN])
    return some if len(files) <= _SHOWN else f"{some} and {len(files) - _SHOWN} more"
