"""From a fork of the zygote to the process that runs student code: every wall goes up before it does.

``run`` is called in the child; whatever fails on the way is reported to the supervisor in words, so that
a sandbox that did not start is never taken for a student's crash.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import NoReturn

from grader.sandbox import capabilities, filesystem, landlock, limits, seccomp
from grader.sandbox.modes import Mode
from grader.sandbox.namespaces import INSIDE_USER
from grader.sandbox.spec import BoxSpec

Serve = Callable[[socket.socket], NoReturn]

DATA = 3
"""The one connection that student code's process holds."""

STARTED = b"+"
"""What the supervisor is told when every wall stands; anything else is the text of what failed."""

SETUP_FAILED = 71
_SERVE_RETURNED = 70
_ABOVE_STANDARD = 16


def run(spec: BoxSpec, *, data: int, report: int, slot_user: int, workdir: str, serve: Serve) -> NoReturn:
    """Confine this process as ``spec`` says and hand it to ``serve``.

    ``data`` and ``report`` are file descriptors; ``slot_user`` is who to become when root starts sandboxes;
    ``workdir`` is where to work in a mode without a file system of its own.
    """
    try:
        report = _moved_up(report)
        try:
            _confine(spec, data=data, report=report, slot_user=slot_user, workdir=workdir)
            seed_generators(spec.seed)
        except BaseException as error:  # noqa: BLE001  # reported in words, whatever it is
            os.write(report, f"{type(error).__name__}: {error}".encode()[:2000])
            os._exit(SETUP_FAILED)
        os.write(report, STARTED)
        os.close(report)
        gc.enable()
        serve(socket.socket(fileno=DATA))
    finally:
        os._exit(_SERVE_RETURNED)


def _confine(spec: BoxSpec, *, data: int, report: int, slot_user: int, workdir: str) -> None:
    capabilities.die_with_parent()
    os.setsid()
    if spec.mode.isolates:
        user = slot_user if spec.mode is Mode.NS_ROOT else INSIDE_USER
        filesystem.finish(user)
        _give_up_privileges(spec.mode, user)
        _check_files_readable(spec)
    else:
        os.chdir(workdir)
    os.umask(0o077)
    _keep_only(data, report)
    _clean_environment()
    _default_signals()
    if spec.mode.isolates:
        landlock.restrict(read=["/"], write=[*filesystem.WRITABLE, "/dev/null"])
    limits.apply(spec.limits, count_processes=spec.mode.isolates)
    if spec.mode.isolates:
        seccomp.install()


def _give_up_privileges(mode: Mode, user: int) -> None:
    capabilities.empty_bounding_set()
    if mode is Mode.NS_ROOT:
        capabilities.become(user)
    capabilities.drop_all()
    capabilities.forbid_new_privileges()
    capabilities.die_with_parent()  # the change of user cleared it


def _check_files_readable(spec: BoxSpec) -> None:
    for name, path in spec.files.items():
        needed = os.R_OK | os.X_OK if os.path.isdir(name) else os.R_OK
        if not os.access(name, needed):
            raise PermissionError(
                f"the sandbox's user cannot read the given {path}: allow it with chmod -R a+rX"
            )


def _keep_only(data: int, report: int) -> None:
    """Standard streams to nowhere, ``data`` as number 3, ``report`` where it is, everything else closed."""
    data = _moved_up(data)
    nowhere = os.open("/dev/null", os.O_RDWR)
    for standard in range(DATA):
        os.dup2(nowhere, standard)
    os.dup2(data, DATA)
    for name in os.listdir("/proc/self/fd"):
        number = int(name)
        if number > DATA and number != report:
            _close(number)


def _moved_up(number: int) -> int:
    """A copy of a file descriptor that is out of the way of the standard ones."""
    import fcntl  # noqa: PLC0415  # Unix only

    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD)


def _close(number: int) -> None:
    try:
        os.close(number)
    except OSError:  # the one that listed the folder is gone already
        return


def _clean_environment() -> None:
    """An environment from scratch: nothing of the person's who grades."""
    here = os.getcwd()
    os.environ.clear()
    os.environ.update(
        HOME=here,
        TMPDIR=here,
        MPLCONFIGDIR=here,
        IPYTHONDIR=here,
        MPLBACKEND="module://matplotlib_inline.backend_inline",
        USER="student",
        LOGNAME="student",
        PATH="/usr/bin:/bin",
        LANG="C.UTF-8",
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
        MKL_NUM_THREADS="1",
    )
    tempfile.tempdir = None


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def seed_generators(seed: int) -> None:
    """Start the generators of the libraries that are loaded: forks of one zygote inherit the same state."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
