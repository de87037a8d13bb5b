"""A time limit for one function in this process: a timer of the system's, or a thread where there is none."""

from __future__ import annotations

import _thread
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType

STOP_AGAIN = 1.0  # seconds after which student code that caught KeyboardInterrupt gets another


class TimeLimit:
    """Whether a time limit has passed; it interrupts one function and whatever that calls, nothing else.

    An alarm may come at any moment, also while the limit itself is set or lifted: an interruption there would
    leave the timer running, and the next alarm would end whatever comes after.
    """

    def __init__(self, of: Callable[..., object]) -> None:
        self.passed = False
        self._code = of.__code__

    def on_alarm(self, _: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt in the function, if it runs."""
        self.passed = True
        while frame is not None and frame.f_code is not self._code:
            frame = frame.f_back
        if frame is not None:
            raise KeyboardInterrupt


@contextlib.contextmanager
def time_limit(seconds: float, limit: TimeLimit) -> Iterator[None]:
    """Interrupt the limit's function after ``seconds``, and again every second if it caught the interruption.

    There is no limit in a thread other than the main one, nor in a browser. What sleeps or computes outside
    Python is interrupted only by the system's timer, which Windows does not have.
    """
    if threading.current_thread() is not threading.main_thread() or sys.platform == "emscripten":
        yield
        return
    by = _by_timer if hasattr(signal, "setitimer") else _by_thread
    with by(seconds, limit):
        yield


@contextlib.contextmanager
def _by_timer(seconds: float, limit: TimeLimit) -> Iterator[None]:
    """A timer that was running before goes on afterwards."""
    before, started = signal.signal(signal.SIGALRM, limit.on_alarm), time.monotonic()
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, STOP_AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if before is None else before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - started)), interval)


@contextlib.contextmanager
def _by_thread(seconds: float, limit: TimeLimit) -> Iterator[None]:
    """A thread sends this process what Ctrl-C sends; a person's own Ctrl-C means what it meant before."""
    before, ended, turn = signal.getsignal(signal.SIGINT), threading.Event(), threading.Lock()
    sent: list[bool] = []

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        if sent:
            sent.clear()
            limit.on_alarm(number, frame)
        elif callable(before):
            before(number, frame)

    def watch() -> None:
        wait = seconds
        while not ended.wait(wait):
            with turn:  # never after the end: the handler would no longer be ours
                if not ended.is_set():
                    sent.append(True)
                    _thread.interrupt_main()
            wait = STOP_AGAIN

    signal.signal(signal.SIGINT, on_interrupt)
    threading.Thread(target=watch, name="time limit", daemon=True).start()
    try:
        yield
    finally:
        with turn:
            ended.set()
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
