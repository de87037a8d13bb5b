"""A cell's text parsed as Python, not run: magics are masked, and text that is not Python gives None.

Everything takes time and memory linear in the text, because the text comes from a submission.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

_RUN_IN_PLACE = {"%%time", "%%capture", "%%prun"}
"""Cell magics whose body runs as Python among the notebook's own names."""

_MAGIC_LINE = re.compile(r"(?P<indent>[ \t]*)(?:![^=]|%{1,2}[A-Za-z_]|\?{1,2}[\w.%]|[\w.]+\?{1,2}[ \t]*$)")
_MAGIC_VALUE = re.compile(r"(?P<target>[ \t]*[A-Za-z_][\w.]*[ \t]*=[ \t]*)(?:![^=]|%[A-Za-z_])")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A cell's syntax tree, with the line numbers of the cell's own text.

    ``magics`` are the numbers (from 1) of lines that IPython understands and Python does not; the tree has a
    placeholder for each. ``cell_magic`` is whether a magic takes the whole cell (``%%time``).
    """

    tree: ast.Module
    magics: frozenset[int] = frozenset()
    cell_magic: bool = False


def parse(text: str) -> Parsed | None:
    """The text's syntax tree, or None if it is not Python even without its magics."""
    lines = text.split("\n")
    head = next((index for index, line in enumerate(lines) if line.strip()), None)
    if head is None or not lines[head].lstrip().startswith("%%"):
        return _parse_lines(lines, cell_magic=False)
    if lines[head].split()[0] not in _RUN_IN_PLACE:
        return Parsed(ast.Module(body=[], type_ignores=[]), cell_magic=True)
    lines[head] = ""
    return _parse_lines(lines, cell_magic=True)


def python_tree(text: str) -> ast.Module | None:
    """The tree of plain Python, or None: bad syntax, NUL bytes, or nesting beyond the parser's depth."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "\d" in a student's string
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None


def top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run in the notebook's own namespace, in the order of the text.

    With a stack of its own: in the tree, a chain of ``elif`` is as deep as it is long.
    """
    waiting = list(body)[::-1]
    while waiting:
        statement = waiting.pop()
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        inner = [
            child
            for part in ("body", "handlers", "cases", "orelse", "finalbody")
            for entry in getattr(statement, part, [])
            for child in (entry.body if isinstance(entry, ast.ExceptHandler | ast.match_case) else [entry])
        ]
        waiting.extend(reversed(inner))


class Positions:
    """Turns positions of ``ast`` (line from 1, column in UTF-8 bytes) into indices in the text."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self._starts = list(accumulate((len(line) + 1 for line in self.lines), initial=0))

    def at(self, line: int, column: int) -> int:
        """The index of a position, in characters from the start of the text."""
        text = self.lines[line - 1]
        if not text.isascii():
            column = len(text.encode("utf-8", "replace")[:column].decode("utf-8", "replace"))
        return self._starts[line - 1] + column

    def end(self, line: int) -> int:
        """The index of a line's end, before its newline."""
        return self._starts[line - 1] + len(self.lines[line - 1])


def _parse_lines(lines: list[str], *, cell_magic: bool) -> Parsed | None:
    tree = python_tree("\n".join(lines))
    if tree is not None:
        return Parsed(tree, cell_magic=cell_magic)
    masked, magics = _mask(lines)
    tree = python_tree("\n".join(masked)) if magics else None
    return None if tree is None else Parsed(tree, frozenset(magics), cell_magic)


def _mask(lines: list[str]) -> tuple[list[str], set[int]]:
    """The lines with a placeholder for each magic, and the magics' numbers.

    A placeholder keeps the line's indent, or its assignment: ``files = !ls`` still binds ``files``. A shell
    command that a backslash continues is masked up to its last line.
    """
    masked, magics = list(lines), set[int]()
    goes_on = False
    for index, line in enumerate(lines):
        if goes_on:
            masked[index] = ""
        elif found := _MAGIC_LINE.match(line):
            masked[index] = found["indent"] + "pass"
        elif found := _MAGIC_VALUE.match(line):
            masked[index] = found["target"] + "None"
        else:
            continue
        magics.add(index + 1)
        goes_on = line.endswith("\\")
    return masked, magics
