"""Every submission in ``examples/`` gets exactly its pinned result, graded as `grade` grades it."""

from __future__ import annotations

import dataclasses
import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from support.examples.expected import Expected, read_expected
from support.examples.full_marks import solved_cells
from support.examples.make import RECIPES, MadeExample, made_examples
from support.marked_secrets import numbers_of_checks
from support.paths import EXAMPLES, FULL_MARKS, ROOT

from grader.grading import assignment_folder, opening, pipeline
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.execution import Silent
from grader.grading.grade_job import GradeJob
from grader.model.errors import CannotGrade
from grader.model.points import ZERO
from grader.model.records import Grade, ItemResult, decode, encode
from grader.notebooks.submission_file import read
from grader.reports import junit
from grader.reports.elsewhere import FORMATS
from grader.reports.page import render
from grader.reports.safe_words import safe_grade

FOLDERS = {path.parent.name: path.parent for path in EXAMPLES.rglob("expected.toml")}
NAMES = sorted(FOLDERS)
SEEDS = (3, 20_231_207, 2**31 - 1)
"""The examples take turns, so that a run sees several seeds; none may change a score."""
OF_THEIR_OWN = re.compile(
    r"this notebook.{1,6}s code gives [-+.e0-9]+"
    r"|[a-z ]{0,40}[0-9.]+, loss [0-9.e+-]+ were recorded; the recorded weights have [a-z0-9., +-]{1,200}"
    r"|ends at [0-9.]+; the recorded weights have [0-9.]+ \(\+- [0-9.]+\)"
)


@pytest.fixture(scope="module")
def assignment() -> AssignmentFolder:
    return assignment_folder.load(ROOT)


@pytest.fixture(scope="module")
def warm() -> Iterator[opening.WarmProcesses]:
    with opening.WarmProcesses() as processes:
        yield processes


def submission_of(name: str, expected: Expected, scratch: Path) -> Path:
    """The example's file; one too large to keep is made now."""
    if not expected.recipe:
        return FOLDERS[name] / expected.file
    made = scratch / expected.file
    RECIPES[expected.recipe](made)
    return made


def graded(
    name: str, seed: int, assignment: AssignmentFolder, warm: opening.WarmProcesses, scratch: Path
) -> Grade:
    """One example's grade. Raises CannotGrade."""
    expected = read_expected(FOLDERS[name])
    own = msgspec.structs.replace(
        assignment.assignment, limits=expected.limits_from(assignment.assignment.limits)
    )
    job = GradeJob(
        submission_of(name, expected, scratch), dataclasses.replace(assignment, assignment=own), seed
    )
    return pipeline.grade(job, opener=warm.open_notebook, progress=Silent())


@pytest.mark.parametrize(("name", "seed"), list(zip(NAMES, itertools.cycle(SEEDS), strict=False)))
def test_an_example_gets_its_pinned_result(
    name: str, seed: int, assignment: AssignmentFolder, warm: opening.WarmProcesses, tmp_path: Path
) -> None:
    """The status, every item's points, the checks that were lost, how every cell ended; and the report."""
    expected = read_expected(FOLDERS[name])
    if expected.exit == 2:
        with pytest.raises(CannotGrade, match=r".") as refused:
            graded(name, seed, assignment, warm, tmp_path)
        assert expected.error in str(refused.value)
        assert "\n" not in str(refused.value)
        return
    grade = graded(name, seed, assignment, warm, tmp_path)
    assert grade.environment.isolation != "none"
    assert shown_items(expected, grade) == expected_items(expected, grade)
    assert not any(item.decided for item in grade.items if item.kind == "written"), "not zero: not yet marked"
    assert_cells(expected, grade)
    assert_lines(expected.notices, grade.notices)
    assert_lines(expected.attention, grade.attention)
    assert bool(grade.attention) == (expected.exit == 1)
    assert_recorded_and_shown(grade)
    assert not numbers_told(
        grade, tmp_path / expected.file if expected.recipe else FOLDERS[name] / expected.file
    )


def numbers_told(grade: Grade, handed_in: Path) -> set[str]:
    """The numbers that checks found, and that the student reads without having written them.

    What their own code gave when it ran again, and what the weights give that they recorded, they may read:
    both are theirs, and they can compute them too.
    """
    files = [handed_in] if handed_in.is_file() else [path for path in handed_in.rglob("*") if path.is_file()]
    own = "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
    told = [msgspec.json.encode(safe_grade(grade), enc_hook=str).decode(), junit.suite("Ada", grade)]
    told += [form.graded(grade) for form in FORMATS.values()]
    kept = [OF_THEIR_OWN.sub("", text) for text in told]
    return {number for number in numbers_of_checks(grade, own) if any(number in text for text in kept)}


