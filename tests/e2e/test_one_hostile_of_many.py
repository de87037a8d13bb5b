"""One hostile submission among honest ones costs a batch no more than a submission may take."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from support.assignments import Item, manifest, write_files
from support.paths import environment

from grader.grading.own_process import GRACE

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

TOTAL = 4.0
"""Seconds that a submission may take."""
ROOM = 40.0
"""Seconds for how busy the machine is; without the bound each of these takes minutes."""
MANY = 60
"""Checks of two seconds each, so that all together take far longer than a submission may."""

CHECKS = '''
from grader import item, points


@item("honest")
@points(1)
def test_honest(student):
    """twice"""
    assert student.twice(3) == 6
''' + "\n".join(
    f"""

@item("many")
@points({"1" if number == 0 else "0"})
def test_many_{number}(student):
    assert student.work({number}) == {number}
"""
    for number in range(MANY)
)
HONEST = "def twice(x):\n    return 2 * x\n\n\ndef work(x):\n    return x\n"
HOSTILE = {
    "endless": "def work(x):\n    while True:\n        pass\n",
    "asleep": "import time\n\n\ndef work(x):\n    time.sleep(1.7)\n    return x\n",
    "printing": "def work(x):\n    while True:\n        print('x' * 10_000)\n",
    "memory": "def work(x):\n    kept = []\n    while True:\n        kept.append(bytearray(1 << 22))\n",
    "large answers": (
        "import time\n\n\ndef work(x):\n    time.sleep(0.5)\n    return [[float(x)] * 9] * 15_000\n"
    ),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    limits = {"cell_seconds": 2, "check_seconds": 2, "total_seconds": TOTAL, "memory_mb": 300}
    return write_files(
        tmp_path_factory.mktemp("course"),
        {
            "assignment.toml": manifest(
                Item("honest", "Twice"), Item("many", "Many"), notebook="reference/hw.py", limits=limits
            ),
            "hidden_tests/test_all.py": CHECKS,
            "reference/hw.py": f"# %%\n### BEGIN SOLUTION\n{HONEST}\n### END SOLUTION\n",
        },
    )


def batch(course: Path, place: Path, submissions: dict[str, str]) -> tuple[float, dict[str, dict[str, str]]]:
    """The seconds that a batch of these took, and the class's table by student."""
    write_files(place / "in", {f"{name}/hw.py": f"# %%\n{text}" for name, text in submissions.items()})
    (place / "roster.csv").write_text("id\n" + "".join(f"{name}\n" for name in submissions))
    command = [
        sys.executable,
        "-m",
        "grader.cli.main",
        "batch",
        str(place / "in"),
        "--assignment",
        str(course),
    ]
    command += ["--out", str(place / "out"), "--roster", str(place / "roster.csv"), "--workers", "1"]
    start = time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment(), check=False, timeout=500
    )
    took = time.monotonic() - start
    assert done.returncode in (0, 1), done.stderr
    with (place / "out" / "grades.csv").open(newline="", encoding="utf-8-sig") as file:
        return took, {row["id"]: row for row in csv.DictReader(file)}


def records(place: Path) -> dict[str, dict[str, Any]]:
    """The record of each student."""
    found = [json.loads(path.read_text()) for path in (place / "out").glob("*/grade.json")]
    return {record["submission"]["name"].split("/")[0]: record for record in found}


@pytest.fixture(scope="module")
def seconds_of_honest_ones(course: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    place = tmp_path_factory.mktemp("honest")
    took, table = batch(course, place, dict.fromkeys(("ada", "bob", "cyd"), HONEST))
    assert {row["earned"] for row in table.values()} == {"2"}
    return took


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_batch_takes_no_longer_than_one_submission_may(
    kind: str, course: Path, tmp_path: Path, seconds_of_honest_ones: float
) -> None:
    """The others lose nothing, and what the hostile one lost is its own doing, decided and kept."""
    name = kind.replace(" ", "-")
    students = {"ada": HONEST, "bob": HONEST, name: HONEST + HOSTILE[kind], "cyd": HONEST}
    took, table = batch(course, tmp_path, students)
    assert took - seconds_of_honest_ones < TOTAL + GRACE + ROOM
    assert {row["earned"] for student, row in table.items() if student != name} == {"2"}
    assert (table[name]["awaiting"], table[name]["attention"]) == ("0", "")
    checks = [check for item in records(tmp_path)[name]["items"] for check in item["checks"]]
    lost = [check for check in checks if check["outcome"] != "passed"]
    assert lost
    assert {check["fault"] for check in lost} == {"student"}
    again, after = batch(course, tmp_path, students)  # a bound that was reached is a result
    assert after[name]["earned"] == table[name]["earned"]
    assert again < took
