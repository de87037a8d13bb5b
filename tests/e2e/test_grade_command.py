"""`grade SUBMISSION` as a person calls it: screen, files, exit status, and one line for every mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import run_grade as grade
from support.notebooks import code, prose, write_notebook
from support.tiny import HIDDEN, MANIFEST, RIGHT, make_tiny

from grader.model.records import decode


def program(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command in ``cwd``, started as a person starts it; elsewhere here it is forked."""
    command = [sys.executable, "-m", "grader.cli.main", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with the tiny assignment and a right submission `right.ipynb`."""
    write_notebook(tmp_path / "right.ipynb", RIGHT)
    return make_tiny(tmp_path)


def test_a_right_submission_gets_its_points_a_record_and_a_page(home):
    done = program("right.ipynb", "--seed", 7, cwd=home)
    assert done.returncode == 0, done.stderr
    assert "3 of 5 points decided" in done.stdout
    record = decode((home / "reports/right/grade.json").read_bytes())
    assert (str(record.earned), str(record.decided), record.seed, record.mode) == ("3", "3", 7, "hidden")
    assert record.environment.isolation in {"ns-user", "ns-root"}
    assert record.items[1].answer.strip() == "Because it is so."
    page = (home / "reports/right/report.html").read_text()
    assert "Because it is so." in page
    assert "Doubling" in page


def test_json_prints_the_record_alone_with_decimal_points(home):
    done = program("right.ipynb", "--json", "--out", "elsewhere", cwd=home)
    record = json.loads(done.stdout)
    kept = [{key: item[key] for key in ("item", "earned", "possible", "decided")} for item in record["items"]]
    assert kept == [
        {"item": "1", "earned": 3, "possible": 3, "decided": True},
        {"item": "2", "earned": 0, "possible": 2, "decided": False},
    ]
    assert (home / "elsewhere/right/grade.json").read_text() == done.stdout


def test_the_same_seed_gives_the_same_grade_but_for_times(home):
    records = [json.loads(grade("right.ipynb", "--json", "--seed", 5, cwd=home).stdout) for _ in range(2)]
    assert [record["items"][0]["earned"] for record in records] == [3, 3]
    assert records[0]["seed"] == records[1]["seed"] == 5


def test_a_wrong_answer_shows_the_instructor_what_came_and_the_student_the_hint(home):
    wrong = [*RIGHT[:2], code("def double(x):\n    return 3 * x"), RIGHT[3]]
    write_notebook(home / "wrong.ipynb", wrong)
    done = grade("wrong.ipynb", cwd=home)
    assert done.returncode == 0
    assert "double(x)" in done.stdout
    check = decode((home / "reports/wrong/grade.json").read_bytes()).items[0].checks[0]
    assert "negative numbers" in check.message
    assert "1.5" in check.detail  # the factor that was found


def test_an_assignment_is_found_beside_or_above_the_submission(home, tmp_path_factory):
    inner = home / "class" / "a"
    inner.mkdir(parents=True)
    write_notebook(inner / "x.ipynb", RIGHT)
    done = grade(inner / "x.ipynb", "--out", "r", cwd=tmp_path_factory.mktemp("far"))
    assert done.returncode == 0, done.stderr


def test_an_author_s_mistake_makes_the_exit_status_one_and_costs_nothing(home):
    broken = HIDDEN.replace("assert student.taken.value == 2", "assert number_of_steps == 2")
    (home / "hidden_tests/test_1.py").write_text(broken)
    done = grade("right.ipynb", cwd=home)
    assert done.returncode == 1
    assert "name 'number_of_steps' is not defined" in done.stdout
    record = decode((home / "reports/right/grade.json").read_bytes())
    assert not record.items[0].decided
    assert record.attention


def test_checks_that_cannot_be_imported_need_attention(home):
    (home / "hidden_tests/test_2.py").write_text("\nimport no_such_module\n")
    (home / "hidden_tests/test_3.py").write_text("x = 1\n\ndef broken(:\n")
    done = grade("right.ipynb", cwd=home)
    assert done.returncode == 1
    attention = " ".join(decode((home / "reports/right/grade.json").read_bytes()).attention)
    assert "no_such_module' (test_2.py, line 2)" in attention
    assert "invalid syntax (test_3.py, line 3)" in attention


def test_without_isolation_the_report_says_so_first(home):
    done = grade("right.ipynb", "--no-sandbox", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "NOT ISOLATED" in done.stdout.splitlines()[0]
    record = decode((home / "reports/right/grade.json").read_bytes())
    assert (record.environment.isolation, str(record.earned)) == ("none", "3")


def test_public_checks_run_in_the_notebook_s_own_folder_and_award_nothing(home):
    (home / "helper.py").write_text((home / "given/helper.py").read_text())
    done = grade("right.ipynb", "--public", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 public check passes" in done.stdout


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The only line of what went wrong."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert "Traceback" not in done.stderr
    return lines[-1]


def test_every_mistake_of_a_person_is_one_clear_line_and_status_two(home):
    (home / "empty.ipynb").write_text("")
    (home / "prose.ipynb").write_text("Dear grader")
    (home / "link.ipynb").symlink_to(home / "right.ipynb")
    (home / "paper.pdf").write_text("%PDF")
    for name, said in {
        "gone.ipynb": "gone.ipynb",
        "empty.ipynb": "empty",
        "prose.ipynb": "JSON",
        "link.ipynb": "link",
        "given": "holds only what the course gives",
        "paper.pdf": ".ipynb",
    }.items():
        line = one_line(grade(name, cwd=home))
        assert said in line, line
        assert line.startswith("grade: "), line


def test_no_assignment_says_where_it_was_looked_for(tmp_path):
    write_notebook(tmp_path / "x.ipynb", RIGHT)
    line = one_line(grade("x.ipynb", cwd=tmp_path))
    assert "--assignment" in line


@pytest.mark.parametrize(
    ("change", "file", "key"),
    [
        (("points = 5", "points = 6"), "assignment.toml", "`points`"),
        (("points = 3", "points = 3\nweight = 2"), "assignment.toml", "weight"),
        (("given/helper.py", "given/none.py"), "assignment.toml", "`given`"),
        (('title = "Tiny"', 'title = "Tiny"\nnoise = 1'), "assignment.toml", "noise"),
        (("title =", "title"), "assignment.toml", "TOML"),
    ],
)
def test_a_wrong_manifest_names_file_and_key(home, change, file, key):
    (home / "assignment.toml").write_text(MANIFEST.replace(*change, 1))
    line = one_line(grade("right.ipynb", cwd=home))
    assert file in line
    assert key in line


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('item("1")', 'item("9")'), "'9'"),
        (('pytestmark = item("1")', ""), "no item owns it"),
        (("@points(1)", "@points(1.5)"), "add up to 3.5"),
    ],
)
def test_a_check_that_does_not_fit_the_manifest_names_file_and_key(home, change, said):
    (home / "hidden_tests/test_1.py").write_text(HIDDEN.replace(*change, 1))
    line = one_line(grade("right.ipynb", cwd=home))
    assert "test_1.py" in line
    assert said in line


def test_an_out_folder_that_cannot_be_written_is_one_line(home):
    (home / "file").write_text("")
    line = one_line(grade("right.ipynb", "--out", home / "file", cwd=home))
    assert "--out" in line


def test_an_out_folder_that_cannot_be_written_is_found_before_anything_is_read(home):
    (home / "broken.ipynb").write_text("not JSON")
    (home / "file").write_text("")
    assert "not JSON" in one_line(grade("broken.ipynb", cwd=home))
    assert "not a folder" in one_line(grade("broken.ipynb", "--out", home / "file" / "below", cwd=home))


@pytest.mark.parametrize("arguments", [("--seed", "x"), ("--seed", "-1"), ("--nonsense",)])
def test_a_usage_mistake_is_one_line_with_status_two(home, arguments):
    done = grade("right.ipynb", *arguments, cwd=home)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("grade: ")
    assert arguments[-1] in done.stderr
    assert "see grade submission --help" in done.stderr


def test_a_misspelt_command_is_not_taken_for_a_missing_assignment(tmp_path):
    line = one_line(grade("templat", cwd=tmp_path))
    assert "templat: no such file, and no command of this name" in line


def test_a_name_in_another_script_gets_a_folder_of_its_own(home):
    for name in ("\u674e 3.ipynb", "\u738b 3.ipynb"):
        write_notebook(home / name, RIGHT)
        assert grade(name, cwd=home).returncode == 0
    assert {place.name for place in (home / "reports").iterdir()} == {"\u674e_3", "\u738b_3"}


def test_a_full_standard_output_is_no_defect_and_the_report_is_kept(home):
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "grader.cli.main", "right.ipynb", "--json"]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, cwd=home, timeout=120, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("grade: standard output: No space left on device; the report is in ")
    decode((home / "reports/right/grade.json").read_bytes())
    assert {path.name for path in (home / "reports/right").iterdir()} == {"grade.json", "report.html"}


def test_json_is_utf_8_whatever_the_terminal_takes(home):
    write_notebook(home / "right.ipynb", [*RIGHT, prose("#### Answer 2\n\nDa\u00df \u2260")])
    command = [sys.executable, "-m", "grader.cli.main", "right.ipynb", "--json"]
    plain = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, cwd=home, env=plain, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "\u2260" in done.stdout.decode()


def test_help_shows_examples_and_a_file_named_like_a_command_can_be_graded(home):
    assert "Examples:" in program("--help", cwd=home).stdout
    assert "Examples:" in grade("submission", "--help", cwd=home).stdout
    assert "grade" in grade("--version", cwd=home).stdout
