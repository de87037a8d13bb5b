"""A control group for each sandbox: the kernel counts all that its processes hold, and how many they are.

The watchdog adds up processes. A group also counts files in memory, sockets' buffers and the kernel's own
bookkeeping, and leaves no time between two looks. Groups are made below the one that we are in, so what
bounds the grader bounds them too. Importable everywhere; ``make`` gives None where no group can be made.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.spec import MEGABYTE, ProcessLimits

MARGIN_MB = 64
"""What a group may hold beyond ``memory_mb``: bookkeeping of the kernel's, and room for the watchdog."""

PREFIX = "chainrule-"
_ASIDE = "chainrule.grader"  # for our own processes: a group of version 2 has processes or subgroups
_NEEDED = ("memory", "pids")
_REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)
_END_SECONDS = 2.0
_READ = 1 << 16
_PROC = Path("/proc/self")
# Made once in the zygote, not in every fork of it.
_KILLS = re.compile(rb"^oom_kill (\d+)", re.MULTILINE)
_FULL = re.compile(rb"^under_oom 1$", re.MULTILINE)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def advice() -> str:
    """What gives the grader a group in which it may make its own."""
    return (
        "for a cgroup, which counts files in memory and sockets' buffers too, start it with "
        "`systemd-run --user --scope -p Delegate=yes grade ...` (as root without `--user`), Docker 28 with "
        "`--security-opt writable-cgroups=true`"
    )


def available() -> bool:
    """Whether a group with limits can be made here, found by making one."""
    group = make(ProcessLimits())
    if group is None:
        return False
    group.end()
    return True


def make(limits: ProcessLimits, *, proc: Path = _PROC) -> Group | None:
    """A new, empty group under ``limits``; None where this process may make none.

    What earlier groups left behind whose maker was killed is ended first. Raises OSError when a group was
    made but cannot be limited: it would not keep what it promises.
    """
    folders = find(proc=proc)
    if not folders:
        return None
    with contextlib.ExitStack() as held:
        parents = tuple(_hold(held, str(folder)) for folder in folders)
        # Locked, so that nobody takes a group for left over in the moment before its maker holds it.
        _lock(parents[0])
        _end_left_over(parents)
        name = f"{PREFIX}{secrets.token_hex(6)}"
        try:
            for parent in parents:
                os.mkdir(name, dir_fd=parent)
        except OSError as error:
            if error.errno in _REFUSALS:
                return None
            raise
        own = tuple(_hold(held, name, parent) for parent in parents)
        _lock(own[0])
        _unlock(parents[0])
        try:
            _limit(own, limits)
            roll = "tasks" if len(own) > 1 else "cgroup.procs"
            # Opened now: the kernel asks whether the one who opened them may move a process.
            members = tuple(_hold(held, roll, folder, os.O_WRONLY) for folder in own)
            events = _hold(held, "memory.oom_control" if len(own) > 1 else "memory.events", own[0])
        except OSError:
            _end(parents, own, name)
            raise
        return Group(name, parents, own, members, events, held.pop_all())


def find(*, proc: Path = _PROC) -> tuple[Path, ...]:
    """The folders in which this process may make groups: memory's and pids' (version 1), or one for both.

    Empty where there is none. In version 2 the processes of a group that was handed to us are moved into a
    group of their own below it: only then may there be others.
    """
    own = _own_groups(proc)
    folders = tuple(own[name] for name in _NEEDED if name in own)
    if len(folders) < len(_NEEDED):
        folders = _shared_by_both(own.get(""), proc)
    return folders if all(os.access(folder, os.W_OK | os.X_OK) for folder in folders) else ()


