"""`grade ... | head -1`: a reader who stops ends nothing, changes no exit status and causes no message."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support.notebooks import write_notebook
from support.tiny import RIGHT, make_tiny

GRADE = [sys.executable, "-m", "grader.cli.main"]
QUIET = [
    ["--help"],
    ["batch", "--help"],
    ["right.ipynb", "--no-sandbox"],
    ["right.ipynb", "--no-sandbox", "--json"],
    ["table"],
    ["batch", "in", "--dry-run"],
    ["batch", "in"],
    ["regrade"],
    ["mark", "right.ipynb", "2", "1"],
    ["marks", "export", "marks.csv"],
    ["template", "--check"],
    ["calibrate", "--check"],
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny assignment with a gradebook of one submission, and a template that is up to date."""
    place = make_tiny(tmp_path_factory.mktemp("pipes"))
    write_notebook(place / "right.ipynb", RIGHT)
    (place / "in").mkdir()
    write_notebook(place / "in" / "right.ipynb", RIGHT)
    (place / "reference").mkdir()
    write_notebook(place / "reference" / "reference.ipynb", RIGHT)
    subprocess.run([*GRADE, "batch", "in"], cwd=place, check=True, capture_output=True)
    return place


def without_reader(
    arguments: list[str], cwd: Path, *, stderr: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run the command with a standard output that nobody reads from the start."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [*GRADE, *arguments], stdout=writer, stderr=stderr, cwd=cwd, text=True, check=False, timeout=120
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize("arguments", QUIET, ids=" ".join)
def test_the_exit_status_and_messages_are_those_of_a_reader_who_stays(
    home: Path, arguments: list[str]
) -> None:
    read = subprocess.run([*GRADE, *arguments], capture_output=True, text=True, cwd=home, check=False)
    broken = without_reader(arguments, home)
    assert broken.returncode == read.returncode, broken.stderr
    for sign in ("defect", "Traceback", "BrokenPipe", "Exception ignored", "standard output"):
        assert sign not in broken.stderr


@pytest.mark.parametrize("arguments", QUIET[:5], ids=" ".join)
def test_a_pipeline_with_pipefail_has_the_status_of_the_command(home: Path, arguments: list[str]) -> None:
    line = f"set -o pipefail; {shlex.join([*GRADE, *arguments])} 2>&1 | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=home, check=False)
    plain = subprocess.run([*GRADE, *arguments], capture_output=True, cwd=home, check=False)
    assert (done.returncode, done.stderr) == (plain.returncode, "")


def test_doctor_tells_what_it_found_by_its_status(home: Path) -> None:
    line = f"set -o pipefail; {shlex.join([*GRADE, 'doctor', '--json'])} | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=home, check=False)
    assert (done.returncode in {0, 1}, done.stdout, done.stderr) == (True, "{\n", "")


def test_every_submission_is_graded_though_nobody_reads(home: Path) -> None:
    """The reports are what was asked for: they are written whether or not the tables are read."""
    for name in ("one.ipynb", "two.ipynb", "three.ipynb"):
        write_notebook(home / name, RIGHT)
    done = without_reader(
        ["one.ipynb", "two.ipynb", "three.ipynb", "--no-sandbox", "--out", "all"],
        home,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0
    assert {path.parent.name for path in (home / "all").glob("*/report.html")} == {"one", "two", "three"}


@pytest.mark.parametrize("arguments", [["--help"], ["table"], ["batch", "in", "--dry-run"]])
def test_a_full_disk_is_one_line_for_every_command(home: Path, arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*GRADE, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, cwd=home, check=False
        )
    assert (done.returncode, done.stderr) == (2, "grade: standard output: No space left on device\n")
