"""A control group for each sandbox: the kernel limits how much its processes hold, and how many they are.

The watchdog adds up processes. A group also counts files in memory, socket buffers and the kernel's own
bookkeeping, and it counts all the time, not every few hundredths of a second. Groups are made below the one
that the grader is in, so its limits hold for them too. Importable everywhere; ``make`` returns None where no
group can be made.

Both versions of the interface are in use. In version 1 each controller has a tree of its own, so a group is
two folders (memory, pids) and has two handles everywhere below; in version 2 it is one folder.
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
"""What a group may hold beyond ``memory_mb``: the kernel's bookkeeping, and room for the watchdog."""

PREFIX = "chainrule-"
_ASIDE = "chainrule.grader"  # for our own processes: a group of version 2 has processes or subgroups
_NEEDED = ("memory", "pids")
_REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT)
_END_SECONDS = 2.0
_READ = 1 << 16
_PROC = Path("/proc/self")
# Compiled once in the zygote, not in every fork of it.
_KILLS = re.compile(rb"^oom_kill (\d+)", re.MULTILINE)
_USAGE = re.compile(rb"^usage_usec (\d+)", re.MULTILINE)
_FULL = re.compile(rb"^under_oom 1$", re.MULTILINE)
_ESCAPED = re.compile(r"\\([0-7]{3})")


def advice() -> str:
    """How a person starts the grader so that it may make groups."""
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

    Groups left over from graders that were killed are ended first. Raises OSError if a group was made but
    cannot be limited: it would not keep its promise.
    """
    folders = find(proc=proc)
    if not folders:
        return None
    with contextlib.ExitStack() as held:
        parents = tuple(_hold(held, str(folder)) for folder in folders)
        # A group without a lock on it counts as left over, and whoever makes the next one ends it. Between
        # mkdir and the lock on the new folder nobody else may look, so the parent is locked meanwhile.
        _lock(parents[0])
        _end_left_over(parents)
        name = f"{PREFIX}{secrets.token_hex(6)}"
        try:
            for parent in parents:
                os.mkdir(name, dir_fd=parent)
        except OSError as error:
            if error.errno in _REFUSALS:  # not ours to divide: the watchdog alone has to do
                return None
            raise
        own = tuple(_hold(held, name, parent) for parent in parents)
        _lock(own[0])
        _unlock(parents[0])
        try:
            _limit(own, limits)
            roll = "tasks" if len(own) > 1 else "cgroup.procs"
            # Opened now, with the grader's rights, and used later: the kernel asks whether the one who opened
            # them may move a process.
            members = tuple(_hold(held, roll, folder, os.O_WRONLY) for folder in own)
            events = _hold(held, "memory.oom_control" if len(own) > 1 else "memory.events", own[0])
            usage = _hold(held, "cpu.stat", own[0]) if len(own) == 1 else None
        except OSError:
            _end(parents, own, name)
            raise
        # The handles, and with them the lock, now live as long as the group.
        return Group(name, parents, own, members, events, usage, held.pop_all())


def find(*, proc: Path = _PROC) -> tuple[Path, ...]:
    """The folders in which this process may make groups: memory's and pids' (version 1), or one for both.

    Empty where there is none. In version 2 the processes of a group that was delegated to us are moved into a
    subgroup: a group may have processes or subgroups, not both.
    """
    own = _own_groups(proc)
    folders = tuple(own[name] for name in _NEEDED if name in own)
    if len(folders) < len(_NEEDED):
        folders = _shared_by_both(own.get(""), proc)
    return folders if all(os.access(folder, os.W_OK | os.X_OK) for folder in folders) else ()


@dataclass(frozen=True)
class Group:
    """One group. Its files are held open, because later its folder is out of sight (a new root)."""

    name: str
    _parents: tuple[int, ...]
    _own: tuple[int, ...]
    _members: tuple[int, ...]
    _events: int
    _usage: int | None
    _held: contextlib.ExitStack

    @property
    def entered_from_inside(self) -> bool:
        """Whether a single-threaded process should put itself in (version 1) instead of being moved.

        To move another process the kernel waits until nobody forks, often ten milliseconds.
        """
        return len(self._members) > 1

    def join(self, process: int = 0) -> None:
        """Put in ``process`` (0: the calling one) and all that it starts from now on, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            for members in self._members:
                os.write(members, str(process).encode())

    def memory_kills(self) -> int:
        """How many of its processes the kernel has killed because the group held too much."""
        found = _KILLS.search(os.pread(self._events, _READ, 0))
        return int(found[1]) if found else 0

    def processor_seconds(self) -> float | None:
        """The processor time of all its processes, ended ones too; None in version 1, which does not say."""
        if self._usage is None:
            return None
        found = _USAGE.search(os.pread(self._usage, _READ, 0))
        return int(found[1]) / 1e6 if found else None

    def is_full(self) -> bool:
        """Whether a process waits for memory that the group may not have (version 1, see ``_limit``)."""
        return _FULL.search(os.pread(self._events, _READ, 0)) is not None

    def kill(self) -> None:
        """Kill every process in it. Some may still be ending when this returns."""
        _kill(self._own)

    def end(self) -> None:
        """Kill what is left in the group and remove it."""
        _end(self._parents, self._own, self.name)
        self._held.close()


