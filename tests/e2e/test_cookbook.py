"""Each recipe of docs/cookbook.md passes a right answer, and says of a wrong one what the page shows."""

from __future__ import annotations

import re

import pytest
from support.pages import BLOCKS, write_page_files
from support.paths import ROOT
from support.small_course import SmallCourse

from grader.model.records import CheckResult, Grade, Outcome

ANSWERS = ROOT / "tests/support/cookbook"
PAGE = [block for block in BLOCKS if block.page == "cookbook.md"]


def recipes() -> dict[str, str]:
    """The message that the page shows, for each function that checks something."""
    found, functions = {}, []
    for block in PAGE:
        if block.file and "/test_" in block.file:
            functions = re.findall(r"^def (test_\w+)", block.text, re.MULTILINE)
        elif block.language == "text":
            found |= dict.fromkeys(functions, block.text)
    return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[CheckResult]]:
    """The checks of both answers, from one warm process."""
    home = tmp_path_factory.mktemp("cookbook")
    write_page_files("cookbook.md", home)
    with SmallCourse(home) as course:
        answers = {name: (ANSWERS / f"{name}.py").read_text(encoding="utf-8") for name in ("right", "wrong")}
        return {name: checks_of(course.grade(text, seed=1)) for name, text in answers.items()}


def checks_of(grade: Grade) -> list[CheckResult]:
    return [check for item in grade.items for check in item.checks]


def function(check: CheckResult) -> str:
    return check.check.partition("[")[0]


def test_thirty_recipes_pass_the_right_answer(graded):
    assert len(recipes()) == 30
    assert {function(check) for check in graded["right"]} == set(recipes())
    assert [check for check in graded["right"] if check.outcome is not Outcome.PASSED] == []


def test_the_wrong_answer_reads_what_the_page_shows(graded):
    unsaid = {}
    for name, shown in recipes().items():
        failed = [check for check in graded["wrong"] if function(check) == name and check.detail]
        said = "\n".join(check.detail for check in failed)
        if [line for line in shown.splitlines() if line.strip() not in said]:
            unsaid[name] = said
    assert unsaid == {}
