"""`grade import`: assignments of other systems become ours, and grade as they did there."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.foreign import (
    cell,
    nbgrader_assignment,
    ok_assignment,
    otter_assignment,
    otter_v0_assignment,
    package_with_tests,
    write_notebook,
)

from grader.authoring.imported import otter
from grader.authoring.imported.writing import own_check
from grader.cli.main import cli
from grader.grading import assignment_folder
from grader.model.errors import UsageError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")


def run_import(system: str, source: Path, out: Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["import", system, str(source), "--out", str(out)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def points_of(home: Path, submission: Path, out: Path) -> dict[str, float]:
    done = CliRunner().invoke(
        cli, ["submission", str(submission), "--assignment", str(home), "--out", str(out), "--json"]
    )
    return {item["item"]: float(item["earned"]) for item in json.loads(done.stdout)["items"]}


@pytest.fixture(scope="module")
def from_nbgrader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nbgrader")
    source = nbgrader_assignment(folder / "source" / "ps1")
    return folder / "out", *run_import("nbgrader", source, folder / "out")


class TestNbgrader:
    def test_the_reference_earns_all_and_the_template_nothing(self, from_nbgrader):
        _, status, said = from_nbgrader
        assert status == 0, said
        assert "3 run apart from student code, 1 beside it (marked REVIEW), 1 not converted" in said
        assert "The reference earns every point" in said
        assert "The untouched template earns nothing" in said

    def test_items_points_and_kinds_are_theirs(self, from_nbgrader):
        assignment = assignment_folder.load(from_nbgrader[0]).assignment
        found = {item.id: (str(item.points), item.kind, item.notebook) for item in assignment.item}
        assert found == {
            "right_squares": ("1.5", "code", "one.ipynb"),
            "refused": ("0.5", "code", "one.ipynb"),
            "right_mean": ("1", "code", "one.ipynb"),
            "uses_squares": ("1", "code", "one.ipynb"),
            "impossible": ("1", "written", "one.ipynb"),
            "why": ("2", "written", "one.ipynb"),
            "sums": ("3", "written", "two.ipynb"),
            "code_by_hand": ("1", "written", "two.ipynb"),
        }
        assert assignment.find("sums").rubric[0].text == "names both"
        assert assignment.given == ("reference/numbers.csv",)

    def test_assertions_are_ours_and_hidden_tests_stay_hidden(self, from_nbgrader):
        hidden = (from_nbgrader[0] / "hidden_tests/test_one.py").read_text(encoding="utf-8")
        assert "assert_raises(ValueError, squares, 0)" in hidden
        assert "assert_close(mean, 14 / 3, rtol=0, atol=1.5e-07" in hidden
        assert "REVIEW" in hidden.partition("def test_uses_squares")[2]
        assert "[-1]" in hidden
        template = "".join(
            path.read_text(encoding="utf-8") for path in (from_nbgrader[0] / "student_template").rglob("*.*")
        )
        assert "[-1]" not in template
        assert "range(1, n + 1)" not in template
        assert "Because" not in template

    def test_the_report_says_what_was_not_converted_and_why(self, from_nbgrader):
        page = (from_nbgrader[0] / "IMPORT.md").read_text(encoding="utf-8")
        assert "| one.ipynb, cell 9 | impossible | impossible | the reference does not pass it:" in page
        assert "| uses_squares | uses_squares | it uses `globals` |" in page

    def test_submissions_get_nbgraders_points(self, from_nbgrader, tmp_path):
        wrong = write_notebook(
            tmp_path / "ada" / "one.ipynb",
            cell("code", "def squares(n):\n    return [1, 4, 9]"),
            cell("code", "mean = 14 / 3"),
        )
        earned = points_of(from_nbgrader[0], wrong.parent, tmp_path / "reports")
        assert {item: points for item, points in earned.items() if points} == {
            "right_mean": 1.0,
            "uses_squares": 1.0,
        }


@pytest.fixture(scope="module")
def from_otter(tmp_path_factory):
    folder = tmp_path_factory.mktemp("otter")
    source = otter_assignment(folder / "source")
    return folder / "out", *run_import("otter", source, folder / "out")


class TestOtter:
    def test_the_reference_earns_all_and_the_template_nothing(self, from_otter):
        _, status, said = from_otter
        assert status == 0, said
        assert "3 items worth 9 points, 1 of them for a person; 5 tests" in said
        assert "5 run apart from student code, 0 beside it" in said
        assert "The untouched template earns nothing" in said

    def test_points_are_shared_by_otters_rules_and_messages_are_hints(self, from_otter):
        hidden = (from_otter[0] / "hidden_tests/test_hw.py").read_text(encoding="utf-8")
        worth = [line for line in hidden.splitlines() if line.startswith("@points")]
        assert worth == [
            "@points(0.5)",
            "@points(0.5)",
            "@points(0.5)",
            '@points(0.5, hint="Look at 0.")',
            "@points(3)",
        ]
        assert "assert_close(nine, 9, name='nine')" in hidden
        assert "assert_text(str(square(2)), '4', name='str(square(2))')" in hidden
        assert "assert_text(greeting, 'hello', name='greeting')" in hidden

    def test_students_get_prompts_public_tests_and_named_files(self, from_otter):
        student = from_otter[0] / "student_template"
        notebook = (student / "hw.ipynb").read_text(encoding="utf-8")
        assert "# ..." in notebook
        assert not any(text in notebook for text in ("x * x", "Because", "ten = 10", "hello"))
        assert (student / "data.csv").is_file()
        assert not (student / "notes.txt").exists()
        public = (student / "public_tests/test_hw.py").read_text(encoding="utf-8")
        assert "nine" in public
        assert not any(text in public for text in ("isclose", "square(0)", "'hello'"))


def described(course) -> list[tuple[str, str, str, str]]:
    return [(test.item, str(test.points), test.source, test.public) for test in course.tests]


def test_the_first_format_of_otter_is_read(tmp_path):
    course = otter.read(otter_v0_assignment(tmp_path))
    assert described(course) == [
        ("q1", "1", "assert x == 3", "assert x == 3"),
        ("q1", "1", "assert x > 2", ""),
    ]
    assert [(item.id, str(item.points), item.written) for item in course.items] == [
        ("q1", "2", False),
        ("q2", "1", True),
    ]
    sources = [cell.source for cell in course.notebooks["old.ipynb"]]
    assert "### BEGIN SOLUTION\nx = 3\n### END SOLUTION" in sources
    assert sources[-1] == "The end."


def test_tests_of_ok_are_read_and_never_run(tmp_path):
    course = otter.read(ok_assignment(tmp_path / "lab"))
    first = "assert double(2) == 4\nassert str(double('a')) == 'aa'"
    assert described(course) == [
        ("q1", "0.5", first, first),
        ("q1", "0.5", "import math\nassert math.isclose(double(0.1), 0.2)", ""),
    ]
    assert [cell.source for cell in course.notebooks["lab.ipynb"]] == [
        "rate = 2",
        "### BEGIN SOLUTION\ndef double(x):\n    return rate * x\n### END SOLUTION",
        own_check("q1"),
    ]
    assert [note.where for note in course.notes] == ["tests/q2.py"]


def test_a_package_with_its_suite_becomes_modules_that_students_write(tmp_path):
    out = tmp_path / "out"
    status, said = run_import("pytest", package_with_tests(tmp_path / "hw"), out)
    assert status == 0, said
    assert "3 run apart from student code, 1 beside it (marked REVIEW), 0 not converted" in said
    assert "The untouched template earns nothing" in said
    hidden = (out / "hidden_tests/test_package.py").read_text(encoding="utf-8")
    assert 'scale = student.module("layers.scale")' in hidden
    assert "@pytest.mark.parametrize('value, expected', [(-1, 0), (3, 3)])" in hidden
    assert "def close(a, b):" in hidden
    student = out / "student_template"
    assert "np.maximum" not in (student / "layers/relu.py").read_text(encoding="utf-8")
    scale = (student / "layers/scale.py").read_text(encoding="utf-8")
    assert "self.factor" not in scale
    assert "return 1" in scale
    page = (out / "IMPORT.md").read_text(encoding="utf-8")
    assert "`test_tmp` uses the fixture `tmp_path`, which is not taken over" in page


def test_what_is_no_assignment_is_said(tmp_path):
    plain = write_notebook(tmp_path / "a.ipynb")
    for source in (plain, tmp_path, tmp_path / "none"):
        done = CliRunner().invoke(cli, ["import", "nbgrader", str(source), "--out", str(tmp_path / "out")])
        assert isinstance(done.exception, UsageError), done.output
        assert not (tmp_path / "out").exists()
