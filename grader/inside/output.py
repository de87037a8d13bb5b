"""Where student code's text and pictures go: bounded, batched, and never in the way of a reply."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher

MAX_TEXT = 1 << 18
MAX_PICTURE = 2 << 20
MAX_PICTURES = 50
BATCH = 1 << 13


class Output:
    """Collects what one request writes and hands it on in batches through ``emit_text``/``emit_display``.

    ``begin`` opens a request, ``finish`` closes it. What a left-over thread writes in between is dropped, and
    what exceeds the limits is counted as truncated: a chatty answer costs nothing.
    """

    def __init__(
        self,
        emit_text: Callable[[str, str], None],
        emit_display: Callable[[dict[str, str]], None],
    ) -> None:
        self._emit_text, self._emit_display = emit_text, emit_display
        self._lock = threading.RLock()
        self._open = False
        self._pending: list[tuple[str, str]] = []
        self._pending_size = 0
        self._room = MAX_TEXT
        self._pictures = 0

    def begin(self) -> None:
        """Start collecting for a request; a fresh lock, since a fork may have copied a held one."""
        self._lock = threading.RLock()
        self._pending, self._pending_size = [], 0
        self._room, self._pictures, self._open = MAX_TEXT, 0, True

    def finish(self) -> None:
        """Send what is left; further text is dropped until ``begin``."""
        with self._lock:
            self.flush()
            self._open = False

    def flush(self) -> None:
        """Send pending text, neighbours of one stream joined."""
        with self._lock:
            pending, self._pending, self._pending_size = self._pending, [], 0
            run: list[str] = []
            for position, (name, text) in enumerate(pending):
                run.append(text)
                if position + 1 == len(pending) or pending[position + 1][0] != name:
                    self._emit_text(name, "".join(run))
                    run = []

    def write(self, name: str, text: str) -> None:
        """Take text of the stream "stdout" or "stderr"."""
        with self._lock:
            if not self._open or self._room <= 0:
                return
            if len(text) > self._room:
                text = text[: self._room] + "\n[output truncated]\n"
            self._room -= len(text)
            self._pending.append((name, text))
            self._pending_size += len(text)
            if self._pending_size >= BATCH:
                self.flush()

    def display(self, data: dict[str, Any]) -> None:
        """Take a display: PNG pictures and plain text only; everything else stays here."""
        with self._lock:
            if not self._open or self._pictures >= MAX_PICTURES:
                return
            self._pictures += 1
            kept = {
                kind: data[kind]
                for kind in ("image/png", "text/plain")
                if isinstance(data.get(kind), str) and len(data[kind]) <= MAX_PICTURE
            }
            self.flush()
            if kept:
                self._emit_display(kept)


class Stream(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr."""

    def __init__(self, output: Output, name: str) -> None:
        super().__init__()
        self._output, self._name = output, name

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute where io has a property
        """Always UTF-8."""
        return "utf-8"

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Take text; raises TypeError for anything else, as the real stream does."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._output.write(self._name, text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: batches are sent when they are full or the request ends."""

    def close(self) -> None:
        """Stay open: a student who closes stdout loses nothing."""


class Publisher(DisplayPublisher):
    """IPython's display(): keeps text and PNG."""

    output: Output | None = None

    def publish(self, data: Any, metadata: Any = None, source: Any = None, **_: Any) -> None:
        """Hand one display on."""
        del metadata, source
        if self.output is not None:
            self.output.display(data)

    def clear_output(self, wait: bool = False) -> None:  # noqa: FBT001, FBT002  # IPython's signature
        """Do nothing: what was shown stays shown."""


class ResultHook(DisplayHook):
    """IPython's ``Out[n]``: the value of a cell's last expression."""

    output: Output | None = None

    def write_output_prompt(self) -> None:
        """Write no prompt."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: object = None) -> None:
        """Hand the formatted value on."""
        del md_dict
        if self.output is not None:
            self.output.display(format_dict)

    def finish_displayhook(self) -> None:
        """Write no newline."""
