"""What a student may read about their own code when a check did not pass: names, kinds of errors, places.

A hidden check must not leak its inputs, and everything that comes out of the student's process may hold one.
So nothing is passed on as it came: a name is one that the check itself wrote, a suggestion one that the file
itself defines, a kind of error one that Python, numpy or the file defines, a place one that exists in the
file, and an error's text one that is written there or a sentence of Python's (``own_message``). What is left
to whoever wants to send an input out is the choice among these: a few bits for each check.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import difflib
import functools
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from grader.grading.own_message import readable
from grader.model import endings
from grader.model.errors import MissingName, StudentError, SubmissionError
from grader.model.records import CellResult, CellStatus
from grader.notebooks.cells import Cell
from grader.notebooks.names import defined_names, imported_names
from grader.notebooks.source import parse
from grader.notebooks.submission_file import from_bytes

MAX_NAMES, LONGEST_NAME = 2_000, 60
"""Names that a missing one is compared with, and characters of each."""
MAX_BYTES = {".py": 1_000_000, ".ipynb": 20_000_000}
MAX_FILES = 50
"""Bytes of another file that is looked into, and how many are."""
OF_LIBRARIES = frozenset({"AxisError", "LinAlgError"})
OF_PYTHON = frozenset(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)


class OwnCode:
    """One graded file and the modules beside it, as far as messages need them. Costs nothing until asked.

    ``name`` is the file's, ``files`` are the bytes around it by their places; ``results`` say how its cells
    ended, if they ran. ``live`` are the names of a notebook that is running, of which there is no file.
    """

    def __init__(
        self,
        name: str = "",
        cells: Sequence[Cell] = (),
        files: Mapping[str, bytes] | None = None,
        results: Sequence[CellResult] = (),
        live: Collection[str] = (),
    ) -> None:
        self.name = name
        self._cells = [cell for cell in cells if cell.kind == "code"]
        self._files, self._results = files or {}, results
        self._live = live

    def says_of(self, error: StudentError) -> str:
        """What the student may read of an error that their code caused, in one sentence or two."""
        if isinstance(error, MissingName):
            return self.says_of_missing(error.name)
        kind = error.kind if error.kind in OF_PYTHON | OF_LIBRARIES or error.kind in self._classes else ""
        place = self._place(error.place)
        if not kind and not place:
            return endings.RAISED
        text = readable(error.message, self._every_cell) if kind else ""
        where, said = f" in {place}" if place else "", f": {text.rstrip('.')}" if text else ""
        return f"Your code raised {kind or 'an exception'}{where}{said}."

    def says_of_missing(self, name: str) -> str:
        """Which name is not there, why, and what may have been meant."""
        what = f"`{name}` is not defined"
        yours = f"your {'script' if self._is_script else 'notebook'}"
        if module := self._imported_from(name):
            return f"{what}; {yours} imports it from `{module}`, and the import did not succeed."
        if cell := self._cell_that_defines(name):
            return f"{what}; {cell} should define it, but {self._fate(name)}."
        if place := self.elsewhere(name):
            return f"{what} in {yours}; {place} defines it."
        if meant := nearest(name, self._defined):
            return f"{what}; {yours} defines `{meant}`."
        return f"{what} in {yours}."

    def elsewhere(self, name: str) -> str:
        """The file that defines a name which this one neither defines nor imports; "" if there is none."""
        if name in self._defined or self._imported_from(name):
            return ""
        return next((place for place, names in self._others.items() if name in names), "")

    # -- what the text says ----------------------------------------------------------------------------

    @property
    def _is_script(self) -> bool:
        return bool(self._cells) and self._cells[0].line > 0

    @functools.cached_property
    def _defined(self) -> frozenset[str]:
        return defined_names(self._cells) | {name for name in self._live if not name.startswith("_")}

    @functools.cached_property
    def _imported(self) -> Mapping[str, str]:
        return imported_names(self._cells)

    def _imported_from(self, name: str) -> str:
        module = self._imported.get(name, "")
        everything = self._imported.get("*", "")
        if not module and everything:
            places = (f"{everything.replace('.', '/')}{end}" for end in (".py", "/__init__.py"))
            module = everything if any(name in self._others.get(place, ()) for place in places) else ""
        return module

    @functools.cached_property
    def _classes(self) -> frozenset[str]:
        """The classes that the file and its modules write down."""
        return frozenset(
            node.name
            for cell in self._every_cell
            if (parsed := parse(cell.source)) is not None
            for node in ast.walk(parsed.tree)
            if isinstance(node, ast.ClassDef)
        )

    @property
    def _every_cell(self) -> Sequence[Cell]:
        return [*self._cells, *(cell for cells in self._other_cells.values() for cell in cells)]

    @functools.cached_property
    def _others(self) -> Mapping[str, frozenset[str]]:
        """The names that the files beside this one define, by their places."""
        return {place: defined_names(cells) for place, cells in self._other_cells.items()}

    @functools.cached_property
    def _other_cells(self) -> Mapping[str, Sequence[Cell]]:
        found: dict[str, Sequence[Cell]] = {}
        for place, data in sorted(self._files.items()):
            most = MAX_BYTES.get(PurePosixPath(place).suffix, 0)
            if place != self.name and len(data) <= most and len(found) < MAX_FILES:
                with contextlib.suppress(SubmissionError):
                    found[place] = from_bytes(data, name=place).cells
        return found

    # -- places ----------------------------------------------------------------------------------------

    def _cell_of(self, name: str) -> Cell | None:
        return next((cell for cell in self._cells if name in defined_names([cell])), None)

    def _cell_that_defines(self, name: str) -> str:
        cell = self._cell_of(name) if name in self._defined else None
        return "" if cell is None else self._called(cell.number, cell.line)

    def _fate(self, name: str) -> str:
        cell = self._cell_of(name)
        result = next((result for result in self._results if cell and result.cell == cell.number), None)
        if result is None or result.status is CellStatus.OK:
            return "did not when it ran"
        return f"it {endings.CELLS[result.status]}"

    def _called(self, number: int, line: int) -> str:
        return f"{self.name}, line {line}" if self._is_script else f"cell {number}"

    def _place(self, place: tuple[str, int, int] | None) -> str:
        """A place in words, if the file or one of its modules has it; "" otherwise."""
        if place is None:
            return ""
        file, number, line = place
        if not file:
            cell = next((cell for cell in self._cells if cell.number == number), None)
            if cell is None or not 1 <= line <= cell.source.count("\n") + 1:
                return ""
            return f"cell {number}, line {line}"
        if file == self.name and self._is_script:
            last = self._cells[-1]
            return f"{file}, line {line}" if 1 <= line <= last.line + last.source.count("\n") else ""
        data = self._files.get(file)
        return f"{file}, line {line}" if data is not None and 1 <= line <= data.count(b"\n") + 1 else ""


def nearest(name: str, names: frozenset[str]) -> str:
    """The name that is most like this one; "" if none is. Case and underscores count less than letters."""
    known = {_plain(other): other for other in sorted(names)[:MAX_NAMES] if len(other) <= LONGEST_NAME}
    found = difflib.get_close_matches(_plain(name)[:LONGEST_NAME], known, n=1, cutoff=0.7)
    return known[found[0]] if found else ""


def _plain(name: str) -> str:
    return name.casefold().replace("_", "")
