"""What `grade doctor` found, kept for the grades that follow on the same machine.

A small file in the cache folder of the person who grades. No sandbox can write there: in the modes with
namespaces the folder does not exist, in the others Landlock keeps it shut. Without isolation nothing holds,
so nothing is read then. A verdict counts only for the very circumstances in which it was found.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import stat
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from grader.doctor.examination import Finding, Verdict
from grader.model.isolation import Mode
from grader.model.records import DoctorVerdict
from grader.model.version import __version__
from grader.sandbox.walls import cgroup

_BOOT = "/proc/sys/kernel/random/boot_id"
_LARGEST = 1 << 16
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content."""

    circumstances: dict[str, str]
    verdict: DoctorVerdict


def verdict_of(findings: Sequence[Finding], *, on: date) -> DoctorVerdict:
    """The findings of one whole examination in short, without what the mode does not promise."""
    promised = [finding for finding in findings if finding.verdict is not Verdict.NOT_PROMISED]
    broken = tuple(finding.name for finding in promised if not finding.verdict.good)
    return DoctorVerdict(
        kept=len(promised) - len(broken), tried=len(promised), broken=broken, tried_on=on.isoformat()
    )


def remember(mode: Mode, verdict: DoctorVerdict, *, environ: Mapping[str, str]) -> str | None:
    """Keep the verdict for ``recall``; the file's path, or None where no file can be written.

    ``environ`` says where the cache folder is, by XDG_CACHE_HOME or HOME.
    """
    folder = _folder(environ)
    if folder is None:
        return None
    try:
        circumstances = _circumstances(mode)
        path = _path(folder, circumstances)
        draft = f"{path}.{os.getpid()}"
        os.makedirs(folder, mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(draft)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(_Kept(circumstances, verdict)))
        os.replace(draft, path)
    except OSError:
        return None
    return path


def recall(mode: Mode, *, environ: Mapping[str, str]) -> DoctorVerdict | None:
    """What doctor found in this mode, on this machine since it was started; None if it was not asked.

    None also for a file that somebody else could have written, or that says nothing that we would.
    """
    folder = _folder(environ)
    if folder is None or not mode.isolates:
        return None
    try:
        circumstances = _circumstances(mode)
        kept = msgspec.json.decode(_own_file(_path(folder, circumstances)), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return None
    return kept.verdict if kept.circumstances == circumstances else None


def _own_file(path: str) -> bytes:
    """The content of a file that only this user can have written. Raises OSError for any other."""
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        found = os.fstat(file.fileno())
        ours = found.st_uid == os.geteuid() and not found.st_mode & _OTHERS_MAY_WRITE
        if not (stat.S_ISREG(found.st_mode) and ours):
            raise PermissionError(f"{path} is not a file of this user's alone")
        return file.read(_LARGEST)


def _folder(environ: Mapping[str, str]) -> str | None:
    folder = environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(folder):  # the standard says to pass over a relative one
        home = environ.get("HOME", "")
        if not os.path.isabs(home):
            return None
        folder = os.path.join(home, ".cache")
    return os.path.join(folder, "chainrule")


def _path(folder: str, circumstances: Mapping[str, str]) -> str:
    name = hashlib.sha256(msgspec.json.encode(sorted(circumstances.items()))).hexdigest()[:16]
    return os.path.join(folder, f"doctor-{name}.json")


def _circumstances(mode: Mode) -> dict[str, str]:
    """All that a verdict may depend on: our code, Python, the running system, the container, the user.

    A cgroup by whether there is one: its name changes with each login.

    Raises OSError where there is no /proc.
    """
    return {
        "chainrule": __version__,
        "code": _code(),
        "mode": mode.value,
        "python": f"{platform.python_version()} {sys.prefix}",
        "kernel": platform.release(),
        "boot": _first_line(_BOOT),
        "container": " ".join(os.readlink(f"/proc/self/ns/{kind}") for kind in ("mnt", "user")),
        "cgroup": "one" if cgroup.find() else "none",
        "user": str(os.geteuid()),
    }


def _code(package: Path = Path(__file__).parents[1]) -> str:
    """A digest that changes with each change of the sandbox's files, installed or edited in place."""
    digest = hashlib.sha256()
    for part in ("doctor", "inside", "sandbox"):
        for path in sorted((package / part).rglob("*.py")):
            found = path.stat()
            digest.update(f"{path.relative_to(package)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _first_line(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.readline().strip()
