"""A Python file as cells, so that a statement that raises costs only itself.

A percent file has cells of its own. A plain script becomes one cell per top-level statement; if it does not
parse, only the broken blocks are cells that fail.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from grader.model.errors import SubmissionError
from grader.notebooks.cells import MAX_CELL, Cell, cells_were
from grader.notebooks.ipynb import MAX_CELLS
from grader.notebooks.percent import is_percent, read_percent
from grader.notebooks.source import parse

_GOES_ON = re.compile(r"[ \t)\]}#]|$|(?:else|elif|except|finally)\b")
"""A line that cannot begin a top-level statement."""
_MAX_BLOCKS = 60
"""How many blocks are tried as one statement: a class that text at column 0 cuts into more is not found."""
_MAX_PARSED = 2_000_000
"""Characters given to the parser while a broken script is cut; after that each block is taken as it is.

Broken text costs the parser more than a microsecond per character, so this is a few seconds.
"""


def script_cells(text: str, *, name: str) -> tuple[tuple[Cell, ...], tuple[str, ...], bool]:
    """The cells of a script, its notices, and whether it is a percent file.

    Raises SubmissionError for more cells than any homework has.
    """
    if is_percent(text):
        cells = tuple(
            Cell(number, chunk.kind, chunk.source, chunk.tags, f"line-{chunk.line}", line=chunk.line)
            for number, chunk in enumerate(read_percent(text), start=1)
        )
        percent = True
    else:
        blocks = split_statements(text)
        cells = tuple(
            Cell(number, kind, source, id=f"line-{line}", line=line)
            for number, (line, kind, source) in enumerate(blocks, start=1)
        )
        percent = False
    if len(cells) > MAX_CELLS:
        raise SubmissionError(f"{name}: has {len(cells):,} statements; at most {MAX_CELLS:,} can be graded")
    too_long = [cell.number for cell in cells if len(cell.source) > MAX_CELL]
    notices = (f"{cells_were(too_long)} left out: more than {MAX_CELL:,} characters",) if too_long else ()
    return tuple(cell for cell in cells if len(cell.source) <= MAX_CELL), notices, percent


def split_statements(text: str) -> list[tuple[int, str, str]]:
    """A script's top-level statements as (first line's number, kind, source).

    Comments go with the statement below them, decorators with what they decorate, and statements on one line
    stay together. A string that stands alone is prose ("markdown"): Colab exports text cells that way.
    """
    lines = text.split("\n")
    parsed = parse(text)
    if parsed is None or parsed.cell_magic:
        spans = list(_spans_of_broken(lines))
    else:
        spans = [_span(statement) for statement in parsed.tree.body]
    if not spans and text.strip():
        spans = [(0, len(lines))]  # nothing but comments, or nothing at column 0
    return [_block(lines, start, end) for start, end in _with_comments(spans, len(lines))]


def _span(statement: ast.stmt) -> tuple[int, int]:
    """Index of the first line, and of the line after the last; decorators included."""
    decorators = getattr(statement, "decorator_list", [])
    start = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    return start - 1, statement.end_lineno or statement.lineno


def _with_comments(spans: list[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Spans that cover every line: a gap goes to the statement below it, the end to the last statement."""
    covered: list[tuple[int, int]] = []
    for start, end in spans:
        if covered and start < covered[-1][1]:  # two statements on one line
            covered[-1] = (covered[-1][0], max(end, covered[-1][1]))
        else:
            covered.append((covered[-1][1] if covered else 0, end))
    if covered:
        covered[-1] = (covered[-1][0], length)
    return covered


def _block(lines: list[str], start: int, end: int) -> tuple[int, str, str]:
    while start < end - 1 and not lines[start].strip():
        start += 1
    source = "\n".join(lines[start:end]).rstrip()
    prose = _prose(source)
    return (start + 1, "code", source) if prose is None else (start + 1, "markdown", prose)


def _prose(source: str) -> str | None:
    """The text of a string that stands alone, None for anything else."""
    # A look at the last character spares a second parse of most blocks.
    if source[-1:] not in {"'", '"'}:
        return None
    parsed = parse(source)
    body = parsed.tree.body if parsed else []
    if len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        value = body[0].value.value
        return value.strip("\n") if isinstance(value, str) else None
    return None


def _spans_of_broken(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Spans of a script that does not parse, so that what is not broken still runs.

    A block begins at each line that could begin a statement. A class may hold text at column 0 (in a string,
    say), so it may take several blocks to make a statement: from each block on, the shortest run of blocks
    that parses is one span. A block that no run completes is broken; it is a span alone, and the search goes
    on with the next. A script made to be slow costs up to ``_MAX_BLOCKS`` parses for each block;
    ``_MAX_PARSED`` bounds the whole.
    """
    starts = [index for index, line in enumerate(lines) if not _GOES_ON.match(line)]
    ends = [*starts[1:], len(lines)]
    spent = at = 0
    while at < len(starts):
        taken = 1
        for count in range(1, min(_MAX_BLOCKS, len(starts) - at) + 1):
            text = "\n".join(lines[starts[at] : ends[at + count - 1]])
            spent += len(text)
            if spent > _MAX_PARSED:
                break
            if parse(text) is not None:
                taken = count
                break
        end = ends[at + taken - 1]
        while not lines[end - 1].strip() or lines[end - 1].startswith("#"):
            end -= 1  # comments belong to the statement below
        yield starts[at], end
        at += taken
