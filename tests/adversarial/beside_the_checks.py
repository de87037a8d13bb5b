"""Grade a submission as most graders of notebooks do: student code in the process that judges it.

``python beside_the_checks.py ASSIGNMENT SUBMISSION ANSWER`` writes the points of every item to ANSWER. It
runs in a process of its own because these attacks leave nothing of Python as it was.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from grader.grading import assignment_folder, opening, pipeline
from grader.grading.execution import Silent
from grader.grading.grade_job import GradeJob


def main(arguments: list[str]) -> None:
    assignment, submission, answer = map(Path, arguments)
    job = GradeJob(submission, assignment_folder.load(assignment), seed=1)
    grade = pipeline.grade(
        job, opener=lambda job, file, _: opening.open_in_process(job, file), progress=Silent()
    )
    points = {item.item: str(item.earned) for item in grade.items if item.earned}
    answer.write_text(json.dumps(points))


if __name__ == "__main__":
    main(sys.argv[1:])
