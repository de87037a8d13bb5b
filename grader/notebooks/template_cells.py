"""The cells of the template: the reference without its solutions."""

from __future__ import annotations

import hashlib
import re

from grader.model.errors import TemplateError
from grader.notebooks.cells import Cell
from grader.notebooks.reference_cells import place_of, reference_cells
from grader.notebooks.solution import without_solution
from grader.notebooks.source import parse

_SLUG = 48
_WORD = re.compile(r"[a-z0-9]+")
_POINTS = re.compile(r"\([^()]*points?\)\s*$")


def template_cells(text: str, *, where: str) -> tuple[Cell, ...]:
    """The template's cells, from the text of a reference; ``where`` is its file's name.

    Raises TemplateError for bad markers and for a code cell that does not parse without its solution.
    """
    slug, used, cells = "top", set[str](), []
    for given in reference_cells(text, where=where):
        file = where if given.line else f"{where}, cell {given.number}"
        source = without_solution(given.source, kind=given.kind, where=file, line=given.line or 1)
        if given.kind == "code" and parse(source) is None:
            raise TemplateError(f"{place_of(given, where=where)}: {_not_python(given)}")
        # An id depends on its heading and its own text alone: a new cell leaves the others' ids as they are.
        slug = _heading_slug(source) or slug if given.kind == "markdown" else slug
        name = _unused(f"{slug}-{_digest(given.kind, source)}", used)
        cells.append(Cell(given.number, given.kind, source, given.tags, name))
    if not cells:
        raise TemplateError(f"{where}: has no cells; they begin with `# %%` lines")
    return tuple(cells)


def _not_python(given: Cell) -> str:
    if parse(given.source) is None:
        return "this cell is not Python"
    return "this cell is not Python once its solution is taken out; the region must be whole statements"


def _heading_slug(source: str) -> str:
    """A cell's first heading as part of an id; "" without one."""
    heading = next((line.lstrip("# ") for line in source.split("\n") if line.startswith("#")), "")
    words = _WORD.findall(_POINTS.sub("", heading).lower())
    return "-".join(words)[:_SLUG].rstrip("-")


def _digest(kind: str, source: str) -> str:
    return hashlib.sha256(f"{kind}\n{source}".encode()).hexdigest()[:8]


def _unused(name: str, used: set[str]) -> str:
    """The name, with a number if two cells are alike; at most 64 characters, as nbformat requires."""
    candidates = [name, *(f"{name}-{count}" for count in range(2, len(used) + 2))]
    free = next(candidate for candidate in candidates if candidate not in used)
    used.add(free)
    return free
