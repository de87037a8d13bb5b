"""Boxes with the echo agent, for tests of the sandbox itself."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from grader.model.isolation import Mode
from grader.sandbox import processes
from grader.sandbox.box import Box
from grader.sandbox.modes import choose_mode
from grader.sandbox.zygote import Zygote

from . import measured
from .paths import TESTS

ECHO = "support.echo_agent"

ASK_THE_MODE = {
    "test_doctor_examination.py": "each_promise or forge_the_verdict",
    "test_sandbox_life.py": "not none and not zygote_that and not zygote_with and not preload"
    " and not at_once and not imports_nothing and not left_open and not last_words",
    "test_session_sandboxed.py": "(takes_the_process_down and (segfault or memory or deaf))"
    " or (ends_badly and (killed or memory or deaf)) or interrupt or dies_only or rebuilding"
    " or same_state or (draws_depend and not torch) or cross_both_ways or of_a_check or left_over"
    " or forged_value or a_flood or drip or descriptors or killed_from_a_copy",
}
"""Of each file the tests whose result depends on the isolation (pytest's ``-k``): what other users run again.

The rest is about words, frames and the warm process, the same in every mode.
"""


@functools.cache
def mode_here() -> Mode:
    """The isolation that this process gets, found by trying."""
    return choose_mode()


def start_zygote(*preload: str, import_path: Sequence[Path] = ()) -> Zygote:
    return measured.start_zygote(*preload, entry=ECHO, import_path=[TESTS, *import_path])


class Inside:
    """A box and its echo agent: ``run`` executes source inside and returns what it assigned to ``answer``."""

    def __init__(self, box: Box) -> None:
        box.wait_started()
        self.box = box
        self._heard = b""

    def send(self, source: str) -> None:
        self.box.data.sendall(json.dumps({"run": source}).encode() + b"\n")

    def reply(self) -> dict[str, Any]:
        self.box.data.settimeout(60)
        while b"\n" not in self._heard:
            try:
                more = self.box.data.recv(1 << 16)
            except ConnectionResetError:
                more = b""
            if not more:
                return {"gone": True}
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        return reply

    def run(self, source: str) -> Any:
        self.send(source)
        reply = self.reply()
        assert "value" in reply, (reply, "gone" in reply and self.box.ending(wait=5))
        return reply["value"]

    def error(self, source: str) -> str:
        """The error that ``source`` must end in."""
        self.send(source)
        reply = self.reply()
        assert "error" in reply, reply
        return reply["error"]


def eventually(condition: Callable[[], bool], *, seconds: float = 60.0) -> bool:
    """Wait for something to become true; ``seconds`` are enough for a very busy machine."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def alone(zygote: Zygote) -> bool:
    """Whether nothing that the zygote started is left, not even unreaped."""
    return processes.descendants(zygote.process) == [zygote.process]
