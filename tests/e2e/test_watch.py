"""`--watch`: what is saved decides what runs again, in the real sandbox and with real saves."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.assignments import Item, manifest, write_files
from support.notebooks import code, notebook, prose

from grader.sandbox import processes

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

ONE = '''"""1."""
from grader import item, points
from helper_of_checks import expected

pytestmark = item("1")


@points(1)
def test_double(student):
    """double(2) is 4"""
    assert student.double(2) == expected(2)


@points(1)
def test_cells_ran_once(student):
    """each run of the cells writes one line"""
    assert student.start.value > 0, "no start"
'''
TWO = '''"""2."""
from grader import item, points


@item("2")
@points(1)
def test_word(student):
    """the word is yes"""
    assert student.word.value == "yes"
'''
HELPER = "def expected(x):\n    return 2 * x\n"
REFERENCE = """\
# %%
import time
word = "yes"
start = time.time()

# %%
### BEGIN SOLUTION
def double(x):
    return 2 * x
### END SOLUTION
"""
MANIFEST = manifest(Item("1", "Double", points=2), Item("2", "Word"), notebook="reference/hw.py")
DOUBLE, TRIPLE = "def double(x):\n    return 2 * x", "def double(x):\n    return 3 * x"
PATIENCE = 120.0  # a guard against hanging


def as_notebook(double: str, *, said: str = "my answer") -> str:
    first = code("import time\nword = 'yes'\nstart = time.time()")
    return json.dumps(notebook([first, code(double), prose(said)]))


def save(path: Path, text: str) -> None:
    """As editors do: a new file takes the old one's place."""
    draft = path.with_name(f".{path.name}.swp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


class Screen:
    """What a watching command writes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self._rest = process, b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(process.stdout, selectors.EVENT_READ)

    def until(self, *ends: str) -> str:
        """Everything up to a line that holds one of these texts."""
        lines, end = [], time.monotonic() + PATIENCE
        while time.monotonic() < end:
            while b"\n" in self._rest:
                line, _, self._rest = self._rest.partition(b"\n")
                lines.append(line.decode())
                if any(text in lines[-1] for text in ends):
                    return "\n".join(lines)
            if self._selector.select(1.0):
                data = os.read(self.process.stdout.fileno(), 1 << 16)
                assert data, "\n".join(lines)
                self._rest += data
        raise AssertionError("\n".join(lines))

    def after(self, path: Path, text: str | None) -> str:
        """What is shown after a file was saved, or deleted."""
        if text is None:
            path.unlink()
        else:
            save(path, text)
        return self.until("points by checks", "nothing ran")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_files(
        tmp_path / "home",
        {
            "assignment.toml": MANIFEST,
            "hidden_tests/test_one.py": ONE,
            "hidden_tests/test_two.py": TWO,
            "hidden_tests/helper_of_checks.py": HELPER,
            "reference/hw.py": REFERENCE,
            "hw.ipynb": as_notebook(DOUBLE),
        },
    )


@contextmanager
def watching(home: Path, *arguments: str) -> Iterator[Screen]:
    command = [sys.executable, "-m", "grader.cli.main", *arguments, "--watch"]
    environ = {**os.environ, "COLUMNS": "100"}
    with subprocess.Popen(
        command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ
    ) as process:
        try:
            yield Screen(process)
        finally:
            process.kill()


def test_a_check_that_is_saved_runs_alone_and_shows_better_and_worse(home: Path) -> None:
    one = home / "hidden_tests/test_one.py"
    with watching(home, "hw.ipynb") as screen:
        assert "3 of 3 checks pass" in screen.until("Watching")
        wrong = ONE.replace("== expected(2)", "== expected(3)")
        said = screen.after(one, wrong)
        assert "hidden_tests/test_one.py  1 check in" in said
        assert "worse   1 test_double: passed → wrong value" in said
        assert "2 of 3 checks pass · 2 of 3 points by checks (before: 3 checks, 3 points)" in said
        assert "still   1 test_double" in screen.after(one, wrong.replace("expected(3)", "expected(4)"))
        assert "better  1 test_double: wrong value → passed" in screen.after(one, ONE)


def test_errors_in_saved_files_are_survived(home: Path) -> None:
    one, manifest_file = home / "hidden_tests/test_one.py", home / "assignment.toml"
    with watching(home, "hw.ipynb") as screen:
        screen.until("Watching")
        said = screen.after(one, ONE + "\ndef broken(:\n")
        assert "test_one.py: cannot be imported: SyntaxError" in said
        assert "3 of 3 checks pass" in said
        fails = ONE.replace("== expected(2)", "== expected(3)")
        assert "worse   1 test_double" in screen.after(one, fails)
        said = screen.after(manifest_file, "title = ")
        assert "not valid TOML" in said
        assert "nothing ran" in said
        assert "3 checks in" in screen.after(manifest_file, MANIFEST)
        said = screen.after(one, ONE.replace("@points(1)\ndef test_double", "@points(2)\ndef test_double"))
        assert "add up to 3" in said
        assert "better  1 test_double" in screen.after(one, ONE)


def test_a_file_that_is_deleted_takes_its_checks_along_until_it_is_back(home: Path) -> None:
    two = home / "hidden_tests/test_two.py"
    with watching(home, "hw.ipynb") as screen:
        screen.until("Watching")
        assert "gone    2 test_word" in screen.after(two, None)
        said = screen.after(two, TWO)
        assert "hidden_tests/test_two.py  1 check in" in said
        assert "3 of 3 checks pass" in said


def test_a_helper_of_the_checks_runs_all_of_them(home: Path) -> None:
    with watching(home, "hw.ipynb") as screen:
        screen.until("Watching")
        said = screen.after(home / "hidden_tests/helper_of_checks.py", HELPER.replace("2 *", "3 *"))
        assert "3 checks in" in said
        assert "worse   1 test_double" in said


def test_the_notebook_runs_again_only_if_its_code_changed(home: Path) -> None:
    submission = home / "hw.ipynb"
    with watching(home, "hw.ipynb") as screen:
        screen.until("Watching")
        prose_only = screen.after(submission, as_notebook(DOUBLE, said="another answer"))
        assert "hw.ipynb  3 checks in" in prose_only
        changed = screen.after(submission, as_notebook(TRIPLE))
        assert "hw.ipynb  all cells and 3 checks in" in changed
        assert "worse   1 test_double" in changed
        assert "better  1 test_double" in screen.after(submission, as_notebook(DOUBLE))


def test_a_submission_that_is_gone_or_no_notebook_is_waited_for(home: Path) -> None:
    submission = home / "hw.ipynb"
    with watching(home, "hw.ipynb") as screen:
        screen.until("Watching")
        for text in ("{ half a noteb", None):
            assert "nothing ran" in screen.after(submission, text)
        said = screen.after(submission, as_notebook(DOUBLE))
        assert "3 of 3 checks pass" in said


def test_the_budget_decides_how_cells_run(home: Path) -> None:
    with watching(home, "hw.ipynb") as screen:
        screen.until("Watching")
        said = screen.after(home / "assignment.toml", MANIFEST + "\n[limits]\ncell_seconds = 9\n")
        assert "assignment.toml  all cells and 3 checks in" in said


def test_the_reference_is_watched_beside_the_untouched_template(home: Path) -> None:
    with watching(home, "check") as screen:
        said = screen.until("Watching")
        assert "the untouched template passes 2 test_word: points for nothing" in said
        assert "the untouched template passes 1 test_cells_ran_once" in said
        two = TWO.replace("student.word.value", "str(student.double(2))").replace('"yes"', '"4"')
        said = screen.after(home / "hidden_tests/test_two.py", two)
        assert "test_word: points for nothing" not in said
        assert "3 of 3 checks pass" in said
        said = screen.after(home / "reference/hw.py", REFERENCE.replace("2 * x", "3 * x"))
        assert "all cells and 3 checks" in said
        assert "worse   1 test_double" in said


def test_ctrl_c_ends_it_and_everything_that_it_started(home: Path) -> None:
    with watching(home, "hw.ipynb") as screen:
        screen.until("Watching")
        started = processes.descendants(screen.process.pid)
        assert started
        screen.process.send_signal(signal.SIGINT)
        assert "stopped" in screen.until("stopped")
        assert screen.process.wait(PATIENCE) == 0
    end = time.monotonic() + PATIENCE
    while [pid for pid in started if Path(f"/proc/{pid}").exists()] and time.monotonic() < end:
        time.sleep(0.05)
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.parametrize("option", ["--public", "--json"])
def test_what_cannot_be_watched_is_one_line(home: Path, option: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "grader.cli.main", "hw.ipynb", "--watch", option],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 2
    assert "--watch shows one submission's hidden checks" in done.stderr
