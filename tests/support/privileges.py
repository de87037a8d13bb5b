"""Run a command with fewer privileges: as an ordinary user, or as in a container with Docker's defaults.

``python -m support.privileges STASH HOW COMMAND...`` gives up what it has, then becomes the command.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .paths import ROOT, TESTS, environment

NOBODY = 65534
HANGS = 900
"""Seconds that no run takes, whole files of tests on a busy machine included."""


def run_as_ordinary_user(
    command: Sequence[str], *, timeout: float = HANGS
) -> subprocess.CompletedProcess[str]:
    """Run ``command`` without any privilege; as root, through a user that owns nothing here."""
    return run_as(command, "ordinary" if os.geteuid() == 0 else "", timeout=timeout)


def run_without_namespaces(
    command: Sequence[str], *, ordinary: bool = False, timeout: float = HANGS
) -> subprocess.CompletedProcess[str]:
    """Run ``command`` as in a container with Docker's defaults: no namespaces, no mounts, few privileges.

    As root or, if ``ordinary``, as a user that owns nothing. Needs root to be set up like that.
    """
    return run_as(command, "contained-ordinary" if ordinary else "contained", timeout=timeout)


def run_as(
    command: Sequence[str], how: str, *, timeout: float, cwd: Path = TESTS, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run ``command``, after this module's ``how`` if there is one; coverage of it is not measured.

    ``more`` are environment variables.
    """
    variables = environment(PYTHONDONTWRITEBYTECODE="1", **more)
    variables = {name: value for name, value in variables.items() if not name.startswith("COVERAGE_")}
    with tempfile.TemporaryDirectory() as stash:
        if how:
            command = [sys.executable, "-m", "support.privileges", stash, how, *command]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, env=variables, cwd=cwd, check=False
        )


def forbid_namespaces() -> None:
    """For this process and its children: no unshare, mount and the like, and no clone into a namespace."""
    import ctypes  # noqa: PLC0415
    import struct  # noqa: PLC0415

    from grader.sandbox import syscalls  # noqa: PLC0415
    from grader.sandbox.walls import capabilities  # noqa: PLC0415
    from grader.sandbox.walls.seccomp import Op, assemble  # noqa: PLC0415

    column = syscalls.architecture()
    # unshare, setns, mount, umount2, pivot_root, chroot
    refused = [(272, 97), (308, 268), (165, 40), (166, 39), (155, 41), (161, 51)]
    clone = (56, 220)[column]
    program = [
        Op(0x20, 0),
        *(Op(0x15, pair[column], yes="refuse") for pair in refused),
        Op(0x15, 435, yes="unknown"),  # clone3: its flags are out of sight
        Op(0x15, clone, no="allow"),
        Op(0x20, 16),
        Op(0x45, 0x7E020000, yes="refuse", no="allow"),
        Op(0x06, 0x7FFF0000, label="allow"),
        Op(0x06, 0x00050000 | 1, label="refuse"),
        Op(0x06, 0x00050000 | 38, label="unknown"),
    ]
    code = assemble(program)
    buffer = ctypes.create_string_buffer(code, len(code))
    capabilities.forbid_new_privileges()
    syscalls.call("seccomp", 1, 0, struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer)))


def _keep_dockers_privileges() -> None:
    import struct  # noqa: PLC0415

    from grader.sandbox import syscalls  # noqa: PLC0415

    # chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw,
    # sys_chroot, mknod, audit_write, setfcap
    kept = sum(1 << number for number in (0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31))
    for number in range(64):
        if not kept >> number & 1:
            try:
                syscalls.prctl(syscalls.PR_CAPBSET_DROP, number)
            except OSError:
                break
    words = [kept & 0xFFFFFFFF, kept & 0xFFFFFFFF, 0, 0, 0, 0]
    syscalls.call("capset", struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *words))


def _show_python_and_run(stash: Path, how: str, command: list[str]) -> None:
    """Python itself may live where only root can go: show it in a private view of the files first."""
    from grader.sandbox import syscalls  # noqa: PLC0415  # Linux only
    from grader.sandbox.syscalls import MS_BIND, MS_PRIVATE, MS_REC  # noqa: PLC0415

    syscalls.unshare(0x00020000)
    syscalls.mount(None, "/", flags=MS_REC | MS_PRIVATE)
    needed = {Path(sys.prefix), Path(sys.base_prefix), ROOT}
    syscalls.mount("none", str(stash), kind="tmpfs")
    kept = {path: stash / str(number) for number, path in enumerate(sorted(needed))}
    for path, copy in kept.items():
        copy.mkdir()
        syscalls.mount(str(path), str(copy), flags=MS_BIND)
    closed = {parent for path in needed for parent in path.parents if not parent.stat().st_mode & 0o001}
    for parent in sorted(closed, key=lambda path: len(path.parts)):
        if not parent.exists():  # covered up with a folder above it
            continue
        syscalls.mount("none", str(parent), kind="tmpfs", options="mode=0755")
        for path, copy in kept.items():
            if not path.exists():
                path.mkdir(parents=True)
                syscalls.mount(str(copy), str(path), flags=MS_BIND)
    if how == "contained":
        _keep_dockers_privileges()
    elif how != "root":
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    if how.startswith("contained"):
        forbid_namespaces()
    os.environ["HOME"] = "/nonexistent"
    os.execv(command[0], command)  # noqa: S606  # the test's own command


if __name__ == "__main__":
    _show_python_and_run(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
