"""The machine around a submission: secrets, other people's files, listeners and a process, all watched.

Files that student code must not read hold the expected value; what it must not touch is checked afterwards.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder

HERE = Path(__file__).resolve().parent
TEMPORARY = (Path("/tmp"), Path("/dev/shm"))


class World:
    """Everything that an attack could reach on a machine without walls. Use it as a context."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.mark = f"chainrule-attack-{secrets.token_hex(4)}"
        self.secrets = {
            "canary": f"CANARY-{secrets.token_hex(16)}",
            "input": f"INPUT-{secrets.token_hex(16)}",
        }
        self.outside = place / "outside"
        self.outside.mkdir()
        (self.outside / "marks.csv").write_text("ada,18\n")
        (self.outside / "other_submission.py").write_text(f"answer = {self.secrets['canary']!r}\n")
        self._listeners = dict(self._listen())
        self.victim = self._new_victim()
        self.assignment = self._assignment()
        self._before = self._files()

    @property
    def canary(self) -> str:
        """The expected value that no submission may learn."""
        return self.secrets["canary"]

    def changes(self) -> list[str]:
        """What was touched since the last look, in words; afterwards everything is as before."""
        found = [f"a connection to the {name} socket" for name in self._connections()]
        if (state := self._state_of_victim()) not in ("S", "R"):
            found.append(f"the other process is in state {state or 'ended'}")
            self._end_victim()
            self.victim = self._new_victim()
            self._tell_where_things_are()
        after = self._files()
        found += [
            f"changed: {path.name}"
            for path in sorted(self._before.keys() | after.keys())
            if self._before.get(path) != after.get(path)
        ]
        self._restore()
        return found

    def clean(self) -> None:
        """Remove what attacks without walls left in the machine's shared folders."""
        for path in (left for shared in TEMPORARY for left in shared.glob(f"{self.mark}*")):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_victim()
        for listener in self._listeners.values():
            listener.close()
        self.clean()

    def _assignment(self) -> AssignmentFolder:
        target = self.place / "assignment"
        shutil.copytree(HERE / "assignment", target, ignore=shutil.ignore_patterns("__pycache__"))
        (target / "hidden_tests" / "secrets.json").write_text(json.dumps(self.secrets))
        self._tell_where_things_are()
        for path in (self.place, *self.place.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)  # only walls may stop an attack, not permissions
        return assignment_folder.load(target)

    def _tell_where_things_are(self) -> None:
        target = self.place / "assignment"
        told = {
            "abstract": self.mark,
            "grader": os.getpid(),
            "hidden_tests": str(target / "hidden_tests"),
            "mark": self.mark,
            "other": str(self.outside / "other_submission.py"),
            "outside": str(self.outside),
            "secrets": str(target / "hidden_tests" / "secrets.json"),
            "tcp": self._listeners["TCP"].getsockname()[1],
            "udp": self._listeners["UDP"].getsockname()[1],
            "unix": str(self.place / "socket"),
            "victim": self.victim.pid,
        }
        (target / "world.json").write_text(json.dumps(told))

    def _listen(self) -> Iterator[tuple[str, socket.socket]]:
        kinds: list[tuple[str, int, int, object]] = [
            ("TCP", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            ("UDP", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            ("unix", socket.AF_UNIX, socket.SOCK_STREAM, str(self.place / "socket")),
            ("abstract", socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.mark}"),
        ]
        for name, family, kind, address in kinds:
            listener = socket.socket(family, kind)
            listener.bind(address)
            listener.settimeout(0)
            if kind == socket.SOCK_STREAM:
                listener.listen(50)
            yield name, listener

    def _connections(self) -> Iterator[str]:
        for name, listener in self._listeners.items():
            with contextlib.suppress(BlockingIOError):
                while True:  # an attack that is run again for each check may have come more than once
                    if name == "UDP":
                        listener.recv(100)
                    else:
                        listener.accept()[0].close()
                    yield name

    def _new_victim(self) -> subprocess.Popen[bytes]:
        # It can be debugged by its own user, as any program of the person's who grades.
        source = "import time\nwhile True: time.sleep(1000)"
        return subprocess.Popen([sys.executable, "-c", source], env={"SECRET": self.canary})

    def _end_victim(self) -> None:
        self.victim.kill()
        self.victim.wait()

    def _state_of_victim(self) -> str:
        deadline = time.monotonic() + 2
        while self.victim.poll() is None:
            status = Path(f"/proc/{self.victim.pid}/stat").read_text()
            state = status.rpartition(")")[2].split()[0]
            if state != "D" or time.monotonic() > deadline:
                return state
        return ""

    def _files(self) -> dict[Path, tuple[bytes, int, int]]:
        found = {}
        for path in (self.assignment.path / "kit.py", self.outside, *self.outside.rglob("*")):
            status = path.lstat()
            data = path.read_bytes() if path.is_file() else b""
            # A folder's own time changes with what is in it, which is seen there.
            found[path] = (data, status.st_mode, status.st_mtime_ns if path.is_file() else 0)
        return found

    def _restore(self) -> None:
        for path in self.outside.iterdir():
            path.unlink()
        for path, (data, mode, modified) in self._before.items():
            if path != self.outside:
                path.write_bytes(data)
                os.utime(path, ns=(modified, modified))
            path.chmod(mode)
