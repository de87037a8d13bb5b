"""No word that a student wrote controls the terminal or a spreadsheet: one exit cleans them all."""

from __future__ import annotations

import ast

import click
import pytest
from support.paths import ROOT

from grader.checks.evidence import FORMAT, Recording
from grader.cli import options
from grader.cli.main import say
from grader.course import duplicates
from grader.course.fingerprints import fingerprints
from grader.gradebook.spreadsheets import plain

BAD = "3.3.i\x1b[2J\x1b]0;title\x07\x00\u202e\u2066\x9b31m\rlast line"
CONTROLS = ("\x1b", "\x9b", "\x00", "\x07", "\u202e", "\u2066", "\r")


def is_harmless(text: str) -> bool:
    """Whether nothing in it controls a terminal or the reading order."""
    return not any(sign in text for sign in CONTROLS)


def test_what_the_commands_print_holds_no_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    options.tell(f"hw3: {BAD}")
    say(f"{BAD}: cannot be read")
    shown = capsys.readouterr()
    assert is_harmless(shown.out)
    assert "last line" in shown.out
    assert is_harmless(shown.err)


def test_a_control_that_prints_as_it_is_would_be_seen(capsys: pytest.CaptureFixture[str]) -> None:
    click.echo(BAD)
    assert not is_harmless(capsys.readouterr().out)


def test_lines_of_the_commands_leave_through_one_exit() -> None:
    direct = [
        f"{path.name}:{call.lineno}"
        for path in sorted((ROOT / "grader" / "cli").glob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) in ("click.echo", "print", "sys.stdout.write", "sys.stderr.write")
        and not any(keyword.arg == "nl" for keyword in call.keywords)  # records, as JSON
    ]
    # doctor writes its report as JSON, of this machine only.
    assert [place.partition(":")[0] for place in direct] == ["doctor.py", "options.py"]


def test_the_item_names_of_shared_recordings_are_cleaned() -> None:
    tables = {name: {"a": 1.0} for name in ("data", "parameters", "machine", "code")}
    recording = Recording.of({"format": FORMAT, "item": BAD, **tables, "recorded_at": "x", "run": "r"})
    prints = fingerprints([recording])
    shared = duplicates.duplicates({f"a{BAD}": prints, "b": prints})
    lines = [duplicates.summary_line(shared), *duplicates.notices_for("b", shared)]
    assert all("3.3.i" in line and is_harmless(line) for line in lines)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\x00=", "\u200b="])
def test_no_cell_of_a_table_is_a_formula(start: str) -> None:
    cell = plain(f"{start}HYPERLINK(1)")
    assert cell[0] in "'?"
    assert is_harmless(cell)


def test_numbers_and_names_stay_as_they_are_in_a_table() -> None:
    assert [plain(cell) for cell in ("-1.5", "Zo\u00eb O'Neil", 3)] == ["-1.5", "Zo\u00eb O'Neil", "3"]
