"""What a check raised, turned into an outcome, a fault and texts for the student and the instructor."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from dataclasses import replace as replace_end
from pathlib import Path
from types import FrameType, FunctionType, GeneratorType

import numpy as np
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
from grader.model.values import Remote

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

NO_QUESTION = (
    "the question is about this side's stand-in for a student's object, whatever the object is: fetch plain "
    "data with `.value` (a tensor comes as an array, an iterator as a list); of an object ask "
    "isinstance(x, student.Net), or ask over there, by student.provide(...)"
)

DATA = "; a function that is no numpy's or torch's needs the data itself: pass `student.x.value`"

OF_PLAIN = {
    tuple: "; a namedtuple comes as a tuple: unpack it, or write points[0]",
    list: "; what an iterator gives comes as a list",
    dict: "; a data class that is asked for its value comes as a dictionary",
    np.ndarray: "; a tensor comes as an array: torch.as_tensor(x) makes one of it",
}
"""What to write instead of an attribute that plain data lacks."""

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
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, pytest.fail.Exception) and any(map(_is_of_warns, frames)):
        return CheckEnd(Outcome.ERRORED, Fault.AUTHOR, "", NO_WARNINGS)
    if any(map(_asks_of_a_proxy, frames)):
        return CheckEnd(Outcome.ERRORED, Fault.AUTHOR, "", f"{NO_QUESTION}\n{with_notes(str(error), error)}")
    said = _NOTHING_RAISED.sub(r"nothing was raised, expected \1", str(error))
    detail = with_notes(said or "the check's assertion does not hold", error)
    return CheckEnd(Outcome.FAILED, Fault.STUDENT, "", detail)


def _is_of_warns(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == pytest.warns.__module__


def _asks_of_a_proxy(frame: FrameType) -> bool:
    """Whether what does not hold is about the proxy itself, not about what is behind it.

    pytest keeps the parts of an assertion that fails among the locals. Libraries that compare check the types
    of what they are given.
    """
    values = list(frame.f_locals.values())
    has_proxy = any(isinstance(value, Remote) for value in values)
    if str(frame.f_globals.get("__name__")).partition(".")[0] in ("pandas", "unittest"):
        return has_proxy
    asked = [value for name, value in frame.f_locals.items() if name.startswith("@py_")]
    return any(map(_is_type_of_no_answer, asked)) or (has_proxy and any(map(_is_about_objects, asked)))


def _is_type_of_no_answer(value: object) -> bool:
    """Whether no value that a check gets is of this type: see ``OF_PLAIN``."""
    never = (_torch("Tensor"), Generator, Iterator, GeneratorType)
    return isinstance(value, type) and (issubclass(value, Remote) or value in never)


def _is_about_objects(value: object) -> bool:
    """Whether this is a function such as ``inspect.isclass``, which asks Python and not the proxy."""
    name, module = getattr(value, "__name__", ""), getattr(value, "__module__", "")
    is_known = module in ("inspect", "dataclasses") or value is _torch("is_tensor")
    return isinstance(value, FunctionType) and is_known and name.startswith("is")


def _torch(name: str) -> object:
    return getattr(sys.modules.get("torch"), name, NO_QUESTION)


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
    return f"{type(error).__name__}: {error}{at}{advice(error)}"


def advice(error: BaseException) -> str:
    """What to write instead, for the author, where the error tells."""
    if isinstance(error, ValueError) and "truth value of" in str(error):
        return COMPARE
    if isinstance(error, AttributeError):
        return OF_PLAIN.get(type(error.obj), "")
    is_of_proxy = any(
        isinstance(frame.f_locals.get("self"), Remote) for frame, _ in traceback.walk_tb(error.__traceback__)
    )
    return DATA if isinstance(error, TypeError) and (is_of_proxy or "Proxy" in str(error)) else ""


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
