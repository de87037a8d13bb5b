"""Solutions that other systems mark in their ways, with our markers around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grader.model.errors import TemplateError
from grader.notebooks.foreign_markers import foreign_markers
from grader.notebooks.solution import MARKERS, without_solution
from grader.notebooks.source import parse

BEGIN, END = MARKERS["code"]
PROSE_BEGIN, PROSE_END = MARKERS["markdown"]


def whole(source: str, *, kind: str = "code") -> str:
    """The cell with all of it a solution; magics of the whole cell stay above."""
    begin, end = MARKERS[kind]
    lines = source.strip("\n").split("\n")
    head = lines[:1] if kind == "code" and lines[0].startswith("%%") else []
    inside = [line for line in lines[len(head) :] if line.strip() not in (begin, end)]
    return "\n".join([*head, begin, *inside, end])


def answer(item: str, text: str) -> str:
    """A Markdown cell for the written answer of an item, solved by ``text``."""
    return f"#### Answer {item}\n\n{PROSE_BEGIN}\n{text.strip() or '(no model answer)'}\n{PROSE_END}"


def marked(lines: Iterable[tuple[str, bool]]) -> str:
    """Source of a code cell from its lines, each with whether it belongs to the solution.

    Blank lines between two lines of the solution go with it; a region has the indent of its first line.
    """
    out: list[str] = []
    region: list[str] = []
    blank: list[str] = []
    for line, is_solution in lines:
        if not line.strip():
            blank.append(line)
            continue
        if not is_solution:
            out += [*_closed(region), *blank, line]
            region = []
        elif region:
            region += [*blank, line]
        else:
            out += blank
            region = [line]
        blank = []
    return "\n".join([*out, *_closed(region)]).strip("\n")


def _closed(region: Sequence[str]) -> list[str]:
    if not region:
        return []
    indent = min((indent_of(line) for line in region if line.strip()), key=len)
    return [indent + BEGIN, *region, indent + END]


def indent_of(line: str) -> str:
    """The blanks that a line begins with."""
    return line[: len(line) - len(line.lstrip())]


def checked(source: str) -> str:
    """The cell as it is if it is Python without its solution, else with all of it a solution."""
    try:
        rest = without_solution(source, kind="code", where="cell")
    except TemplateError:
        return whole(source)
    return source if parse(rest) is not None or parse(source) is None else whole(source)


def without_foreign_markers(source: str, *, kind: str) -> str:
    """The cell without the lines by which other courses mark something, which our template refuses."""
    numbers = {number for number, _, _ in foreign_markers(source, kind=kind)}
    return "\n".join(_others(source.split("\n"), numbers)) if numbers else source


def _others(lines: Sequence[str], numbers: set[int]) -> Iterator[str]:
    return (line for number, line in enumerate(lines, start=1) if number not in numbers)