@dataclass(frozen=True)
class Group:
    """One group. Its files are open, so that it can be used by a process that no longer sees their folder."""

    name: str
    _parents: tuple[int, ...]
    _own: tuple[int, ...]
    _members: tuple[int, ...]
    _events: int
    _held: contextlib.ExitStack

    @property
    def entered_from_inside(self) -> bool:
        """Whether a process with one thread best puts itself in: version 1, where that needs no lock.

        To move another one the kernel waits until nobody forks, often ten milliseconds.
        """
        return len(self._members) > 1

    def join(self, process: int = 0) -> None:
        """Put in ``process``, or the calling one, with all that it starts from now on, unless it ended."""
        with contextlib.suppress(ProcessLookupError):
            for members in self._members:
                os.write(members, str(process).encode())

    def memory_kills(self) -> int:
        """How many of its processes the kernel has ended because the group held too much."""
        found = _KILLS.search(os.pread(self._events, _READ, 0))
        return int(found[1]) if found else 0

    def is_full(self) -> bool:
        """Whether a process waits for memory that the group may not have: version 1, where none is ended."""
        return _FULL.search(os.pread(self._events, _READ, 0)) is not None

    def kill(self) -> None:
        """End every process in it. They may be about to end when this returns."""
        _kill(self._own)

    def end(self) -> None:
        """End what is left in the group and remove it."""
        _end(self._parents, self._own, self.name)
        self._held.close()


def _own_groups(proc: Path) -> dict[str, Path]:
    """The folder of our group, for each controller of version 1, and for "", which is version 2."""
    mounts = _mounts(proc)
    found: dict[str, Path] = {}
    for line in (proc / "cgroup").read_text().splitlines() if mounts else ():
        _, controllers, group = line.split(":", 2)
        for name in controllers.split(","):
            root, folder = mounts.get(name, ("", ""))
            below = os.path.relpath(group, root) if root else ".."
            if not below.startswith(".."):  # else our group is not in sight
                found[name] = Path(os.path.normpath(os.path.join(folder, below)))
    return found


def _mounts(proc: Path) -> dict[str, tuple[str, str]]:
    """Which group is shown in which folder, for each controller of version 1, and for ""."""
    try:
        lines = (proc / "mountinfo").read_text().splitlines()
    except OSError:
        return {}
    found: dict[str, tuple[str, str]] = {}
    for line in lines:
        if " - cgroup" not in line:
            continue
        where, _, what = line.partition(" - ")
        root, folder = (_plain(text) for text in where.split()[3:5])
        kind, _, options = what.split()[:3]
        if kind in ("cgroup", "cgroup2"):
            found |= dict.fromkeys(options.split(",") if kind == "cgroup" else [""], (root, folder))
    return found


def _plain(text: str) -> str:
    """A path as it is, of one as the kernel lists it."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def _shared_by_both(own: Path | None, proc: Path) -> tuple[Path, ...]:
    """Version 2: the folder where groups with both controllers can be made, if there is one."""
    if own is None:
        return ()
    folder = own.parent if own.name == _ASIDE else own
    try:
        if not _divided(folder):
            _divide(folder, whole=(proc / "cgroup").read_text().strip().endswith("::/"))
    except OSError as error:
        if error.errno in (*_REFUSALS, errno.EBUSY):
            return ()
        raise
    return (folder,) if _divided(folder) else ()


def _divided(folder: Path) -> bool:
    """Whether groups made in ``folder`` have both controllers."""
    return set(_NEEDED) <= set((folder / "cgroup.subtree_control").read_text().split())


def _divide(folder: Path, *, whole: bool) -> None:
    """Give groups made in ``folder`` both controllers.

    Processes are moved aside for it only when the group was handed to us: it is marked so, or it is the
    ``whole`` that a container sees. Raises OSError where that may not be.
    """
    controllers = " ".join(f"+{name}" for name in _NEEDED)
    if not set(_NEEDED) <= set((folder / "cgroup.controllers").read_text().split()):
        return
    try:
        (folder / "cgroup.subtree_control").write_text(controllers)
    except OSError as error:
        if error.errno != errno.EBUSY or not (whole or _handed_over(folder)):
            raise
        aside = folder / _ASIDE
        aside.mkdir(exist_ok=True)
        for process in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (aside / "cgroup.procs").write_text(process)
        (folder / "cgroup.subtree_control").write_text(controllers)


def _handed_over(folder: Path) -> bool:
    """Whether systemd says that the group is its owner's to divide (Delegate=yes)."""
    for mark in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(folder, mark) == b"1":
                return True
    return False


