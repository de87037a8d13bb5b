"""A figure that was measured beside other programs is not printed."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support.boxes import eventually
from support.uninstalled import importing

SPIN = "while True: pass"
WORK = "import time\nwhile time.process_time() < 1: pass"
needs_proc = pytest.mark.skipif(not Path("/proc/stat").exists(), reason="looks at /proc")


@pytest.fixture(scope="module")
def quiet() -> Iterator[Any]:
    with importing("benchmarks") as load:
        yield load("benchmarks.quiet")


def printed(quiet: Any, figures: list[Any]) -> tuple[int, str]:
    screen = io.StringIO()
    status = sys.modules[quiet.Figure.__module__].show(figures, Console(file=screen, width=200))
    return status, screen.getvalue()


def ratio(quiet: Any, **options: Any) -> Any:
    return quiet.Figure("times as fast", 71.0, "x", at_least=2.5, **options)


@pytest.mark.parametrize(
    ("cores", "stolen", "busy"), [(0.0, 0.0, False), (0.1, 0.1, False), (1.0, 0.0, True), (0.0, 1.0, True)]
)
def test_what_others_took_decides(quiet: Any, cores: float, stolen: float, busy: bool) -> None:  # noqa: FBT001
    """Ten seconds in which two other programs together, and other machines, took so many cores."""
    readings = iter(
        [
            quiet.Reading(5.0, {(7, 1): 20.0, (9, 1): 50.0}, 3.0),
            quiet.Reading(15.0, {(7, 1): 20 + 5 * cores, (9, 2): 5 * cores}, 3.0 + 10 * stolen),
        ]
    )
    (figure,) = quiet.measured([lambda: [ratio(quiet)]], read=lambda: next(readings))
    assert figure.busy is busy


def test_a_busy_machines_figure_is_not_printed_and_passes_no_bar(quiet: Any) -> None:
    status, text = printed(quiet, [ratio(quiet, busy=True)])
    assert "not measured: the machine was busy" in text
    assert "71" not in text
    assert status == 1


def test_a_quiet_machines_figure_is_printed(quiet: Any) -> None:
    status, text = printed(quiet, [ratio(quiet)])
    assert "71 x" in text
    assert "ok" in text
    assert status == 0


def test_counts_do_not_depend_on_who_else_works(quiet: Any) -> None:
    readings = iter([quiet.Reading(0.0, {}), quiet.Reading(1.0, {(7, 1): 2.0})])
    (figure,) = quiet.measured([lambda: [ratio(quiet, timed=False)]], read=lambda: next(readings))
    assert not figure.busy


@needs_proc
def test_a_program_that_is_not_ours_is_seen(quiet: Any) -> None:
    """Its parent has ended: it is nobody's child here."""
    start = (
        "import subprocess, sys; "
        f"print(subprocess.Popen([sys.executable, '-c', {SPIN!r}], stdout=subprocess.DEVNULL).pid)"
    )
    before = quiet.reading()
    spinning = int(subprocess.check_output([sys.executable, "-c", start]))
    try:
        assert spinning not in set(quiet.family())
        assert eventually(lambda: quiet._work(spinning)[1] >= os.sysconf("SC_CLK_TCK"))
        now = quiet.reading()
        # In whatever time it took, others worked for a second at least.
        assert now.taken_by_others_since(before) * (now.wall - before.wall) > 0.9
    finally:
        os.kill(spinning, signal.SIGKILL)


@needs_proc
def test_our_own_children_are_no_others(quiet: Any) -> None:
    before = quiet.reading()
    with subprocess.Popen([sys.executable, "-c", SPIN]) as ours:
        assert eventually(lambda: quiet._work(ours.pid)[1] >= os.sysconf("SC_CLK_TCK"))
        assert ours.pid not in {pid for pid, _ in quiet.reading().others}
        ours.kill()
    assert ours.pid not in {pid for pid, _ in quiet.reading().others} - {pid for pid, _ in before.others}


@needs_proc
def test_whoever_waits_for_what_is_left_behind_is_not_charged(quiet: Any) -> None:
    """What a sandbox leaves is the first process's child, which counts for nothing but its own work."""
    leave = (
        f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {WORK!r}], stdout=-3).pid)"
    )
    before = quiet.reading()
    left = int(subprocess.check_output([sys.executable, "-c", leave]))
    assert eventually(lambda: not Path(f"/proc/{left}").exists())
    first = {program: work for program, work in quiet.reading().others.items() if program[0] == 1}
    assert all(work - before.others.get(program, 0.0) < 1.0 for program, work in first.items())
