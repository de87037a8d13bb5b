"""`grade new` makes assignments whose reference earns every point and whose template gives nothing away."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from grader.cli import check, new, template
from grader.grading import assignment_folder
from grader.model.errors import UsageError

TITLE = 'The "first" \\ one'


def invoke(command: object, *arguments: str, **settings: object) -> str:
    done = CliRunner().invoke(command, arguments, catch_exceptions=False, **settings)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")
@pytest.mark.parametrize("kind", new.KINDS)
def test_each_kind_is_graded_at_once(kind, tmp_path, monkeypatch):
    if kind == "data-frame":
        pytest.importorskip("pandas")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    home = tmp_path / "hw 1"

    said = invoke(new.command, str(home), "--kind", kind, "--title", TITLE)

    assert "&& grade check" in said
    assert assignment_folder.load(home).assignment.title == TITLE
    assert "up to date" in invoke(template.command, "--assignment", str(home), "--check")
    tried = invoke(check.command, "--assignment", str(home), "--quick")
    assert "✗" not in tried
    assert "earns nothing" in tried
    left = [path for path in home.rglob("*") if path.is_file() and b"@NAME@" in path.read_bytes()]
    assert left == []


def test_a_folder_that_holds_anything_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    done = CliRunner().invoke(new.command, [str(tmp_path), "--kind", "notebook"])
    assert isinstance(done.exception, UsageError)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_what_is_not_named_is_asked_for_on_a_terminal_alone(tmp_path, monkeypatch):
    home = tmp_path / "hw1"
    refused = CliRunner().invoke(new.command, [str(home)])
    assert (refused.exit_code, "--kind notebook" in refused.output) == (2, True)
    monkeypatch.setattr(new, "_on_terminal", lambda: True)
    invoke(new.command, input=f"{home}\n\npackage\n")
    assert (home / "reference/layers/relu.py").is_file()
    assert assignment_folder.load(home).assignment.title == "hw1"


def test_the_shell_completes_commands_and_options():
    def completed(*words: str) -> list[str]:
        asked = {"_GRADE_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words)}
        done = subprocess.run(
            [sys.executable, "-m", "grader.cli.main"],
            env={**os.environ, **asked, "COMP_CWORD": str(len(words) - 1)},
            capture_output=True,
            text=True,
            check=True,
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("grade", "tem") == ["template"]
    assert completed("grade", "hw1.ipynb", "--publ") == ["--public"]
