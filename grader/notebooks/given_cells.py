"""The cells that students are given: the reference without its solutions."""

from __future__ import annotations

import hashlib
import re

from grader.model.errors import TemplateError
from grader.notebooks.cells import Cell
from grader.notebooks.percent import Chunk, read_percent
from grader.notebooks.solution import without_solution
from grader.notebooks.source import parse

_SLUG = 48
_POINTS = re.compile(r"\([^()]*points?\)\s*$")


def student_cells(text: str, *, where: str) -> tuple[Cell, ...]:
    """The cells of a percent-format reference as students get them; ``where`` names it in errors.

    Raises TemplateError for bad markers and for a code cell that does not parse without its solution.
    """
    slug, used, cells = "top", set[str](), []
    for number, chunk in enumerate(read_percent(text, uncomment_magics=True), start=1):
        source = without_solution(chunk.source, kind=chunk.kind, where=where, line=chunk.line)
        if chunk.kind == "code" and parse(source) is None:
            raise TemplateError(f"{where}, line {chunk.line}: {_not_python(chunk)}")
        slug = _heading_slug(source) or slug if chunk.kind == "markdown" else slug
        name = _unused(f"{slug}-{_digest(chunk.kind, source)}", used)
        cells.append(Cell(number, chunk.kind, source, chunk.tags, name))
    if not cells:
        raise TemplateError(f"{where}: has no cells; they begin with `# %%` lines")
    return tuple(cells)


def _not_python(chunk: Chunk) -> str:
    if parse(chunk.source) is None:
        return "this cell is not Python"
    return "this cell is not Python once its solution is taken out; the region must be whole statements"


def _heading_slug(source: str) -> str:
    """A cell's first heading as part of an id; "" where there is none."""
    heading = next((line.lstrip("# ") for line in source.split("\n") if line.startswith("#")), "")
    words = re.findall(r"[a-z0-9]+", _POINTS.sub("", heading).lower())
    return "-".join(words)[:_SLUG].rstrip("-")


def _digest(kind: str, source: str) -> str:
    return hashlib.sha256(f"{kind}\n{source}".encode()).hexdigest()[:8]


def _unused(name: str, used: set[str]) -> str:
    """The name, with a number where two cells are alike; at most 64 characters, as nbformat wants."""
    candidates = [name, *(f"{name}-{count}" for count in range(2, len(used) + 2))]
    free = next(candidate for candidate in candidates if candidate not in used)
    used.add(free)
    return free
