"""Autograders for other systems: their shape by the specifications, and what they do where they run."""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from click.testing import CliRunner
from support.autograders import SECRETS, run_autograder, unpack_for_gradescope, write_course
from support.marked_secrets import record

from grader.cli.main import cli
from grader.cli.submission import Elsewhere
from grader.course import apart
from grader.grading import assignment_folder
from grader.grading.grade_job import GradeJob

RIGHT = "def double(x):\n    return x + x\n"
WRONG = """def double(x):
    return 3 * x


def half(x):
    return undefined_name + x
"""
THIEF = """
try:
    raise ValueError(open("{root}/source/assignment/hidden_tests/test_1.py").read())
except OSError:
    print("nothing there")
"""
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
VISIBLE = {"hidden", "after_due_date", "after_published", "visible"}


def package(system: str, out: Path, home: Path, *more: str) -> None:
    where = ["--assignment", str(home), "--seed", "7"]
    done = CliRunner().invoke(cli, ["package", system, str(out), *where, *more])
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def zipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gradescope")
    package("gradescope", folder / "a.zip", write_course(folder / "course"), "--visibility", "after_due_date")
    return folder / "a.zip"


@pytest.fixture
def root() -> Iterator[Path]:
    """A clean folder that an ordinary user can reach, as /autograder."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name) / "autograder"


def assert_results(results: dict[str, object]) -> None:
    """By gradescope-autograders.readthedocs.io/en/latest/specs."""
    assert results.keys() <= {
        *("score", "execution_time", "output", "output_format", "test_output_format", "test_name_format"),
        *("visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"),
    }
    assert isinstance(results["score"], float)
    assert {results[f"{kind}output_format"] for kind in ("", "test_")} <= FORMATS
    assert results["stdout_visibility"] == "hidden"
    assert results["visibility"] in VISIBLE
    for test in results["tests"]:
        assert test.keys() <= {
            *("score", "max_score", "status", "name", "name_format", "number", "output", "output_format"),
            *("tags", "visibility", "extra_data"),
        }
        assert ("score" in test) == ("max_score" in test)
        assert test.get("status", "passed") in {"passed", "failed"}


def graded(root: Path, source: str, name: str = "hw.py") -> tuple[dict[str, object], str]:
    for old in (root / "submission").iterdir():
        old.unlink()
    (root / "submission" / name).write_text(source)
    done = run_autograder(root)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (root / "results/results.json").read_text()
    results = json.loads(text)
    assert_results(results)
    for secret in SECRETS:
        assert secret not in text + done.stdout + done.stderr
    return results, done.stdout


def test_the_zip_has_what_gradescope_asks_for(zipped: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        programs = {name: archive.read(name).decode() for name in ("setup.sh", "run_autograder")}
        [wheel] = [name for name in entries if name.endswith(".whl")]
        archive.extract(wheel, zipped.parent)
    for name, text in programs.items():
        assert text.startswith("#!/usr/bin/env bash\n")
        assert "@@" not in text
        assert entries[name].external_attr >> 16 & 0o111
        checked = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr
    assert {
        "assignment/hidden_tests/test_1.py",
        "assignment/reference/hw.py",
        "constraints.txt",
    } <= entries.keys()
    again = zipped.with_name("again.zip")
    package("gradescope", again, zipped.parent / "course", "--visibility", "after_due_date")
    assert again.read_bytes() == zipped.read_bytes()
    shown = subprocess.run(
        [sys.executable, "-c", "import grader, sys; print(grader.__file__)"],
        env={**os.environ, "PYTHONPATH": str(zipped.parent / wheel)},
        capture_output=True,
        text=True,
        check=False,
        cwd=zipped.parent,
    )
    assert wheel in shown.stdout, shown.stderr


def test_it_grades_as_an_ordinary_user_and_tells_no_hidden_value(zipped: Path, root: Path) -> None:
    unpack_for_gradescope(zipped, root)
    results, printed = graded(root, WRONG + THIEF.format(root=root))
    assert "ValueError" not in results["output"]
    assert (results["score"], results["visibility"], printed) == (1.0, "after_due_date", "")
    double, half, written = results["tests"]
    assert (double["number"], double["score"], double["max_score"]) == ("1", 1.0, 2.0)
    assert "✗ it doubles: " in double["output"]
    assert "Twice the number?" in double["output"]
    assert "✓ it doubles 0" in double["output"]
    assert "NameError in hw.py, line 6: name 'undefined_name' is not defined" in half["output"]
    assert "score" not in written
    refused, _ = graded(root, "{", name="hw.ipynb")
    assert refused["score"] == 0.0
    assert refused["tests"][0]["status"] == "failed"
    assert "not a notebook" in refused["output"]


def test_what_is_not_the_students_fault_gives_no_score_at_all(zipped: Path, root: Path) -> None:
    unpack_for_gradescope(zipped, root, doctor=1)
    (root / "submission/hw.py").write_text(RIGHT)
    (root / "results/results.json").write_text("{}")
    done = run_autograder(root)
    assert done.returncode == 1
    assert "namespaces: missing" in done.stderr
    assert "The sandbox does not hold in this container" in done.stderr
    assert not (root / "results/results.json").exists()
    unpack_for_gradescope(zipped, root, grades=False)
    done = run_autograder(root)
    assert (done.returncode, "the student is not to blame" in done.stderr) == (1, True)
    (root / "memory.max").write_text(str(768 << 20))
    done = run_autograder(root, CHAINRULE_CGROUP=str(root))
    assert done.returncode == 1
    assert "has 768 MB of memory and grading needs 2548 MB" in done.stderr


def test_a_grade_that_needs_attention_is_not_for_gradescope(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its points would count as lost there; every other format gets it."""
    others = [(form, tmp_path / form) for form in ("gradescope", "classroom50", "github", "junit")]
    elsewhere = Elsewhere(others, "hw.ipynb", must_pass=False)
    elsewhere.write(msgspec.structs.replace(record(1), attention=("check 3.1.1 is wrong",)))
    assert {path.name for path in tmp_path.iterdir()} == {"classroom50", "github", "junit"}
    assert "gradescope was not written: check 3.1.1 is wrong" in capsys.readouterr().err


