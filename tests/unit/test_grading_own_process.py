"""Our own work on a submission has bounds of time and memory, and ends with the process that asked for it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

import numpy as np
import pytest
from support.boxes import eventually

from grader.grading import own_process
from grader.grading.deadline import Deadline
from grader.grading.opening import WarmProcesses
from grader.grading.own_process import Link, OwnProcess
from grader.model.assignment import Limits
from grader.model.errors import BoundReached, Fault, InfrastructureError, Outcome, TimeIsUp

pytestmark = pytest.mark.sandbox


def process(work: Callable[[Link], None], **limits: float) -> OwnProcess:
    return OwnProcess(work, limits=Limits(**limits), warm=WarmProcesses())


def test_messages_go_both_ways():
    def work(link: Link) -> None:
        link.send(link.receive() + b" back")
        link.send(b"last")

    with process(work) as own:
        own.send(b"there and")
        assert own.receive() == b"there and back"
        assert own.receive() == b"last"


def spin(_: Link) -> None:
    while True:
        pass


def one_long_call(_: Link) -> None:
    """Which sees no signal until it returns."""
    sum(range(10**12))


def sleep(_: Link) -> None:
    while True:
        time.sleep(10)


@pytest.mark.parametrize("work", [spin, one_long_call, sleep])
def test_it_is_ended_at_the_deadline(work, monkeypatch):
    monkeypatch.setattr(own_process, "GRACE", 0.5)
    with process(work, total_seconds=1) as own, pytest.raises(BoundReached, match="after 1 s") as caught:
        own.receive()
    assert (caught.value.outcome, caught.value.fault) == (Outcome.TIMED_OUT, Fault.STUDENT)


def test_its_own_deadline_stops_what_may_be_stopped():
    def work(link: Link) -> None:
        try:
            with link.deadline.may_stop():
                spin(link)
        except TimeIsUp:
            link.send(b"stopped")

    with process(work, total_seconds=1) as own:
        assert own.receive() == b"stopped"


def test_memory_is_bounded_and_the_process_that_asked_lives_on():
    def work(link: Link) -> None:
        hog = np.ones(300 << 17)  # 300 MB
        link.send(str(hog.size).encode())

    with process(work, memory_mb=200) as own, pytest.raises(BoundReached, match="200 MB of memory") as caught:
        own.receive()
    assert (caught.value.outcome, caught.value.fault) == (Outcome.OUT_OF_MEMORY, Fault.STUDENT)
    with process(work, memory_mb=400) as own:
        assert own.receive() == str(300 << 17).encode()


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (lambda _: os.kill(os.getpid(), 9), "ended by SIGKILL"),
        (lambda _: os._exit(3), "ended with status 3"),
        (lambda _: {}["lost"], "KeyError: 'lost'"),
    ],
    ids=["signal", "status", "defect"],
)
def test_a_process_that_dies_is_no_students_fault(work, said):
    with process(work) as own, pytest.raises(InfrastructureError, match=said):
        own.receive()


def test_it_ends_with_its_context():
    with process(sleep) as own:
        number = own._process
        os.kill(number, 0)

    def is_gone() -> bool:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, 0)
            return False
        return True

    assert eventually(is_gone)


def test_a_deadline_excuses_what_a_notebook_waited_for_a_busy_machine():
    class Waited:
        excused = 5.0

    deadline = Deadline(2)
    assert 0 < deadline.left() <= 2
    deadline.watch(Waited())
    assert 5 < deadline.left() <= 7
    assert Deadline().left() == float("inf")
