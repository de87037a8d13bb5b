"""A student's call is stopped in this process, by a timer or by a thread, and nothing else is."""

from __future__ import annotations

import random
import signal
import time

import pytest
from support.unmeasured import without_coverage

from grader.model.errors import CallTimedOut
from grader.session.in_process import LocalNotebook
from grader.session.time_limit import TimeLimit, time_limit

has_timers = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")


@has_timers
def test_a_time_limit_gives_back_the_handler_and_the_timer_that_were_there():
    def mine(*_: object) -> None: ...

    before = signal.signal(signal.SIGALRM, mine)
    signal.setitimer(signal.ITIMER_REAL, 100)
    try:
        with LocalNotebook({"f": abs}).copy(seed=1, seconds=5) as session:
            assert session.student.f(-1) == 1
        assert signal.getsignal(signal.SIGALRM) is mine
        assert 90 < signal.getitimer(signal.ITIMER_REAL)[0] <= 100
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@has_timers
def test_no_timer_is_left_behind():
    with LocalNotebook({"f": abs}).copy(seed=1, seconds=5) as session:
        session.student.f(1)
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


@pytest.fixture(params=["timer", "thread"])
def way(request, monkeypatch):
    """A limit by the system's timer, and as where there is none."""
    if request.param == "thread":
        monkeypatch.delattr(signal, "setitimer", raising=False)
    elif not hasattr(signal, "setitimer"):
        pytest.skip("no interval timers here")
    return request.param


def stubborn(ended: list[str]) -> None:
    for _ in range(2):
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                pass
            ended.append("done")
        except KeyboardInterrupt:
            ended.append("swallowed")


def test_an_endless_call_is_stopped_and_one_that_swallows_is_stopped_again(way):
    ended: list[str] = []
    names = {"f": lambda: stubborn(ended)}
    with LocalNotebook(names).copy(seed=1, seconds=0.1) as session, pytest.raises(CallTimedOut):
        session.student.f()
    assert set(ended) == {"swallowed"}


def test_a_limit_interrupts_its_own_function_and_nothing_around_it(way):
    def runs() -> None:
        stubborn([])

    limit = TimeLimit(runs)
    with time_limit(0.01, limit):
        runs()
    assert limit.passed
    limit = TimeLimit(runs)
    with time_limit(0.01, limit):
        time.sleep(0.05)  # goes on after the alarm
    assert limit.passed


def test_a_persons_own_interruption_means_what_it_meant_before():
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.delattr(signal, "setitimer", raising=False)
            limit = TimeLimit(stubborn)
            with time_limit(30, limit):
                signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        assert came == [signal.SIGINT] * 2
        assert not limit.passed
    finally:
        signal.signal(signal.SIGINT, before)


def test_no_alarm_comes_after_its_call(way, monkeypatch):
    """An alarm while the limit was being lifted left the timer running: the next one ended the grader.

    Without coverage: its tracer takes a lock, and an alarm that comes meanwhile waits for that lock for ever.
    """
    monkeypatch.setattr("grader.session.time_limit.STOP_AGAIN", 0.001)
    monkeypatch.setattr("sys.unraisablehook", lambda _: None)  # in a finalizer it is lost; another follows
    with without_coverage():
        ended = ends_of_calls(3_000 if way == "timer" else 500)
    assert min(ended.values()) > 20


def ends_of_calls(count: int) -> dict[str, int]:
    """How many calls ended in time and too late, with alarms around their end; nothing is left of any."""
    choose, ended = random.Random(1), {"in time": 0, "too late": 0}  # noqa: S311  # no secret
    before = signal.getsignal(signal.SIGINT)
    usual = 3e-4  # seconds; it follows the call's own time on this machine
    for _ in range(count):
        seconds = usual * choose.uniform(0.3, 1.7)
        try:
            with LocalNotebook({"f": abs}).copy(seed=None, seconds=seconds) as session:
                session.student.f(-1)
            ended["in time"] += 1
            usual = max(usual / 1.05, 1e-5)
        except CallTimedOut:
            ended["too late"] += 1
            usual *= 1.05
        assert signal.getsignal(signal.SIGINT) is before
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    return ended
