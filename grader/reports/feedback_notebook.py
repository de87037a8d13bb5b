"""What is said in a feedback notebook, as Markdown cells between the student's own.

Every text that is not ours is written in character references where Markdown, HTML or mathematics could see a
sign of theirs: it says what was said, and does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from grader.model.points import ZERO, Points
from grader.model.text import one_line, plural
from grader.reports.safe_words import SafeCell, SafeCheck, SafeGrade, SafeItem
from grader.reports.summary import State

LONGEST = 2_000
"""Characters of one line."""
SIGNS = {State.FULL: "✓", State.PARTIAL: "◐", State.ZERO: "✗", State.WAITING: "…", State.ATTENTION: "!"}
_SIGN = re.compile(r"[^\w ,;:'\"./?%=…✓◐✗]|_")
_START = re.compile(r"\A[^A-Za-z&]")


def escaped(text: str) -> str:
    """The text on one line, as Markdown that shows exactly this."""
    return _START.sub(_reference, _SIGN.sub(_reference, one_line(text, LONGEST)))


def _reference(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"


def heading(told: SafeGrade, whose: str, changes: Sequence[str]) -> str:
    """The first cell: whose it is, the points, what changed, and what is said of the files as a whole."""
    return "\n".join(_heading(told, whose, changes))


def _heading(told: SafeGrade, whose: str, changes: Sequence[str]) -> Iterator[str]:
    yield f"# Feedback: {escaped(told.assignment)}"
    yield ""
    yield f"{escaped(whose)}: **{escaped(told.total_line)}**"
    if told.late:
        yield from ("", f"**{escaped(told.late)}**")
    yield ""
    yield "This is what you handed in; cells are counted without those that were added here."
    for title, lines in (
        ("What changed", changes),
        ("About your files", told.notices),
        ("Done differently while grading", told.notes),
    ):
        if lines:
            yield from ("", f"**{title}**", "", *(f"- {escaped(line)}" for line in lines))


def item_markdown(item: SafeItem) -> str:
    """What is said about one item."""
    return "\n".join(_item(item))


def _item(item: SafeItem) -> Iterator[str]:
    title = f"{escaped(item.item)} {escaped(item.title)}"
    yield f"**{SIGNS[item.state]} {title}: {points_words(item)}**"
    yield ""
    yield from (f"- {escaped(words)}" for words in item.words)
    yield from (f"- {_check(check)}" for check in item.checks)
    if item.mark is not None:
        yield f"- {item.mark.points} of {item.possible} by a person"
        yield from (f"  - {escaped(line)}" for line in item.mark.comment.splitlines() if line.strip())


def _check(check: SafeCheck) -> str:
    sign = "✓" if check.passed else "✗" if check.costs else "…"
    worth = f" ({check.earned} of {check.possible})" if check.possible else ""
    words = f": {escaped(check.words)}" if check.words else ""
    return f"{sign} {escaped(check.title)}{worth}{words}"


def cell_markdown(cell: SafeCell) -> str:
    """What is said about a cell that did not run through."""
    error = f": {escaped(cell.error)}" if cell.error else ""
    return f"**✗ {escaped(cell.place).capitalize()} {escaped(cell.how)} while it was graded**{error}"


def points_words(item: SafeItem) -> str:
    """An item's points, or that they are not decided: "4 of 6 points"."""
    worth = f"{item.possible} {plural(item.possible.decimal, 'point', 'points')}"
    if item.decided:
        return f"{item.earned} of {worth}"
    so_far = f", {item.earned} so far" if item.earned else ""
    return f"not decided yet, of {worth}{so_far}"


def lost(item: SafeItem) -> Points:
    """The points that a decided item did not earn."""
    return max(ZERO, item.possible - item.earned) if item.decided else ZERO
