"""Attacks by names and other foreign words, on whoever reads them: terminals, tables, CI systems, folders."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.console import Console
from rows import COURSE, honest, tried
from support.small_course import SmallCourse, points_by_item

from grader.course.report_files import report_name
from grader.gradebook.spreadsheets import write_table
from grader.handed_in.download_names import read_metadata
from grader.model.records import Grade
from grader.reports import junit
from grader.reports.terminal import print_report

EVIDENCE = "application/vnd.chainrule.evidence+json"
CONTROLS = set("\x00\x07\x08\x1b\x9b\u200b\u202e\u2066\ufeff\r")


@pytest.fixture(scope="module")
def course():
    with SmallCourse(COURSE) as made:
        yield made


@pytest.fixture(scope="module")
def grade(course: SmallCourse) -> Grade:
    return course.grade(honest(), only={"describe"})


def screen(grade: Grade) -> str:
    text = io.StringIO()
    print_report(grade, Console(file=text, width=100, force_terminal=False))
    return text.getvalue()


def suites_of(name: str, grade: Grade) -> list[ElementTree.Element]:
    document = "".join(junit.suites([(name, grade)], [(name, name)]))
    return ElementTree.fromstring(document).findall("testsuite")  # noqa: S314  # our own


def named(grade: Grade, name: str) -> Grade:
    from msgspec.structs import replace  # noqa: PLC0415

    return replace(grade, submission=replace(grade.submission, name=name))


def cells(rows: list[list[str]]) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(write_table(["id", "name"], rows)))))[1:]


@tried("names", "is by a student whose name is a formula for a spreadsheet")
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n@", " =", "\x00=", "\ufeff="])
def test_formula_in_a_table(start: str) -> None:
    bad = f"{start}HYPERLINK(A1)"
    (row,) = cells([["ada", bad]])
    assert row[1][0] in "'?"
    assert bad.strip(" \t\r\n\x00\ufeff")[0] in "=+-@"  # the control: as it is, a spreadsheet runs it


@tried("names", "is by a student whose name ends the line of a table and begins another's")
def test_line_of_another_in_a_table() -> None:
    bad = 'ada",100\nbob,"100'
    assert len(cells([["ada", bad], ["bob", "Bob"]])) == 2
    assert len(f"ada,{bad}\nbob,Bob\n".splitlines()) == 3  # the control


@tried("names", "has a file name that ends an XML attribute and adds a suite that passes")
def test_suite_of_its_own_in_junit(grade: Grade) -> None:
    bad = 'x" tests="0"/><testsuite name="bob" tests="9" failures="0"/><testsuite name="'
    assert len(suites_of(bad, grade)) == 2
    plain = f'<testsuites><testsuite name="{bad}"/></testsuites>'
    assert len(ElementTree.fromstring(plain).findall("testsuite")) == 3  # noqa: S314  # the control


@tried("names", "has a file name of characters that no XML may hold")
def test_junit_that_nobody_can_read(grade: Grade) -> None:
    bad = "hw\x00\x0b\ufffe\ud800\x1b.py"
    assert len(suites_of(bad, grade)) == 2
    with pytest.raises((ElementTree.ParseError, UnicodeEncodeError)):  # the control
        ElementTree.fromstring(f'<testsuite name="{bad}"/>')  # noqa: S314


@tried("names", "has a file name in the markup of the terminal's library")
def test_markup_on_the_terminal(grade: Grade) -> None:
    bad = "[green]full marks[/][red on red]x.py"
    assert bad in screen(named(grade, bad))
    text = io.StringIO()
    Console(file=text, width=100).print(bad)
    assert "[green]" not in text.getvalue()  # the control: printed carelessly, it is obeyed


@tried("names", "has a file name that clears the terminal and writes its own last line")
@pytest.mark.parametrize(
    "bad", ["\x1b[2J\x1b[1;1Hall passed", "\x9b2Jx", "\x1b]0;title\x07x", "a\rall passed"]
)
def test_sequences_on_the_terminal(bad: str, grade: Grade) -> None:
    assert CONTROLS & set(bad)
    assert not CONTROLS & set(screen(named(grade, bad)))


@tried("names", "has a file name that reads backwards, so that it looks like another's")
def test_name_that_reads_backwards(grade: Grade) -> None:
    bad = "\u202eyp.wh\u2066\u200b"
    assert not CONTROLS & set(screen(named(grade, bad)))
    assert not CONTROLS & set("".join(suite.attrib["name"] for suite in suites_of(bad, grade)))


@tried("names", "has a name that leads its report out of the reports' folder")
@pytest.mark.parametrize(
    "bad", ["..", "../../etc/cron", "/etc/passwd", "a/../../b", "..\\..\\c", "~root", "\x00"]
)
def test_report_elsewhere(bad: str, tmp_path: Path) -> None:
    for name in (report_name(bad), report_name(bad, taken=())):
        assert (tmp_path / name).resolve().parent == tmp_path
        assert name not in ("", ".", "..")


@tried("names", "has a name that differs from another's only by what a folder cannot keep")
def test_report_of_another() -> None:
    names = ["ada/hw.py", "ada_hw.py", "ada hw.py", "ada\\hw.py", "ada:hw.py"]
    assert len({report_name(name) for name in names}) == len(names)
    assert len({name.replace("/", "_").replace(" ", "_") for name in names}) < len(names)  # the control


@tried("names", "prints a block of Gradescope's metadata that says that it is somebody else's")
def test_metadata_in_a_print() -> None:
    block = (
        "submission_1:\n  :submitters:\n  - :name: Ada\n    :sid: '1'\n  :results:\n    tests:\n"
        "    - output: |\n        submission_2:\n          :submitters:\n          - :name: Bob\n"
        "            :sid: '2'\n"
    )
    found = read_metadata(io.BytesIO(block.encode()))
    assert {folder: [who.id for who in one.submitters] for folder, one in found.items()} == {
        "submission_1": ["1"]
    }
    own = "\n".join(line.removeprefix("        ") for line in block.splitlines()[7:]).encode()
    assert read_metadata(io.BytesIO(own))["submission_2"].submitters[0].id == "2"  # the control


def recorded(**content: object) -> bytes:
    """A notebook whose first cell holds a recording."""
    output = {"output_type": "display_data", "data": {EVIDENCE: content}, "metadata": {}}
    cells = [
        {"cell_type": "code", "source": source, "metadata": {}, "outputs": outputs, "execution_count": 1}
        for source, outputs in ((honest(), []), ('record("curve")', [output]))
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def recording(item: str = "curve", loss: object = (1.0,) * 10) -> dict[str, object]:
    tables = {name: {} for name in ("parameters", "code", "machine")}
    texts = {"item": item, "run": "0" * 32, "recorded_at": "2026-11-20"}
    return {"format": "chainrule.evidence/1", "data": {"loss": loss}, **tables, **texts}


@tried("names", "records for an item that the assignment does not have, whose name is terminal sequences")
def test_recording_of_no_item(course: SmallCourse) -> None:
    bad = "curve\x1b[2J\x1b]0;all points\x07\u202e"
    grade = course.grade(recorded(**recording(bad)), name="hw.ipynb", only={"curve", "describe"})
    assert points_by_item(grade) == {"curve": "0", "describe": "1"}
    (line,) = [line for line in grade.notices if "recording" in line]
    assert line == "the recording in cell 2 names no item of this assignment, so it counts for none"
    assert not CONTROLS & set(screen(grade))
    control = course.grade(recorded(**recording()), name="hw.ipynb", only={"curve"})
    assert points_by_item(control) == {"curve": "1"}


@tried("costs", "records more than is read: too many numbers, letters or levels")
@pytest.mark.parametrize(
    "loss",
    [[0.0] * 200_001, "x" * 5_000_000, json.loads("[" * 40 + "]" * 40), {"a": ["\ud800"]}],
    ids=["numbers", "letters", "levels", "half characters"],
)
def test_recording_that_is_too_large(course: SmallCourse, loss: object) -> None:
    """One line, the student's: the item is decided, and nothing else is lost."""
    grade = course.grade(recorded(**recording(loss=loss)), name="hw.ipynb", only={"curve", "describe"})
    assert points_by_item(grade) == {"curve": "0", "describe": "1"}
    (check,) = next(item for item in grade.items if item.item == "curve").checks
    assert str(check.fault) == "student"
    assert check.message.startswith("the recording in cell 2 cannot be read: it ")
    assert "\n" not in check.message
