"""What a record says, in the words that all reports share, so that terminal and page never disagree."""

from __future__ import annotations

import enum

from grader.model import endings
from grader.model.errors import Fault, Outcome
from grader.model.isolation import Mode
from grader.model.points import ZERO, Points, total
from grader.model.records import CellResult, CheckResult, Grade, ItemResult
from grader.model.text import plural

FAULTS = {
    Fault.STUDENT: "the submission's code",
    Fault.AUTHOR: "the check itself: its author must act, no points are lost",
    Fault.INFRASTRUCTURE: "the grading machine: no points are lost",
}

NO_ISOLATION = (
    "NOT ISOLATED: this notebook ran with every right of the person who graded it (isolation: none)."
)
_AMONG_OTHERS = (
    "Weaker isolation ({}): no namespaces here. Student code could see which files and processes exist, and "
    "fill the disk."
)
ISOLATION = {Mode.NONE: NO_ISOLATION} | {
    mode: _AMONG_OTHERS.format(mode) for mode in Mode if mode.isolates and not mode.namespaces
}
_BROKEN = (
    "BROKEN ISOLATION ({}): on the grading machine the sandbox does not keep all it promises ({}). Do not "
    "rely on this grade; grade doctor says more."
)


class State(enum.StrEnum):
    """How an item stands.

    ``WAITING``: it awaits a person's marking. ``ATTENTION``: the author or the operator has to act.
    """

    FULL = "full"
    PARTIAL = "partial"
    ZERO = "zero"
    WAITING = "waiting"
    ATTENTION = "attention"


def state(item: ItemResult, *, public: bool = False) -> State:
    """How the item stands; in public mode by its checks alone, because public checks carry no points."""
    if item.mark is None and any(_not_the_students(check) for check in item.checks):
        return State.ATTENTION
    if public:
        passed = sum(check.outcome is Outcome.PASSED for check in item.checks)
        return State.FULL if passed == len(item.checks) else State.PARTIAL if passed else State.ZERO
    if not item.decided:
        # A code item is decided by its checks: an undecided one does not wait for marking.
        absent = item.waits_for in (endings.NOT_THE_FILE, endings.NOT_HANDED_IN)
        return State.ATTENTION if item.kind == "code" or absent else State.WAITING
    if item.earned >= item.possible and (item.earned or item.possible):  # a bonus may be worth nothing else
        return State.FULL
    return State.PARTIAL if item.earned else State.ZERO


def is_public(grade: Grade) -> bool:
    """True for a run of the public tests, which awards no points."""
    return grade.mode == "public"


def isolation_warning(grade: Grade) -> str:
    """What a report says first if isolation was missing, broken or weak; "" otherwise, and in public mode."""
    if is_public(grade):
        return ""
    ran = grade.environment
    weak = ISOLATION.get(ran.isolation, "")
    if ran.doctor is None or not ran.doctor.broken:
        return weak
    return f"{_BROKEN.format(ran.isolation, ', '.join(ran.doctor.broken))} {weak}".rstrip()


def notes(grade: Grade, *, limit: int = 20) -> list[str]:
    """What was done differently while grading, each once, with the first cell that it was done in."""
    first: dict[str, int] = {}
    for cell in grade.cells:
        for note in cell.notes:
            first.setdefault(note, cell.cell)
    lines = [f"{note} (cell {cell})" for note, cell in first.items()]
    more = len(lines) - limit
    return [*lines[:limit], f"and {more} more"] if more > 0 else lines


def doctors_verdict(grade: Grade) -> str:
    """What `grade doctor` said about the machine in this mode, in a few words; "" without isolation."""
    ran = grade.environment
    if not ran.isolation.isolates:
        return ""
    if ran.doctor is None:
        return "not run here"
    return f"{ran.doctor.kept} of {ran.doctor.tried} promises {plural(ran.doctor.tried, 'holds', 'hold')}"


