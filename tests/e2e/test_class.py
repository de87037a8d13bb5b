"""A class at once, as an instructor calls it: `grade batch`, `regrade`, `mark`, `marks`, `table`."""

from __future__ import annotations

import csv
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from nbformat import NotebookNode
from support.notebooks import code, write_notebook
from support.tiny import HIDDEN, RIGHT, make_tiny

WRONG = [*RIGHT[:2], code("def double(x):\n    return x"), RIGHT[3]]
SLOW = [*RIGHT, code("import time; time.sleep(2)")]
ROSTER = "id,name\nada,Ada L.\nbob,Bob B.\ncyd,Cyd C.\n"


def grade(*arguments: object, cwd: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grader.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=timeout, check=False)


def hand_in(home: Path, name: str, cells: list[NotebookNode]) -> Path:
    path = home / "in" / name / "hw.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_notebook(path, cells)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The tiny assignment, a right and a wrong submission, and one that is no notebook."""
    hand_in(tmp_path, "ada", RIGHT)
    hand_in(tmp_path, "bob", WRONG)
    broken = tmp_path / "in" / "dan" / "hw.ipynb"
    broken.parent.mkdir()
    broken.write_text("{")
    (tmp_path / "roster.csv").write_text(ROSTER)
    return make_tiny(tmp_path)


def table(home: Path) -> dict[str, dict[str, str]]:
    with (home / "reports/grades.csv").open(newline="") as file:
        return {row["submission"] or row["id"]: row for row in csv.DictReader(file)}


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(home / "reports/gradebook.sqlite")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_a_class_from_the_first_run_to_the_last_mark(home: Path) -> None:
    done = grade("batch", "in", "--roster", "roster.csv", "--junit", "junit.xml", "--workers", 2, cwd=home)
    assert done.returncode == 1, done.stderr  # dan's file
    assert "dan/hw.ipynb  cannot be graded: " in done.stderr
    assert "Cyd C." in done.stderr  # handed in nothing
    found = table(home)
    assert (found["ada/hw.ipynb"]["id"], found["ada/hw.ipynb"]["earned"]) == ("ada", "3")
    assert (found["bob/hw.ipynb"]["earned"], found["bob/hw.ipynb"]["awaiting"]) == ("1", "2")
    assert found["cyd"]["earned"] == ""
    assert len(list((home / "reports").glob("*/report.html"))) == 2
    suites = ElementTree.parse(home / "junit.xml").getroot()  # noqa: S314  # our own
    assert [suite.get("failures") for suite in suites] == ["0", "1", "0"]
    assert suites[2].get("errors") == "1"

    again = grade("batch", "in", cwd=home)
    assert "2 are graded already" in again.stderr
    assert rows(home, "SELECT count(*) FROM grade") == [(2,)]

    assert grade("mark", "ada", "2", "1.5", "--comment", "short", "--by", "eve", cwd=home).returncode == 0
    exported = grade("marks", "export", "marks.csv", cwd=home)
    assert "2 rows, 1 without points" in exported.stdout
    text = (home / "marks.csv").read_text().replace(",2,,\n", ",2,2,fine\n")
    (home / "marks.csv").write_text(text)
    assert "1 marks written, 1 as before" in grade("marks", "import", "marks.csv", cwd=home).stdout
    shown = grade("table", "--csv", "final.csv", cwd=home).stdout
    assert "2 have every point decided" in shown
    assert [line.split(",")[8] for line in (home / "final.csv").read_text().splitlines()[1:3]] == ["4.5", "3"]
    assert rows(home, "SELECT author, comment, reason FROM mark ORDER BY row")[0] == (
        "eve",
        "short",
        "marked",
    )


def test_a_changed_check_is_shown_before_it_counts_and_marks_stay(home: Path) -> None:
    grade("batch", "in", cwd=home)
    grade("mark", "bob", "2", "2", cwd=home)
    edited = HIDDEN.replace("2 * x, name", "x, name")  # now only who does not double is right
    (home / "hidden_tests/test_1.py").write_text(edited)

    dry = grade("regrade", "--csv", "changes.csv", cwd=home)
    assert "2 change: 1 gain, 1 lose" in dry.stdout, dry.stderr
    assert "test_double" in dry.stdout
    assert "nothing is changed yet" in dry.stdout
    assert rows(home, "SELECT count(*) FROM grade") == [(2,)]
    with (home / "changes.csv").open(newline="") as file:
        changes = {row["submission"]: row for row in csv.DictReader(file)}
    assert (changes["bob/hw.ipynb"]["before"], changes["bob/hw.ipynb"]["after"]) == ("3", "5")
    assert "test_double: failed 0 -> passed 2" in changes["bob/hw.ipynb"]["why"]

    assert grade("regrade", "--apply", cwd=home).returncode == 2  # a reason is due
    applied = grade("regrade", "--apply", "--reason", "halving it is", "--by", "eve", cwd=home)
    assert "2 grades written" in applied.stdout
    assert table(home)["bob/hw.ipynb"]["earned"] == "5"
    last = rows(home, "SELECT author, reason FROM grade ORDER BY row DESC LIMIT 1")
    assert last == [("eve", "halving it is")]
    assert "0 change" in grade("regrade", cwd=home).stdout


