"""The file system that student code sees: a small root of its own with read-only views of Python.

``plan`` decides what is shown (it only asks what exists); ``build`` and ``finish`` do it, in two
steps because /proc must be mounted by a process inside the new process namespace. Importable everywhere;
``build`` and ``finish`` need Linux and a mount namespace.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from grader.sandbox import syscalls
from grader.sandbox.spec import WORKDIR, BoxSpec
from grader.sandbox.syscalls import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
)
from grader.sandbox.walls import given

# Of the system what libraries load at run time, and the programs that notebooks start, compilers among them:
# nobody's files.
_SYSTEM = (
    "/bin",
    "/usr/bin",
    "/usr/include",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/usr/share/fontconfig",
    "/usr/share/fonts",
    "/usr/share/locale",
    "/usr/share/matplotlib",
    "/usr/share/zoneinfo",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/localtime",
)
# Of a Python installation only these: its prefix may be a checkout or lie in a home folder.
_OF_PREFIX = ("bin", "include", "lib", "lib64", "share", "etc", "pyvenv.cfg")
_DEVICES = ("null", "zero", "full", "random", "urandom")

_STAGING = "/tmp"  # noqa: S108  # only a mount point, inside a private mount namespace
_OLD = "/.old"
_SCRATCH = "/.scratch"
WRITABLE = (WORKDIR, "/tmp", "/dev/shm")  # noqa: S108  # the sandbox's own

_ROOT_OPTIONS = "size=8m,mode=0755,nr_inodes=8192"
_COVER_OPTIONS = "size=1m,mode=0755,nr_inodes=1024"
_FILES_PER_MB = 64


@dataclass(frozen=True)
class View:
    """One thing shown at ``path``: ``source``, read-only; None is a cover, which shows nothing."""

    path: str
    source: str | None


def prepare() -> None:
    """Look once, in the zygote, at what every sandbox shows."""
    _always_shown()


def plan(spec: BoxSpec) -> list[View]:
    """What is shown outside the working directory, parents before children."""
    shown = {**_always_shown(), **_shown(map(str, spec.extra))}
    hidden = {os.path.realpath(path) for path in spec.hidden}
    # A view may show a hidden path under another name than its own: cover each name.
    covers = {cover for path in hidden for view in shown.values() for cover in _seen_through(view, path)}
    ordered = sorted({**shown, **{path: View(path, None) for path in covers}}.values(), key=_depth)
    return list(_without_repetition(ordered))


def _always_shown() -> dict[str, View]:
    return _shown_for_good((*_SYSTEM, *_python_folders()))


@cache
def _shown_for_good(paths: tuple[str, ...]) -> dict[str, View]:
    return _shown(paths)


def _shown(paths: Iterable[str]) -> dict[str, View]:
    """Those of the paths that exist, each under both its names."""
    shown: dict[str, View] = {}
    for path in paths:
        source = os.path.realpath(path)
        if os.path.exists(source):
            # sys.path uses one, a library may find its neighbours by the other.
            shown |= {name: View(name, source) for name in (os.path.normpath(path), source)}
    return shown


def build(spec: BoxSpec) -> None:
    """Make the new root in the calling process's own mount namespace and move into it.

    The former root stays reachable until ``finish``, which the first process of the process namespace calls.
    """
    views = plan(spec)
    sources = {name: os.path.realpath(path) for name, path in spec.files.items()}
    for source in sources.values():
        if not os.path.exists(source):
            raise FileNotFoundError(f"{source} was to be given to student code, but does not exist")
    # Else mounts made here would appear in the machine's own tree, if its "/" is shared between namespaces.
    syscalls.mount(None, "/", flags=MS_REC | MS_PRIVATE)
    syscalls.mount("none", _STAGING, kind="tmpfs", flags=MS_NOSUID | MS_NODEV, options=_ROOT_OPTIONS)
    # pivot_root wants a mount point as the new root, and a folder in it for the old one.
    os.mkdir(_STAGING + _OLD)
    os.chdir(_STAGING)
    syscalls.pivot_root(".", "." + _OLD)
    os.chdir("/")
    _mount_scratch(spec.limits.disk_mb)
    for view in views:
        if view.source is None:
            _cover(view.path)
        else:
            _show(_OLD + view.source, view.path)
    for name in _DEVICES:
        _show(f"{_OLD}/dev/{name}", f"/dev/{name}", device=True)
    os.symlink("/proc/self/fd", "/dev/fd")
    for name, source in sources.items():
        given.lay(_OLD + source, f"{WORKDIR}/{name}", show=_show)
    os.makedirs("/proc", exist_ok=True)


def finish(user: int) -> None:
    """In the first process of the process namespace: its own /proc, no former root, then all read-only."""
    # While the former root is still in sight: in a user namespace the kernel allows a new /proc only if an
    # old one is fully visible.
    syscalls.mount("proc", "/proc", kind="proc", flags=MS_NOSUID | MS_NODEV | MS_NOEXEC)
    syscalls.unmount(_OLD)
    os.rmdir(_OLD)
    _write_accounts(user)
    given.hand_over(WORKDIR, user)
    syscalls.mount(None, "/", flags=MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    os.chdir(WORKDIR)


def _python_folders() -> Iterator[str]:
    for prefix in dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix)):
        for name in _OF_PREFIX:
            yield os.path.join(prefix, name)
    for entry in sys.path:
        if os.path.basename(entry) in {"site-packages", "dist-packages"}:
            yield entry


def _depth(view: View) -> tuple[int, str]:
    return view.path.count("/"), view.path


def _seen_through(view: View, path: str) -> Iterator[str]:
    """The name under which ``view`` shows the real path ``path``, if it does."""
    if view.source is not None and (path == view.source or path.startswith(view.source.rstrip("/") + "/")):
        yield view.path + path[len(view.source) :]


def _without_repetition(views: Iterable[View]) -> Iterator[View]:
    """Leave out what the view of a parent shows already, unless a cover lies between."""
    seen: dict[str, View] = {}
    for view in views:
        parent = os.path.dirname(view.path)
        while parent != "/" and parent not in seen:
            parent = os.path.dirname(parent)
        above = seen.get(parent)
        rest = view.path[len(parent) :]
        if above is None or above.source is None or view.source is None or above.source + rest != view.source:
            seen[view.path] = view
            yield view


def _mount_scratch(disk_mb: int) -> None:
    """One small file system in memory behind every writable place, so that all share one quota."""
    options = f"size={disk_mb}m,mode=0755,nr_inodes={max(4096, disk_mb * _FILES_PER_MB)}"
    os.mkdir(_SCRATCH)
    # Not MS_NOEXEC: a program that student code wrote can do what its code can do with ctypes, and no more.
    syscalls.mount("none", _SCRATCH, kind="tmpfs", flags=MS_NOSUID | MS_NODEV, options=options)
    for number, path in enumerate(WRITABLE):
        part = f"{_SCRATCH}/{number}"
        os.mkdir(part)
        os.chmod(part, 0o1777)  # noqa: S103  # as /tmp is everywhere; only the sandbox sees it
        os.makedirs(path, exist_ok=True)
        syscalls.mount(part, path, flags=MS_BIND)
    syscalls.unmount(_SCRATCH)  # its parts stay mounted, and with them the file system
    os.rmdir(_SCRATCH)


def _show(source: str, path: str, *, device: bool = False) -> None:
    """Bind ``source`` at ``path``, without what is mounted below it, read-only unless it is a device."""
    _make_place(path, folder=os.path.isdir(source))
    # Two steps: a bind ignores all other flags, so a remount sets them. Without MS_REC nothing that is
    # mounted below ``source`` comes along.
    syscalls.mount(source, path, flags=MS_BIND)
    flags = MS_BIND | MS_REMOUNT | MS_NOSUID | _locked_flags(source)
    flags = flags & ~MS_NODEV if device else flags | MS_NODEV | MS_RDONLY
    syscalls.mount(None, path, flags=flags)


def _cover(path: str) -> None:
    """Put nothing over ``path``: an empty folder, or the empty device for a file."""
    if os.path.isdir(path):
        syscalls.mount("none", path, kind="tmpfs", flags=MS_NOSUID | MS_NODEV, options=_COVER_OPTIONS)
    elif os.path.lexists(path):
        syscalls.mount(f"{_OLD}/dev/null", path, flags=MS_BIND)


def _make_place(path: str, *, folder: bool) -> None:
    """Something to mount on; folders on the way are made so that the sandbox's user can pass."""
    if folder:
        os.makedirs(path, exist_ok=True)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.lexists(path):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))


def _locked_flags(source: str) -> int:
    """The source's own restrictions: in a user namespace the kernel refuses to loosen them."""
    found = os.statvfs(source).f_flag
    pairs = (
        (os.ST_RDONLY, MS_RDONLY),
        (os.ST_NOSUID, MS_NOSUID),
        (os.ST_NODEV, MS_NODEV),
        (os.ST_NOEXEC, MS_NOEXEC),
    )
    return sum(flag for status, flag in pairs if found & status)


def _write_accounts(user: int) -> None:
    """The one account that exists inside; the machine's own list stays outside."""
    # In bytes: a codec would be imported, in each sandbox anew.
    with open("/etc/passwd", "wb") as accounts:
        accounts.write(b"student:x:%d:%d::%s:/\n" % (user, user, WORKDIR.encode()))
    with open("/etc/group", "wb") as groups:
        groups.write(b"student:x:%d:\n" % user)
