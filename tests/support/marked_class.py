"""A class in a gradebook whose written answers wait for a person: records without runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from grader.gradebook.rows import ItemPoints, NewSubmission, StoredResult, Student
from grader.gradebook.store import Gradebook
from grader.model.assignment import Assignment, Limits
from grader.model.errors import Outcome
from grader.model.isolation import Mode
from grader.model.points import Points
from grader.model.records import (
    SCHEMA,
    CheckResult,
    Environment,
    Grade,
    ItemResult,
    SubmissionRecord,
    decided_points,
    earned_points,
    encode,
    possible_points,
)
from support.notebooks import prose, write_notebook

MARKING = "marking by a person"


def item_results(
    assignment: Assignment, answers: Mapping[str, str], waits_for: str = MARKING
) -> tuple[ItemResult, ...]:
    """Every item of a submission: code and evidence in full, written ones waiting with these answers."""
    found = []
    for item in assignment.item:
        if item.kind == "written":
            text = answers.get(item.id, "")
            digest = hashlib.sha256(text.encode()).hexdigest()
            waits = {"found": bool(text), "answer": text, "answer_sha256": digest, "waits_for": waits_for}
            result = ItemResult(
                item.id, item.title, item.kind, Points(0), item.points, decided=False, **waits
            )
        else:
            check = CheckResult(
                "test_it", f"{item.title} is as asked for", item.id, Outcome.PASSED, item.points, item.points
            )
            result = ItemResult(
                item.id, item.title, item.kind, item.points, item.points, decided=True, checks=(check,)
            )
        found.append(result)
    return tuple(found)


def record(
    assignment: Assignment, name: str, sha256: str, answers: Mapping[str, str], waits_for: str = MARKING
) -> Grade:
    """The record of one submission."""
    items = item_results(assignment, answers, waits_for)
    return Grade(
        schema=SCHEMA,
        assignment=assignment.title,
        assignment_sha256="0" * 64,
        submission=SubmissionRecord(name=name, sha256=sha256, kind="notebook", bytes=1),
        mode="hidden",
        seed=1,
        graded_at="2026-11-01T09:30:00+00:00",
        seconds=1.0,
        environment=Environment(grader="0", python="3", platform="Linux", isolation=Mode.NS_USER),
        limits=Limits(),
        budget={},
        earned=earned_points(items),
        possible=possible_points(items),
        decided=decided_points(items),
        items=items,
    )


def add_class(
    gradebook: Gradebook,
    assignment: Assignment,
    answers: Mapping[str, Mapping[str, str]],
    *,
    names: Mapping[str, str] | None = None,
    paths: Mapping[str, Path] | None = None,
    waits_for: str = MARKING,
    again: bool = False,
) -> dict[str, int]:
    """Hand in and grade, by each student's id, answers by item; the rows of the submissions by student."""
    called = names or {student: f"Student {student}" for student in answers}
    gradebook.add_students(Student(student, called.get(student, student)) for student in answers)
    rows = {}
    for student, own in answers.items():
        path = (paths or {}).get(student)
        data = path.read_bytes() if path else f"{student}{' again' * again}".encode()
        sha256 = hashlib.sha256(data).hexdigest()
        place = str(path or f"/gone/{student}.ipynb")
        new = NewSubmission(assignment.title, f"{student}.ipynb", sha256, student, place)
        row = gradebook.add_submission(new)
        grade = record(assignment, f"{student}.ipynb", sha256, own, waits_for)
        result = StoredResult(
            f"key {student} {sha256}",
            assignment.title,
            sha256,
            {},
            tuple(map(ItemPoints.of, grade.items)),
            (),
            encode(grade),
            grade.earned,
            grade.possible,
            grade.decided,
        )
        gradebook.store_result(result, [row], author="batch", reason="batch")
        rows[student] = row
    return rows


def write_class(
    folder: Path, answers: Mapping[str, Mapping[str, str]], extra: Sequence[object] = ()
) -> dict[str, Path]:
    """A notebook for each student with these answers, and cells that all have."""
    paths = {}
    for student, own in answers.items():
        cells = [prose(f"#### Answer {item}\n\n{text}") for item, text in own.items()]
        path = folder / student / "hw.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        paths[student] = write_notebook(path, [*extra, *cells])
    return paths


def with_kind(assignment: Assignment, item: str, kind: str) -> Assignment:
    """The assignment with an item of another kind."""
    items = tuple(
        msgspec.structs.replace(one, kind=kind) if one.id == item else one for one in assignment.item
    )
    return msgspec.structs.replace(assignment, item=items)
