"""A real Chromium, driven through its debugging pipe: keys as a person presses them, and what is shown."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

SWITCHES = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
NAMED = {
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    "Tab": (9, ""),
    " ": (32, " "),
    "ArrowLeft": (37, ""),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
}
PATIENCE = 60.0


def chromium() -> str:
    """The program; the test is skipped without it, and fails where continuous integration installs it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("chromium is missing although .ci/run installs it")
    if found is None:
        pytest.skip("needs Debian's chromium")
    return found


class Pipe:
    """Messages to and from the browser: JSON, each ended by a zero byte."""

    def __init__(self, profile: Path, *switches: str) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # The browser reads descriptor 3 and writes descriptor 4; a shell puts the pipe there.
        script = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        command = [chromium(), *SWITCHES, f"--user-data-dir={profile}", *switches, "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", script, "bash", *command],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = ours_in, ours_out
        self._buffer = b""
        self._last = 0
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, *, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Ask the browser something; its answer."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            found = self._read()
            if found.get("id") == self._last:
                assert "error" not in found, f"{method}: {found['error']}"
                result: dict[str, Any] = found["result"]
                return result
            self.events.append(found)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = os.read(self._in, 1 << 20)
            assert piece, "the browser is gone"
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End the browser."""
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)


class Tab:
    """One page. ``pressed`` counts the keys."""

    def __init__(self, pipe: Pipe, context: str) -> None:
        self._pipe = pipe
        target = pipe.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self._session = pipe.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.pressed: Counter[str] = Counter()
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser something about this page."""
        return self._pipe.call(method, session=self._session, **parameters)

    def events(self, method: str) -> list[dict[str, Any]]:
        """What the browser told about this page so far."""
        self.evaluate("1")  # whatever happened before this answer has been told by then
        own = (one for one in self._pipe.events if one.get("sessionId") == self._session)
        return [one["params"] for one in own if one["method"] == method]

    def open(self, address: str) -> None:
        """Go to an address, as if it was typed, and wait until it is loaded."""
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str, *, seconds: float = PATIENCE) -> Any:
        """Wait until an expression is true; its value."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.evaluate(f"Boolean({script})"):
                    return self.evaluate(script)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
            assert time.monotonic() < deadline, f"never true: {script}; page: {self.text()[:2000]}"
            time.sleep(0.02)

    def text(self) -> str:
        """What can be read on the page."""
        found: str = self.evaluate("document.body.innerText")
        return found

    def press(self, *keys: str) -> None:
        """Press keys one after the other; real ones, which a page cannot tell from a person's."""
        for key in keys:
            self.pressed[key] += 1
            # A sign's own number is another key's: that of a full stop is Delete's.
            code, text = NAMED[key] if key in NAMED else (ord(key.upper()) if key.isalnum() else 0, key)
            fields = {"key": key, "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code}
            down = {**fields, "text": text, "unmodifiedText": text} if text else fields
            self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **down)
            self.call("Input.dispatchKeyEvent", type="keyUp", **fields)

    def type(self, text: str) -> None:
        """Press the keys of a text."""
        self.press(*text)

    def picture(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """A screenshot of the whole page."""
        self.look(width=width, height=height, dark=dark)
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def look(self, *, width: int, height: int = 900, dark: bool = False, media: str = "") -> None:
        """Set the size of the window, and what the reader prefers."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])


class Browser:
    """Chromium; each ``tab`` is a person of its own, with no cookie of another."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def tab(self) -> Tab:
        """A page in a profile of its own."""
        return Tab(self._pipe, self._pipe.call("Target.createBrowserContext")["browserContextId"])


@contextmanager
def browser(profile: Path, *switches: str) -> Iterator[Browser]:
    """A running browser."""
    pipe = Pipe(profile, *switches)
    try:
        yield Browser(pipe)
    finally:
        pipe.close()


def until(check: Callable[[], bool], *, seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)
