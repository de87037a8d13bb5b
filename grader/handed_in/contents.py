"""What a student's notebooks and scripts define, found in their text: nothing is run.

A file counts for the names that it defines itself, and for those that it takes from the student's other files
(``from layers import *``, ``%run other.ipynb``). Reading is bounded; what cannot be read defines nothing.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import msgspec

from grader.handed_in.archives import Unusable
from grader.handed_in.trees import Entry, Place, Tree
from grader.model.errors import SubmissionError
from grader.notebooks.cells import Cell
from grader.notebooks.names import defined_names
from grader.notebooks.source import parse
from grader.notebooks.submission_file import from_bytes

MAX_FILES = 60
"""Files of one student that are read to choose among them."""
MAX_BYTES = 200_000_000
"""Bytes of these files together."""

MAX_TAKEN = 500
"""Names that one file takes from others."""

_RUN = re.compile(r"[ \t]*%run[ \t]+(?:-[a-z]+[ \t]+)*[\"']?(?P<file>[^\s\"']{1,300})")


class Taken(msgspec.Struct, frozen=True):
    """Names that a file takes from another: ``module`` as its parts, ``level`` the dots before it.

    ``name`` is "*" for all and "" for the module itself, ``bound`` what it is called afterwards.
    """

    module: Place
    level: int
    name: str
    bound: str


class Contents(msgspec.Struct, frozen=True):
    """What a file defines of the names asked for, what it takes from others, its number of code cells."""

    names: frozenset[str] = frozenset()
    taken: tuple[Taken, ...] = ()
    cells: int = 0


NOTHING = Contents()


class Looker:
    """Reads the files of one tree, each once, as far as the bounds go.

    ``modules`` are the names of the files in which checks look for a module's own names.
    """

    def __init__(self, tree: Tree, names: frozenset[str], modules: frozenset[str] = frozenset()) -> None:
        self._tree, self.asked, self.modules = tree, names, modules
        self._known: dict[Place, Contents] = {}
        self._left = MAX_BYTES

    def forget(self) -> None:
        """Begin the next student: bounds and memory are one student's."""
        self._known.clear()
        self._left = MAX_BYTES

    def look(self, entry: Entry) -> Contents:
        """What a file holds; nothing for one that cannot be read."""
        known = self._known.get(entry.place)
        if known is None:
            known = self._known[entry.place] = self._read(entry)
        return known

    def _read(self, entry: Entry) -> Contents:
        if len(self._known) >= MAX_FILES or entry.size > self._left:
            return NOTHING
        self._left -= entry.size
        try:
            with self._tree.open(entry) as stream:
                cells = from_bytes(stream.read(entry.size + 1), name=entry.name).cells
        except (SubmissionError, Unusable, OSError):
            return NOTHING
        names = defined_names(cells) & self.asked
        code = sum(cell.kind == "code" for cell in cells)
        return Contents(names, tuple(itertools.islice(_taken(cells), MAX_TAKEN)), code)


class Answers:
    """What each of one student's files defines, together with what it takes from the others."""

    def __init__(self, files: Sequence[Entry], looker: Looker) -> None:
        self._looker = looker
        self._entries = files
        self._files: Mapping[Place, Entry] = {entry.laid: entry for entry in files}

    @property
    def asked(self) -> frozenset[str]:
        """The names asked for."""
        return self._looker.asked

    def own(self, entry: Entry) -> frozenset[str]:
        """The names asked for that a file defines itself."""
        return self._looker.look(entry).names if self.asked else frozenset()

    def cells(self, entry: Entry) -> int:
        """The number of a file's code cells, or statements."""
        return self._looker.look(entry).cells

    def whole(self, entry: Entry) -> frozenset[str]:
        """The names asked for that there are once a file has run."""
        if not self.asked:
            return frozenset()
        return self._whole.get(entry.place, frozenset())

    def reached(self, entry: Entry) -> frozenset[Place]:
        """The files that a file takes names from, directly or through others."""
        found = set[Place]()
        left = [entry.place]
        while left:
            for _, place in self._edges.get(left.pop(), ()):
                if place not in found:
                    found.add(place)
                    left.append(place)
        return frozenset(found)

    @functools.cached_property
    def _edges(self) -> Mapping[Place, Sequence[tuple[Taken, Place]]]:
        """For each file what it takes, and from which file."""
        return {
            entry.place: [
                (taken, other.place)
                for taken in self._looker.look(entry).taken
                if (other := self._file_of(entry, taken)) is not None
            ]
            for entry in self._entries
        }

    @functools.cached_property
    def _whole(self) -> Mapping[Place, frozenset[str]]:
        """For each file the names that there are in the end.

        Files may import each other in a circle, so names are handed on until no file gains any.
        """
        found = {entry.place: set(self._looker.look(entry).names) for entry in self._entries}
        changed = True
        while changed:
            changed = False
            for place, edges in self._edges.items():
                before = len(found[place])
                for taken, other in edges:
                    if taken.name == "*" or (not taken.name and other[-1] in self._looker.modules):
                        found[place] |= found[other]
                    elif taken.name in found[other] and taken.bound in self.asked:
                        found[place].add(taken.bound)
                changed = changed or len(found[place]) > before
        return {place: frozenset(names) for place, names in found.items()}

    def _file_of(self, entry: Entry, taken: Taken) -> Entry | None:
        """The student's file that a module's name means: beside the file that imports it, or above."""
        folder = entry.laid[:-1]
        if taken.level:
            folders = [folder[: len(folder) - taken.level + 1]]
        else:
            folders = [folder[:depth] for depth in range(len(folder), -1, -1)]
        for base in folders:
            for place in _places_of(base, taken.module):
                if place in self._files and place != entry.laid:
                    return self._files[place]
        return None


def _places_of(base: Place, module: Place) -> Iterator[Place]:
    if module and "." in module[-1]:  # the file of a %run
        yield (*base, *module)
        return
    if module:
        yield (*base, *module[:-1], f"{module[-1]}.py")
    yield (*base, *module, "__init__.py")


def _taken(cells: Iterable[Cell]) -> Iterator[Taken]:
    for cell in cells:
        if cell.kind != "code":
            continue
        for line in cell.source.split("\n") if "%run" in cell.source else ():
            if run := _RUN.match(line):
                parts = tuple(part for part in run["file"].split("/") if part not in ("", "."))
                name = parts[-1] if parts else ""
                yield Taken((*parts[:-1], name if "." in name else f"{name}.py"), 0, "*", "*")
        parsed = parse(cell.source) if "import" in cell.source else None
        for statement in _statements(parsed.tree.body if parsed is not None else ()):
            yield from _imported(statement)


def _imported(statement: ast.Import | ast.ImportFrom) -> Iterator[Taken]:
    """What an import takes: names of a module, and modules, which a package's names may be."""
    for alias in statement.names:
        own = tuple(alias.name.split("."))
        if isinstance(statement, ast.Import):
            yield Taken(own, 0, "", "")
            continue
        module = tuple(statement.module.split(".")) if statement.module else ()
        yield Taken(module, statement.level, alias.name, alias.asname or alias.name)
        if alias.name != "*":
            yield Taken((*module, *own), statement.level, "", "")


def _statements(body: Collection[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run with a cell, also inside ``try`` and ``if``."""
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.Try | ast.If):
            yield from _statements([*statement.body, *statement.orelse])
