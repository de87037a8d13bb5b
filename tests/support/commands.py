"""`grade` as tests call it: a fork of a process that has imported it, which saves a second of each start.

What a test asks of the start itself (signals, terminals, imports, what Python was told) it starts for real.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import io
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .paths import environment

HEAVY = ("numpy.random", "sqlalchemy.dialects.sqlite", "grader.grading.pipeline", "grader.grading.pytest_run")
MEASURED = "COVERAGE_PROCESS_CONFIG"


def run_grade(
    *arguments: object,
    cwd: Path,
    timeout: float = 120,
    env: Mapping[str, str] | None = None,
    errors: str = "strict",
) -> subprocess.CompletedProcess[str]:
    """As ``subprocess.run`` of the command with its output as text. Raises TimeoutExpired."""
    words, variables = [*map(str, arguments)], dict(os.environ if env is None else env)
    if not sys.platform.startswith("linux"):
        command = [sys.executable, "-m", "grader.cli.main", *words]
        return subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors=errors,
            cwd=cwd,
            timeout=timeout,
            env=variables,
            check=False,
        )
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        Path(os.devnull).open("rb") as nothing,
    ):
        files = [nothing.fileno(), out.fileno(), err.fileno()]
        status = _warm(MEASURED in variables).run(words, cwd, variables, files, timeout)
        return subprocess.CompletedProcess(words, status, _text(out, errors), _text(err, errors))


def _text(file: io.BufferedRandom, errors: str) -> str:
    file.seek(0)
    return io.TextIOWrapper(io.BytesIO(file.read()), encoding="utf-8", errors=errors).read()


class Warm:
    """The process that is forked, one command after another."""

    def __init__(self, *, measured: bool) -> None:
        ours, theirs = socket.socketpair()
        variables = environment()
        if not measured:
            variables.pop(MEASURED, None)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=variables,
                start_new_session=True,
            )
        self._socket = ours
        atexit.register(self.close)

    def run(
        self, words: list[str], cwd: Path, variables: dict[str, str], files: list[int], timeout: float
    ) -> int:
        """The command's exit status, negative for a signal."""
        asked = json.dumps([words, str(cwd), variables]).encode()
        self._socket.settimeout(timeout)
        try:
            socket.send_fds(self._socket, [len(asked).to_bytes(8)], files)
            self._socket.sendall(asked)
            return int.from_bytes(_received(self._socket, 4), signed=True)
        except TimeoutError:
            os.killpg(self._process.pid, signal.SIGKILL)
            _warm.cache_clear()
            raise subprocess.TimeoutExpired(words, timeout) from None

    def close(self) -> None:
        """End it, when what coverage has seen in it is written."""
        self._socket.close()
        self._process.wait()


@functools.cache
def _warm(measured: bool) -> Warm:  # noqa: FBT001
    return Warm(measured=measured)


def _received(wire: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (more := wire.recv(size - len(data))):
            raise EOFError("the process that is forked for commands is gone")
        data += more
    return data


def serve(wire: socket.socket) -> list[str] | None:
    """Fork for each command: its words in a fork that has become the command, None in the end."""
    while True:
        head, files, _, _ = socket.recv_fds(wire, 8, 3)
        if not head:
            return None
        words, cwd, variables = json.loads(_received(wire, int.from_bytes(head)))
        if (process := os.fork()) == 0:
            wire.close()
            for number, file in enumerate(files):
                os.dup2(file, number)
                os.close(file)
            os.chdir(cwd)
            os.environ.clear()
            os.environ.update(variables)
            return [str(word) for word in words]
        for file in files:
            os.close(file)
        _, status = os.waitpid(process, 0)
        wire.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, signed=True))


if __name__ == "__main__":
    import grader.cli

    for module in pkgutil.iter_modules(grader.cli.__path__):
        importlib.import_module(f"grader.cli.{module.name}")
    for name in HEAVY:
        importlib.import_module(name)
    wanted = serve(socket.socket(fileno=int(sys.argv[1])))
    if wanted is not None:
        sys.argv = ["grade", *wanted]
        importlib.import_module("grader.cli.main").main()
