"""What is safe to say to a student: the one place that decides, by type, what of a record reaches them.

Whatever is made for students (pages, notebooks, JUnit, results for other systems) takes the types of this
module instead of the record's: they have no field for an expected value, an input, what was printed, a
traceback of a check or anything about the grading machine. Their texts are ``Safe``, which only this module
makes, so that the type checker refuses a text that was not decided here.

Of a hidden check a student reads its title, how it ended, and the record's ``message``: the author's hint,
the kind of mistake where the author allows it (``@points(..., tell_mistake=True)``), and of their own
exception the type, the place in their code and the text as far as that is theirs (``grading.own_message``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NewType

import msgspec

from grader.model import endings
from grader.model.errors import Fault, Outcome
from grader.model.points import Points
from grader.model.records import CellResult, CellStatus, CheckResult, Grade, ItemResult
from grader.model.text import clean
from grader.reports import summary

Safe = NewType("Safe", str)
"""A text that a student may read. It may hold what a student wrote: whoever shows it escapes it."""

NOT_CARRIED_OUT = "This check could not be carried out; it costs nothing and your instructor has been told."
SKIPPED = "This check was skipped; it costs nothing until a person has looked."
NO_WORDS = "This check did not pass."
NO_RECORDING = "Nothing recorded was found for"
LONGEST = 20_000
"""Characters of one text."""

_FOLDERS = re.compile(r"(?<![\w/.:~])/(?:[\w.+@~-]+/)+")
"""The folders of an absolute path, on the grading machine or wherever a student's code ran."""

_WAITS = {
    endings.NOT_THE_FILE: (
        "Your file defines none of the names that the homework asks for; your instructor will look whether "
        "it is the right one."
    ),
    endings.NOT_HANDED_IN: "The notebook that this item belongs to was not handed in.",
    endings.IN_ANOTHER_FILE: (
        "What is asked for is in another of your files, not where it is looked for; your instructor will "
        "look at it."
    ),
}
NOT_MARKED = "This answer has not been marked yet."
A_PERSON = "A person will look at this; until then it costs nothing."


class SafeCheck(msgspec.Struct, frozen=True):
    """How one check ended, as its student may know it. ``words`` are empty if it passed."""

    title: Safe
    outcome: Safe
    passed: bool
    costs: bool
    earned: Points
    possible: Points
    words: Safe


class SafeMark(msgspec.Struct, frozen=True):
    """What a person gave; the comment begins with the rubric lines that they chose, each with its points."""

    points: Points
    comment: Safe


class SafeItem(msgspec.Struct, frozen=True):
    """One item. ``words`` are sentences about the item as a whole: what is missing, what it waits for.

    ``answer`` is the student's own, as it was judged.
    """

    item: Safe
    title: Safe
    kind: str
    earned: Points
    possible: Points
    decided: bool
    state: summary.State
    words: tuple[Safe, ...] = ()
    checks: tuple[SafeCheck, ...] = ()
    mark: SafeMark | None = None
    answer: Safe = Safe("")


class SafeCell(msgspec.Struct, frozen=True):
    """A cell of theirs that did not run through; ``place`` as they count, ``error`` one line of Python's."""

    cell: int
    file: Safe
    place: Safe
    how: Safe
    error: Safe
    traceback: Safe


class SafeGrade(msgspec.Struct, frozen=True):
    """One grading as its student may know it.

    ``notices`` are about their files, ``notes`` about what was done differently while grading; ``late`` is
    what being late costs, empty if nothing.
    """

    assignment: Safe
    name: Safe
    earned: Points
    possible: Points
    decided: Points
    complete: bool
    total_line: Safe
    items: tuple[SafeItem, ...]
    cells: tuple[SafeCell, ...] = ()
    notices: tuple[Safe, ...] = ()
    notes: tuple[Safe, ...] = ()
    late: Safe = Safe("")


def said(text: str) -> Safe:
    """A text that a program made for them, without control characters and folders of a machine."""
    return Safe(_FOLDERS.sub("", clean(text, LONGEST)))


def written(text: str) -> Safe:
    """A text of a student's own, or of a person for them, without control characters."""
    return Safe(clean(text, LONGEST))


