"""Public checks on a student's own machine: any platform, nothing left changed afterwards."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from grader.model.errors import CallTimedOut, StudentError
from grader.session.in_process import LocalNotebook, TimeLimit, time_limit

LINUX_ONLY = (
    "fcntl resource pwd grp termios pty tty syslog spwd nis crypt posix_ipc ossaudiodev grader.sandbox "
    "grader.session.sandboxed_notebook"
)


def test_names_are_put_back_after_each_check():
    def rebind() -> None:
        names["value"] = "rebound"
        names["new"] = 1

    names = {"value": 1, "rebind": rebind, "other": 2}
    with LocalNotebook(names).copy(seed=1, seconds=5) as session:
        session.student.value = 5
        session.student.rebind()
        del names["other"]
        assert names["value"] == "rebound"
    assert names == {"value": 1, "rebind": rebind, "other": 2}


def test_names_are_put_back_after_a_check_that_fails():
    names: dict[str, object] = {"value": 1}

    def check() -> None:
        with LocalNotebook(names).copy(seed=1, seconds=5) as session:
            session.student.value = 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check()
    assert names == {"value": 1}


def test_draws_depend_on_the_seed_and_leave_no_trace():
    notebook = LocalNotebook({"draw": lambda: [random.random(), float(np.random.rand())]})  # noqa: S311

    def drawn(seed: int) -> list[float]:
        with notebook.copy(seed=seed, seconds=5) as session:
            return session.student.draw()

    before = random.getstate(), np.random.get_state()[1].tolist()
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert before == (random.getstate(), np.random.get_state()[1].tolist())


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


@has_timers
def test_an_endless_call_is_stopped_and_one_that_swallows_is_stopped_again():
    ended: list[str] = []

    def stubborn() -> None:
        for _ in range(2):
            try:
                time.sleep(30)
                ended.append("slept")
            except KeyboardInterrupt:
                ended.append("swallowed")

    with LocalNotebook({"f": stubborn}).copy(seed=1, seconds=0.1) as session, pytest.raises(CallTimedOut):
        session.student.f()
    assert set(ended) == {"swallowed"}


@has_timers
def test_a_time_limit_interrupts_its_own_function_and_nothing_around_it():
    def runs() -> None:
        time.sleep(30)

    limit = TimeLimit(runs)
    with pytest.raises(KeyboardInterrupt), time_limit(0.01, limit):
        runs()
    assert limit.passed
    limit = TimeLimit(runs)
    with time_limit(0.01, limit):
        time.sleep(0.05)  # goes on after the alarm
    assert limit.passed


@has_timers
def test_no_alarm_comes_after_its_call(monkeypatch):
    """An alarm while the limit was being lifted left the timer running: the next one ended the grader."""
    monkeypatch.setattr("grader.session.in_process.STOP_AGAIN", 0.001)
    choose = random.Random(1)  # noqa: S311  # it decides nothing but a test
    ended = {"in time": 0, "too late": 0}
    for _ in range(3_000):
        try:
            with LocalNotebook({"f": abs}).copy(seed=None, seconds=choose.uniform(2e-5, 6e-4)) as session:
                session.student.f(-1)
            ended["in time"] += 1
        except CallTimedOut:
            ended["too late"] += 1
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert min(ended.values()) > 50


def test_calls_work_in_a_thread_where_no_timer_can():
    answers: list[object] = []

    def check() -> None:
        with LocalNotebook({"f": abs}).copy(seed=1, seconds=5) as session:
            answers.append(session.student.f(-2))

    thread = threading.Thread(target=check)
    thread.start()
    thread.join()
    assert answers == [2]


def test_a_name_that_is_missing_is_the_students(tmp_path):
    with (
        LocalNotebook({}).copy(seed=1, seconds=5) as session,
        pytest.raises(StudentError, match="not defined"),
    ):
        session.student.linear_layer(1, 2)


def test_nothing_that_only_linux_has_is_imported(tmp_path):
    """A laptop with macOS or Windows serves: the same checks run with those modules out of reach."""
    (tmp_path / "test_double.py").write_text(
        textwrap.dedent('''
            """Doubling."""
            import numpy as np
            from grader import assert_close, item, points
            pytestmark = item("1")

            @points(1)
            def test_double(student, rng):
                """double doubles"""
                X = rng.normal(size=(3, 2))
                assert_close(student.double(X), 2 * X)

            def test_triple(student):
                """triple triples"""
                assert_close(student.triple(1.0), 3.0)
        ''')
    )
    program = f"""
        import importlib.abc, os, select, signal, socket, sys
        blocked = set({LINUX_ONLY.split()!r})

        class Blocker(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path=None, target=None):
                if name in blocked or any(name.startswith(each + ".") for each in blocked):
                    raise ModuleNotFoundError(f"{{name}} is not on this machine", name=name)

        sys.meta_path.insert(0, Blocker())
        for name in blocked:
            sys.modules.pop(name, None)
        for module, names in (
            (select, "epoll poll"), (os, "fork forkpty pidfd_open getuid geteuid setsid"),
            (signal, "setitimer SIGALRM SIGKILL pidfd_send_signal"),
            (socket, "AF_UNIX SCM_RIGHTS CMSG_LEN send_fds recv_fds"),
        ):
            for name in names.split():
                if hasattr(module, name):
                    delattr(module, name)
        from pathlib import Path
        import grader.public_checks.in_pytest
        from grader.public_checks.run import check_names
        names = {{"double": lambda X: 2 * X, "triple": lambda x: 2 * x}}
        for result in check_names(names, Path({str(tmp_path)!r}), item=None, seed=1):
            print(result.check, result.outcome, result.fault)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["test_double", "passed", "None", "test_triple", "failed", "student"]


def test_the_in_process_session_loads_nothing_heavy():
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import grader.session.in_process"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=root,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "pytest", "grader.sandbox", "grader.grading", "matplotlib.pyplot"}