def _limit(own: Sequence[int], limits: ProcessLimits) -> None:
    size = str((limits.memory_mb + MARGIN_MB) * MEGABYTE)
    if len(own) > 1:
        _write(own[0], "memory.limit_in_bytes", size)
        swap, most = "memory.memsw.limit_in_bytes", size  # of both together
        # Whoever wants more waits until the watchdog has chosen. The kernel would end the largest and, before
        # its memory is free, the next: the state itself for what one check's copy did.
        _write(own[0], "memory.oom_control", "1")
    else:
        _write(own[0], "memory.max", size)
        swap, most = "memory.swap.max", "0"
    with contextlib.suppress(FileNotFoundError):  # a kernel that does not count swap
        _write(own[0], swap, most)
    _write(own[-1], "pids.max", str(limits.processes))


def _end_left_over(parents: Sequence[int]) -> None:
    """End and remove the groups that nobody holds: their makers were killed."""
    for name in os.listdir(parents[0]):
        if not name.startswith(PREFIX):
            continue
        # It may be about to go, or be another user's; whoever made it holds its lock.
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            own = [_hold(held, name, parents[0])]
            _lock(own[0], wait=False)
            with contextlib.suppress(FileNotFoundError):  # its maker got no further
                own += [_hold(held, name, parent) for parent in parents[1:]]
            _end(parents, own, name)


def _end(parents: Sequence[int], own: Sequence[int], name: str) -> None:
    """End every process of a group and remove it. What does not end in time is left to the next one."""
    deadline = time.monotonic() + _END_SECONDS
    waiting = list(zip(parents, own, strict=False))
    while waiting and time.monotonic() < deadline:
        parent, _ = waiting[-1]  # the one that is locked goes last
        try:
            os.rmdir(name, dir_fd=parent)
            waiting.pop()
        except FileNotFoundError:
            waiting.pop()
        except OSError:  # somebody is in it
            _kill(own)
            time.sleep(0.001)


def _kill(own: Sequence[int]) -> None:
    try:
        _write(own[0], "cgroup.kill", "1")
    except FileNotFoundError:  # version 1, or Linux before 5.14
        with contextlib.suppress(OSError):
            _write(own[-1], "pids.max", "0")  # no new ones
        for folder in own:
            _kill_each(folder)


def _kill_each(folder: int) -> None:
    handles = {}
    for process in _processes(folder):
        with contextlib.suppress(OSError):
            handles[process] = os.pidfd_open(process)
    still = _processes(folder)  # asked again: a number may have gone to another process before we held it
    for process, handle in handles.items():
        if process in still:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)


def _processes(folder: int) -> set[int]:
    with contextlib.ExitStack() as held:
        found = os.read(_hold(held, "cgroup.procs", folder), _READ)
    return {int(process) for process in found.split()} - {0}


def _hold(held: contextlib.ExitStack, path: str, folder: int | None = None, how: int = os.O_RDONLY) -> int:
    handle = os.open(path, how | os.O_CLOEXEC, dir_fd=folder)
    held.callback(os.close, handle)
    return handle


def _write(folder: int, name: str, text: str) -> None:
    with contextlib.ExitStack() as held:
        os.write(_hold(held, name, folder, os.O_WRONLY), text.encode())


def _lock(handle: int, *, wait: bool = True) -> None:
    import fcntl  # noqa: PLC0415  # Unix only

    fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unlock(handle: int) -> None:
    import fcntl  # noqa: PLC0415  # Unix only

    fcntl.flock(handle, fcntl.LOCK_UN)