def shown_items(grade: Grade) -> tuple[ItemResult, ...]:
    """The items a report lists: all of them, or in public mode those that have a check."""
    return tuple(item for item in grade.items if item.checks) if is_public(grade) else grade.items


def failed_checks(item: ItemResult) -> tuple[CheckResult, ...]:
    """The item's checks that did not pass."""
    return tuple(check for check in item.checks if check.outcome is not Outcome.PASSED)


def waits(check: CheckResult) -> bool:
    """Whether a person decides what a check could not, or did not try to."""
    return check.outcome in (Outcome.UNDECIDED, Outcome.SKIPPED) and check.fault is None


def checks_passed(items: tuple[ItemResult, ...]) -> tuple[int, int]:
    """How many checks passed, and how many there are."""
    checks = [check for item in items for check in item.checks]
    return sum(check.outcome is Outcome.PASSED for check in checks), len(checks)


def place_of(cell: CellResult, grade: Grade) -> str:
    """Where a cell is, as its student counts: "cell 5", "part2.ipynb, cell 5", "hw3.py, line 21"."""
    file = cell.file or grade.submission.name
    if cell.line:
        return f"{file}, line {cell.line}"
    return f"{cell.file}, cell {cell.cell}" if cell.file else f"cell {cell.cell}"


def open_points(grade: Grade, which: State) -> Points:
    """Points that undecided items in this state could still earn."""
    undecided = (item for item in grade.items if not item.decided and state(item) is which)
    return total(max(ZERO, item.possible - item.earned) for item in undecided)


def lost_points(grade: Grade) -> Points:
    """Points that decided items did not earn."""
    return total(max(ZERO, item.possible - item.earned) for item in grade.items if item.decided)


def total_line(grade: Grade) -> str:
    """The grade in one line: "30 of 46 points decided: 28.5 earned, 16 await marking"."""
    if is_public(grade):
        passed, every = checks_passed(grade.items)
        return f"{passed} of {every} public {plural(every, 'check passes', 'checks pass')}"
    points = plural(grade.possible.decimal, "point", "points")
    if grade.complete:
        return f"{grade.earned} of {grade.possible} {points}, all decided"
    parts = [f"{grade.earned} earned"]
    if waiting := open_points(grade, State.WAITING):
        parts.append(f"{waiting} {plural(waiting.decimal, 'awaits', 'await')} marking")
    if attention := open_points(grade, State.ATTENTION):
        parts.append(f"{attention} {plural(attention.decimal, 'needs', 'need')} attention")
    return f"{grade.decided} of {grade.possible} {points} decided: {', '.join(parts)}"


def waiting_word(item: ItemResult) -> str:
    """What stands in place of an undecided item's points."""
    return "needs attention" if state(item) is State.ATTENTION else "awaits marking"


def why_nothing(item: ItemResult) -> str:
    """Beside "awaits marking": why a person finds nothing to mark, or less than was asked for; else ""."""
    if item.decided:
        return ""
    if not item.found:
        return "recorded nothing, no figure" if item.kind == "evidence" else "no answer was found"
    return "a figure, but recorded nothing" if any(map(lacks_evidence, item.checks)) else ""


def lacks_evidence(check: CheckResult) -> bool:
    """Whether a check did not pass because nothing was recorded: no value is wrong."""
    return check.outcome is Outcome.FAILED and check.detail.startswith(endings.NOTHING_RECORDED)


def outcome_of(check: CheckResult) -> str:
    """How a check ended, in a few words."""
    return "recorded nothing" if lacks_evidence(check) else endings.OUTCOMES[check.outcome]


def looked_for(item: ItemResult) -> str:
    """What a submission can hold for an item that is not code."""
    return "recorded evidence or figure" if item.kind == "evidence" else "answer"


def _not_the_students(check: CheckResult) -> bool:
    return check.outcome is not Outcome.PASSED and check.fault in {Fault.AUTHOR, Fault.INFRASTRUCTURE}
