"""Which of one student's files is graded: what a file is called and what it defines decide.

Never one that the course gives. The manifest's name comes first, then the names asked for; a notebook does
not beat a script that defines them, and size and the alphabet decide nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec

from grader.handed_in.contents import Answers, Looker
from grader.handed_in.trees import Entry, Place, Tree
from grader.model.text import counted, printable

NOTEBOOK, SCRIPT, MARKDOWN = ".ipynb", ".py", ".md"
ARCHIVES = frozenset({".zip", ".tar.gz", ".tar"})
WORK = frozenset({NOTEBOOK, SCRIPT, *ARCHIVES})
SAME, COPY, HOLDS = 3, 2, 1
_COPY = re.compile(r"(?:^copy of )|(?:(?<![ _-])[ _-]*(?:\(\d+\)|copy(?: ?\d+)?|-\d+)$)")
_BETWEEN = " _.-"
_SHOWN = 3


class Expected(msgspec.Struct, frozen=True):
    """What the assignment asks for.

    ``notebooks`` are the names of the graded notebooks ("hw3.ipynb"), ``names`` the functions, classes and
    variables that students are asked to write. ``given`` are the files and folders that the course gives, by
    their names in the working directory, with where they are. ``files`` are patterns of what else may be
    handed in. ``solved`` are the reference's own notebooks and modules, ``modules`` the places of the modules
    that students write.
    """

    notebooks: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    given: Mapping[str, Path] = MappingProxyType({})
    files: tuple[str, ...] = ("*",)
    solved: tuple[Path, ...] = ()
    modules: tuple[str, ...] = ()

    @property
    def module_names(self) -> frozenset[str]:
        """The modules' names without their folders."""
        return frozenset(place.rpartition("/")[2] for place in self.modules)

    def looker(self, tree: Tree) -> Looker:
        """Reads the files of a tree for what the assignment asks for."""
        return Looker(tree, self.names, self.module_names)

    @property
    def stems(self) -> frozenset[str]:
        """The notebooks' names without their ending, in lower case."""
        return frozenset(stem_of(name).casefold() for name in self.notebooks)

    def fit(self, name: str) -> int:
        """How well a name fits: 3 for the same, 2 for a copy ("hw3 (1)"), 1 if it holds it ("hw3_ada")."""
        return max((fit_of(name, stem) for stem in self.stems), default=0)

    def part(self, name: str) -> str:
        """Which of the notebooks a file is called like, or is a copy of: its stem, "" for none."""
        return next((stem for stem in sorted(self.stems) if fit_of(name, stem) >= COPY), "")

    def without(self, stem: str) -> str:
        """The rest of a file's stem, which may be a student's name: "hw3_ada" gives "ada"; "" for no rest."""
        for own in sorted(self.stems):
            rest = _without_end(_without_start(stem, own), own)
            if rest and rest != stem:
                return rest
        return ""

    def is_given(self, name: str) -> bool:
        """Whether the course gives a file of this name, in any letters' case."""
        return any(name.casefold() == given.casefold() for given in self.given)


def _without_start(text: str, start: str) -> str:
    """The text after ``start`` and what parts the two, in any letters' case."""
    own, rest = text[: len(start)], text[len(start) :]
    return rest.lstrip(_BETWEEN) if own.casefold() == start and rest.startswith(tuple(_BETWEEN)) else text


def _without_end(text: str, end: str) -> str:
    own, rest = text[-len(end) :], text[: -len(end)]
    return rest.rstrip(_BETWEEN) if own.casefold() == end and rest.endswith(tuple(_BETWEEN)) else text


NOTHING_EXPECTED = Expected()


class Choice(msgspec.Struct, frozen=True):
    """The files to grade, in the manifest's order, with one line for each thing that somebody should know.

    ``defined`` counts the names asked for that there are once they have run.
    """

    graded: tuple[Entry, ...]
    notices: tuple[str, ...] = ()
    defined: int = 0


def fit_of(name: str, stem: str) -> int:
    """How well a file's name fits one notebook's stem, as in `Expected.fit`."""
    own = stem_of(name).casefold()
    if own == stem:
        return SAME
    if _COPY.sub("", own) == stem:
        return COPY
    return int(bool(stem) and stem in own)


def stem_of(name: str) -> str:
    """A file's name without its ending, and without one that a browser added ("hw3.ipynb.txt")."""
    stem, ending = os.path.splitext(name)  # noqa: PTH122  # a name; making a Path of it is slow
    inner, before = os.path.splitext(stem)  # noqa: PTH122
    added = ending.lower() in (".txt", ".json", ".gz") and before.lower() in (NOTEBOOK, SCRIPT, ".tar")
    return inner if added else stem


def gradable(files: Sequence[Entry], expected: Expected) -> list[Entry]:
    """Notebooks, scripts and archives that may hold some, without what the course gives or gave back.

    Markdown counts if it is named like the assignment's, or if there is nothing else.
    """
    own = [entry for entry in files if not expected.is_given(entry.name) and not entry.is_feedback]
    work = [entry for entry in own if entry.suffix in WORK]
    prose = [entry for entry in own if entry.suffix == MARKDOWN and not _is_readme(entry.name)]
    return work + [entry for entry in prose if expected.fit(entry.name) >= (HOLDS if work else 0)]


