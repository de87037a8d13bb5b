"""Taking the solution out of a cell: each marked region becomes a stub that says what to do.

::

    # TODO: return X W + b                        # TODO: return X W + b
    ### BEGIN SOLUTION                    ->      raise NotImplementedError("TODO: return X W + b")
    return X @ W + b
    ### END SOLUTION

In Markdown the markers are ``<!-- BEGIN SOLUTION -->`` and ``<!-- END SOLUTION -->``. A marker written in any
other way is an error, because it would give the solution away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from grader.model.errors import TemplateError
from grader.notebooks.answers import PLACEHOLDER

MARKERS = {
    "code": ("### BEGIN SOLUTION", "### END SOLUTION"),
    "markdown": ("<!-- BEGIN SOLUTION -->", "<!-- END SOLUTION -->"),
}
INSTRUCTION = "write your code here"

_LOOKS_LIKE_MARKER = re.compile(
    r"(?:BEGIN|END)[ \t_-]*SOLUTION"
    # As other courses write them, in a comment.
    r"|(?:#|<!--)[^\w\n]{0,40}(?:(?:BEGIN|START|END)[ \t]+(?:OF[ \t]+)?YOUR[ \t]+(?:SOLUTION|CODE|ANSWER)\b"
    r"|(?:START|END)[ \t]+CODE[ \t]+HERE\b|YOUR[ \t]+(?:SOLUTION|CODE|ANSWER)[ \t]+(?:STARTS|ENDS)\b)",
    re.IGNORECASE,
)
_TODO = re.compile(r"#+[ \t]*TODO:[ \t]*(?P<text>.*\S)")


def without_solution(source: str, *, kind: str, where: str, line: int = 1) -> str:
    """A cell's source with a stub in place of every marked region.

    ``where`` names the file and ``line`` is the cell's first line in it, for errors. Raises TemplateError for
    markers that do not pair up, are nested, or belong to another kind of cell.
    """
    return "\n".join(_stubbed(source.split("\n"), kind=kind, where=where, line=line))


def solution_lines(source: str) -> list[tuple[int, int]]:
    """The first and last line (from 1) of every marked region of a code cell; an open one goes to its end."""
    begin, end = MARKERS["code"]
    found: list[tuple[int, int]] = []
    opened: int | None = None
    lines = source.split("\n")
    for number, text in enumerate(lines, start=1):
        if text.strip() == begin and opened is None:
            opened = number
        elif text.strip() == end and opened is not None:
            found.append((opened, number))
            opened = None
    return found if opened is None else [*found, (opened, len(lines))]


def has_marker(source: str) -> bool:
    """Whether any line looks like a marker, correctly written or not."""
    return bool(_LOOKS_LIKE_MARKER.search(source))


def _stubbed(lines: Sequence[str], *, kind: str, where: str, line: int) -> Iterator[str]:
    begin, end = MARKERS.get(kind, ("", ""))
    opened: int | None = None
    for index, text in enumerate(lines):
        place = f"{where}, line {line + index}"
        if not _LOOKS_LIKE_MARKER.search(text):
            if opened is None:
                yield text
        elif text.strip() == begin and opened is None:
            opened = index
        elif text.strip() == end and opened is not None:
            yield from _stub(lines, opened, index, kind=kind)
            opened = None
        else:
            raise TemplateError(f"{place}: {_complaint(text.strip(), begin, end, opened, line)}")
    if opened is not None:
        raise TemplateError(f"{where}, line {line + opened}: {begin!r} without {end!r} in the same cell")


def _complaint(text: str, begin: str, end: str, opened: int | None, line: int) -> str:
    if text == begin and opened is not None:
        return f"{begin!r} inside the region that begins in line {line + opened}; regions do not nest"
    if text == end:
        return f"{end!r} without {begin!r} above it in the same cell"
    if not begin:
        return (
            f"{text!r} in a cell that is neither code nor Markdown; take the cell out, and mark the solution "
            f"in its own cell by {' and '.join(map(repr, MARKERS['code']))}"
        )
    return f"{text!r} looks like a marker; in this cell they are {begin!r} and {end!r}, alone on a line"


def _stub(lines: Sequence[str], opened: int, closed: int, *, kind: str) -> Iterator[str]:
    """What students see in place of a region, indented like its first marker."""
    indent = lines[opened][: len(lines[opened]) - len(lines[opened].lstrip())]
    if kind != "code":
        yield indent + PLACEHOLDER
        return
    inside = _TODO.fullmatch(lines[opened + 1].strip()) if opened + 1 < closed else None
    above = _todo_above(lines, opened)
    instruction = inside["text"] if inside else above or INSTRUCTION
    if inside or not above:
        yield f"{indent}# TODO: {instruction}"
    message = f"TODO: {instruction}"
    # JSON's quotes where they need no escape, to look like the rest of the code; both are Python.
    text = repr(message) if '"' in message else json.dumps(message, ensure_ascii=False)
    yield f"{indent}raise NotImplementedError({text})"


def _todo_above(lines: Sequence[str], opened: int) -> str | None:
    """The text of a TODO comment directly above the region, which the template keeps; None without one."""
    texts: list[str] = []
    for line in reversed(lines[:opened]):
        if not line.lstrip().startswith("#") or _LOOKS_LIKE_MARKER.search(line):
            return None
        if found := _TODO.fullmatch(line.strip()):
            return " ".join([found["text"], *reversed(texts)])
        texts.append(line.strip().lstrip("#").strip())
    return None
