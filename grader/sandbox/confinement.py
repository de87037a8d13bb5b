"""From a fork of the zygote to the process that runs student code: every wall stands before that code runs.

``run`` is called in the child. What fails on the way is reported to the supervisor in words, so that a
sandbox that did not start is never taken for a student's crash.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from grader.inside.generators import seed_all
from grader.model.isolation import Mode
from grader.sandbox import processes
from grader.sandbox.modes import UNREADABLE
from grader.sandbox.spec import BoxSpec
from grader.sandbox.walls import capabilities, filesystem, landlock, rlimits, seccomp
from grader.sandbox.walls.cgroup import Group
from grader.sandbox.walls.namespaces import INSIDE_USER
from grader.sandbox.walls.shared_folder import Place

Serve = Callable[[socket.socket], NoReturn]

DATA = 3
"""The one connection that student code's process holds."""

STARTED = b"+"
"""What the worker reports once every wall stands; anything else is the text of what failed."""

SETUP_FAILED = 71
_SERVE_RETURNED = 70
_ABOVE_STANDARD = 16
_TRUNCATE_SINCE = 3  # the version of Landlock from which truncating a file is a right


def run(
    spec: BoxSpec,
    *,
    data: int,
    report: int,
    slot_user: int,
    place: Place,
    group: Group | None,
    serve: Serve,
) -> NoReturn:
    """Confine this process as ``spec`` says and hand it to ``serve``.

    ``data`` and ``report`` are file descriptors; ``slot_user`` is who to become when root starts sandboxes;
    ``place`` is where to work in a mode without a file system of its own; ``group`` is the control group.
    """
    try:
        report = _moved_up(report)
        try:
            if group is not None and group.entered_from_inside:
                group.join()
            _confine(spec, data=data, report=report, slot_user=slot_user, place=place)
            seed_all(spec.seed)
        except BaseException as error:  # noqa: BLE001  # reported in words, whatever it is
            os.write(report, f"{type(error).__name__}: {error}".encode()[:2000])
            os._exit(SETUP_FAILED)
        os.write(report, STARTED)
        os.close(report)  # else student code would inherit it
        gc.enable()  # the zygote switched it off while importing
        serve(socket.socket(fileno=DATA))
    finally:
        os._exit(_SERVE_RETURNED)


def prepare() -> None:
    """Work out in the zygote, once for all its forks, what is the same in each of them."""
    filesystem.prepare()
    with contextlib.suppress(OSError):  # not a machine that we have a filter for
        seccomp.prepare()


def _confine(spec: BoxSpec, *, data: int, report: int, slot_user: int, place: Place) -> None:
    # The order matters: mounting needs privileges, Landlock forbids mounting, and the system call filter
    # refuses most of the calls that the other walls are built with.
    mode = spec.mode
    others = _others(mode)  # by /proc, which Landlock is about to shut
    capabilities.die_with_parent()
    os.setsid()  # no terminal to type into, and no signals from its keys
    if mode.namespaces:
        filesystem.finish(slot_user if mode.own_user else INSIDE_USER)
    else:
        os.chdir(place.work)
    if mode.isolates:
        _give_up_privileges(mode, slot_user if mode.own_user else None)
        _check_files_readable(spec)
    os.umask(0o077)
    _keep_only(data, report)
    _clean_environment()
    _default_signals()
    # Everything that is confined here is inherited by programs: the filter, Landlock, the limits, the
    # namespaces, and that no file's owner or capabilities give privileges. A program can do what code in this
    # process can do with ctypes, so it is no further risk, except where no process may be started at all.
    if mode.namespaces:
        landlock.restrict(
            read=["/"], write=[*filesystem.WRITABLE, "/dev/null"], execute=True, make_sockets=True
        )
    elif mode.isolates:
        _check_python_readable()
        landlock.restrict(
            read=place.readable,
            write=[place.work, "/dev/null"],
            execute=mode.forks,
            at_least=_TRUNCATE_SINCE,
        )
    rlimits.apply(spec.limits, others=others)
    if mode.isolates:
        seccomp.install(among_others=not mode.namespaces, alone=not mode.forks)


def _others(mode: Mode) -> int | None:
    """How many threads the kernel counts together with the sandbox's; None if there is no limit."""
    if not mode.isolates:
        return None
    return 0 if mode.namespaces or mode.own_user else processes.threads_of(os.getuid())


def _give_up_privileges(mode: Mode, user: int | None) -> None:
    """Turn into ``user``, unless it is None, and give up every privilege."""
    if mode is not Mode.LANDLOCK:  # an ordinary user may not; with no_new_privs nothing is gained either way
        capabilities.empty_bounding_set()
    if user is not None:
        capabilities.become(user)
    capabilities.drop_all()
    capabilities.forbid_new_privileges()
    capabilities.die_with_parent()  # the change of user cleared it


def _check_python_readable() -> None:
    """Say in words what would otherwise be an ImportError that nobody understands."""
    here = Path(os.__file__).parent
    if not os.access(here, os.R_OK | os.X_OK):
        raise PermissionError(
            f"the sandbox's user cannot reach Python in {here}: install it where others can"
        )


def _check_files_readable(spec: BoxSpec) -> None:
    for name, path in spec.files.items():
        needed = os.R_OK | os.X_OK if os.path.isdir(name) else os.R_OK  # noqa: PTH112  # never raises
        if not os.access(name, needed):
            raise PermissionError(
                f"{UNREADABLE} {path}, which the assignment gives to students; run: chmod -R a+rX {path}"
            )


def _keep_only(data: int, report: int) -> None:
    """Standard streams to /dev/null, ``data`` as number 3, ``report`` where it is, everything else closed."""
    data = _moved_up(data)
    nowhere = os.open("/dev/null", os.O_RDWR)
    for standard in range(DATA):
        os.dup2(nowhere, standard)
    # Closed by programs, not by forks: a program that was left running must not hold the grader's connection.
    os.dup2(data, DATA, inheritable=False)
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208  # pathlib takes 0.5 ms in a new fork
        if number > DATA and number != report:
            _close(number)


def _moved_up(number: int) -> int:
    """A copy of a file descriptor with a number above those that ``_keep_only`` overwrites."""
    import fcntl  # noqa: PLC0415  # Unix only

    return fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD)


def _close(number: int) -> None:
    try:
        os.close(number)
    except OSError:  # the one that listed the folder is gone already
        return


def _clean_environment() -> None:
    """An environment from scratch: nothing of that of the person who grades."""
    here = os.getcwd()  # noqa: PTH109  # as above
    os.environ.clear()
    os.environ.update(
        HOME=here,
        TMPDIR=here,
        MPLCONFIGDIR=here,
        IPYTHONDIR=here,
        MPLBACKEND="module://matplotlib_inline.backend_inline",
        USER="student",
        LOGNAME="student",
        PATH=f"{sys.prefix}/bin:/usr/bin:/bin",
        LANG="C.UTF-8",
        OMP_NUM_THREADS="1",
        OPENBLAS_NUM_THREADS="1",
        MKL_NUM_THREADS="1",
    )
    tempfile.tempdir = None


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
