"""One cell of a submission, and the pieces in which its source is run."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.model.records import Figure
from grader.notebooks.source import Parsed, Positions, parse

MAX_CELL = 1_000_000
"""Characters of source in one cell."""
FIRST_LINE = 100
"""Characters of a cell's first line that are shown."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as it was handed in. All text is the student's.

    ``number`` counts all cells of the file from 1; ``kind`` is "code", "markdown" or "raw". ``id`` is "" if
    the file has none; the cells of a script are named by their line ("line-12"). ``figures`` are the PNG
    pictures saved with the cell, ``evidence`` the recordings that the template's recorder left there;
    ``bad_evidence`` says in one line each why others could not be read.
    ``line`` is the number of its first line in a script, 0 in a notebook.
    """

    number: int
    kind: str
    source: str
    tags: tuple[str, ...] = ()
    id: str = ""
    figures: tuple[Figure, ...] = ()
    evidence: tuple[Mapping[str, Any], ...] = ()
    bad_evidence: tuple[str, ...] = ()
    line: int = 0


def split_imports(source: str) -> tuple[str, ...]:
    """The pieces in which a cell is run, so that a missing package costs only its own import.

    Import statements and magics at the start of the cell are one piece each, with their comments; the rest is
    the last piece. A cell that starts otherwise, has a cell magic or is not Python stays whole.
    """
    parsed = parse(source)
    if parsed is None or parsed.cell_magic:
        return (source,)
    positions = Positions(source)
    cuts = []
    for statement in parsed.tree.body:
        if not _stands_alone(statement, parsed):
            break
        cuts.append(_end_of(source, positions, statement, parsed.magics))
    pieces = []
    start = 0
    for cut in cuts:
        pieces.append(_piece(source, start, cut))
        start = cut
    return _joined(pieces, _piece(source, start, len(source))) if pieces else (source,)


def first_line(source: str, *, limit: int = FIRST_LINE) -> str:
    """The first line that is not blank, cut to ``limit`` characters; "" for an empty cell."""
    line = next((line.strip() for line in source.split("\n") if line.strip()), "")
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _stands_alone(statement: ast.stmt, parsed: Parsed) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom) or statement.lineno in parsed.magics


def _end_of(source: str, positions: Positions, statement: ast.stmt, magics: frozenset[int]) -> int:
    """Where a statement's piece ends: at the end of its line, or at the semicolon before the next one."""
    last = statement.end_lineno or statement.lineno
    if last in magics:
        while last + 1 in magics and positions.lines[last - 1].endswith("\\"):
            last += 1  # the rest of a shell command
        return positions.end(last)
    end = positions.at(last, statement.end_col_offset or 0)
    after = source[end : positions.end(last)].lstrip(" \t")
    if after.startswith(";") and after[1:].strip() and not after[1:].lstrip().startswith("#"):
        return source.index(";", end) + 1
    return positions.end(last)


def _piece(source: str, start: int, end: int) -> str:
    """The text between two cuts. Blanks after a semicolon are dropped, or they would be an indent."""
    piece = source[start:end].strip("\n")
    return piece.lstrip(" \t") if source[start - 1 : start] == ";" else piece


def _joined(pieces: list[str], rest: str) -> tuple[str, ...]:
    if not rest.strip():
        return tuple(pieces)
    if all(not line.strip() or line.lstrip().startswith("#") for line in rest.split("\n")):
        return (*pieces[:-1], f"{pieces[-1]}\n{rest}")
    return (*pieces, rest)


def cells_were(numbers: Sequence[int], *, limit: int = 8) -> str:
    """A subject with its verb: "cell 3 was", "cells 3 and 7 were", "cells 1, 2 and 40 more were"."""
    if len(numbers) == 1:
        return f"cell {numbers[0]} was"
    head, rest = list(map(str, numbers[:limit])), len(numbers) - limit
    last = f"{rest} more" if rest > 0 else head.pop()
    return f"cells {', '.join(head)} and {last} were"
