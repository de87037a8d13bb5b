"""The quick tests stay quick: a test without the marker ``sandbox`` can start none."""

from __future__ import annotations

import subprocess
import sys

import pytest

STARTERS = [
    ["-P", "-m", "grader.sandbox.warm", "3", "grader.inside.agent"],
    ["-P", "-m", "grader.sandbox.mode_probe", "ns-user"],
    ["-c", "from grader.sandbox.zygote import Zygote; Zygote.start().close()"],
]


@pytest.mark.parametrize("arguments", STARTERS, ids=" ".join)
def test_a_test_without_the_marker_starts_no_sandbox(arguments: list[str]) -> None:
    with pytest.raises(pytest.fail.Exception, match="sandbox"):
        subprocess.run([sys.executable, *arguments], check=False)


def test_it_may_start_other_programs() -> None:
    assert subprocess.run([sys.executable, "-c", "import grader.checks"], check=False).returncode == 0


@pytest.mark.sandbox
def test_with_the_marker_it_may_start_one() -> None:
    command = [sys.executable, "-c", "import grader.sandbox.zygote"]
    assert subprocess.run(command, check=False).returncode == 0
