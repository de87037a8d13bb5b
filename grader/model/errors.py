"""Every error that Chainrule raises on purpose, as one tree.

::

    ChainruleError
    ├── CannotGrade                  a person can fix it: one clear line, exit status 2
    │   ├── UsageError               the command's arguments or folders
    │   ├── ManifestError            assignment.toml; names file and key
    │   ├── SubmissionError          not a notebook, unreadable, too large, a symlink, ...
    │   ├── TemplateError            the reference cannot be turned into a template
    │   ├── CalibrationError         a check's bound cannot be calibrated, or is stale
    │   ├── AuditError               the checks cannot be audited: no reference, or one that passes none
    │   ├── SandboxUnavailable       this machine cannot confine a notebook
    │   └── GradebookError           the database is locked, full, unreachable or of another version
    └── CheckError                   one check did not pass; names an outcome and whose fault it is
        ├── CheckFailed              student: the value is wrong (also an AssertionError)
        │   └── BadEvidence          student: their recorded evidence cannot be believed
        ├── StudentError             student: their code raised
        │   └── MissingName          student: a name that the check asks for is not defined
        ├── UnsupportedValue         student: returned something that is not plain data
        ├── CallTimedOut             student: no answer within the limit
        ├── TimeIsUp                 student: the submission as a whole took too long
        ├── BoundReached             student: so did our own work on it, or it took too much memory
        ├── SandboxDied              student: crashed, or used more memory than allowed
        ├── Awarded                  student: the check gives some of its points, or all
        ├── Undecided                nobody: a person has to look
        ├── AuthorError              author: the check itself is written wrongly
        └── InfrastructureError      infrastructure: the machine or the grader failed
            └── TooBusy              ... by giving the student's code too little processor time

Errors of the wire format live in ``grader.inside.codec`` (the sandbox must not import this package)
and are mapped to this tree at the edge, in ``grader.session``.
"""

from __future__ import annotations

import enum

from grader.model.points import Points


class Outcome(enum.StrEnum):
    """How one check ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    UNSUPPORTED_VALUE = "unsupported_value"
    UNDECIDED = "undecided"
    SKIPPED = "skipped"
    PARTIAL = "partial"


class Fault(enum.StrEnum):
    """Who has to act on an outcome that is not a pass. Only the student's costs points."""

    STUDENT = "student"
    AUTHOR = "author"
    INFRASTRUCTURE = "infrastructure"


class ChainruleError(Exception):
    """Base of everything raised on purpose."""


class CannotGrade(ChainruleError):
    """Nothing can be graded until a person changes something; the message says what."""


class UsageError(CannotGrade):
    """The command was called with arguments or folders that do not fit together."""


class ManifestError(CannotGrade):
    """assignment.toml is wrong; the message names the file and the key."""


class SubmissionError(CannotGrade):
    """The submission is not a file that can be graded."""


class TemplateError(CannotGrade):
    """The reference cannot be turned into a student template, or the committed one is stale."""


class CalibrationError(CannotGrade):
    """A check's bound cannot be calibrated on the reference, or the stored one is missing or stale."""


class AuditError(CannotGrade):
    """The checks cannot be tried on mutants: there is no reference, or it passes none of them."""


class SandboxUnavailable(CannotGrade):
    """This machine offers no isolation that Chainrule trusts with a notebook."""


class GradebookError(CannotGrade):
    """The gradebook cannot be used; what was written before is intact."""


class CheckError(ChainruleError):
    """A check did not pass. The message is for author and instructor only."""

    outcome = Outcome.ERRORED
    fault = Fault.AUTHOR

    @property
    def said(self) -> str:
        """The message, with the kind of error where a student's code raised it."""
        return str(self)


class CheckFailed(CheckError, AssertionError):
    """The student's value differs from what the check expects.

    ``mistake`` names the kind of mistake, if one is known; ``wrong`` is what is needed to look it up.
    """

    outcome = Outcome.FAILED
    fault = Fault.STUDENT
    mistake = ""
    wrong: object = None


class BadEvidence(CheckFailed):
    """What the student recorded is missing, damaged or not what it says it is.

    Students read the message as it is, even in a hidden check: it is about their own evidence and contains no
    expected value.
    """


