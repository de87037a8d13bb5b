"""What a check raised, turned into an outcome, a fault and texts for the student and the instructor."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from dataclasses import replace as replace_end
from pathlib import Path

import pytest
from msgspec.structs import replace

from grader.grading.own_code import OwnCode
from grader.model.endings import FOR_STUDENT
from grader.model.errors import (
    Awarded,
    BadEvidence,
    CheckError,
    CheckFailed,
    Fault,
    MissingName,
    Outcome,
    StudentError,
    Undecided,
)
from grader.model.points import ZERO, Points
from grader.model.records import CheckResult
from grader.model.text import excerpt

NO_HINT = "This hidden check did not pass. Its name says what it looks at; try your own small examples."

TOO_LARGE = "comparing what the code gave takes more memory than a submission may use"

UNUSABLE = "Your code gave a value that this check cannot work with; a correct solution passes it."

COMPARE = "; compare whole arrays and tables with assert_close, assert_series or assert_frame"

WROTE = (
    "the check wrote into an array that student code gave, which is a copy: the student's own is as it was; "
    "assign it whole, as in layer.params['w'] = w"
)

NO_WARNINGS = (
    "the warnings of a student's code stay on its side, so pytest.warns sees none; "
    "let them print, and look at student.printed(), or ask for an exception"
)

NO_TYPE = (
    "type(...) of a student's object is this side's proxy, whatever the object is: fetch plain data with "
    "`.value`, or ask isinstance(...); of a class of the student's look at what it does"
)

NOT_CARRIED_OUT = "This check could not be carried out; it costs nothing and your instructor has been told."


@dataclass(frozen=True)
class CheckEnd:
    """How a check ended. ``told`` may always be shown to the student, ``detail`` only for a public check.

    With ``says_all`` the author's hint would add nothing to ``told``. ``mistake`` is the kind of mistake.
    """

    outcome: Outcome
    fault: Fault | None = None
    told: str = ""
    detail: str = ""
    says_all: bool = False
    mistake: str = ""


_NOTHING_RAISED = re.compile(r"^DID NOT RAISE (?:any of )?(?:<class ')?([\w., ()]+?)(?:'>)?$")
"""What ``pytest.raises`` says when its block ends without an exception."""

_OF_A_PROXY = re.compile(r"<class 'grader\.session\.proxy\.|'Proxy'")


MAX_NOTED, MAX_LINES = 20_000, 400
"""Characters and lines of what a check says, with notes."""

PASSED = CheckEnd(Outcome.PASSED)


def put_down_to_the_machine(result: CheckResult, why: str) -> CheckResult:
    """The result of a check that the machine, not the student, answers for; ``why`` is for the instructor."""
    detail = f"{why}\n{result.detail}".rstrip()
    return replace(result, fault=Fault.INFRASTRUCTURE, message=NOT_CARRIED_OUT, detail=detail)


def check_end(  # noqa: PLR0911  # a table of kinds
    error: BaseException | None, code: OwnCode | None = None
) -> CheckEnd:
    """How a check ended that raised this error; None means that it passed. ``code`` is the student's.

    Only CheckError, its subclasses and AssertionError are about the student. The check itself raised anything
    else: that costs nobody points and asks for attention, unless the reference shows that it was a value of
    the student's (``arbiter``).
    """
    if error is None:
        return PASSED
    if isinstance(error, pytest.skip.Exception | pytest.xfail.Exception):
        return skipped(error.msg or "no reason was given")
    if isinstance(error, StudentError):
        told = (code or OwnCode()).says_of(error)
        if isinstance(error, MissingName):
            return CheckEnd(error.outcome, error.fault, told, told, says_all=True)
        detail = f"{error.said}\n{error.traceback}".rstrip()
        return CheckEnd(error.outcome, error.fault, told, detail)
    if isinstance(error, BadEvidence):
        return CheckEnd(error.outcome, error.fault, str(error), str(error), says_all=True)
    if isinstance(error, Undecided):
        return CheckEnd(error.outcome, None, FOR_STUDENT[error.outcome], str(error), says_all=True)
    if isinstance(error, CheckError):
        told = FOR_STUDENT.get(error.outcome, "") if error.fault is Fault.STUDENT else ""
        mistake = error.mistake if isinstance(error, CheckFailed) else ""
        return CheckEnd(error.outcome, error.fault, told, with_notes(str(error), error), mistake=mistake)
    if isinstance(error, AssertionError | pytest.fail.Exception):
        return asserted(error)
    if isinstance(error, MemoryError):
        # Of our own process, which has a limit of its own; the reference's answer stays below it.
        told = FOR_STUDENT[Outcome.OUT_OF_MEMORY]
        return CheckEnd(Outcome.OUT_OF_MEMORY, Fault.STUDENT, told, TOO_LARGE)
    return CheckEnd(Outcome.ERRORED, Fault.AUTHOR, "", f"the check itself raised {where(error)}")


def asserted(error: BaseException) -> CheckEnd:
    """The end of a check whose assertion does not hold, or that pytest failed."""
    if isinstance(error, pytest.fail.Exception) and str(error).startswith("DID NOT WARN"):
        return CheckEnd(Outcome.ERRORED, Fault.AUTHOR, "", NO_WARNINGS)
    if _OF_A_PROXY.search(str(error)):
        return CheckEnd(Outcome.ERRORED, Fault.AUTHOR, "", f"{NO_TYPE}\n{with_notes(str(error), error)}")
    said = _NOTHING_RAISED.sub(r"nothing was raised, expected \1", str(error))
    detail = with_notes(said or "the check's assertion does not hold", error)
    return CheckEnd(Outcome.FAILED, Fault.STUDENT, "", detail)


def in_doubt(end: CheckEnd) -> CheckEnd:
    """The end of a check that failed and wrote into what it was given: the reference says whose fault."""
    return replace_end(end, outcome=Outcome.ERRORED, fault=Fault.AUTHOR, detail=f"{WROTE}\n{end.detail}")


def skipped(reason: str) -> CheckEnd:
    """The end of a check that does not apply here, for the author's reason."""
    return CheckEnd(Outcome.SKIPPED, None, f"This check was skipped: {reason}", reason, says_all=True)