def _own_groups(proc: Path) -> dict[str, Path]:
    """Controller -> the folder of our own group; version 2 is listed under ""."""
    mounts = _mounts(proc)
    found: dict[str, Path] = {}
    for line in (proc / "cgroup").read_text().splitlines() if mounts else ():
        _, controllers, group = line.split(":", 2)
        for name in controllers.split(","):
            root, folder = mounts.get(name, ("", ""))
            # In a container the mount shows only a part of the tree, whose root is ``root``.
            below = os.path.relpath(group, root) if root else ".."
            if not below.startswith(".."):  # else our group is not in sight
                found[name] = Path(os.path.normpath(os.path.join(folder, below)))
    return found


def _mounts(proc: Path) -> dict[str, tuple[str, str]]:
    """Controller -> (the group at the root of its mount, the folder of the mount); version 2 is ""."""
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
    """The path, of one with octal escapes, as mountinfo writes a space."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)


def _shared_by_both(own: Path | None, proc: Path) -> tuple[Path, ...]:
    """Version 2: the folder in which groups with both controllers can be made, if there is one."""
    if own is None:
        return ()
    # An earlier grader, or this one's parent, may have moved us aside already.
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
    """Give groups made in ``folder`` both controllers; does nothing if it lacks one itself.

    Processes are moved aside for it only if the group was delegated to us: it is marked so, or it is the
    ``whole`` tree that a container sees. Raises OSError where it may not be done.
    """
    controllers = " ".join(f"+{name}" for name in _NEEDED)
    if not set(_NEEDED) <= set((folder / "cgroup.controllers").read_text().split()):
        return
    try:
        (folder / "cgroup.subtree_control").write_text(controllers)
    except OSError as error:
        # EBUSY: the folder holds processes, ourselves among them, and only a group without processes may give
        # controllers to its subgroups. A group that is not ours alone is left as it is.
        if error.errno != errno.EBUSY or not (whole or _delegated(folder)):
            raise
        aside = folder / _ASIDE
        aside.mkdir(exist_ok=True)
        for process in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (aside / "cgroup.procs").write_text(process)
        (folder / "cgroup.subtree_control").write_text(controllers)


def _delegated(folder: Path) -> bool:
    """Whether systemd says that the group is its owner's to divide (Delegate=yes)."""
    for mark in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(folder, mark) == b"1":
                return True
    return False


def _limit(own: Sequence[int], limits: ProcessLimits) -> None:
    size = str((limits.memory_mb + MARGIN_MB) * MEGABYTE)
    if len(own) > 1:
        # In this order: memory and swap together may never be less than memory alone.
        _write(own[0], "memory.limit_in_bytes", size)
        swap, most = "memory.memsw.limit_in_bytes", size  # of both together
        # Instead of killing, let whoever wants more wait until the watchdog has chosen. The kernel would kill
        # the largest and, before its memory is free, the next: the state itself for what one copy did.
        _write(own[0], "memory.oom_control", "1")
    else:
        _write(own[0], "memory.max", size)
        swap, most = "memory.swap.max", "0"
    with contextlib.suppress(FileNotFoundError):  # a kernel that does not count swap
        _write(own[0], swap, most)
    _write(own[-1], "pids.max", str(limits.processes))


def _end_left_over(parents: Sequence[int]) -> None:
    """End and remove the groups whose makers were killed: nobody holds their lock."""
    for name in os.listdir(parents[0]):
        if not name.startswith(PREFIX):
            continue
        # A lock that is taken, a folder that has just gone, another user's: each is an OSError, and not ours.
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            own = [_hold(held, name, parents[0])]
            _lock(own[0], wait=False)
            with contextlib.suppress(FileNotFoundError):  # its maker was killed between the two
                own += [_hold(held, name, parent) for parent in parents[1:]]
            _end(parents, own, name)


def _end(parents: Sequence[int], own: Sequence[int], name: str) -> None:
    """Kill every process of a group and remove it. What does not end in time is left to the next ``make``."""
    deadline = time.monotonic() + _END_SECONDS
    waiting = list(zip(parents, own, strict=False))
    while waiting and time.monotonic() < deadline:
        parent, _ = waiting[-1]  # the folder with the lock goes last: until then nobody else cleans up here
        try:
            os.rmdir(name, dir_fd=parent)
            waiting.pop()
        except FileNotFoundError:
            waiting.pop()
        except OSError:  # it still has processes
            _kill(own)
            time.sleep(0.001)


def _kill(own: Sequence[int]) -> None:
    try:
        _write(own[0], "cgroup.kill", "1")
    except FileNotFoundError:  # version 1, or Linux before 5.14
        with contextlib.suppress(OSError):
            _write(own[-1], "pids.max", "0")  # else a fork bomb outruns the loop below
        for folder in own:
            _kill_each(folder)


def _kill_each(folder: int) -> None:
    handles = {}
    for process in _processes(folder):
        with contextlib.suppress(OSError):
            handles[process] = os.pidfd_open(process)
    # Asked again: a process may have ended, and its number gone to a stranger, before we held it. What is a
    # member now and is held by us is the same process.
    still = _processes(folder)
    for process, handle in handles.items():
        if process in still:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)


def _processes(folder: int) -> set[int]:
    with contextlib.ExitStack() as held:
        found = os.read(_hold(held, "cgroup.procs", folder), _READ)
    return {int(process) for process in found.split()} - {0}  # 0: one of another process namespace


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
