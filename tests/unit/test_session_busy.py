"""A busy machine charges nobody: limits count the processor time that the sandbox was given."""

from __future__ import annotations

import collections
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from support.measured import start_zygote
from support.sandboxed import checked, sandboxed

from grader.model.errors import CallTimedOut, Fault, Outcome, TooBusy
from grader.model.isolation import Usage
from grader.model.records import CellStatus
from grader.sandbox.zygote import Zygote
from grader.session import allowance
from grader.session.allowance import Allowance, charged

OTHERS = 8
WORK = """
import time
def work(seconds):
    start = time.process_time()
    while time.process_time() - start < seconds: pass
    return 1
def sleep(seconds):
    time.sleep(seconds)
    return 2
"""
SPIN = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nprint(flush=True)\nwhile True: pass"


class Told:
    """A meter that is told what it measures."""

    def __init__(self, usage: Usage | None) -> None:
        self._usage = usage

    def usage(self, since: float) -> Usage | None:
        assert since <= time.monotonic()
        return self._usage


# -- what is charged -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waited", "cpu", "starved", "expected"),
    [
        (5.0, 5.0, 0.0, 5.0),
        (5.0, 20.0, 0.0, 5.0),  # four threads
        (50.0, 5.0, 45.0, 5.0),  # given a tenth of a processor
        (50.0, 0.5, 49.0, 0.5),
        (6.0, 0.0, 0.0, 2.0),  # asleep
        (60.0, 1.0, 29.0, 31 / 3),  # short of a processor half of the time and asleep otherwise
    ],
)
def test_what_is_charged(waited, cpu, starved, expected):
    assert charged(waited, Usage(cpu, starved)) == pytest.approx(expected)


def test_without_a_meter_waiting_is_charged():
    limit = Allowance(0.05)
    with limit.waiting():
        assert limit.left() > 0
        time.sleep(0.06)
        assert limit.left() == 0
    assert limit.used() >= 0.06


def test_time_between_requests_is_not_charged():
    limit = Allowance(0.05)
    with limit.waiting():
        pass
    time.sleep(0.06)
    with limit.waiting():
        assert limit.left() > 0


def test_what_was_starved_is_given_up_after_many_times_its_limit(monkeypatch):
    monkeypatch.setattr(allowance, "STARVED", 2)
    limit = Allowance(0.05, Told(Usage(cpu=0.001, starved=100.0)))
    with limit.waiting():
        time.sleep(0.06)
        assert limit.left() > 0
        time.sleep(0.06)
        with pytest.raises(TooBusy, match=r"too busy: .* of 0.05 s") as caught:
            limit.left()
    assert (caught.value.outcome, caught.value.fault) == (Outcome.TIMED_OUT, Fault.INFRASTRUCTURE)


# -- in a real sandbox, on one processor that others use -----------------------------------------------


@pytest.fixture(scope="module")
def crowded() -> Iterator[Zygote]:
    """A zygote that shares one processor with others, each of which could use all of it."""
    mine = os.sched_getaffinity(0)
    one = min(mine)
    others = [
        subprocess.Popen(
            [sys.executable, "-c", SPIN, str(one)], stdout=subprocess.PIPE, start_new_session=True
        )
        for _ in range(OTHERS)
    ]
    try:
        for process in others:
            assert process.stdout is not None
            process.stdout.readline()
        os.sched_setaffinity(0, {one})
        try:
            zygote = start_zygote("numpy")
        finally:
            os.sched_setaffinity(0, mine)
        with zygote:
            yield zygote
    finally:
        for process in others:
            process.kill()
            process.communicate()


@pytest.fixture(scope="module")
def quiet() -> Iterator[Zygote]:
    with start_zygote("numpy") as zygote:
        yield zygote


@pytest.mark.sandbox
def test_beside_busy_processes_a_call_may_take_its_whole_limit(crowded):
    with sandboxed(crowded, WORK) as notebook, checked(notebook, seconds=0.5) as student:
        start = time.monotonic()
        assert student.work(0.2) == 1
        assert student.work(0.2) == 1
        assert time.monotonic() - start > 0.5, "these processors were not busy"


@pytest.mark.sandbox
def test_beside_busy_processes_a_cell_may_take_its_whole_limit(crowded):
    with sandboxed(crowded, WORK, seconds=1) as notebook:
        assert notebook.run_cell("a = work(0.4)", seconds=0.5).status is CellStatus.OK
        assert notebook.run_cell("b = work(0.4)", seconds=0.5).status is CellStatus.OK
        # Stopped in it, or not begun: what the first two took beside their work is the machine's.
        last = notebook.run_cell("c = work(0.4)", seconds=0.5).status
        assert last in (CellStatus.TIMED_OUT, CellStatus.SKIPPED)


@pytest.mark.sandbox
def test_beside_busy_processes_too_slow_is_still_too_slow(crowded):
    with (
        sandboxed(crowded, WORK) as notebook,
        checked(notebook, seconds=0.2) as student,
        pytest.raises(CallTimedOut, match=r"no answer within 0\.2 s"),
    ):
        student.work(60)


@pytest.mark.sandbox
def test_beside_busy_processes_sleep_is_still_the_submissions_own(crowded):
    with (
        sandboxed(crowded, WORK) as notebook,
        checked(notebook, seconds=0.3) as student,
        pytest.raises(CallTimedOut),
    ):
        student.sleep(60)


@pytest.mark.sandbox
def test_what_never_got_a_processor_is_the_machines_fault(crowded, monkeypatch):
    # A kernel that shares by session gives the sandbox half of the processor, however many the others are.
    monkeypatch.setattr(allowance, "STARVED", 1)
    with sandboxed(crowded, WORK) as notebook:
        with checked(notebook, seconds=0.5) as student, pytest.raises(TooBusy):
            student.work(0.45)
        with pytest.raises(TooBusy):
            notebook.run_cell("work(0.45)", seconds=0.5)


PRETENDERS = {
    "asleep": "def f(): time.sleep(60)",
    "asleep beside threads that wake at the same moments": """
def f():
    def wake():
        while True:
            time.sleep(0.05 - time.time() % 0.05)
            start = time.process_time()
            while time.process_time() - start < 0.0002: pass
    for _ in range(30): threading.Thread(target=wake, daemon=True).start()
    time.sleep(60)
""",
    "more threads than processors": """
def f():
    def spin():
        while True: pass
    for _ in range(30): threading.Thread(target=spin, daemon=True).start()
    time.sleep(60)
""",
}


@pytest.mark.sandbox
@pytest.mark.parametrize("source", PRETENDERS.values(), ids=PRETENDERS)
def test_nobody_can_pretend_to_be_starved(quiet, source):
    """What waits only for threads of its own, or sleeps, is at its own limit."""
    with (
        sandboxed(quiet, f"import os, signal, threading, time\n{source}") as notebook,
        checked(notebook, seconds=0.7) as student,
        pytest.raises(CallTimedOut),
    ):
        student.f()


@pytest.mark.sandbox
def test_the_calls_of_a_check_share_its_limit(quiet):
    with (
        sandboxed(quiet, WORK) as notebook,
        checked(notebook, seconds=0.5) as student,
        pytest.raises(CallTimedOut, match=r"the calls of this check took more than 0\.5 s together"),
    ):
        collections.deque(map(student.work, [0.02] * 100), maxlen=0)
