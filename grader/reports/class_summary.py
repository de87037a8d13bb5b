"""What a class's figures say, in the words that its page and the terminal share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from grader.model.class_report import ClassReport, ItemFigures, Mistake, Named, Shared
from grader.model.text import counted, plural

WEAK = 0.2
"""Discrimination below which an item says little (R. Ebel and D. Frisbie, Essentials of Educational
Measurement, 5th ed. 1991, ch. 13)."""
STRONG = 0.4
HARD, EASY = 0.3, 0.95
SHARED = {"answer": "Written answers", "evidence": "Recorded evidence", "code": "Code"}


def to_do(report: ClassReport) -> Iterator[tuple[str, tuple[Named, ...]]]:
    """What a person has to do next, the most urgent first, each with those whom it is about."""
    found = report.handed_in
    if found.unreadable:
        said = counted(len(found.unreadable), "submission cannot be read", "submissions cannot be read")
        yield f"{said}: ask for another copy", found.unreadable
    if found.attention:
        said = counted(len(found.attention), "submission needs attention", "submissions need attention")
        yield f"{said}: a check, the machine or a file", found.attention
    if found.ungraded:
        said = counted(len(found.ungraded), "submission is not graded", "submissions are not graded")
        yield f"{said} yet: `grade batch`", found.ungraded
    if found.undecided:
        open_items = sum(bool(item.undecided) for item in report.items)
        said = counted(found.undecided, "submission has", "submissions have")
        yield f"{said} points to decide, in {counted(open_items, 'item', 'items')}: `grade review`", ()
    if found.absent:
        yield f"{counted(len(found.absent), 'student', 'students')} handed in nothing", found.absent


def remark(item: ItemFigures) -> str:
    """What stands out about an item; "" for nothing."""
    said = []
    if is_weak(item):
        is_against = most_discrimination(item) < 0
        against = "those who do well elsewhere do worse here: look at its checks or rubric"
        said.append(against if is_against else "says little about the rest")
    if item.mean is not None and item.mean < HARD:
        said.append("hard")
    if item.mean is not None and item.mean > EASY:
        said.append("nearly everybody has it")
    if item.empty:
        said.append(f"{item.empty:,} without an answer")
    return "; ".join(said)


def is_weak(item: ItemFigures) -> bool:
    """Whether an item says little about the rest of the points, by more than chance."""
    weak = item.discrimination is not None and item.discrimination < WEAK
    return weak and most_discrimination(item) < STRONG


def most_discrimination(item: ItemFigures) -> float:
    """The upper end of the 95 % interval of an item's discrimination (Fisher's z); 1 if nothing is known."""
    if item.discrimination is None or item.decided <= 3 or abs(item.discrimination) >= 1:  # noqa: PLR2004
        return 1.0
    return math.tanh(math.atanh(item.discrimination) + 1.96 / math.sqrt(item.decided - 3))


def hardest(items: Sequence[ItemFigures]) -> list[ItemFigures]:
    """The items that anything is decided of, the hardest first."""
    return sorted((one for one in items if one.mean is not None), key=lambda one: one.mean or 0.0)


def named(mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """Those that have a name."""
    return tuple(one for one in mistakes if one.name)


def nameless(mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """Those of which only how the check ended is known."""
    return tuple(one for one in mistakes if not one.name)


def several(students: Sequence[Named], limit: int) -> str:
    """Some students by name, and how many more."""
    names = ", ".join(one.student for one in students[:limit])
    more = len(students) - limit
    return f"{names} and {more:,} more" if more > 0 else names


def shared_of(report: ClassReport, kind: str) -> tuple[Shared, ...]:
    """What is shared of one kind, the largest groups and shares first."""
    found = (one for one in report.shared if one.kind == kind)
    return tuple(sorted(found, key=lambda one: (-len(one.students), -(one.share or 0.0))))


def of_all(count: int, report: ClassReport) -> str:
    """A count of the graded submissions as a percentage."""
    return percent(count / report.handed_in.graded) if report.handed_in.graded else ""


def percent(share: float | None) -> str:
    """A share in whole percent; "–" for none. Only all of it is 100 %."""
    if share is None:
        return "–"
    rounded = round(100 * share)
    return f"{min(rounded, 99) if share < 1 else rounded} %"


def number(value: float | None, digits: int = 2) -> str:
    """A number of few digits; "–" for none."""
    # Adding 0 takes the sign from what rounds to nothing.
    return "–" if value is None else f"{round(value, digits) + 0:.{digits}f}".replace("-", "−")


def students(count: int) -> str:
    """How many, with the word: "84 students"."""
    return f"{count:,} {plural(count, 'student', 'students')}"