def award_end(error: Awarded, worth: Points, *, public: bool) -> CheckEnd:
    """The end of a check that gives some of its ``worth``; a public one has none to give from."""
    said = f"{error.points} of {worth} points" if worth else f"{error.points} points"
    detail = ": ".join(filter(None, (said, str(error))))
    if error.points < ZERO or (error.points > worth and not (public and not worth)):
        return CheckEnd(Outcome.ERRORED, Fault.AUTHOR, "", f"the check awards {detail}")
    if error.points == worth and worth:
        return PASSED
    outcome = Outcome.PARTIAL if error.points else Outcome.FAILED
    return CheckEnd(outcome, Fault.STUDENT, "", detail)


def with_notes(said: str, error: BaseException) -> str:
    """An error's text with its notes: Hypothesis writes there for which example a check failed."""
    notes = getattr(error, "__notes__", ())
    return excerpt("\n".join([said, *notes]), limit=MAX_NOTED, lines=MAX_LINES) if notes else said


def where(error: BaseException) -> str:
    """The error in one line, with the last place in the check's own file, for the author."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next((frame for frame in reversed(frames) if Path(frame.filename).name.startswith("test_")), None)
    at = f" at {Path(place.filename).name}:{place.lineno}: {place.line}" if place else ""
    advice = COMPARE if isinstance(error, ValueError) and "truth value of" in str(error) else ""
    return f"{type(error).__name__}: {error}{at}{advice}"


def message_for_student(end: CheckEnd, *, hidden: bool, hint: str | None, tells_mistake: bool = False) -> str:
    """What a student reads: everything for a public check, only the author's hint for a hidden one.

    What is wrong with their own evidence is shown in both, the kind of mistake where the author allows it.
    """
    if end.outcome is Outcome.PASSED:
        return ""
    if end.outcome in (Outcome.UNDECIDED, Outcome.SKIPPED):
        return end.told
    if end.fault is not Fault.STUDENT:
        return NOT_CARRIED_OUT
    if not hidden:
        return end.detail
    kind = f"It looks like this mistake: {end.mistake}." if tells_mistake and end.mistake else ""
    return " ".join(filter(None, (end.told, "" if end.says_all else hint, kind))) or NO_HINT
