"""A class at once, as an instructor calls it: `grade batch`, `regrade`, `mark`, `marks`, `table`."""

from __future__ import annotations

import csv
import json
import re
import shutil
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
from support.commands import run_grade as grade
from support.notebooks import code, write_notebook
from support.tiny import HIDDEN, RIGHT, make_tiny

WRONG = [*RIGHT[:2], code("def double(x):\n    return x"), RIGHT[3]]
SLOW = [*RIGHT, code("import time; time.sleep(2)")]
ROSTER = "id,name\nada,Ada L.\nbob,Bob B.\ncyd,Cyd C.\n"


def program(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command started as a person starts it: while it does, its warm process starts as well."""
    command = [sys.executable, "-m", "grader.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


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
    assert found["dan/hw.ipynb"]["attention"].startswith("handed in, but cannot be graded: not a notebook")
    assert len(list((home / "reports").glob("*/report.html"))) == 2
    suites = ElementTree.parse(home / "junit.xml").getroot()  # noqa: S314  # our own
    assert [suite.get("name") for suite in suites] == ["Ada L. (ada)", "Bob B. (bob)", "dan/hw.ipynb"]
    assert [suite.get("failures") for suite in suites] == ["0", "1", "0"]
    assert suites[2].get("errors") == "1"

    again = grade("batch", "in", cwd=home)
    assert "2 are graded already" in again.stderr
    assert rows(home, "SELECT count(*) FROM grade") == [(2,)]

    assert grade("mark", "ada", "2", "1.5", "--comment", "short", "--by", "eve", cwd=home).returncode == 0
    exported = grade("marks", "export", "marks.csv", cwd=home)
    assert "2 rows, 1 without points" in exported.stdout
    text = (home / "marks.csv").read_text(encoding="utf-8-sig").replace(",2,,,", ",2,2,fine,")
    (home / "marks.csv").write_text(text)
    assert "1 mark written, 1 row as before" in grade("marks", "import", "marks.csv", cwd=home).stdout
    shown = grade("table", "--csv", "final.csv", cwd=home).stdout
    assert "2 have every point decided" in shown
    final = [line.split(",") for line in (home / "final.csv").read_text().splitlines()[1:]]
    assert {cells[4]: cells[8] for cells in final} == {
        "dan/hw.ipynb": "",  # nobody's, and it cannot be graded
        "ada/hw.ipynb": "4.5",
        "bob/hw.ipynb": "3",
        "": "",
    }
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


def test_modules_in_the_folder_of_downloads_are_not_imported(home: Path) -> None:
    """The worker is trusted: a student's file next to it must not take the place of a library."""
    for name in ("msgspec", "numpy", "grader", "sitecustomize"):
        (home / f"{name}.py").write_text(f"open({str(home / 'imported')!r}, 'a').write(__name__)")
    command = Path(sys.executable).with_name("grade")
    done = subprocess.run(
        [command, "batch", "in", "--workers", "1"],
        capture_output=True,
        text=True,
        cwd=home,
        timeout=120,
        check=False,
    )
    assert not (home / "imported").exists(), (home / "imported").read_text()
    assert table(home)["ada/hw.ipynb"]["earned"] == "3", done.stderr


def test_zip_files_of_a_platform(home: Path) -> None:
    with zipfile.ZipFile(home / "canvas.zip", "w") as archive:
        for student, number in (("ada", 901), ("bob", 902)):
            archive.write(home / "in" / student / "hw.ipynb", f"{student}x_{number}_55{number}_hw.ipynb")
    done = grade("batch", "canvas.zip", cwd=home)
    assert done.returncode == 0, done.stderr
    assert sorted(row["earned"] for row in table(home).values()) == ["1", "3"]


LATE_AND_NOT = {"ada_11_901": RIGHT, "bob_LATE_12_902": RIGHT, "cyd_LATE_13_903": WRONG}
CANVAS_ROSTER = "Student,ID,SIS Login ID,Section\nAda,11,ada,A\nBob,12,bob,A\nCyd,13,cyd,A\nDan,14,dan,A\n"


def shown_rows(home: Path, name: str, *options: str) -> tuple[dict[str, dict[str, str]], str]:
    done = grade("table", "--csv", name, *options, cwd=home)
    assert done.returncode == 0, done.stderr
    with (home / name).open(newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}, done.stdout


def test_who_handed_in_what_cannot_be_read_is_in_the_table_with_the_reason(home: Path) -> None:
    damaged, bomb, many = (home / "in" / name / "hw.zip" for name in ("cyd", "eve", "fay"))
    for path in (damaged, bomb, many):
        path.parent.mkdir()
    damaged.write_bytes(b"PK\x03\x04, and then nothing")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hw.ipynb", bytes(300_000_000))
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(10_001):
            archive.writestr(f"{number}.txt", b"")
    (home / "roster.csv").write_text(ROSTER + "dan,Dan\neve,Eve\nfay,Fay\ngil,Gil\n")

    done = grade("batch", "in", "--roster", "roster.csv", cwd=home)
    assert done.returncode == 1, done.stderr
    assert "1 on the roster handed in nothing: Gil" in done.stderr
    found = {row["id"]: row for row in table(home).values()}
    assert found["ada"]["attention"] == found["gil"]["attention"] == ""
    for student, why in (("cyd", "the zip is damaged"), ("eve", "zip bomb"), ("fay", "10.txt and 9998 more")):
        assert (found[student]["earned"], found[student]["submissions"]) == ("", "1")
        assert found[student]["submission"] == f"{student}/hw.zip"
        assert why in found[student]["attention"]
    shown = grade("table", cwd=home).stdout
    assert "cyd/hw.zip needs attention: handed in, but cannot be graded: the zip is damaged" in shown
    assert "6 of 7 handed in" in shown

    hand_in(home, "cyd", RIGHT)
    damaged.unlink()
    grade("batch", "in", cwd=home)
    found = {row["id"]: row for row in table(home).values()}
    assert (found["cyd"]["earned"], found["cyd"]["attention"]) == ("3", "")
    assert "zip bomb" in found["eve"]["attention"]


def test_late_by_an_unknown_time_extensions_and_times(home: Path) -> None:
    (home / "canvas").mkdir()
    for name, cells in LATE_AND_NOT.items():
        write_notebook(home / f"canvas/{name}_hw.ipynb", cells)
    (home / "canvas.csv").write_text(CANVAS_ROSTER)
    assert "13: until" in grade("extend", "13", "2026-11-22T23:59", cwd=home).stdout  # before any batch
    done = grade("batch", "canvas", "--roster", "canvas.csv", cwd=home)
    assert done.returncode == 0, done.stderr
    assert {row["id"]: row["late"] for row in table(home).values()}["12"] == "late by an unknown time"

    due = ("--deadline", "2026-11-20T23:59+00:00", "--late-percent", "20")
    assert grade("extend", "Cyd", "none", cwd=home).stdout.startswith("13: no extension")
    found, _ = shown_rows(home, "t.csv", *due)
    assert [(found[one]["late_days"], found[one]["final"]) for one in ("11", "12", "13")] == [
        ("0", "3"),
        ("1", "2"),
        ("1", "0"),
    ]
    found, said = shown_rows(home, "t.csv", *due, "--unknown-late-days", "0")
    assert (found["12"]["late_days"], found["12"]["final"]) == ("0", "3")
    assert (
        "the time of 3 submissions is unknown: 2 late by their platform's word, 1 not marked late by" in said
    )
    assert "Bob: late by an unknown time, counted as 0 days\n" in said

    (home / "more.csv").write_text("name,until,reason\nbob,2026-11-22T23:59,ill\nzed,2026-11-22T23:59,\n")
    wrong = grade("extend", "--csv", "more.csv", cwd=home)
    assert (wrong.returncode, "nothing was written. more.csv, line 3: nobody" in wrong.stderr) == (2, True)
    (home / "more.csv").write_text("name,until,reason\nBob,2026-11-22T23:59,ill\n")
    assert "1 written" in grade("extend", "--csv", "more.csv", "--by", "eve", cwd=home).stdout
    assert "12: until 2026-11-22T23:59:00+00:00 (ill; eve, " in grade("extend", cwd=home).stdout
    found, said = shown_rows(home, "t.csv", *due)
    assert (found["12"]["late_days"], found["12"]["extended_until"]) == ("0", "2026-11-22T23:59:00+00:00")
    assert "Bob: extended to 2026-11-22T23:59:00+00:00" in said

    times = (
        "login,time\nada,2026-11-21T01:30\nbob,2026-11-22T10:00\nCyd,2026-11-21T00:30\ndan,2026-11-20T10:00\n"
    )
    (home / "times.csv").write_text(times)
    done = grade("batch", "canvas", "--times", "times.csv", "--zone", "Europe/Berlin", cwd=home)
    assert "times.csv, line 5: dan has a time, and handed in nothing here" in done.stderr
    assert rows(home, "SELECT count(*) FROM submission") == [(3,)]
    found, said = shown_rows(home, "t.csv", *due)
    assert {one: found[one]["late"] for one in ("11", "12", "13")} == {
        "11": "late",
        "12": "on time",  # within the extension
        "13": "on time",  # half past eleven UTC
    }
    assert "unknown" not in said


def test_a_file_of_nobody_is_given_to_its_student_and_stays_theirs(home: Path) -> None:
    hand_in(home, "mystery", [*WRONG, code("mine = 1")])
    done = grade("batch", "in", "--roster", "roster.csv", cwd=home)
    assert "mystery/hw.ipynb: nobody on the roster is mystery" in done.stderr
    assert "1 on the roster handed in nothing: Cyd C." in done.stderr
    for arguments, why in (
        (("mystery/hw.ipynb", "zed"), "nobody in"),
        (("nothing.ipynb", "cyd"), "no submission 'nothing.ipynb'"),
        (("ada/hw.ipynb", "cyd"), "is of ada; to take it from them"),
    ):
        wrong = grade("assign", *arguments, cwd=home)
        assert (wrong.returncode, why in wrong.stderr) == (2, True), wrong.stderr
    given = grade("assign", "mystery/hw.ipynb", "cyd c.", "--by", "eve", "--reason", "her mail", cwd=home)
    assert given.stdout == "mystery/hw.ipynb: of Cyd C. (cyd)\n"
    assert rows(home, "SELECT student, author, reason FROM owner") == [("cyd", "eve", "her mail")]
    assert table(home)["mystery/hw.ipynb"]["id"] == "cyd"

    again = grade("batch", "in", cwd=home)
    assert "mystery/hw.ipynb: nobody" not in again.stderr
    assert "handed in nothing" not in again.stderr
    assert table(home)["mystery/hw.ipynb"]["id"] == "cyd"
    assert rows(home, "SELECT count(*) FROM submission") == [(4,)]
    assert grade("mark", "Cyd C.", "2", "1", cwd=home).stdout == "mystery/hw.ipynb: item 2: 1 point\n"
    (home / "hidden_tests/test_1.py").write_text(HIDDEN.replace("2 * x, name", "x, name"))
    assert "cyd" in grade("regrade", cwd=home).stdout


def test_a_package_is_graded_regraded_and_lost_as_a_whole(home: Path) -> None:
    own = home / "in/eve"
    hand_in(home, "eve", [code("from layers.two import double"), *RIGHT[:2], RIGHT[3]])
    (own / "layers").mkdir()
    (own / "layers/two.py").write_text("def double(x):\n    return x + x\n")
    (own / "helper.py").write_text("def twice(x):\n    return 0\n")  # its copy of a given file
    done = grade("batch", "in", cwd=home)
    assert re.search(r"eve/hw.ipynb: .*helper\.py", done.stderr), done.stderr
    assert table(home)["eve/hw.ipynb"]["earned"] == "3"
    assert "3 are graded already" in grade("batch", "in", cwd=home).stderr

    (home / "hidden_tests/test_1.py").write_text(HIDDEN.replace("2 * x, name", "x, name"))
    again = grade("regrade", cwd=home)
    assert "eve" in again.stdout, again.stderr
    (home / "hidden_tests/test_1.py").write_text(HIDDEN.replace("2 * x, name", "3 * x, name"))
    (own / "layers/two.py").write_text("def double(x):\n    return 3 * x\n")
    lost = grade("regrade", cwd=home)
    assert (lost.returncode, "eve/hw.ipynb: its file is gone or changed" in lost.stdout) == (1, True)


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


def test_pages_and_the_table_follow_every_mark_and_the_gradebook_is_found_again(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    shutil.copytree(home / "in/ada", home / "in/eve")  # the same bytes, and a page of their own
    done = grade("batch", "in", "--out", "elsewhere", cwd=home)
    assert "ada/hw.ipynb, eve/hw.ipynb: the same content, byte for byte" in done.stderr
    (eves,) = (home / "elsewhere").glob("eve*/report.html")
    assert "<h1>eve</h1>" in eves.read_text(encoding="utf-8")
    assert grade("mark", "ada", "2", "1.5", "--comment", "<short>", cwd=home).returncode == 0
    assert grade("mark", "eve", "2", "0", "--comment", "not yours", cwd=home).returncode == 0
    (page,) = (home / "elsewhere").glob("ada*/report.html")
    assert "<b>1.5</b> of 2 by a person: &lt;short&gt;" in page.read_text(encoding="utf-8")
    assert "<h1>ada</h1>" in page.read_text(encoding="utf-8")
    record = json.loads(page.with_name("grade.json").read_text(encoding="utf-8"))
    assert (record["earned"], record["decided"], record["submission"]["name"]) == (4.5, 5, "ada/hw.ipynb")
    assert "<b>0</b> of 2 by a person: not yours" in eves.read_text(encoding="utf-8")
    table_of = (home / "elsewhere/grades.csv").read_text().splitlines()
    assert sum(",4.5,0,5," in line for line in table_of) == 1

    shutil.copy(home / "in/ada/hw.ipynb", home / "again.ipynb")
    edited = (home / "again.ipynb").read_text().replace("return", "return  ")
    (home / "in/ada/hw.ipynb").write_text(edited)  # other code, the same words
    grade("batch", "in", "--out", "elsewhere", cwd=home)
    assert "ada: item 2: the mark for the same answer in #" in grade("table", cwd=home).stdout
    assert "<b>1.5</b> of 2 by a person" in page.read_text(encoding="utf-8")


def test_marks_that_do_not_fit_are_explained_and_none_is_written(home: Path) -> None:
    grade("batch", "in", cwd=home)
    for arguments, why in (
        (("mark", "zed", "2", "1"), "no graded submission 'zed'"),
        (("mark", "#²", "2", "1"), "no graded submission '#²'"),
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


def test_moodles_worksheet_tells_two_of_one_name_apart_and_when_they_came(home: Path) -> None:
    for number, cells in (("2012", RIGHT), ("2013", WRONG)):
        folder = home / f"moodle/Kim Li_{number}_assignsubmission_file"
        folder.mkdir(parents=True)
        write_notebook(folder / "hw.ipynb", cells)
    worksheet = [
        "Identifier,Full name,ID number,Email address,Grade,Last modified (submission)",
        'Participant 2012,Kim Li,k1,k1@example.edu,,"Friday, 20 November 2026, 11:30 PM"',
        'Participant 2013,Kim Li,k2,k2@example.edu,,"Saturday, 21 November 2026, 12:30 AM"',
    ]
    (home / "worksheet.csv").write_text("\n".join(worksheet))
    done = grade("batch", "moodle", "--roster", "worksheet.csv", "--zone", "Europe/Berlin", cwd=home)
    assert done.returncode == 0, done.stderr
    again = grade("batch", "moodle", cwd=home)  # numbers and times are remembered
    assert "2 are graded already" in again.stderr
    found, _ = shown_rows(home, "t.csv", "--deadline", "2026-11-20T23:59+01:00")
    assert {one: (row["earned"], row["late_days"]) for one, row in found.items()} == {
        "k1": ("3", "0"),
        "k2": ("1", "1"),
    }
    zoneless = grade("batch", "moodle", "--roster", "worksheet.csv", "--dry-run", cwd=home)
    assert "2 times name no zone and were read in this machine's" in zoneless.stdout


def test_a_roster_of_blackboard_is_remembered_with_its_logins(home: Path) -> None:
    at = "attempt_2026-11-20-09-00-00"
    for login in ("j_smith", "smith"):
        path = hand_in(home, login, RIGHT)
        (home / "bb").mkdir(exist_ok=True)
        path.rename(home / f"bb/HW_{login}_{at}_hw.ipynb")
    (home / f"bb/HW_text_{at}.txt").write_text("Name: Tex T (text)\n")
    lines = ("Last Name,First Name,Username,Student ID", "S,J,j_smith,M1", "S,A,smith,M2", "T,Tex,text,M3")
    (home / "grades.csv").write_text("\n".join(lines))
    for roster in (("--roster", "grades.csv"), ()):
        said = grade("batch", "bb", "--dry-run", "--zone", "UTC", *roster, cwd=home).stdout
        assert "nobody" not in said
        assert "handed in nothing" not in said
        assert (
            f"HW_text_{at}.txt: holds no notebook (.ipynb) and no script (.py): it came without a file"
            in said
        )


def test_a_file_without_the_names_asked_for_waits_for_a_person(home: Path) -> None:
    """The reference is what the homework asks for: a notebook about something else is not a silent 0."""
    reference = "### BEGIN SOLUTION\ndef double(x):\n    return 2 * x\n### END SOLUTION\n"
    (home / "reference").mkdir(exist_ok=True)
    (home / "reference/notebook.py").write_text(reference)
    hand_in(home, "ada", [code("def triple(x):\n    return 3 * x")])
    done = grade("batch", "in", cwd=home)
    assert done.returncode == 1
    assert re.search(r"ada/hw.ipynb  .*double", done.stderr), done.stderr
    assert "double" in table(home)["ada/hw.ipynb"]["attention"]
    assert "ada/hw.ipynb needs attention" in grade("table", cwd=home).stdout


# -- bounds on our own work ----------------------------------------------------------------------------

COSTLY = '''
"""1 Doubling."""
from grader import item, points

@item("1")
@points(1)
def test_first(student):
    """first"""
    assert student.double(1) == 2

@item("1")
@points(1)
def test_cost(student):
    """costs what the student's answer says"""
    answer = student.double(2)
    if answer == 7:
        while True: pass
    if answer == 8:
        sum(range(10**12))
    if answer == 9:
        b"x" * 10**10
    assert answer == 4

@item("1")
@points(1)
def test_last(student):
    """last"""
    assert student.double(3) == 6
'''


def costly(answer: int) -> list[NotebookNode]:
    return [*RIGHT[:2], code(f"def double(x):\n    return {answer} if x == 2 else 2 * x"), RIGHT[3]]


def test_a_submission_that_costs_us_too_much_loses_its_own_points_once(tmp_path: Path) -> None:
    """Stopped by our own clock, by the parent's, by the kernel; then in the gradebook, as any other."""
    home = make_tiny(tmp_path)
    manifest = home / "assignment.toml"
    manifest.write_text(manifest.read_text().replace("[limits]", "[limits]\ntotal_seconds = 5"))
    (home / "hidden_tests/test_1.py").write_text(COSTLY)
    for name, answer in {"honest": 4, "loop": 7, "call": 8, "memory": 9}.items():
        hand_in(home, name, costly(answer))
    done = program("batch", "in", "--workers", 2, cwd=home)
    assert done.returncode == 0, done.stderr
    points = {name.split("/")[0]: row["1"] for name, row in table(home).items()}
    assert points == {"honest": "3", "loop": "1", "call": "0", "memory": "2"}
    before = rows(home, "SELECT count(*) FROM result")
    again = program("batch", "in", "--workers", 2, cwd=home)
    assert (again.returncode, rows(home, "SELECT count(*) FROM result")) == (0, before)


def test_grade_keeps_the_same_bounds(tmp_path: Path) -> None:
    home = make_tiny(tmp_path)
    manifest = home / "assignment.toml"
    manifest.write_text(manifest.read_text().replace("[limits]", "[limits]\ntotal_seconds = 5"))
    (home / "hidden_tests/test_1.py").write_text(COSTLY)
    costs = {"loop": 7, "call": 8, "memory": 9, "honest": 4}
    done = program(*(hand_in(home, name, costly(answer)) for name, answer in costs.items()), cwd=home)
    assert done.returncode == 0, done.stderr
    earned = re.findall(r"Doubling +(\d) +of 3", done.stdout)
    assert earned == ["1", "0", "2", "3"], done.stdout
    assert "grading it was ended after 5 s" in " ".join(done.stdout.split())
