"""The first format of otter and jassign, whose questions begin in Markdown, as cells of today's format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from grader.authoring.imported import settings
from grader.authoring.imported.files import RawCell

_BLOCK = re.compile(
    r"^```[ \t]*\n[ \t]*(BEGIN QUESTION|BEGIN ASSIGNMENT|OTTER ASSIGN INIT|ASSIGNMENT CONFIG)[ \t]*\n"
    r"(.*?)^```[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
_TEST = re.compile(r"#+[ \t]{0,80}(?P<hidden>HIDDEN[ \t]{1,80})?TEST\b.{0,200}", re.IGNORECASE)


def as_v1(cells: Iterable[RawCell]) -> list[RawCell]:
    """The cells as they are, or those of the first format with raw cells where its parts begin and end."""
    given = list(cells)
    if not any(cell.kind == "markdown" and _BLOCK.search(cell.source) for cell in given):
        return given
    return list(_converted(given))


def _converted(cells: list[RawCell]) -> Iterator[RawCell]:
    is_manual, part = False, ""
    for cell in cells:
        found = _BLOCK.search(cell.source) if cell.kind == "markdown" else None
        is_test = cell.kind == "code" and bool(_TEST.match(cell.source.lstrip()))
        if part and not (is_test and part in ("SOLUTION", "TESTS")) and (found or part in ("TESTS", "DONE")):
            yield from _ends(cell, part)
            part = ""
        if found and found[1] == "BEGIN QUESTION":
            is_manual = settings.read(found[2]).get("manual") is True
            yield _raw(cell, f"# BEGIN QUESTION\n{found[2]}")
            yield replace(cell, source=_BLOCK.sub("", cell.source).strip())
            yield _raw(cell, "# BEGIN SOLUTION")
            part = "SOLUTION"
        elif found:
            yield _raw(cell, f"# ASSIGNMENT CONFIG\n{found[2]}")
        elif is_test and part:
            if part == "SOLUTION":
                yield _raw(cell, "# END SOLUTION")
                yield _raw(cell, "# BEGIN TESTS")
                part = "TESTS"
            lines = cell.source.lstrip().split("\n")
            test = _TEST.match(lines[0])
            head = ["# HIDDEN"] if test and test["hidden"] else []
            yield replace(cell, source="\n".join([*head, *lines[1:]]))
        else:
            yield cell
            if part == "SOLUTION" and is_manual:
                yield _raw(cell, "# END SOLUTION")
                part = "DONE"
    if part and cells:
        yield from _ends(cells[-1], part)


def _ends(cell: RawCell, part: str) -> Iterator[RawCell]:
    if part != "DONE":
        yield _raw(cell, f"# END {part}")
    yield _raw(cell, "# END QUESTION")


def _raw(cell: RawCell, source: str) -> RawCell:
    return RawCell(cell.number, "raw", source, {})
