"""Markdown notebooks, as jupytext and MyST write them: prose, with fenced blocks of Python as code cells.

The reader is our own because submissions use the format: it takes linear time and keeps each cell's line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.model.errors import SubmissionError
from grader.notebooks.cells import MAX_CELL, Cell, cells_were
from grader.notebooks.ipynb import MAX_CELLS
from grader.notebooks.percent import tags_in

_FENCE = re.compile(r"(?P<ticks>`{3,})[ \t]*(?P<brace>\{)?(?P<language>[A-Za-z][\w-]*)?(?P<rest>.*)$")
_REGION = re.compile(r"<!--[ \t]*#(?P<kind>region|markdown|md|raw)\b")
_PYTHON = frozenset({"python", "python3", "ipython", "ipython3", "code-cell"})
_MAGICS = frozenset(
    {"bash", "sh", "script", "html", "latex", "javascript", "js", "perl", "ruby", "svg", "sql"}
)
"""Languages whose blocks jupytext turns into a cell with a magic: ``%%bash``."""

Found = tuple[int, str, str, tuple[str, ...]]
"""A cell: its first line's number, kind, source and tags."""


def markdown_cells(text: str, *, name: str) -> tuple[tuple[Cell, ...], tuple[str, ...]]:
    """The cells of a Markdown notebook, and its notices.

    Raises SubmissionError if there is no code in it, or there are more cells than any homework has.
    """
    found = list(read_markdown(text))
    if not any(kind == "code" for _, kind, _, _ in found):
        raise SubmissionError(
            f"{name}: Markdown without a block of Python; hand in a notebook (.ipynb) or a script (.py)"
        )
    if len(found) > MAX_CELLS:
        raise SubmissionError(f"{name}: has {len(found):,} cells; at most {MAX_CELLS:,} can be graded")
    cells = [
        Cell(number, kind, source, tags, f"line-{line}")
        for number, (line, kind, source, tags) in enumerate(found, start=1)
    ]
    too_long = [cell.number for cell in cells if len(cell.source) > MAX_CELL]
    notices = (f"{cells_were(too_long)} left out: more than {MAX_CELL:,} characters",) if too_long else ()
    return tuple(cell for cell in cells if len(cell.source) <= MAX_CELL), notices


def read_markdown(text: str) -> Iterator[Found]:
    """The cells of a Markdown notebook, without empty ones. Two blank lines part two pieces of prose."""
    lines = text.split("\n")
    at = _after_header(lines)
    while at < len(lines):
        fence, region = _FENCE.match(lines[at]), _REGION.match(lines[at])
        if region:
            end = _find(lines, at + 1, re.compile(rf"<!--[ \t]*#end{region['kind']}[ \t]*-->"))
            kind = "raw" if region["kind"] == "raw" else "markdown"
            yield from _cell(lines, at + 1, end, kind, ())
            at = end + 1
        elif fence and _is_cell(fence):
            end = _find(lines, at + 1, re.compile(fence["ticks"]))
            yield from _code(lines, at, end, fence)
            at = end + 1
        else:
            end = _end_of_prose(lines, at)
            yield from _cell(lines, at, end, "markdown", ())
            at = end


def _after_header(lines: list[str]) -> int:
    """The index after a YAML header (``---`` to ``---``), 0 without one."""
    if lines[0].rstrip() != "---":
        return 0
    return next((at + 1 for at in range(1, len(lines)) if lines[at].rstrip() == "---"), 0)


def _find(lines: list[str], at: int, end: re.Pattern[str]) -> int:
    return next((index for index in range(at, len(lines)) if end.match(lines[index])), len(lines))


def _is_cell(fence: re.Match[str]) -> bool:
    language = (fence["language"] or "").lower()
    if ".noeval" in fence["rest"]:
        return False
    return language in _PYTHON or (language in _MAGICS and not fence["brace"])


def _end_of_prose(lines: list[str], at: int) -> int:
    """Where prose ends that begins here: at a cell, or after two blank lines. A block in it stays whole."""
    blank, seen = 0, False
    index = at
    while index < len(lines):
        line = lines[index]
        fence = _FENCE.match(line)
        if _REGION.match(line) or (fence and _is_cell(fence)):
            return index
        if not line.strip():
            blank += 1
        elif seen and blank > 1:
            return index
        else:
            blank, seen = 0, True
        if fence:
            index = _find(lines, index + 1, re.compile(rf"{fence['ticks']}[ \t]*$"))
        index += 1
    return len(lines)


def _code(lines: list[str], at: int, end: int, fence: re.Match[str]) -> Iterator[Found]:
    language, rest = fence["language"].lower(), fence["rest"]
    tags, start = tags_in(rest), at + 1
    if language == "code-cell":  # MyST: options are lines of their own
        while start < end and lines[start].startswith(":"):
            name, _, value = lines[start][1:].partition(":")
            tags = tags_in(f"tags={_quoted(value)}") if name == "tags" else tags
            start += 1
    if language in _MAGICS:
        yield (at + 1, "code", "\n".join([f"%%{language}", *lines[start:end]]), tags)
        return
    kind = "code" if "active=" not in rest or "ipynb" in rest else "raw"
    yield from _cell(lines, start, end, kind, tags)


def _quoted(value: str) -> str:
    """A list of YAML with its words in quotes: ``[a, b]``."""
    words = [word.strip(" \t\"'") for word in value.strip().strip("[]").split(",")]
    return "[" + ", ".join(f'"{word}"' for word in words if word) + "]"


def _cell(lines: list[str], start: int, end: int, kind: str, tags: tuple[str, ...]) -> Iterator[Found]:
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    if start < end:
        yield (start + 1, kind, "\n".join(lines[start:end]), tags)
