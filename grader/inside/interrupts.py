"""SIGINT reaches student code and nothing else: never a half-sent frame or the waiting loop."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


class Interrupts:
    """Turns SIGINT into KeyboardInterrupt while student code runs; delayed while a frame is being sent."""

    def __init__(self) -> None:
        self._allowed = False
        self._held = 0
        self._pending = False

    def install(self) -> None:
        """Become the process's SIGINT handler."""
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        if not self._allowed:
            return
        if self._held:
            self._pending = True
            return
        raise KeyboardInterrupt

    @contextlib.contextmanager
    def allowed(self) -> Iterator[None]:
        """Student code runs in here."""
        self._allowed, self._pending = True, False
        try:
            yield
        finally:
            self._allowed = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """A frame is being sent in here; an interrupt comes right after."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if self._pending and not self._held:
            self._pending = False
            raise KeyboardInterrupt
