"""The percent format: a Python file whose ``# %%`` lines begin cells, read as jupytext reads it.

This reader is our own because submissions use the format too: it takes linear time, never raises, and keeps
the line of every cell for messages.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_MARKER = re.compile(r"#[ \t]*%%(?P<sub>%*)(?:[ \t]+(?P<rest>.*))?[ \t]*$")
_KIND = re.compile(r"\[(?P<kind>markdown|md|raw)\]")
_TAGS = re.compile(r"""["']?\btags["']?[ \t]*[=:][ \t]*(?P<list>\[[^\[\]]*\])""")
_KINDS = {"markdown": "markdown", "md": "markdown", "raw": "raw"}
_MAGIC = re.compile(r"# ?(?=%{1,2}[A-Za-z]|![A-Za-z])")
_QUOTES = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class PercentCell:
    """One cell of a percent file; ``line`` is the number (from 1) of its first line of text in the file."""

    line: int
    kind: str
    source: str
    tags: tuple[str, ...] = ()


def is_percent(text: str) -> bool:
    """Whether any line begins a cell."""
    return any(_MARKER.match(line) for line in text.split("\n"))


def read_percent(text: str, *, uncomment_magics: bool = False) -> tuple[PercentCell, ...]:
    """The cells of a percent file, without empty ones, Markdown without its comment signs.

    ``uncomment_magics`` turns ``# %matplotlib inline`` back into the magic that it stands for.
    """
    lines = text.split("\n")
    start = _after_header(lines)
    marks = [(index, found) for index in range(start, len(lines)) if (found := _MARKER.match(lines[index]))]
    ends = [index for index, _ in marks] + [len(lines)]
    # What stands above the first marker is a code cell too, as in jupytext.
    cells = [_cell(lines, start, ends[0], "", uncomment_magics=uncomment_magics)]
    for (index, found), end in zip(marks, ends[1:], strict=True):
        options = found["rest"] or ""
        cells.append(_cell(lines, index + 1, end, options, uncomment_magics=uncomment_magics))
    return tuple(cell for cell in cells if cell.source)


def _after_header(lines: list[str]) -> int:
    """The index after jupytext's YAML header (``# ---`` to ``# ---``), 0 without one."""
    if lines[0].rstrip() != "# ---":
        return 0
    for index, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "# ---":
            return index + 1
        if not line.startswith("#"):
            return 0
    return 0


def _cell(lines: list[str], start: int, end: int, options: str, *, uncomment_magics: bool) -> PercentCell:
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    found = _KIND.search(options)
    kind = _KINDS[found["kind"]] if found else "code"
    body = lines[start:end]
    if kind != "code":
        body = _without_comment_signs(body)
    elif uncomment_magics:
        body = [_MAGIC.sub("", line, count=1) if _MAGIC.match(line) else line for line in body]
    return PercentCell(start + 1, kind, "\n".join(body), tags_in(options))


def _without_comment_signs(lines: list[str]) -> list[str]:
    """The prose of a cell, which is written as comments or as one string in triple quotes."""
    quotes = next((sign for sign in _QUOTES if lines and lines[0].startswith(sign)), None)
    if quotes and len(lines) > 1 and lines[-1].rstrip().endswith(quotes):
        inner = [lines[0][3:], *lines[1:-1], lines[-1].rstrip()[:-3]]
        # Quotes alone on their line leave an empty first or last line; that is no text of the cell.
        return inner[not inner[0].strip() : len(inner) - (not inner[-1].strip())]
    return [line[2:] if line.startswith("# ") else line[line.startswith("#") :] for line in lines]


def tags_in(options: str) -> tuple[str, ...]:
    """The tags among the options of a cell, as jupytext writes them; none if they cannot be read."""
    found = _TAGS.search(options)
    if not found:
        return ()
    try:
        tags = json.loads(found["list"].replace("'", '"'))
    except (ValueError, RecursionError):
        return ()
    return tuple(tag for tag in tags if isinstance(tag, str))
