"""What went wrong in a class's code, by name: one record after the other, none is kept."""

from __future__ import annotations

import bisect
import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from msgspec.structs import replace

from grader.model.class_report import CellTrouble, Mistake, Named
from grader.model.endings import CELLS
from grader.model.errors import Fault, Outcome
from grader.model.records import CellResult, CellStatus, CheckResult, Grade
from grader.model.text import one_line
from grader.reports.summary import lacks_evidence, outcome_of

EXAMPLES = 4
MOST_FORMULAS = 100
NOT_DONE = "NotImplementedError: left as it was given"
MOST_KINDS = 20_000
"""Kinds of mistakes, and of cells, that are counted apart: students write what they like."""
MOST_CELLS = 20
SLOW = 0.5
"""Share of a cell's time limit from which on it counts as slow."""
_LONGEST = 160
_CAUSE = "Likely cause: "
Kind = TypeVar("Kind", bound=tuple[str, ...])
_FORMULA = re.compile(r"^[ \t]{0,40}This is `([^`\n]{1,160})`", re.MULTILINE)
_CELL = re.compile(r"\bcell \d{1,5}\b")
_NUMBER = re.compile(r"\d[\d.]*(?:e[+-]?\d+)?")


@dataclass
class Group:
    """Students who share one thing; the numbers of the first few, each with an item to look at."""

    students: int = 0
    seconds: float = 0.0
    examples: list[tuple[int, str]] = field(default_factory=list)
    items: set[str] = field(default_factory=set)
    checks: set[str] = field(default_factory=set)
    formulas: Counter[str] = field(default_factory=Counter)

    def add(self, student: int, item: str = "", *, seconds: float = 0.0) -> None:
        """One more; each student is added once."""
        self.students += 1
        self.seconds = max(self.seconds, seconds)
        bisect.insort(self.examples, (student, item))
        del self.examples[EXAMPLES:]


@dataclass
class Troubles:
    """The mistakes and cells of the records so far, of these students, whose numbers are their places."""

    _students: Sequence[Named]
    _mistakes: dict[tuple[str, str, str], Group] = field(default_factory=dict)
    _cells: dict[tuple[str, str, str], Group] = field(default_factory=dict)

    def add(self, student: int, grade: Grade) -> None:
        """One student's record."""
        failed: dict[tuple[str, str, str], list[CheckResult]] = defaultdict(list)
        for check in (check for item in grade.items for check in item.checks):
            if check.outcome is not Outcome.PASSED and check.fault is Fault.STUDENT:
                name = name_of(check)
                # Without a name nothing says that two checks failed for the same reason.
                only = "" if name else f"{check.item} {check.check}"
                failed[name, outcome_of(check), only].append(check)
        for kind, checks in failed.items():
            group = _group(self._mistakes, kind)
            group.add(student, checks[0].item)
            group.items |= {check.item for check in checks}
            group.checks |= {one_line(check.title or check.check, _LONGEST) for check in checks}
            if len(group.formulas) < MOST_FORMULAS:
                group.formulas.update({found for check in checks if (found := formula_of(check))})
        cells: dict[tuple[str, str, str], float] = {}
        for key, seconds in _troubled(grade):
            cells[key] = max(seconds, cells.get(key, 0.0))
        for where, seconds in cells.items():
            _group(self._cells, where).add(student, seconds=seconds)

    def mistakes(self) -> tuple[Mistake, ...]:
        """Every kind of mistake, the commonest first."""
        found = sorted(self._mistakes.items(), key=lambda one: (-one[1].students, one[0]))
        return tuple(
            Mistake(
                *kind[:2],
                tuple(sorted(one.items)),
                tuple(sorted(one.checks)),
                one.students,
                self._named(one),
                next(
                    (formula for formula, _ in one.formulas.most_common(1) if f"`{formula}`" != kind[0]), ""
                ),
            )
            for kind, one in found
        )

    def cells(self) -> tuple[CellTrouble, ...]:
        """The cells that troubled most students, then the slowest."""
        most = heapq.nlargest(
            MOST_CELLS, self._cells.items(), key=lambda one: (one[1].students, one[1].seconds)
        )
        return tuple(
            CellTrouble(*kind, one.students, round(one.seconds, 1), self._named(one)) for kind, one in most
        )

    def _named(self, group: Group) -> tuple[Named, ...]:
        return tuple(replace(self._students[number], item=item) for number, item in group.examples)


def name_of(check: CheckResult) -> str:
    """What the mistake of a check is called, the same for all who made it; "" if nobody knows."""
    if check.mistake:
        return check.mistake
    if formula := formula_of(check):
        return f"`{formula}`"
    lines = check.detail.strip().split("\n")
    if lacks_evidence(check):
        return "nothing was recorded"
    if check.outcome is Outcome.ERRORED:
        # What the template raises is as many texts as it has gaps.
        # And each file has its own count of cells.
        named = _CELL.sub("a cell", lines[0])
        return NOT_DONE if named.startswith("NotImplementedError") else one_line(named, _LONGEST)
    causes = (line.strip().removeprefix(_CAUSE) for line in lines if line.strip().startswith(_CAUSE))
    # Without its numbers, which are those of one student's array.
    return one_line(_NUMBER.sub("…", next(causes, "")), _LONGEST)


def formula_of(check: CheckResult) -> str:
    """What the student's code computed, if that was found."""
    found = _FORMULA.search(check.detail)
    return found[1] if found else ""


def _troubled(grade: Grade) -> Iterator[tuple[tuple[str, str, str], float]]:
    for cell in grade.cells:
        if cell.status not in (CellStatus.OK, CellStatus.SKIPPED):
            yield (CELLS[cell.status], *_said(cell)), cell.seconds
        elif cell.seconds >= SLOW * grade.limits.cell_seconds:
            yield ("was slow", *_said(cell)), cell.seconds


def _said(cell: CellResult) -> tuple[str, str]:
    return one_line(cell.first_line, _LONGEST), one_line(cell.error, _LONGEST)


def _group(groups: dict[Kind, Group], kind: Kind) -> Group:
    """The group of this kind; one that is thrown away once there are too many."""
    if kind not in groups and len(groups) >= MOST_KINDS:
        return Group()
    return groups.setdefault(kind, Group())
