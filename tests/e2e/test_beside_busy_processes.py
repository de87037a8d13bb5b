"""An example has the score of an idle machine beside processes that take all of the processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from support.assignments import Item, manifest, write_files
from support.paths import EXAMPLES, ROOT, environment

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

OTHERS = 10
"""On one processor, as twenty on a machine with two; the tests beside this one keep the other processors."""
SPIN = "while True: pass"
SAMPLE = "scripts/script_without_momentum"
"""A small one, since here it takes ten times as long: it loses one item and earns the others."""


@contextmanager
def busy_processor() -> Iterator[None]:
    """What is started inside has a processor to share with processes of its priority that never stop."""
    allowed = os.sched_getaffinity(0)
    with ExitStack() as stack:
        os.sched_setaffinity(0, {max(allowed)})
        stack.callback(os.sched_setaffinity, 0, allowed)
        for _ in range(OTHERS):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-S", "-c", SPIN]))
            stack.callback(process.kill)
        yield


def outcomes(submission: Path, out: Path, *, assignment: Path = ROOT) -> dict[str, Any]:
    """Of each item its points, whether they are decided, and how its checks ended."""
    command = [sys.executable, "-m", "grader.cli.main", str(submission), "--assignment", str(assignment)]
    command += ["--out", str(out), "--seed", "7", "--json"]
    done = subprocess.run(command, capture_output=True, env=environment(), check=False, timeout=900)
    assert done.stdout, done.stderr
    return {
        item["item"]: (
            item["earned"],
            item["decided"],
            [(check["check"], check["outcome"], check["fault"]) for check in item["checks"]],
        )
        for item in json.loads(done.stdout)["items"]
    }


def test_an_example_has_the_score_of_an_idle_machine(tmp_path: Path) -> None:
    submission = next((EXAMPLES / SAMPLE).glob("*.py"))
    idle = outcomes(submission, tmp_path / "idle")
    assert idle["3.4.momentum"][0] == 0 < idle["3.1.1"][0]
    with busy_processor():
        busy = outcomes(submission, tmp_path / "busy")
    assert busy == idle


CHECKS = '''
from grader import item, points


@item("1")
@points(1)
def test_right(student):
    """half of the time that it may take"""
    assert student.right(3) == 6


@item("2")
@points(1)
def test_endless(student):
    """more than it may take"""
    assert student.endless(3) == 6
'''
WORK = """
import time


def right(x):
    start = time.process_time()
    while time.process_time() - start < 0.8:
        pass
    return 2 * x


def endless(x):
    while True:
        pass
"""


def test_half_of_a_limit_is_enough_and_all_of_it_is_not(tmp_path: Path) -> None:
    """What would be stopped by a clock on the wall passes; what takes too much processor time does not."""
    items = Item("1", "Right"), Item("2", "Endless")
    course = write_files(
        tmp_path / "course",
        {
            "assignment.toml": manifest(*items, limits={"check_seconds": 1.6}),
            "hidden_tests/test_all.py": CHECKS,
        },
    )
    submission = write_files(tmp_path, {"hw.py": WORK}) / "hw.py"
    with busy_processor():
        found = outcomes(submission, tmp_path / "out", assignment=course)
    assert found == {
        "1": (1, True, [("test_right", "passed", None)]),
        "2": (0, True, [("test_endless", "timed_out", "student")]),
    }