def safe_grade(grade: Grade) -> SafeGrade:
    """What the student may know of a grade."""
    return SafeGrade(
        assignment=said(grade.assignment),
        name=said(grade.submission.name),
        earned=grade.earned,
        possible=grade.possible,
        decided=grade.decided,
        complete=grade.complete,
        total_line=said(summary.total_line(grade)),
        items=tuple(map(safe_item, summary.shown_items(grade))),
        cells=tuple(safe_cell(cell, grade) for cell in grade.cells if cell.status is not CellStatus.OK),
        notices=tuple(map(said, grade.notices)),
        notes=tuple(map(said, summary.notes(grade))),
    )


def safe_item(item: ItemResult) -> SafeItem:
    """What the student may know of an item."""
    mark = None if item.mark is None else SafeMark(item.mark.points, written(item.mark.comment))
    checks = tuple(map(safe_check, item.checks))
    shared = shared_words(checks)
    if shared:
        checks = tuple(msgspec.structs.replace(check, words=Safe("")) for check in checks)
    about = dict.fromkeys((shared, missing_words(item), waiting_words(item)))
    return SafeItem(
        item=said(item.item),
        title=said(item.title),
        kind=item.kind,
        earned=item.earned,
        possible=item.possible,
        decided=item.decided,
        state=summary.state(item),
        words=tuple(Safe(words) for words in about if words),
        checks=checks,
        mark=mark,
        answer=written(item.answer),
    )


def safe_check(check: CheckResult) -> SafeCheck:
    """What the student may know of a check. Its function's name may hold inputs, its title does not."""
    return SafeCheck(
        title=said(check.title),
        outcome=Safe(summary.outcome_of(check)),
        passed=check.outcome is Outcome.PASSED,
        costs=check.fault is Fault.STUDENT and check.outcome is not Outcome.PASSED,
        earned=check.earned,
        possible=check.possible,
        words=check_words(check),
    )


def check_words(check: CheckResult) -> Safe:
    """The sentences about a check that did not pass; "" for one that did."""
    if check.outcome is Outcome.PASSED:
        return Safe("")
    if check.outcome is Outcome.UNDECIDED:
        return Safe(A_PERSON)
    if check.outcome is Outcome.SKIPPED and check.fault is None:
        return Safe(SKIPPED)
    if check.fault is not Fault.STUDENT:
        return Safe(NOT_CARRIED_OUT)
    if summary.lacks_evidence(check):
        return Safe(nothing_recorded(check.item))
    return said(check.message) or Safe(NO_WORDS)


def safe_cell(cell: CellResult, grade: Grade) -> SafeCell:
    """What the student may know of a cell of theirs: it ran before any check, so its error is all theirs."""
    return SafeCell(
        cell=cell.cell,
        file=said(cell.file),
        place=said(summary.place_of(cell, grade)),
        how=Safe(endings.CELLS[cell.status]),
        error=said(cell.error),
        traceback=said(cell.traceback),
    )


def missing_words(item: ItemResult) -> str:
    """What was not found for an item that is not code, and what to do about it; "" if it was found."""
    if item.found or item.waits_for in _WAITS:
        return ""
    return nothing_recorded(item.item) if item.kind == "evidence" else f"No answer was found for {item.item}."


def nothing_recorded(item: str) -> str:
    """What is missing of an item of evidence, and what to do about it."""
    section = item.rpartition(".")[0] or item
    return f"{NO_RECORDING} {item}: run the cells of {section} and save the notebook before you hand it in."


def shared_words(checks: Sequence[SafeCheck]) -> Safe:
    """What is said of every check that failed, if there are several, or if it is all that is missing."""
    failed = [check.words for check in checks if not check.passed]
    is_one = len(set(failed)) == 1 and (len(failed) > 1 or failed[0].startswith(NO_RECORDING))
    return failed[0] if is_one and failed[0] != NO_WORDS else Safe("")


def waiting_words(item: ItemResult) -> str:
    """What an undecided item waits for, in words that hold nothing of a check's; "" for a decided one."""
    if item.decided or (item.kind == "written" and missing_words(item)):
        return ""
    return _WAITS.get(item.waits_for) or (NOT_MARKED if item.kind == "written" else A_PERSON)
