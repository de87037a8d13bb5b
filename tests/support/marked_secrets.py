"""Records that are full of marked secrets, in every field that a student may not read."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from grader.model import endings
from grader.model.assignment import Limits
from grader.model.errors import Fault, Outcome
from grader.model.isolation import Mode
from grader.model.points import ZERO, Points
from grader.model.records import (
    SCHEMA,
    CellResult,
    CellStatus,
    CheckResult,
    DoctorVerdict,
    Environment,
    Figure,
    FileRecord,
    Grade,
    ItemResult,
    PersonsMark,
    SubmissionRecord,
    decided_points,
    earned_points,
    possible_points,
)

from .report_samples import png

SECRET = "S3CRET"  # noqa: S105  # of nobody
"""Part of every text that a student may not read, and of every digit string that could betray one."""
NUMBER = 986_753_201
"""The same for numbers: a seed that the inputs were drawn from."""
HINT = "Is the gradient already that of the mean?"


_NUMBER = re.compile(r"-?\d+\.\d{4,}")


def numbers_of_checks(grade: Grade, own: str) -> set[str]:
    """Numbers in what checks found that nobody writes by chance, and that ``own`` does not hold."""
    texts = [check.detail + check.printed for item in grade.items for check in item.checks]
    return {number for text in texts for number in _NUMBER.findall(text) if number not in own}


def records(count: int, seed: int = 0) -> Iterator[Grade]:
    """So many records, each with other outcomes, faults, texts and missing parts."""
    yield from (record(seed + number) for number in range(count))


def record(seed: int) -> Grade:
    """The record of this number; the submission has cells 1 to 12."""
    chance = random.Random(seed)  # noqa: S311  # it decides nothing but a test
    items = tuple(_item(chance, f"3.{number}.i") for number in range(1, chance.randint(2, 9)))
    return Grade(
        schema=SCHEMA,
        assignment="HW3: neural networks",
        assignment_sha256=f"{SECRET}5d",
        submission=SubmissionRecord(
            "hw3.ipynb", "a7" * 32, "notebook", 9, (FileRecord("hw3.ipynb", "a7" * 32, 9),)
        ),
        mode="hidden",
        seed=NUMBER,
        graded_at="2026-03-01T09:30:00Z",
        seconds=1.0,
        environment=Environment(
            SECRET, SECRET, SECRET, Mode.NS_USER, {SECRET: SECRET}, DoctorVerdict(1, 2, (SECRET,), SECRET)
        ),
        limits=Limits(cell_seconds=NUMBER),
        budget={"EPOCHS": NUMBER},
        earned=earned_points(items),
        possible=possible_points(items),
        decided=decided_points(items),
        items=items,
        cells=tuple(_cell(chance, number) for number in range(1, 13)),
        notices=(f"`utils` is imported (cell 3) and lies in /srv/{SECRET}/site-packages/utils.py",),
        attention=(f"item 3.1.i: check `test_x[{SECRET}]`: author: expected {SECRET}",),
    )


def _item(chance: random.Random, name: str) -> ItemResult:
    kind = chance.choice(["code", "code", "evidence", "written"])
    checks = () if kind == "written" else tuple(_check(chance, name) for _ in range(chance.randint(0, 4)))
    waits = chance.choice(
        ["", f"a person's look: {SECRET}", endings.NOT_THE_FILE, endings.NOT_HANDED_IN, f"checks: {SECRET}"]
    )
    mark = (
        PersonsMark(Points.of(1), "-1: says nothing about memory\nwell done")
        if chance.random() < 0.3
        else None
    )
    return ItemResult(
        item=name,
        title="Backward pass",
        kind=kind,
        earned=Points.of(chance.randint(0, 4)),
        possible=Points.of(4),
        decided=mark is not None or not waits,
        checks=checks,
        found=kind == "code" or chance.random() < 0.6,
        answer="" if kind == "code" else "because $B = 5$ is **small**",
        figures=(Figure(png(), 8, 4, 5),) if kind == "evidence" else (),
        waits_for="" if mark else waits,
        mark=mark,
    )


def _check(chance: random.Random, item: str) -> CheckResult:
    outcome = chance.choice(list(Outcome))
    passed = outcome is Outcome.PASSED
    fault = None if passed or outcome is Outcome.UNDECIDED else chance.choice([*Fault, Fault.STUDENT, None])
    is_theirs = fault is Fault.STUDENT
    return CheckResult(
        check=f"test_forward[{SECRET}-{NUMBER}]",
        title="forward returns X W + b (case 2)",
        item=item,
        outcome=outcome,
        earned=Points.of(2) if passed else ZERO,
        possible=Points.of(2),
        fault=fault,
        message=chance.choice([HINT, ""]) if is_theirs else f"not for the student: {SECRET}",
        detail=f"worst entry [2, 1]: expected {SECRET}, got {NUMBER}",
        printed=f"forward got {SECRET}\n",
        mistake=f"a mean where a sum belongs {SECRET}",
    )


def _cell(chance: random.Random, number: int) -> CellResult:
    status = chance.choice([CellStatus.OK, *CellStatus])
    place = f"/srv/{SECRET}/site-packages/numpy/core.py"
    return CellResult(
        cell=number,
        status=status,
        first_line="import numpy as np",
        error="" if status is CellStatus.OK else f"FileNotFoundError: no file {place!r}",
        traceback=f'Cell {number}, line 3\n    import utils\nFile "{place}", line 9',
        notes=(f"`!pip install` found /home/{SECRET}/venv/lib/numpy and did nothing",),
    )