def choose(files: Sequence[Entry], expected: Expected, answers: Answers) -> Choice:
    """The files to grade among one student's gradable ones, archives left aside; none if there are none.

    A module of the assignment, which may define all that is asked for, is no notebook, unless it lies alone.
    """
    modules = [entry for entry in files if entry.name in expected.module_names]
    others = [entry for entry in files if entry not in modules]
    if not modules or all(entry.suffix in ARCHIVES for entry in others):
        return _chosen(files, expected, answers)
    choice = _chosen(others, expected, answers)
    defined = frozenset[str]().union(*map(answers.own, modules))
    return msgspec.structs.replace(choice, defined=max(choice.defined, len(defined)))


def _chosen(files: Sequence[Entry], expected: Expected, answers: Answers) -> Choice:
    work = [entry for entry in files if entry.suffix not in ARCHIVES]
    if not work:
        return Choice(())
    if len(work) == 1 and len(expected.notebooks) < 2:  # noqa: PLR2004
        # Nothing to choose from: nothing is read, a class has thousands of these.
        return Choice(tuple(work), defined=len(answers.whole(work[0])) if len(files) > 1 else 0)
    # Only so many are read: those that may be meant come first.
    for entry in sorted(work, key=lambda entry: (-expected.fit(entry.name), len(entry.place), entry.place)):
        answers.own(entry)
    if len(expected.notebooks) > 1:
        return _several(work, expected, answers)
    taken, why = _best(work, expected, answers)
    return Choice((taken,), tuple(_left_out([taken], files, why, answers)), len(answers.whole(taken)))


def _several(work: Sequence[Entry], expected: Expected, answers: Answers) -> Choice:
    """One file for each of the manifest's notebooks."""
    taken: list[Entry] = []
    missing: list[str] = []
    for name in expected.notebooks:
        one = Expected((name,), expected.names)
        fits = {entry.place: one.fit(entry.name) for entry in work if entry not in taken}
        best = max(fits.values(), default=0)
        alike = [entry for entry in work if fits.get(entry.place) == best]
        if best >= COPY or (best == HOLDS and len(alike) == 1):
            taken.append(_best(alike, one, answers)[0])
        else:
            missing.append(name)
    if not taken:
        taken.append(_best(work, expected, answers)[0])
    notices = [f"{printable(name)} is not among the files that were handed in" for name in missing]
    notices += _left_out(taken, work, "named like the assignment's" if len(taken) > 1 else "", answers)
    defined = frozenset[str]().union(*map(answers.whole, taken))
    return Choice(tuple(taken), tuple(notices), len(defined))


def _best(work: Sequence[Entry], expected: Expected, answers: Answers) -> tuple[Entry, str]:
    """The file to grade, and why it is that one.

    A file that defines less than half of what another one defines is not it, whatever it is called.
    """
    most = max((len(answers.whole(entry)) for entry in work), default=0)
    able = [entry for entry in work if 2 * len(answers.whole(entry)) >= most]
    named = max(expected.fit(entry.name) for entry in able)
    exact = frozenset(name.casefold() for name in expected.notebooks)

    def order(entry: Entry) -> tuple[int, ...]:
        fit = expected.fit(entry.name)
        return (
            -fit if fit >= COPY else 0,
            len(entry.place) if fit >= COPY else 0,
            -len(answers.whole(entry)),
            -len(answers.own(entry)),
            -fit,
            entry.name not in expected.notebooks,
            entry.name.casefold() not in exact,
            len(entry.place),
        )

    able.sort(key=order)
    first = able[0]
    # Nothing told these apart. The one with more code is the fuller answer; people read the line anyway.
    alike = [entry for entry in able if order(entry) == order(first)]
    if len(alike) > 1:
        alike.sort(key=lambda entry: -answers.cells(entry))
        one = "one with more code cells" if answers.cells(alike[0]) > answers.cells(alike[1]) else "first"
        return alike[0], f"the {one} of several that nothing tells apart"
    if named >= COPY:
        return first, "named like the assignment's"
    if most:
        own = len(answers.whole(first))
        return (
            first,
            f"the file that defines {own} of the {counted(len(answers.asked), 'name', 'names')} asked for",
        )
    return first, "the one whose name fits best" if expected.fit(first.name) else "the only one at its level"


def _left_out(taken: Sequence[Entry], files: Sequence[Entry], why: str, answers: Answers) -> list[str]:
    """One line that names what was not taken, if anybody could have meant it to be."""
    reached = (
        frozenset[Place]().union(*map(answers.reached, taken)) if len(files) > len(taken) else frozenset()
    )
    # A script beside the graded notebook, or one that defines nothing asked for, is what others import.
    scripts = all(entry.suffix == SCRIPT for entry in taken)
    others = [
        entry
        for entry in files
        if entry not in taken
        and entry.place not in reached
        and (entry.suffix != SCRIPT or answers.own(entry) or (scripts and not answers.asked))
    ]
    if not others:
        return []
    names = ", ".join(printable(entry.name) for entry in taken)
    are = "are" if len(taken) > 1 else "is"
    said = [f"{printable(entry.shown)}{_defines(entry, answers)}" for entry in others[:_SHOWN]]
    more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    return [f"{names} {are} graded, being {why}; not graded: {', '.join(said)}{more}"]


def _defines(entry: Entry, answers: Answers) -> str:
    if not answers.asked or entry.suffix in ARCHIVES:
        return ""
    count = len(answers.whole(entry))
    return f" (defines {count or 'none'} of the names asked for)"


def _is_readme(name: str) -> bool:
    return stem_of(name).casefold() in ("readme", "license", "changelog")


def listed(files: Sequence[Entry]) -> str:
    """The first few files' names, for one line."""
    some = ", ".join(printable(entry.shown) for entry in files[:_SHOWN])
    return some if len(files) <= _SHOWN else f"{some} and {len(files) - _SHOWN} more"