def shown_items(expected: Expected, grade: Grade) -> dict[str, tuple[str, bool, dict[str, str]]]:
    """Of every code item: its points, whether they are decided, and the checks that did not pass.

    Of evidence items too, where one is pinned or earns anything.
    """
    pinned = pinned_items(expected, grade)
    return {item.item: (str(item.earned), item.decided, lost(item)) for item in pinned}


def expected_items(expected: Expected, grade: Grade) -> dict[str, tuple[str, bool, dict[str, str]]]:
    """The same as pinned; an item that is not named has all its points, or none, and is decided."""
    found = {}
    for item in pinned_items(expected, grade):
        if own := expected.items.get(item.item):
            found[item.item] = (str(own.points), own.decided, own.lost)
        elif expected.rest == "full" and item.kind == "code":
            found[item.item] = (str(item.possible), True, {})
        elif expected.rest == "undecided" and item.kind == "code":
            found[item.item] = (str(ZERO), False, {})
        else:
            found[item.item] = (str(ZERO), True, lost(item))
    return found


def pinned_items(expected: Expected, grade: Grade) -> list[ItemResult]:
    """Code items, and of evidence, which most examples have none of, what is named or earns."""
    return [
        item
        for item in grade.items
        if item.kind == "code" or (item.kind == "evidence" and (item.item in expected.items or item.earned))
    ]


def lost(item: ItemResult) -> dict[str, str]:
    """The checks of an item that did not pass, and how they ended."""
    return {check.check: str(check.outcome) for check in item.checks if check.outcome != "passed"}


def assert_cells(expected: Expected, grade: Grade) -> None:
    """Every code cell ended as pinned, and no pinned cell is missing."""
    shown = {cell.cell: (cell.status, cell.error) for cell in grade.cells}
    statuses = {number: status for number, (status, _) in shown.items()}
    assert statuses == {number: expected.cell(number)[0] for number in shown}
    assert {int(number) for number in expected.cells} <= set(shown)
    for number, (_, error) in shown.items():
        assert expected.cell(number)[1] in error


def assert_lines(parts: tuple[str, ...], shown: tuple[str, ...]) -> None:
    """Each pinned part stands in one line of its own, in order, and there are no others."""
    assert len(shown) == len(parts), shown
    for part, line in zip(parts, shown, strict=True):
        assert part in line


def assert_recorded_and_shown(grade: Grade) -> None:
    """The record survives JSON, and the page holds no mark-up, colours or reversed text of the student's."""
    assert decode(encode(grade)) == grade
    page = render(grade)
    for bad in ("<script>alert", "<img src=x", "\x1b[", "\u202e"):
        assert bad not in page


def test_there_are_enough_examples() -> None:
    """A folder without an expectation would never be graded."""
    assert len(NAMES) >= 45
    groups = [path for path in EXAMPLES.iterdir() if path.is_dir() and path != FULL_MARKS.parent]
    found = [folder for group in groups for folder in group.iterdir()]
    assert sorted([*found, FULL_MARKS.parent]) == sorted(FOLDERS.values())
    assert len(set(found)) == len({folder.name for folder in found}), "a name is in two groups"


@pytest.mark.parametrize("example", made_examples(), ids=lambda example: example.name)
def test_a_committed_example_is_what_its_maker_makes(example: MadeExample) -> None:
    """Anyone can see in the maker what an example is about, and make it anew."""
    assert example.path(EXAMPLES).read_bytes() == example.data


def test_the_untouched_template_is_the_one_that_students_get() -> None:
    """After a change of the template: copy its hw3.ipynb to examples/broken/untouched_template/."""
    given = (ROOT / "student_template" / "hw3.ipynb").read_bytes()
    assert (EXAMPLES / "broken" / "untouched_template" / "hw3.ipynb").read_bytes() == given


def test_full_marks_holds_the_references_own_cells() -> None:
    """After a change of the reference: python -m tests.support.examples.full_marks."""
    cells = read(FULL_MARKS).cells
    wanted = [(cell.kind, cell.source, cell.tags, cell.id) for cell in solved_cells()]
    assert [(cell.kind, cell.source, cell.tags, cell.id) for cell in cells] == wanted
    assert sum(len(cell.figures) for cell in cells) >= 6


def test_an_unknown_key_in_an_expectation_is_refused(tmp_path: Path) -> None:
    """A misspelt key would pin nothing."""
    shutil.copy(EXAMPLES / "styles" / "official_solution" / "expected.toml", tmp_path)
    with (tmp_path / "expected.toml").open("a") as file:
        file.write("\n[item.3]\nearned = 1\n")
    with pytest.raises(msgspec.ValidationError, match="item"):
        read_expected(tmp_path)