class Awarded(CheckError):
    """The check gives ``points`` of what it is worth; the message says why, for the instructor."""

    outcome = Outcome.PARTIAL
    fault = Fault.STUDENT

    def __init__(self, points: Points, why: str = "") -> None:
        super().__init__(why)
        self.points = points


class Undecided(CheckError):
    """The check cannot tell right from wrong here: its item waits for a person, and costs nothing until then.

    The message is for that person, with both sides: what was handed in and what the check computed. For what
    is unusual, or missing, or only suspicious; what is wrong raises CheckFailed.
    """

    outcome = Outcome.UNDECIDED


class StudentError(CheckError):
    """The student's code raised an exception.

    ``kind`` is the exception's class name, ``kinds`` that and the names of its bases, ``message`` its text,
    ``traceback`` the student's frames, ``place`` the file ("" for a notebook's own cell), the cell's number
    (0 for a file) and the line that raised. The student controls all of it. One that came from student code
    is also an instance of Python's class of that name, so that ``pytest.raises(ValueError)`` sees it.
    """

    outcome = Outcome.ERRORED
    fault = Fault.STUDENT

    def __init__(
        self,
        kind: str,
        message: str = "",
        traceback: str = "",
        *,
        place: tuple[str, int, int] | None = None,
        kinds: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.kind, self.message, self.traceback, self.place = kind, message, traceback, place
        self.kinds = kinds or (kind,)

    def __str__(self) -> str:
        return self.message

    @property
    def said(self) -> str:
        """Kind and message, as Python's last line of a traceback has them."""
        return f"{self.kind}: {self.message}" if self.message else self.kind


class MissingName(StudentError):
    """The notebook does not define ``name``, which the check itself wrote."""

    def __init__(self, name: str) -> None:
        super().__init__("NameError", f"name {name!r} is not defined in the notebook")
        self.name = name


class UnsupportedValue(CheckError):
    """The student's code returned something that cannot cross the boundary as plain data."""

    outcome = Outcome.UNSUPPORTED_VALUE
    fault = Fault.STUDENT


class CallTimedOut(CheckError):
    """The student's code gave no answer within its limit."""

    outcome = Outcome.TIMED_OUT
    fault = Fault.STUDENT


class TimeIsUp(CheckError):
    """The submission as a whole, with our own work on it, took longer than it may."""

    outcome = Outcome.TIMED_OUT
    fault = Fault.STUDENT

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the submission as a whole took more than {seconds:g} s")


class BoundReached(CheckError):
    """Our own work on the submission had to be ended at ``bound``, such as "600 s"."""

    fault = Fault.STUDENT

    def __init__(self, outcome: Outcome, bound: str) -> None:
        super().__init__(
            f"grading it was ended after {bound}, which is all that it may take"
            if outcome is Outcome.TIMED_OUT
            else f"grading it takes more than {bound} of memory, which is all that it may have"
        )
        self.outcome = outcome


class SandboxDied(CheckError):
    """The student's process ended before it answered."""

    outcome = Outcome.CRASHED
    fault = Fault.STUDENT

    def __init__(self, message: str, *, out_of_memory: bool = False) -> None:
        super().__init__(message)
        if out_of_memory:
            self.outcome = Outcome.OUT_OF_MEMORY


class AuthorError(CheckError):
    """The check itself is wrong; the message says what to write instead."""

    outcome = Outcome.ERRORED
    fault = Fault.AUTHOR


class InfrastructureError(CheckError):
    """The machine or the grader failed; no answer is to blame."""

    outcome = Outcome.ERRORED
    fault = Fault.INFRASTRUCTURE


class TooBusy(InfrastructureError):
    """The machine gave the student's code too little processor time to say that it is too slow."""

    outcome = Outcome.TIMED_OUT

    def __init__(self, seconds: float, waited: float, cpu: float) -> None:
        super().__init__(
            f"the machine is too busy: {waited:.0f} s gave the code {cpu:.1f} s of processor time, "
            f"of {seconds:g} s that it may use"
        )
