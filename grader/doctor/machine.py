"""What this machine offers a sandbox, as it says itself. Whether that is enough, only trying tells.

Importable and callable everywhere; what a system does not have reads "none" or "unknown".
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

from grader.sandbox import syscalls
from grader.sandbox.walls import cgroup, landlock


def facts() -> dict[str, str]:
    """Name of each fact -> what was found, in words; in display order."""
    found = {"system": f"{platform.system()} {platform.release()} on {platform.machine()}"}
    if sys.platform.startswith("linux"):
        found |= _linux()
    return found | {
        "Python": platform.python_version(),
        "numpy": _version_of("numpy"),
        "PyTorch": _version_of("torch"),
    }


def _linux() -> dict[str, str]:
    return {
        "user": "root" if os.geteuid() == 0 else f"an ordinary user ({os.geteuid()})",
        "container": _container(),
        "Landlock": f"version {found}" if (found := landlock.version()) else "none",
        "seccomp": _seccomp(),
        "user namespaces": _user_namespaces(),
        "cgroup": _cgroup(),
        "processes": _process_limits(),
    }


def _container() -> str:
    signs = {"Docker": "/.dockerenv", "Podman": "/run/.containerenv"}
    return next((name for name, path in signs.items() if Path(path).exists()), "no sign of one")


def _seccomp() -> str:
    if not _read("/proc/sys/kernel/seccomp/actions_avail"):
        return "none"
    known = "with numbers" if platform.machine() in syscalls.ARCHITECTURES else "without numbers"
    return f"available, {known} for {platform.machine()}"


def _user_namespaces() -> str:
    """Each known setting that forbids them, with its value."""
    if not Path("/proc/self/ns/user").exists():
        return "not in this kernel"
    switches = {
        "user.max_user_namespaces": "0",
        "kernel.unprivileged_userns_clone": "0",
        "kernel.apparmor_restrict_unprivileged_userns": "1",
    }
    forbidding = [
        f"{name}={value}"
        for name, value in switches.items()
        if _read("/proc/sys/" + name.replace(".", "/")) == value
    ]
    return f"forbidden by {', '.join(forbidding)}" if forbidding else "forbidden by no known setting"


def _cgroup() -> str:
    """Where a group for each sandbox can be made."""
    folders = cgroup.find()
    if not folders:
        return "none in which groups can be made"
    return f"version {1 if len(folders) > 1 else 2}, in {' and '.join(map(str, folders))}"


def _process_limits() -> str:
    import resource  # noqa: PLC0415  # Unix only

    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    own = "no limit" if soft == resource.RLIM_INFINITY else f"{soft:,} at most"
    return f"{own} for this user, {int(_read('/proc/sys/kernel/pid_max') or 0):,} on the machine"


def _version_of(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _read(path: str) -> str:
    """A file's only line; "" where there is none to read."""
    try:
        with Path(path).open(encoding="utf-8", errors="replace") as file:
            return file.read(4096).strip()
    except OSError:
        return ""
