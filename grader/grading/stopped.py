"""The grade of a submission on which our own work reached a bound: that is an outcome, as any other."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from grader.grading.environment import describe_environment
from grader.grading.grade_job import GradeJob
from grader.grading.scoring import AnswerShown, points_for, score
from grader.handed_in.package import Package
from grader.model.assignment import Item
from grader.model.endings import FOR_STUDENT
from grader.model.errors import BoundReached
from grader.model.records import (
    SCHEMA,
    CheckResult,
    FileRecord,
    Grade,
    SubmissionRecord,
    decided_points,
    earned_points,
    possible_points,
)
from grader.sandbox.modes import usual_mode

TITLE = "the submission as a whole"


def stopped_grade(job: GradeJob, submission: SubmissionRecord, why: BoundReached, *, seconds: float) -> Grade:
    """No points for what checks decide; written answers wait for a person, as always."""
    assignment = job.folder.assignment
    scored = score(
        assignment,
        [result_of(item, why) for item in assignment.item if item.kind != "written"],
        {item.id: AnswerShown() for item in assignment.item},
    )
    items = tuple(item for item in scored if job.wants(item.item))
    return Grade(
        schema=SCHEMA,
        assignment=assignment.title,
        assignment_sha256=job.folder.sha256,
        submission=submission,
        mode="hidden",
        seed=job.seed,
        graded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 3),
        environment=describe_environment(usual_mode(), environ=os.environ),
        limits=assignment.limits,
        budget=assignment.budget,
        earned=earned_points(items),
        possible=possible_points(items),
        decided=decided_points(items),
        items=items,
        notices=(*job.notices, f"{why}; no check was finished"),
    )


def result_of(item: Item, why: BoundReached) -> CheckResult:
    """In place of all checks of an item."""
    return CheckResult(
        check="submission",
        title=TITLE,
        item=item.id,
        outcome=why.outcome,
        earned=points_for(why.outcome, item.points),
        possible=item.points,
        fault=why.fault,
        message=FOR_STUDENT[why.outcome],
        detail=str(why),
    )


def record_of(package: Package, *, name: str) -> SubmissionRecord:
    """What was handed in, without a look into the files."""
    first = package.first
    kind = "script" if first.place.lower().endswith(".py") else "notebook"
    files = tuple(FileRecord(file.place, file.sha256, file.size) for file in package.files)
    return SubmissionRecord(name, package.sha256, kind, first.size, files if len(files) > 1 else ())
