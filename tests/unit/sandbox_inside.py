"""Helpers of the sandbox's tests: boxes with the echo agent, and running things as an ordinary user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import measured

from grader.sandbox import processes
from grader.sandbox.box import Box
from grader.sandbox.zygote import Zygote

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
NOBODY = 65534


def start_zygote(*preload: str, import_path: Sequence[Path] = ()) -> Zygote:
    return measured.start_zygote(*preload, entry="sandbox_echo", import_path=[HERE, *import_path])


class Inside:
    """A box and its echo agent: ``run`` executes source inside and returns what it assigned to ``answer``."""

    def __init__(self, box: Box) -> None:
        box.wait_started()
        self.box = box
        self._stream = box.data.makefile("rb")

    def send(self, source: str) -> None:
        self.box.data.sendall(json.dumps({"run": source}).encode() + b"\n")

    def reply(self) -> dict[str, Any]:
        self.box.data.settimeout(20)
        try:
            line = self._stream.readline()
        except ConnectionResetError:
            line = b""
        return json.loads(line) if line else {"gone": True}

    def run(self, source: str) -> Any:
        self.send(source)
        reply = self.reply()
        assert "value" in reply, reply
        return reply["value"]

    def error(self, source: str) -> str:
        """The error that ``source`` must end in."""
        self.send(source)
        reply = self.reply()
        assert "error" in reply, reply
        return reply["error"]


def eventually(condition: Callable[[], bool], *, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def alone(zygote: Zygote) -> bool:
    """Whether nothing that the zygote started is left, not even unreaped."""
    return processes.descendants(zygote.process) == [zygote.process]


def run_as_ordinary_user(command: Sequence[str], *, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run ``command`` without any privilege; as root, through a user that owns nothing here."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment = inherited | {"PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryDirectory() as stash:
        if os.geteuid() == 0:
            command = [sys.executable, str(HERE / "sandbox_inside.py"), stash, *command]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, env=environment, cwd=HERE, check=False
        )


def _become_nobody_and_run(stash: Path, command: list[str]) -> None:
    """Python itself may live where only root can go: show it in a private view of the files first."""
    from grader.sandbox import syscalls  # noqa: PLC0415  # Linux only
    from grader.sandbox.syscalls import MS_BIND, MS_PRIVATE, MS_REC  # noqa: PLC0415

    syscalls.unshare(0x00020000)
    syscalls.mount(None, "/", flags=MS_REC | MS_PRIVATE)
    needed = {Path(sys.prefix), Path(sys.base_prefix), REPOSITORY}
    syscalls.mount("none", str(stash), kind="tmpfs")
    kept = {path: stash / str(number) for number, path in enumerate(sorted(needed))}
    for path, copy in kept.items():
        copy.mkdir()
        syscalls.mount(str(path), str(copy), flags=MS_BIND)
    closed = {parent for path in needed for parent in path.parents if not parent.stat().st_mode & 0o001}
    for parent in sorted(closed, key=lambda path: len(path.parts)):
        if not parent.exists():  # covered up with a folder above it
            continue
        syscalls.mount("none", str(parent), kind="tmpfs", options="mode=0755")
        for path, copy in kept.items():
            if not path.exists():
                path.mkdir(parents=True)
                syscalls.mount(str(copy), str(path), flags=MS_BIND)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    os.environ["HOME"] = "/nonexistent"
    os.execv(command[0], command)  # noqa: S606  # the test's own command


if __name__ == "__main__":
    _become_nobody_and_run(Path(sys.argv[1]), sys.argv[2:])
