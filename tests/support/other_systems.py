"""A Python program that runs as on Windows: without what only Unix has."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

MODULES = "fcntl resource pwd grp termios pty tty syslog spwd nis crypt posix_ipc ossaudiodev"

_PRELUDE = f"""
import asyncio, importlib, importlib.abc, os, select, signal, socket, subprocess, sys, types
from fcntl import LOCK_EX, LOCK_NB, lockf as lock
LOCK = LOCK_EX | LOCK_NB
blocked = set({MODULES.split()!r}) | set(BLOCKED)

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if any(name == each or name.startswith(each + ".") for each in blocked):
            raise ModuleNotFoundError(f"{{name}} is not on this machine", name=name)

for name in ("click", "IPython", "jinja2", "numpy", "pytest", "rich.progress", *THIRD_PARTY):
    importlib.import_module(name)
sys.meta_path.insert(0, Blocker())
for name in blocked:
    sys.modules.pop(name, None)
GONE = (
    (select, "epoll poll"),
    (os, "fork forkpty pidfd_open getuid geteuid getgid setsid killpg pread pwrite sched_getaffinity mkfifo "
         "O_NOFOLLOW O_NONBLOCK O_CLOEXEC O_DIRECTORY WNOHANG chown fchmod statvfs"),
    (signal, "setitimer getitimer SIGALRM SIGKILL SIGHUP SIGCHLD pidfd_send_signal pthread_sigmask"),
    (socket, "SCM_RIGHTS CMSG_LEN send_fds recv_fds"),
)
for module, names in GONE:
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)

def locking(descriptor, mode, size):  # bytes at the file's position, without waiting
    try:
        lock(descriptor, LOCK, size, os.lseek(descriptor, 0, os.SEEK_CUR))
    except BlockingIOError:
        raise PermissionError(13, "Permission denied") from None

sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
asyncio.ProactorEventLoop = asyncio.SelectorEventLoop
sys.platform = "win32"
"""


def run_elsewhere(
    program: str, *, third_party: tuple[str, ...] = (), blocked: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program where what only Unix has is missing, and modules ``blocked`` by name.

    ``third_party`` is imported before, as is the base install: such packages look at the platform themselves.
    """
    source = f"THIRD_PARTY, BLOCKED = {third_party!r}, {blocked!r}\n{_PRELUDE}\n{textwrap.dedent(program)}"
    return subprocess.run(
        [sys.executable, "-c", source],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "COLUMNS": "120", "USERNAME": "eve"},
    )
