"""Inputs that once had the wrong result, each with the right one: a folder and its ``case.toml``.

A case is copied to an empty folder, its commands run there line by line, and what they leave is compared
with ``[expect]``: ``exit`` and ``exits`` (the last and every status), ``items`` (points, ``[low, high]`` or
``"1|undecided"``), ``fault`` (the only faults of checks that did not pass), ``contains`` and ``absent``
(patterns in what was printed and recorded), ``last_contains``, ``absent_on_screen``, ``class`` (rows of
``table``), ``made``, ``no_text`` (patterns that no file of a folder may hold), ``max_seconds``; of ``any``
one must hold. ``needs`` names packages that are imported.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.commands import run_grade
from support.paths import ROOT, environment

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/*/case.toml"))

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")


@dataclass(frozen=True)
class Outcome:
    """What a case's commands left behind."""

    folder: Path
    exits: list[int]
    screen: str
    last: str
    seconds: float

    @property
    def record(self) -> dict[str, Any]:
        """The newest record, {} if there is none."""
        found = sorted(self.folder.glob("out/**/grade.json"), key=lambda path: path.stat().st_mtime)
        return json.loads(found[-1].read_text(encoding="utf-8")) if found else {}

    @property
    def everything(self) -> str:
        """What was printed and recorded."""
        return self.screen + json.dumps(self.record, ensure_ascii=False)

    def points(self, item: str) -> object:
        """What an item earned, "undecided", or None if it is not in the record."""
        entry = next((entry for entry in self.record.get("items", []) if entry["item"] == item), None)
        return entry and (entry["earned"] if entry["decided"] else "undecided")

    def row(self, table: str, student: str) -> dict[str, str]:
        """A student's row of the class's table."""
        path = self.folder / table
        text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        rows = csv.DictReader(io.StringIO(text))
        return next((row for row in rows if row["id"] == student), {})


def run_case(case: Path, folder: Path) -> tuple[dict[str, Any], Outcome]:
    """Run a case's commands in a copy of it; its ``[expect]`` and what came of them."""
    settings = tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))
    shutil.copytree(case, folder, ignore=shutil.ignore_patterns("case.toml"))
    exits, said = [], []
    start = time.monotonic()
    for written in settings["command"]:
        line = written.replace("{hw3}", shlex.quote(str(ROOT)))
        done = run_line(line, folder, environment(COLUMNS="160"))
        exits.append(done.returncode)
        said.append(done.stdout + done.stderr)
    outcome = Outcome(folder, exits, "".join(said), said[-1], time.monotonic() - start)
    return {"table": settings.get("table", "out/grades.csv")} | settings["expect"], outcome


