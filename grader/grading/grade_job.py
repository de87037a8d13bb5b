"""What to grade, and how: the value that every step of a grading receives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.deadline import Deadline
from grader.grading.execution import Progress
from grader.notebooks.submission_files import SubmissionFiles
from grader.session.notebook import Notebook

if TYPE_CHECKING:
    from grader.grading.prepared_checks import PreparedChecks


@dataclass(frozen=True)
class GradeJob:
    """What to grade, and how.

    ``seed`` determines every random input; ``public`` runs the public checks, in this process; with ``only``
    the grade holds just these items. ``notices`` are added to those of the submission itself.
    ``seconds_spent`` of the time for all cells are used up, by other notebooks of the submission. What is not
    done at the ``deadline`` has timed out. ``prepared`` are the hidden checks, if they have been collected.
    """

    submission: Path
    folder: AssignmentFolder
    seed: int
    public: bool = False
    sandbox: bool = True
    only: frozenset[str] = frozenset()
    notices: tuple[str, ...] = ()
    seconds_spent: float = 0.0
    deadline: Deadline = field(default_factory=Deadline)
    prepared: PreparedChecks | None = None

    def wants(self, item: str) -> bool:
        """Whether the grade holds this item."""
        return not self.only or item in self.only


Opener = Callable[[GradeJob, SubmissionFiles, Progress], Notebook]
"""Opens the first notebook of a submission, with the other files around it."""
