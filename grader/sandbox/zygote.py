"""The host's side of the zygote: start it, ask it for sandboxes, end it.

The zygote (``grader.sandbox.warm``) is a process of its own with a clean environment; student code runs in
copies of it and never in this process. Importable everywhere; starting one needs Linux.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from grader.host import is_installed
from grader.model.errors import InfrastructureError, SandboxUnavailable
from grader.sandbox.box import Box, connection
from grader.sandbox.spec import MORE, BoxSpec

AGENT = "grader.inside.agent"
BASE_PRELOAD = ("numpy", "matplotlib.pyplot")
_PACKET = 4096
_BOOT_SECONDS = 120.0
_LEAVE_SECONDS = 20.0
_MODULE_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def installed(modules: Sequence[str]) -> tuple[str, ...]:
    """Those that are there; what is not fails where a submission imports it, with its name."""
    return tuple(name for name in modules if is_installed(name.partition(".")[0]))


class Zygote:
    """A warm process that forks sandboxes. Make it with ``Zygote.start``; close it, or use ``with``."""

    def __init__(
        self, process: subprocess.Popen[bytes] | None, control: socket.socket, log: IO[bytes] | None
    ) -> None:
        self._process = process
        self._control = control
        self._log = log
        self._ready = False
        self._lock = threading.RLock()
        self._boxes: set[Box] = set()

    @classmethod
    def start(
        cls,
        *,
        preload: Sequence[str] = BASE_PRELOAD,
        entry: str = AGENT,
        import_path: Sequence[Path] = (),
        more: bool = False,
    ) -> Self:
        """Launch a zygote and return at once; the first ``spawn`` waits until it is ready.

        ``preload`` are the modules to import once for all sandboxes, ``entry`` the module whose
        ``make_shell()``, ``prepare(shell)`` and ``serve(socket, shell)`` run inside, ``import_path`` further
        folders to import from (student code can read their names, and nothing in them). With ``more`` it is
        ready only after ``and_import`` has been called: then it can start before anybody knows what
        submissions import.
        Raises SandboxUnavailable where processes cannot be copied (everywhere but on Linux).
        """
        if not sys.platform.startswith("linux"):
            raise SandboxUnavailable(f"warm processes need Linux, not {sys.platform}")
        _assert_modules((*preload, entry))
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the zygote
        command = [sys.executable, "-P", "-m", "grader.sandbox.warm", str(theirs.fileno()), entry, *preload]
        command += [MORE] if more else []
        with theirs:
            process = subprocess.Popen(  # noqa: S603  # our own interpreter and module
                command,
                pass_fds=[theirs.fileno()],
                env=_environment(import_path),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,  # the terminal's Ctrl-C is for the host, which then closes us
            )
        return cls(process, ours, log)

    @classmethod
    def attached(cls, control: socket.socket) -> Self:
        """Another process's running zygote, by a copy of its socket; closing it ends its own boxes only."""
        zygote = cls(None, control, None)
        zygote._ready = True
        return zygote

    @property
    def control(self) -> int:
        """The descriptor that another process of ours can use it by."""
        return self._control.fileno()

    @property
    def process(self) -> int:
        """The zygote's process number, 0 if it is another process's child."""
        return self._process.pid if self._process is not None else 0

    def and_import(self, modules: Sequence[str]) -> None:
        """Have one that was started with ``more`` import these too; may be none."""
        _assert_modules(modules)
        with contextlib.suppress(OSError):  # it has ended: wait_ready says why
            self._control.send(json.dumps(list(modules)).encode())

    def wait_ready(self, *, timeout: float = _BOOT_SECONDS) -> None:
        """Return once the libraries are imported. Raises InfrastructureError with the zygote's own words."""
        with self._lock:
            if self._ready:
                return
            message = self._first_message(timeout)
            if "ready" not in message:
                raise InfrastructureError(f"the warm process did not start: {message['error']}")
            self._ready = True

    def spawn(self, spec: BoxSpec) -> Box:
        """Start a sandbox; ``Box.wait_started`` raises if it cannot be set up.

        Raises InfrastructureError when the zygote is gone. May be called from several threads.
        """
        self.wait_ready()
        life, their_life = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        data, their_data = connection()
        with their_life, their_data:
            try:
                with self._lock:
                    socket.send_fds(
                        self._control, [spec.to_json()], [their_life.fileno(), their_data.fileno()]
                    )
            except OSError as error:
                life.close()
                data.close()
                raise InfrastructureError(f"the warm process is gone ({error}){self._last_words()}") from None
        box = Box(life, data, closed=self._boxes.discard)
        self._boxes.add(box)
        return box

    def close(self) -> None:
        """End every sandbox and the zygote. May be called again."""
        for box in tuple(self._boxes):
            box.close()
        self._control.close()
        if self._process is None or self._log is None:
            return
        try:
            self._process.wait(_LEAVE_SECONDS if self._ready else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _first_message(self, timeout: float) -> dict[str, str]:
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        if not poll.poll(timeout * 1000):
            return {"error": f"no word in {timeout:g} seconds"}
        packet = self._control.recv(_PACKET)
        if packet:
            message: dict[str, str] = json.loads(packet)
            return message
        return {"error": f"it ended{self._last_words()}"}

    def _last_words(self) -> str:
        """The end of what the zygote wrote to its standard error."""
        if self._log is None:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        words = os.pread(self._log.fileno(), 2000, max(0, size - 2000)).decode(errors="replace").strip()
        return f": {words}" if words else ""


def _assert_modules(names: Sequence[str]) -> None:
    for name in names:
        if not _MODULE_NAME.fullmatch(name):
            raise ValueError(f"not a module's name: {name!r}")


def _environment(import_path: Sequence[Path]) -> dict[str, str]:
    """From scratch: nothing of the person's own environment is inherited by student code."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": "agg",
    }
    if import_path:
        environment["PYTHONPATH"] = os.pathsep.join(map(str, import_path))
    return environment
