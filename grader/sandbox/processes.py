"""The sandbox's processes seen from outside, through /proc, and signals to them.

Importable everywhere; the functions need Linux.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

_PROC = Path("/proc")
_RESIDENT = ("RssAnon:", "RssShmem:")
_PROPORTIONAL = ("Pss_Anon:", "Pss_Shmem:")
_KILOBYTES_PER_MEGABYTE = 1024


def all_visible() -> list[int]:
    """Every process in sight: with a /proc of the sandbox's own, exactly the sandbox's processes."""
    # As text: this runs at each look of the watchdog, twenty times a second.
    return [int(entry) for entry in os.listdir(_PROC) if entry.isdigit()]  # noqa: PTH208


def descendants(process: int) -> list[int]:
    """``process`` and all its descendants, parents first. Those that end meanwhile are left out."""
    found = [process]
    for parent in found:
        found += children(parent)
    return found


def children(process: int) -> list[int]:
    """The living and not yet reaped children of ``process``."""
    found: list[int] = []
    try:
        for task in (_PROC / str(process) / "task").iterdir():
            found += map(int, (task / "children").read_text().split())
    except OSError:
        return found
    return found


def threads_of(user: int) -> int:
    """How many threads the processes in sight that belong to ``user`` have together."""
    count = 0
    for process in all_visible():
        try:
            if (_PROC / str(process)).stat().st_uid == user:
                count += len(list((_PROC / str(process) / "task").iterdir()))
        except OSError:  # it has ended
            continue
    return count


def end_all_of(user: int, *, seconds: float) -> None:
    """Root ends every process of ``user``, which must be nobody's but a sandbox's.

    A fork bomb cannot outrun this: the kernel lets no marked process fork, and marks all of them at once.
    """
    deadline = time.monotonic() + seconds
    while threads_of(user) and time.monotonic() < deadline:
        killer = os.fork()
        if killer == 0:
            _kill_all_of(user)
        os.waitpid(killer, 0)
        reap()


def _kill_all_of(user: int) -> NoReturn:
    """As that user, because a signal to all that root sends would reach every process of the machine."""
    try:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        os.kill(-1, signal.SIGKILL)
    finally:
        os._exit(0)


def reap() -> None:
    """Collect every child that has ended, adopted ones included."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def resident_mb(processes: Iterable[int]) -> float:
    """What the processes hold in memory; a page that n of them share counts n times. Cheap."""
    return sum(_sum_fields(_PROC / str(process) / "status", _RESIDENT) for process in processes)


def proportional_mb(process: int) -> float | None:
    """What one process holds in memory; a page that n processes share counts as 1/n. Takes milliseconds.

    None if the kernel refuses to show it.
    """
    path = _PROC / str(process) / "smaps_rollup"
    try:
        path.open("rb").close()
    except PermissionError:
        return None
    except OSError:  # it has ended
        return 0.0
    return _sum_fields(path, _PROPORTIONAL)


def sockets_beside(process: int) -> int:
    """How many sockets there are in the network of ``process``; 0 if it has ended."""
    try:
        first = (_PROC / str(process) / "net" / "sockstat").read_text().split("\n", 1)[0]
    except OSError:
        return 0
    return int(first.split()[2])  # "sockets: used 7"


def send(process: int, number: signal.Signals) -> bool:
    """Send a signal to a process as /proc numbers it (which may differ from our own numbering).

    True when there was such a process. Safe against numbers being used again.
    """
    try:
        handle = os.open(_PROC / str(process), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        signal.pidfd_send_signal(handle, number)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _sum_fields(path: Path, names: tuple[str, ...]) -> float:
    """Megabytes in the named lines of a file of /proc; zero when the process has ended."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0.0
    kilobytes = sum(int(line.split()[1]) for line in lines if line.startswith(names))
    return kilobytes / _KILOBYTES_PER_MEGABYTE
