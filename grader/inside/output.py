"""What student code prints and displays: bounded, batched, and never in the middle of a reply."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher

from grader.inside.media_types import EVIDENCE, MAX_PICTURE, MAX_PICTURES, MAX_RECORDING, MAX_RECORDINGS, PNG

MAX_TEXT = 1 << 18
BATCH = 1 << 13
LONGEST = 1 << 16  # characters in one frame: escaped they are at most twelve times as many bytes


class Output:
    """Collects what one request writes and passes it on in batches to ``emit_text`` and ``emit_display``.

    ``begin`` opens a request, ``finish`` closes it. What a thread writes between requests is dropped; text
    over the limit is cut, with a note: printing much costs no points.
    """

    def __init__(
        self,
        emit_text: Callable[[str, str], None],
        emit_display: Callable[[dict[str, bytes]], None],
    ) -> None:
        self._emit_text, self._emit_display = emit_text, emit_display
        self._lock = threading.RLock()
        self._open = False
        self._pending: list[tuple[str, str]] = []
        self._pending_size = 0
        self._room = MAX_TEXT
        self._pictures = self._recordings = 0

    def begin(self) -> None:
        """Start collecting for a request."""
        with self._lock:
            self._pending, self._pending_size = [], 0
            self._pictures = self._recordings = 0
            self._room, self._open = MAX_TEXT, True

    def finish(self) -> None:
        """Send what is left; further text is dropped until ``begin``."""
        with self._lock:
            self.flush()
            self._open = False

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Hold the lock, so that no thread is in the middle of a write: a fork would inherit it locked."""
        with self._lock:
            yield

    def flush(self) -> None:
        """Send pending text, neighbours of one stream joined."""
        with self._lock:
            pending, self._pending, self._pending_size = self._pending, [], 0
            run: list[str] = []
            for position, (name, text) in enumerate(pending):
                run.append(text)
                if position + 1 == len(pending) or pending[position + 1][0] != name:
                    self._emit_pieces(name, "".join(run))
                    run = []

    def _emit_pieces(self, name: str, text: str) -> None:
        for start in range(0, len(text), LONGEST):
            self._emit_text(name, text[start : start + LONGEST])

    def write(self, name: str, text: str) -> None:
        """Take text of the stream "stdout" or "stderr"."""
        text = text if type(text) is str else str.__getitem__(text, slice(None))
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
        """Pass on a PNG (base64, as IPython has it) and recorded evidence; everything else is dropped."""
        picture, recording = data.get(PNG), _json_of(data.get(EVIDENCE))
        kept: dict[str, bytes] = {}
        with self._lock:
            if isinstance(picture, str) and len(picture) <= MAX_PICTURE and self._pictures < MAX_PICTURES:
                self._pictures += 1
                kept[PNG] = picture.encode("ascii", "replace")
            if recording and self._recordings < MAX_RECORDINGS:
                self._recordings += 1
                kept[EVIDENCE] = recording
            if kept and self._open:
                self.flush()
                self._emit_display(kept)


class Stream(io.TextIOBase):
    """Stands in for sys.stdout or sys.stderr."""

    def __init__(self, output: Output, name: str) -> None:
        super().__init__()
        self._output, self.name = output, name

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute where io has a property
        """Always UTF-8."""
        return "utf-8"

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """The process's own descriptor, for programs that are started with it; what they write is lost."""
        return 1 if self.name == "stdout" else 2

    def write(self, text: str) -> int:
        """Take text; raises TypeError for anything else, as the real stream does."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._output.write(self.name, text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: batches are sent when they are full or the request ends."""

    def close(self) -> None:
        """Stay open: a student who closes stdout loses nothing."""


class Publisher(DisplayPublisher):
    """IPython's display(): keeps text, PNG and recorded evidence."""

    output: Output | None = None

    def publish(self, data: Any, metadata: Any = None, source: Any = None, **_: Any) -> None:
        """Pass on one display."""
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
        """Pass on the formatted value."""
        del md_dict
        if self.output is not None:
            self.output.display(format_dict)

    def finish_displayhook(self) -> None:
        """Write no newline."""


def _json_of(recording: object) -> bytes:
    """The JSON of a recording, which may be text already; b"" for what is not JSON or too large."""
    if isinstance(recording, str):
        data = recording.encode("utf-8", "replace") if len(recording) <= MAX_RECORDING else b""
    else:
        try:
            data = json.dumps(recording).encode() if isinstance(recording, dict) else b""
        except (TypeError, ValueError, RecursionError):
            return b""
    return data if len(data) <= MAX_RECORDING else b""
