"""The walls one by one, and how to switch them off, which shows which of them stops an attack.

``switch_off`` replaces functions of the sandbox in the warm process that imports this module, before its
first sandbox. Nothing that `grade` reads (command line, environment, assignment) can do that.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from grader.sandbox import confinement, processes, supervisor, syscalls
from grader.sandbox.spec import BoxSpec
from grader.sandbox.walls import capabilities, cgroup, filesystem, landlock, namespaces, rlimits, seccomp
from grader.sandbox.watchdog import MemoryWatch

_ELSEWHERE = "/mnt"  # a mount point that is there everywhere, for the working directory among the machine's


def switch_off(names: Iterable[str]) -> None:
    """Switch these keys of ``LAYERS`` off in every sandbox that this process will start."""
    for name in names:
        LAYERS[name]()


def entry(folder: Path, names: Iterable[str]) -> str:
    """The name of a new module in ``folder`` that replaces the agent and has these layers switched off."""
    names = sorted(names)
    module = "without_" + "_".join(name.replace(" ", "_") for name in names)
    source = (
        f"import layers\nlayers.switch_off({names!r})\n"
        "from grader.inside.agent import make_shell, prepare, serve\n"
    )
    (folder / f"{module}.py").write_text(source)
    return module


def _replace(place: object, name: str) -> Callable[[], None]:
    return lambda: setattr(place, name, _nothing)


def _nothing(*_: object, **__: object) -> None:
    return


def _share(flag: int) -> Callable[[], None]:
    """Stay in the machine's own namespace of one kind."""

    def share() -> None:
        namespaces._ALL_BUT_USER &= ~flag

    return share


def _share_processes() -> None:
    _share(namespaces._PROCESS)()
    # With the machine's /proc in sight, the supervisor must look at its own descendants alone: process 1 is
    # the machine's, and the sockets beside it are those of everybody.
    supervisor._Supervisor._members = _own_descendants  # type: ignore[method-assign]
    supervisor._Supervisor._first = _own_worker  # type: ignore[method-assign]


def _own_descendants(_: object) -> list[int]:
    return processes.descendants(os.getpid())[1:]


def _own_worker(of: supervisor._Supervisor) -> int:
    return of.process


def _share_files() -> None:
    """The machine's own file system, as it is; only the working directory has its size."""
    filesystem.build, filesystem.finish = _build_among_files, _finish_among_files
    filesystem.WRITABLE = (_ELSEWHERE, "/tmp", "/dev/shm")


def _build_among_files(spec: BoxSpec) -> None:
    syscalls.mount(None, "/", flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("none", _ELSEWHERE, kind="tmpfs", options=f"size={spec.limits.disk_mb}m,mode=1777")
    for name, path in spec.files.items():
        Path(_ELSEWHERE, name).symlink_to(path)


def _finish_among_files(_: int) -> None:
    syscalls.mount("proc", "/proc", kind="proc")
    os.chdir(_ELSEWHERE)


def _roomy_disk() -> None:
    mount = filesystem._mount_scratch

    def roomy(_: int) -> None:
        mount(4096)

    filesystem._mount_scratch = roomy


def _keep_descriptors() -> None:
    confinement._close = _nothing


def _stay_root() -> None:
    capabilities.become = _nothing


def _keep_privileges() -> None:
    capabilities.drop_all = capabilities.empty_bounding_set = _nothing


def _look_away() -> None:
    def victims(_: MemoryWatch, *, full: bool = False) -> list[Any]:
        return []

    MemoryWatch.victims = victims  # type: ignore[method-assign]


def _count_no_sockets() -> None:
    supervisor._Supervisor._keep_sockets = _nothing  # type: ignore[method-assign]


def _fail(*_: object, **__: object) -> None:
    raise OSError(UNBUILDABLE)


UNBUILDABLE = "this wall cannot be built"
"""What such a sandbox says: no layer is off, it does not start."""

LAYERS: dict[str, Callable[[], None]] = {
    "own files": _share_files,
    "own processes": _share_processes,
    "own network": _share(namespaces._NETWORK),
    "own names": _share(namespaces._NAMES),
    "own messages": _share(namespaces._IPC),
    "own user": _stay_root,
    "no privileges": _keep_privileges,
    "no new privileges": _replace(capabilities, "forbid_new_privileges"),
    "closed descriptors": _keep_descriptors,
    "Landlock": _replace(landlock, "restrict"),
    "seccomp": _replace(seccomp, "install"),
    "kernel limits": _replace(rlimits, "apply"),
    "memory watchdog": _look_away,
    "socket count": _count_no_sockets,
    "disk size": _roomy_disk,
    "control group": _replace(cgroup, "make"),
    UNBUILDABLE: lambda: setattr(rlimits, "apply", _fail),
}
"""By name, what switches a layer off; the last makes every sandbox fail to start instead."""
