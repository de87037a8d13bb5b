"""Every way for student code to end has its words."""

from __future__ import annotations

from grader.model.endings import CELLS, FOR_STUDENT, OUTCOMES, no_answer, process_ended
from grader.model.errors import Outcome
from grader.model.isolation import Ending, EndReason
from grader.model.records import CellStatus


def test_every_outcome_and_every_cell_status_has_words():
    assert set(OUTCOMES) == set(Outcome)
    assert set(CELLS) == set(CellStatus)


def test_a_student_reads_words_for_every_outcome_but_a_pass_and_a_wrong_value():
    own = {Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED, Outcome.PARTIAL}
    assert set(Outcome) - set(FOR_STUDENT) == own


def test_times_and_exit_statuses_are_named():
    assert no_answer(0.5) == "no answer within 0.5 s"
    assert no_answer(1620.0) == "no answer within 1620 s"
    assert process_ended(Ending(EndReason.EXITED, 3)) == "the code ended the Python process (exit 3)"
    assert process_ended(None) == "the code ended the Python process (for an unknown reason)"
