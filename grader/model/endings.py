"""The words for how student code ended: one place, so that messages, records and reports never disagree."""

from __future__ import annotations

from grader.model.errors import Outcome
from grader.model.isolation import Ending
from grader.model.records import CellStatus

NOT_AN_ANSWER = "the student's process sent something that is not an answer"
NO_COPY = "the student's process would not make a copy of its state"
OUT_OF_MEMORY = "the code used more memory than allowed"
OUT_OF_TIME = "the notebook used up all the time that it may take"
TIME_USED_UP = "the notebook's time was used up by earlier cells"

OUTCOMES = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "wrong value",
    Outcome.ERRORED: "raised an exception",
    Outcome.TIMED_OUT: "timed out",
    Outcome.OUT_OF_MEMORY: "out of memory",
    Outcome.CRASHED: "crashed",
    Outcome.UNSUPPORTED_VALUE: "not plain data",
    Outcome.UNDECIDED: "a person decides",
    Outcome.SKIPPED: "skipped",
    Outcome.PARTIAL: "passed in part",
}
"""How a check ended, for a table."""

CELLS = {
    CellStatus.OK: "ran",
    CellStatus.RAISED: "raised an exception",
    CellStatus.TIMED_OUT: "was stopped at its time limit",
    CellStatus.CRASHED: "ended the process",
    CellStatus.OUT_OF_MEMORY: "ran out of memory",
    CellStatus.SKIPPED: "was skipped",
}
"""How a cell ended, after its number: "cell 4 ran out of memory"."""

NOT_THE_FILE = "a look at the file: it defines none of the names asked for"
NOT_HANDED_IN = "its notebook, which was not handed in"
IN_ANOTHER_FILE = "a look at another file, which defines what is asked for"
"""What an item waits for whose notebook is not there, or not the right one."""

NOTHING_RECORDED = "nothing was recorded for item"
"""How the detail of a check begins whose evidence is missing."""

RAISED = "Your code raised an exception while it was checked."

FOR_STUDENT = {
    Outcome.ERRORED: RAISED,
    Outcome.TIMED_OUT: "Your code gave no answer within the time allowed.",
    Outcome.OUT_OF_MEMORY: "Your code used more memory than allowed.",
    Outcome.CRASHED: "Your code ended the Python process.",
    Outcome.UNSUPPORTED_VALUE: "Your code returned something that is neither numbers nor an array.",
    Outcome.UNDECIDED: "A person will look at this; until then it costs nothing.",
}
"""What a student may read of a hidden check: no inputs, no values, nothing that was printed."""


def no_answer(seconds: float) -> str:
    """Nothing came in time, not even after an interrupt."""
    return f"no answer within {seconds:g} s"


def used_up(seconds: float) -> str:
    """Each call of a check was answered, but all of them together took too long."""
    return f"the calls of this check took more than {seconds:g} s together"


def stopped(seconds: float) -> str:
    """It was interrupted at its time limit and stopped."""
    return f"stopped after {seconds:g} s"


def process_ended(ending: Ending | None) -> str:
    """The Python process is gone; None if nobody knows how it ended."""
    return f"the code ended the Python process ({ending or 'for an unknown reason'})"