def run_line(line: str, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A line without what only a shell does: `grade ...` or `python ...`."""
    program, *words = shlex.split(line)
    if program == "grade":
        return run_grade(*words, cwd=folder, env=env, timeout=400, errors="replace")
    assert program == "python"
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=400,
        env=env,
        check=False,
    )


def fits(seen: object, wanted: object) -> bool:
    """Whether points are what is wanted: a number, [lowest, highest], or alternatives."""
    if isinstance(wanted, str):
        return any(seen == word or (seen != "undecided" and word != "undecided" and seen == float(word))
                   for word in wanted.split("|"))  # fmt: skip
    if isinstance(wanted, list):
        return isinstance(seen, int | float) and wanted[0] <= seen <= wanted[1]
    return seen == wanted


def alike(seen: str | None, wanted: object) -> bool:
    """Whether a cell of a table says what is wanted; numbers are compared as numbers."""
    try:
        return float(seen or "") == float(str(wanted))
    except ValueError:
        return str(seen) == str(wanted)


def found(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE | re.DOTALL) is not None


def set_of(wanted: str | list[str]) -> set[str]:
    """One word or several."""
    return {wanted} if isinstance(wanted, str) else set(wanted)


def faults_of(outcome: Outcome) -> set[str | None]:
    checks = [check for item in outcome.record.get("items", []) for check in item["checks"]]
    return {check["fault"] for check in checks if check["outcome"] != "passed"}


def of_class(outcome: Outcome, wanted: dict[str, dict[str, object]], table: str) -> Iterator[str]:
    for student, columns in wanted.items():
        row = outcome.row(table, student)
        yield from (
            f"{student}.{name}: {row.get(name)}, not {value}"
            for name, value in columns.items()
            if not alike(row.get(name), value)
        )


def of_items(outcome: Outcome, wanted: dict[str, object]) -> Iterator[str]:
    for item, points in wanted.items():
        if not fits(outcome.points(item), points):
            yield f"item {item}: {outcome.points(item)}, not {points}"


def of_patterns(text: str, patterns: list[str], *, wanted: bool) -> Iterator[str]:
    for pattern in patterns:
        if found(pattern, text) is not wanted:
            yield f"{'lacks' if wanted else 'has'} {pattern!r}"


def of_folders(outcome: Outcome, wanted: dict[str, list[str]]) -> Iterator[str]:
    """Files of a folder that hold what they must not."""
    for folder, patterns in wanted.items():
        for path in sorted((outcome.folder / folder).rglob("*")):
            text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
            yield from (f"{path.name} has {pattern!r}" for pattern in patterns if found(pattern, text))


Judge = Callable[[Outcome, Any, dict[str, Any]], Iterator[str]]


def _if(condition: Callable[[Outcome, Any], bool], message: Callable[[Outcome, Any], str]) -> Judge:
    def judge(outcome: Outcome, wanted: Any, _: dict[str, Any]) -> Iterator[str]:
        if not condition(outcome, wanted):
            yield message(outcome, wanted)

    return judge


JUDGES: dict[str, Judge] = {
    "exit": _if(lambda o, wanted: o.exits[-1] == wanted, lambda o, _: f"exit {o.exits[-1]}"),
    "exits": _if(lambda o, wanted: o.exits == wanted, lambda o, _: f"exits {o.exits}"),
    "items": lambda o, wanted, _: of_items(o, wanted),
    "fault": _if(
        lambda o, wanted: faults_of(o) <= set_of(wanted),
        lambda o, _: f"faults {faults_of(o)}",
    ),
    "contains": lambda o, wanted, _: of_patterns(o.everything, wanted, wanted=True),
    "absent": lambda o, wanted, _: of_patterns(o.everything, wanted, wanted=False),
    "last_contains": lambda o, wanted, _: of_patterns(o.last, wanted, wanted=True),
    "absent_on_screen": lambda o, wanted, _: of_patterns(o.screen, [*map(re.escape, wanted)], wanted=False),
    "class": lambda o, wanted, expect: of_class(o, wanted, expect["table"]),
    "made": _if(
        lambda o, wanted: all([*o.folder.glob(name)] for name in wanted), lambda _, w: f"not made: {w}"
    ),
    "no_text": lambda o, wanted, _: of_folders(o, wanted),
    "max_seconds": _if(lambda o, wanted: o.seconds <= wanted, lambda o, _: f"{o.seconds:.0f} s"),
}


def wrong(outcome: Outcome, expect: dict[str, Any]) -> list[str]:
    """What is not as it should be, in one line each."""
    assert set(expect) <= {*JUDGES, "any", "table"}, "a case expects what nobody looks at"
    lines = [
        line for key, judge in JUDGES.items() if key in expect for line in judge(outcome, expect[key], expect)
    ]
    if "any" in expect:
        ways = [wrong(outcome, {"table": expect["table"], **way}) for way in expect["any"]]
        if all(ways):
            lines.append(f"none of any: {ways}")
    return lines


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_case_has_its_right_result(case: Path, tmp_path: Path) -> None:
    needs = tomllib.loads((case / "case.toml").read_text(encoding="utf-8")).get("needs", [])
    for package in needs:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    expect, outcome = run_case(case, tmp_path / "case")
    assert wrong(outcome, expect) == [], outcome.screen


def test_the_cases_are_found() -> None:
    assert {case.parent.name for case in CASES} >= {"python", "values"}
    assert len(CASES) >= 18


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ({"exit": 0}, ["exit 1"]),
        ({"items": {"1": 1}}, ["item 1: None, not 1"]),
        ({"contains": ["printed", "nothing"]}, ["lacks 'nothing'"]),
        ({"absent": ["printed"]}, ["has 'printed'"]),
        ({"class": {"s01": {"total": 1}}}, ["s01.total: None, not 1"]),
        ({"max_seconds": 1}, ["2 s"]),
        ({"any": [{"exit": 1}, {"exit": 2}]}, []),
    ],
)
def test_a_wrong_result_is_seen(expect: dict[str, Any], said: list[str], tmp_path: Path) -> None:
    outcome = Outcome(tmp_path, [1], "printed", "printed", 2.0)
    assert wrong(outcome, {"table": "t.csv", **expect}) == said


def test_points_are_compared_in_all_their_forms() -> None:
    assert fits(1, "1|undecided")
    assert fits("undecided", "1|undecided")
    assert not fits(0, "1|undecided")
    assert fits(2.5, [2, 3])
    assert not fits("undecided", [2, 3])
    assert not fits(None, 0)
