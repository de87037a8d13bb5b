"""A student's three ways to the public checks, on their own machine: the same verdicts in the same words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import nbclient
import pytest
from support.notebooks import code, notebook, write_notebook
from support.tiny import RIGHT, make_tiny

from grader.authoring.template import CONFTEST
from grader.cli.main import INSTALL, INSTRUCTORS

WRONG = [*RIGHT[:2], code("def double(x):\n    print('called')\n    return 3 * x")]
SEES = re.compile(r"double\(2\).*?got 6.*?expected 4", re.DOTALL)


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run this Python in ``cwd``."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A student's folder: notebook, public checks, what was given, and no hidden checks."""
    make_tiny(tmp_path)
    (tmp_path / "hidden_tests/test_1.py").unlink()
    (tmp_path / "hidden_tests").rmdir()
    (tmp_path / "helper.py").write_text((tmp_path / "given/helper.py").read_text())
    (tmp_path / "conftest.py").write_bytes(CONFTEST)
    write_notebook(tmp_path / "hw.ipynb", WRONG)
    return tmp_path


def test_grade_public_shows_what_was_expected(home):
    done = python("-m", "grader.cli.main", "hw.ipynb", "--public", cwd=home)
    assert done.returncode == 0, done.stderr
    assert SEES.search(done.stdout), done.stdout
    assert "NOT ISOLATED" not in done.stdout
    record = json.loads((home / "reports/hw/grade.json").read_text())
    assert (record["mode"], record["possible"]) == ("public", 0)


def test_a_students_install_is_enough(home):
    """All three ways, and a report's page, without what the extra [instructor] installs."""
    left_out = sorted(INSTRUCTORS - {"packaging"})  # pytest needs it too
    done = python(
        "-c",
        f"""
import sys
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name in {left_out!r}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, NotInstalled())
from grader import check
from grader.cli.main import main
print(check("1"))
for command in (["hw.ipynb", "--public"], ["table"]):
    try:
        main(command)
    except SystemExit as end:
        print(command[0], "ended with", end.code or 0)
import pytest
print("pytest ended with", int(pytest.main(["-q", "-p", "no:cacheprovider"])))
""",
        cwd=home,
    )
    graded, ended, tested = done.stdout.partition("hw.ipynb ended with 0")
    assert ended, done.stderr
    assert SEES.search(graded), graded
    assert SEES.search(tested), tested
    assert "pytest ended with 1" in tested
    assert (home / "reports/hw/report.html").is_file()
    assert "table ended with 2" in done.stdout
    assert f"this needs sqlalchemy, which a student's install leaves out: {INSTALL}" in done.stderr


def test_plain_pytest_shows_the_same(home):
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=home)
    assert done.returncode == 1, done.stderr
    assert SEES.search(done.stdout), done.stdout
    assert "1 failed" in done.stdout


def test_plain_pytest_passes_a_right_notebook(home):
    write_notebook(home / "hw.ipynb", RIGHT)
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=home)
    assert done.returncode == 0, done.stdout + done.stderr


def test_plain_pytest_asks_which_of_two_notebooks_is_meant(home):
    write_notebook(home / "other.ipynb", RIGHT)
    done = python("-m", "pytest", "-q", cwd=home)
    assert "--submission" in done.stderr
    chosen = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--submission", "other.ipynb", cwd=home)
    assert chosen.returncode == 0, chosen.stdout + chosen.stderr


def test_a_cell_shows_the_same_and_puts_names_back(home):
    cell = (
        "from grader import check\ndouble = lambda x: 3 * x\ncheck('1')\ncheck('7')\nassert callable(double)"
    )
    done = python("-c", cell, cwd=home)
    assert done.returncode == 0, done.stderr
    assert SEES.search(done.stdout), done.stdout
    assert "'7'" in done.stdout


def test_a_cell_says_where_it_looked_for_checks(tmp_path):
    done = python("-c", "from grader import check\ncheck('1')\n", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in done.stdout
    assert "folder=" in done.stdout


def test_a_notebook_s_own_check_cells_wait_while_it_is_graded(home):
    write_notebook(home / "hw.ipynb", [*RIGHT, code("from grader import check\ncheck('1')")])
    done = python("-m", "grader.cli.main", "hw.ipynb", "--public", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "Cells that did not run" not in done.stdout


def test_a_real_kernel_runs_the_checks_in_a_cell(home):
    sources = ["def double(x):\n    return 3 * x", "from grader import check\ncheck('1')"]
    made = notebook(map(code, sources))
    nbclient.NotebookClient(made, resources={"metadata": {"path": str(home)}}, timeout=60).execute()
    assert SEES.search(made.cells[1].outputs[0]["text"])