@pytest.mark.parametrize(("said", "refused"), [("refused", ["why"]), ("broken", [])])
def test_only_what_is_the_files_own_fault_is_held_against_it(
    tmp_path: Path, said: str, refused: list[str]
) -> None:
    told: list[str] = []
    heard: list[str] = []
    job = GradeJob(tmp_path / "hw.py", assignment_folder.load(write_course(tmp_path / "course")), seed=1)
    task = apart.Task(job, tmp_path, "hw", apart.ThisProcess(iter(())), apart.Message(**{said: "why"}))
    status = apart.finish(task, (), lambda *_: None, apart.Refusals(told.append, heard.append))
    assert (status, told, heard) == (2, ["grade: why"], refused)


def test_classroom_50_gets_the_public_checks_alone(tmp_path: Path) -> None:
    package("classroom50", tmp_path / "bundle", write_course(tmp_path / "course"))
    names = {path.relative_to(tmp_path / "bundle").as_posix() for path in (tmp_path / "bundle").rglob("*")}
    assert not [name for name in names if "hidden" in name or "reference" in name or name.endswith("ipynb")]
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    notebook = {
        "cells": [
            {"cell_type": "code", "source": WRONG, "metadata": {}, "outputs": [], "execution_count": None}
        ]
    }
    (checkout / "hw.ipynb").write_text(
        json.dumps({**notebook, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    )
    told = {
        "CLASSROOM": "c",
        "ASSIGNMENT": "hw",
        "SUBMISSION_TAG": "submit/1",
        "COMMIT_URL": "u",
        "RELEASE_URL": "r",
    }
    done = subprocess.run(
        [sys.executable, str(tmp_path / "bundle/autograder.py")],
        cwd=checkout,
        env={**os.environ, **told, "CHAINRULE_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((checkout / "result.json").read_text())
    assert result["schema"] == "classroom50/result/v1"
    assert (result["classroom"], result["review"], len(result["datetime"])) == ("c", "u", 20)
    assert [type(result[key]) for key in ("score", "max-score")] == [int, int]
    assert (result["score"], result["max-score"]) == (1, 2)
    assert [test["passed"] for test in result["tests"]] == [False, True]
    assert all({"test-name", "passed", "score", "max-score"} <= test.keys() for test in result["tests"])


def test_the_workflow_checks_shows_and_fails(tmp_path: Path) -> None:
    home = write_course(tmp_path / "course")
    repository = tmp_path / "repository"
    done = CliRunner().invoke(cli, ["template", "--assignment", str(home), "--out", str(repository)])
    assert done.exit_code == 0, done.output
    package("github", repository, home)
    refused = CliRunner().invoke(cli, ["package", "github", str(home), "--assignment", str(home)])
    assert "holds hidden_tests/" in str(refused.exception)
    assert not [path for path in repository.rglob("*") if "hidden" in path.name]
    workflow = (repository / ".github/workflows/checks.yml").read_text()
    assert "@@" not in workflow
    command = textwrap.dedent(
        workflow.partition("name: Check\n        run: |\n")[2].partition("      - uses")[0]
    )
    assert command.startswith("grade submission ")
    done = subprocess.run(
        ["bash", "-c", command.replace("grade", f"{sys.executable} -m grader.cli.main", 1)],
        cwd=repository,
        env={**os.environ, "GITHUB_STEP_SUMMARY": str(tmp_path / "s.md"), "RUNNER_TEMP": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr  # the template's stub
    summary = (tmp_path / "s.md").read_text()
    assert "| ✗ | 1 | it doubles 3 |" in summary
    assert "**0 of 2 public checks pass**" in summary
    [suite] = ElementTree.parse(tmp_path / "junit.xml").getroot()  # noqa: S314  # our own
    assert suite.get("failures") == "2"
