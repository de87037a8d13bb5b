"""From what a check raised to an outcome, a fault and texts for the student and the instructor."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

from grader.model.errors import BadEvidence, CheckError, Fault, Outcome, StudentError

NO_HINT = "This hidden check did not pass. Its name says what it looks at; try your own small examples."


@dataclass(frozen=True)
class Verdict:
    """How a check ended. ``told`` may be shown to a student whatever the check, ``detail`` not.

    ``says_all`` tells that a hint beside ``told`` would say nothing more.
    """

    outcome: Outcome
    fault: Fault | None = None
    told: str = ""
    detail: str = ""
    says_all: bool = False


PASSED = Verdict(Outcome.PASSED)

# What a student may read when it was not a wrong value: no inputs, no values, nothing that was printed.
_TOLD = {
    Outcome.ERRORED: "Your code raised an exception while it was checked.",
    Outcome.TIMED_OUT: "Your code gave no answer within the time allowed.",
    Outcome.OUT_OF_MEMORY: "Your code used more memory than allowed.",
    Outcome.CRASHED: "Your code ended the Python process.",
    Outcome.UNSUPPORTED_VALUE: "Your code returned something that is neither numbers nor an array.",
}


def verdict_on(error: BaseException | None) -> Verdict:
    """The verdict on what a check raised; None means that it passed.

    Only the CheckError tree and AssertionError speak about the student. Anything else was raised by the
    check itself, which makes it the author's: it costs nobody points and asks for attention.
    """
    if error is None:
        return PASSED
    if isinstance(error, StudentError):
        detail = f"{error}\n{error.traceback}".rstrip()
        return Verdict(error.outcome, error.fault, _TOLD[error.outcome], detail)
    if isinstance(error, BadEvidence):
        return Verdict(error.outcome, error.fault, str(error), str(error), says_all=True)
    if isinstance(error, CheckError):
        told = _TOLD.get(error.outcome, "") if error.fault is Fault.STUDENT else ""
        return Verdict(error.outcome, error.fault, told, str(error))
    if isinstance(error, AssertionError):
        return Verdict(Outcome.FAILED, Fault.STUDENT, "", str(error) or "the check's assertion does not hold")
    return Verdict(Outcome.ERRORED, Fault.AUTHOR, "", f"the check itself raised {where(error)}")


def where(error: BaseException) -> str:
    """The error in one line with the last place in the check's own file, for the author."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next((frame for frame in reversed(frames) if Path(frame.filename).name.startswith("test_")), None)
    at = f" at {Path(place.filename).name}:{place.lineno}: {place.line}" if place else ""
    return f"{type(error).__name__}: {error}{at}"


def message_for_student(verdict: Verdict, *, hidden: bool, hint: str | None) -> str:
    """What a student reads: everything for a public check, the author's hint alone for a hidden one.

    What is wrong with their own evidence they read in either.
    """
    if verdict.outcome is Outcome.PASSED:
        return ""
    if verdict.fault is not Fault.STUDENT:
        return "This check could not be carried out; it costs nothing and your instructor has been told."
    if not hidden:
        return verdict.detail
    return " ".join(filter(None, (verdict.told, "" if verdict.says_all else hint))) or NO_HINT
