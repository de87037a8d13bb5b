"""The words that every report uses for what a record says, so that table and page never disagree."""

from __future__ import annotations

import enum

from grader.model.errors import Fault, Outcome
from grader.model.isolation import Mode
from grader.model.points import Points, total
from grader.model.records import CheckResult, Grade, ItemResult

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


_ONE = Points(100)


class State(enum.StrEnum):
    """How an item stands.

    ``WAITING`` is for a person's marking, ``ATTENTION`` for the author or the machine.
    """

    FULL = "full"
    PARTIAL = "partial"
    ZERO = "zero"
    WAITING = "waiting"
    ATTENTION = "attention"


def state(item: ItemResult, *, public: bool = False) -> State:
    """How the item stands; in public mode by its checks alone, because public checks carry no points."""
    if any(_not_the_students(check) for check in item.checks):
        return State.ATTENTION
    if public:
        passed = sum(check.outcome is Outcome.PASSED for check in item.checks)
        return State.FULL if passed == len(item.checks) else State.PARTIAL if passed else State.ZERO
    if not item.decided:
        # Checks decide a code item: where they did not, marking is not what it waits for.
        return State.ATTENTION if item.kind == "code" else State.WAITING
    if item.earned == item.possible:
        return State.FULL
    return State.PARTIAL if item.earned else State.ZERO


def is_public(grade: Grade) -> bool:
    """True for a run of the public tests, which awards no points."""
    return grade.mode == "public"


def isolation_warning(grade: Grade) -> str:
    """What a report says first when isolation was missing, broken or weak; "" otherwise.

    "" for a student's own run too.
    """
    if is_public(grade):
        return ""
    ran = grade.environment
    weak = ISOLATION.get(ran.isolation, "")
    if ran.doctor is None or not ran.doctor.broken:
        return weak
    return f"{_BROKEN.format(ran.isolation, ', '.join(ran.doctor.broken))} {weak}".rstrip()


def doctors_verdict(grade: Grade) -> str:
    """What `grade doctor` said of the machine and mode, in a few words; "" where nothing isolates."""
    ran = grade.environment
    if not ran.isolation.isolates:
        return ""
    if ran.doctor is None:
        return "not run here"
    return f"{ran.doctor.kept} of {ran.doctor.tried} promises {plural(ran.doctor.tried, 'holds', 'hold')}"


def shown_items(grade: Grade) -> tuple[ItemResult, ...]:
    """The items a report lists: all of them, in public mode those that have a check."""
    return tuple(item for item in grade.items if item.checks) if is_public(grade) else grade.items


def failed_checks(item: ItemResult) -> tuple[CheckResult, ...]:
    """The item's checks that are not a pass."""
    return tuple(check for check in item.checks if check.outcome is not Outcome.PASSED)


def checks_passed(items: tuple[ItemResult, ...]) -> tuple[int, int]:
    """How many checks passed, and how many there are."""
    checks = [check for item in items for check in item.checks]
    return sum(check.outcome is Outcome.PASSED for check in checks), len(checks)


def open_points(grade: Grade, which: State) -> Points:
    """Points that undecided items in this state could still earn."""
    undecided = (item for item in grade.items if not item.decided and state(item) is which)
    return total(item.possible - item.earned for item in undecided)


def lost_points(grade: Grade) -> Points:
    """Points that decided items did not earn."""
    return total(item.possible - item.earned for item in grade.items if item.decided)


def total_line(grade: Grade) -> str:
    """The grade in one sentence: "30 of 46 points decided: 28.5 earned, 16 await marking"."""
    if is_public(grade):
        passed, every = checks_passed(grade.items)
        return f"{passed} of {every} public {plural(every, 'check passes', 'checks pass')}"
    if grade.complete:
        return f"{grade.earned} of {grade.possible} points, all decided"
    parts = [f"{grade.earned} earned"]
    if waiting := open_points(grade, State.WAITING):
        parts.append(f"{waiting} {'awaits' if waiting == _ONE else 'await'} marking")
    if attention := open_points(grade, State.ATTENTION):
        parts.append(f"{attention} {'needs' if attention == _ONE else 'need'} attention")
    return f"{grade.decided} of {grade.possible} points decided: {', '.join(parts)}"


def waiting_word(item: ItemResult) -> str:
    """What stands in place of an undecided item's points."""
    return "needs attention" if state(item) is State.ATTENTION else "awaits marking"


def looked_for(item: ItemResult) -> str:
    """What a submission holds for an item that a person decides, if it holds anything."""
    return "recorded evidence or figure" if item.kind == "evidence" else "answer"


def plural(count: int, one: str, many: str) -> str:
    """The form of the word that fits the count."""
    return one if count == 1 else many


def _not_the_students(check: CheckResult) -> bool:
    return check.outcome is not Outcome.PASSED and check.fault in {Fault.AUTHOR, Fault.INFRASTRUCTURE}
