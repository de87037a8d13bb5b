"""Try one isolation mode for real: ``python -P -m grader.sandbox.mode_probe MODE``.

Starts a sandbox exactly as for a notebook, but with a function of our own inside that looks at the walls.
Exit status 0 when they stand; otherwise 1 with the reason on standard error.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from grader.model.errors import InfrastructureError
from grader.model.isolation import Mode
from grader.sandbox import supervisor
from grader.sandbox.box import Box
from grader.sandbox.spec import BoxSpec, ProcessLimits

_LIMITS = ProcessLimits(memory_mb=256, wall_seconds=10.0)
_ANSWER = 4096
_ANSWER_SECONDS = 15.0


def main(arguments: list[str]) -> int:
    """Probe the mode named by the only argument."""
    failure = _failure(Mode(arguments[0]))
    if failure:
        sys.stderr.write(f"{failure}\n")
    return 1 if failure else 0


def _failure(mode: Mode) -> str:
    life, their_life = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    data, their_data = socket.socketpair()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        life.close()
        data.close()
        spec = BoxSpec(mode=mode, limits=_LIMITS).to_json()
        look = _look if mode.namespaces else _look_among_others
        supervisor.supervise(spec, life=their_life, data=their_data.fileno(), parent=parent, serve=look)
    their_life.close()
    their_data.close()
    with Box(life, data, closed=lambda _: None) as box:
        try:
            box.wait_started()
            data.settimeout(_ANSWER_SECONDS)
            answer = data.recv(_ANSWER).decode()
        except (InfrastructureError, OSError) as error:
            return str(error)
    os.waitpid(child, 0)
    return "" if answer == "closed" else f"the walls have a hole: {answer or 'no answer'}"


def _look(connection: socket.socket) -> NoReturn:
    """Inside: say "closed", or name what should not be possible here."""
    _report(connection, _HOLES)


def _look_among_others(connection: socket.socket) -> NoReturn:
    """The same among the machine's own files and processes."""
    _report(connection, _HOLES_AMONG_OTHERS)


def _report(connection: socket.socket, possible: Mapping[str, Callable[[], bool]]) -> NoReturn:
    holes = [name for name, open_ in possible.items() if open_()]
    connection.sendall((", ".join(holes) or "closed").encode())
    os._exit(0)


def _other_processes() -> bool:
    return os.getpid() != 1 or len([entry for entry in Path("/proc").iterdir() if entry.name.isdigit()]) != 1


def _network() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


def _writable_root() -> bool:
    return os.access("/", os.W_OK) or os.access("/usr/lib", os.W_OK)


def _foreign_files() -> bool:
    return Path("/etc/shadow").exists() or Path("/root/.ssh").exists()


def _readable_files() -> bool:
    return any(_opens(path) for path in ("/etc/passwd", "/proc/1/status", "/proc/self/status"))


def _opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


def _writable_neighbours() -> bool:
    try:
        Path("../new").mkdir()
    except OSError:
        return False
    return True


def _privileges() -> bool:
    return os.getuid() == 0


_HOLES = {
    "other processes are visible": _other_processes,
    "network sockets": _network,
    "the root is writable": _writable_root,
    "the machine's own files are visible": _foreign_files,
    "it runs as root": _privileges,
}
_HOLES_AMONG_OTHERS = {
    "the machine's own files can be read": _readable_files,
    "folders outside can be made": _writable_neighbours,
    "network sockets": _network,
    "it runs as root": _privileges,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