def test_a_changed_item_is_graded_alone(home: Path) -> None:
    grade("batch", "in", cwd=home)
    manifest = (home / "assignment.toml").read_text()
    (home / "assignment.toml").write_text(manifest.replace("names the reason", "names a reason"))
    plan = grade("batch", "in", "--dry-run", cwd=home)
    assert "ada/hw.ipynb: only 2" in plan.stdout
    before = rows(home, "SELECT count(*) FROM result")
    grade("batch", "in", cwd=home)
    assert rows(home, "SELECT count(*) FROM result") == [(before[0][0] + 2,)]
    assert table(home)["ada/hw.ipynb"]["earned"] == "3"


def test_a_wanted_item_alone_and_then_the_rest(home: Path) -> None:
    done = grade("batch", "in", "--only", "1", "--limit", 1, cwd=home)
    assert table(home)["ada/hw.ipynb"]["possible"] == "3", done.stderr
    grade("batch", "in", cwd=home)
    assert table(home)["ada/hw.ipynb"]["possible"] == "5"
    wrong = grade("batch", "in", "--only", "9", cwd=home)
    assert (wrong.returncode, "it has 1, 2" in wrong.stderr) == (2, True)


def test_zip_files_of_a_platform(home: Path) -> None:
    with zipfile.ZipFile(home / "canvas.zip", "w") as archive:
        for student, number in (("ada", 901), ("bob", 902)):
            archive.write(home / "in" / student / "hw.ipynb", f"{student}x_{number}_55{number}_hw.ipynb")
    done = grade("batch", "canvas.zip", cwd=home)
    assert done.returncode == 0, done.stderr
    assert sorted(row["earned"] for row in table(home).values()) == ["1", "3"]


@pytest.fixture
def running(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A batch of slow submissions on one worker, as far as its first grade."""
    for number in range(4):
        hand_in(home, f"s{number}", [*SLOW, code(f"number = {number}")])
    command = [sys.executable, "-m", "grader.cli.main", "batch", "in", "--workers", "1"]
    with subprocess.Popen(command, cwd=home, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("["):
                break
        yield process
        process.kill()


def test_a_second_batch_at_once_is_refused(home: Path, running: subprocess.Popen[str]) -> None:
    second = grade("batch", "in", cwd=home)
    assert second.returncode == 2
    assert f"running already (process {running.pid}" in second.stderr


def test_ctrl_c_finishes_what_runs_and_keeps_the_rest(home: Path, running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "finishing what runs" in said
    done = rows(home, "SELECT count(*) FROM grade")[0][0]
    assert 1 <= done < 6
    rest = grade("batch", "in", cwd=home)
    assert f"{done} are graded already" in rest.stderr
    assert rows(home, "SELECT count(DISTINCT submission), count(*) FROM grade") == [(6, 6)]


def test_kill_loses_only_what_was_in_flight(home: Path, running: subprocess.Popen[str]) -> None:
    running.kill()
    running.wait()
    kept = rows(home, "SELECT count(*) FROM grade")[0][0]
    assert kept >= 1
    for _ in range(100):  # what it started ends with it
        if not any(is_worker_of(entry, home) for entry in Path("/proc").glob("[0-9]*")):
            break
        time.sleep(0.1)
    else:
        pytest.fail("a worker goes on without its batch")
    rest = grade("batch", "in", cwd=home)
    assert f"{kept} are graded already" in rest.stderr
    assert rows(home, "SELECT count(DISTINCT submission), count(*) FROM grade") == [(6, 6)]


def is_worker_of(process: Path, home: Path) -> bool:
    try:
        words = (process / "cmdline").read_bytes()
        return b"grader.course.worker" in words and (process / "cwd").resolve() == home
    except OSError:
        return False


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("batch", "nowhere"), "no such folder or zip file"),
        (("batch", "empty"), "empty"),
        (("batch", "in", "--roster", "none.csv"), "No such file"),
        (("batch", "in", "--db", "mysql://x/y"), "cannot live in"),
        (("mark", "zed", "1", "1"), "no gradebook here yet"),
        (("regrade",), "no gradebook here yet"),
    ],
)
def test_mistakes_are_one_line(home: Path, arguments: tuple[str, ...], why: str) -> None:
    (home / "empty").mkdir()
    done = grade(*arguments, cwd=home)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert why in done.stderr


def test_marks_that_do_not_fit_are_explained_and_none_is_written(home: Path) -> None:
    grade("batch", "in", cwd=home)
    for arguments, why in (
        (("mark", "zed", "2", "1"), "no graded submission 'zed'"),
        (("mark", "ada", "2", "2.5"), "worth 0 to 2"),
        (("mark", "ada", "7", "1"), "it has 1, 2"),
        (("mark", "ada", "2", "two"), "not a number of points"),
    ):
        done = grade(*arguments, cwd=home)
        assert (done.returncode, why in done.stderr) == (2, True), done.stderr
    (home / "m.csv").write_text("student,item,points\nada,2,1\nada,2,9\nzed,2,1\n")
    done = grade("marks", "import", "m.csv", cwd=home)
    assert "nothing was imported. m.csv, line 3: item 2: 9 points" in done.stderr
    assert rows(home, "SELECT count(*) FROM mark") == [(0,)]
