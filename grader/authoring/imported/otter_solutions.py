"""How otter marks solutions within a cell, line by line, as regions of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from grader.authoring.imported.regions import checked, indent_of, marked, without_foreign_markers

_END_OF_LINE = re.compile(r"[ \t]{0,80}# ?SOLUTION(?: NO PROMPT)?[ \t]{0,80}$")
_BEGIN = re.compile(r"[ \t]{0,80}# BEGIN SOLUTION(?: NO PROMPT)?[ \t]{0,80}$")
_OPENS = re.compile(r"[ \t]{0,80}(?:\w{1,40} ?= ?)?(?:\"\"\"|''') ?# BEGIN PROMPT[ \t]{0,80}$")
_CLOSES = re.compile(r"[ \t]{0,80}(?:\"\"\"|''');? ?# END PROMPT[ \t]{0,80}$")
_SEED = "# SEED"


def code(source: str) -> str:
    """A code cell with our markers. Lines to ignore are gone, prompts are comments, seeds are given."""
    return without_foreign_markers(checked(marked(_lines(source))), kind="code")


def has_solution(source: str) -> bool:
    """Whether otter takes anything out of the cell."""
    return any(is_solution for _, is_solution in _lines(source))


def _lines(source: str) -> Iterator[tuple[str, bool]]:
    """The lines that stay, each with whether it belongs to the solution."""
    inside = prompt = False
    for line in _not_ignored(source.split("\n")):
        if _OPENS.match(line) or _CLOSES.match(line):
            prompt = bool(_OPENS.match(line))
        elif prompt:
            if line.strip():
                yield f"{indent_of(line)}# {line.strip()}", False
        elif _BEGIN.match(line) or line.rstrip().endswith("# END SOLUTION"):
            inside = bool(_BEGIN.match(line))
        elif inside or _END_OF_LINE.search(line):
            yield _END_OF_LINE.sub("", line), True
        else:
            yield line.rstrip().removesuffix(_SEED), False


def _not_ignored(lines: Iterable[str]) -> Iterator[str]:
    ignored = False
    for line in lines:
        end = line.rstrip()
        if end.endswith(("# BEGIN IGNORE", "# END IGNORE")):
            ignored = end.endswith("# BEGIN IGNORE")
        elif not ignored and not end.endswith("# IGNORE"):
            yield line
