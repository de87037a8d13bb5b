"""Ctrl-C during a batch: what is being graded is finished, the rest waits for the next start."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType

NOTICE = "finishing what runs; the rest is kept for the next start (again to stop at once)"


@contextlib.contextmanager
def stop_on_signal(notify: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Yield a function that says whether SIGINT or SIGTERM has come; a second one raises KeyboardInterrupt.

    The function also tells the person, once, through ``notify``.
    """
    received: list[int] = []
    notified: list[bool] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)  # nothing is printed here: the signal may have come in the middle of a print

    def is_asked() -> bool:
        if received and not notified:
            notified.append(True)
            notify(NOTICE)
        return bool(received)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield is_asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
