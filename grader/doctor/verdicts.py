"""What `grade doctor` found, kept for later grades on the same machine.

A small file in the cache folder of the person who grades. No sandbox can write there: in the namespace modes
the folder does not exist, in the others Landlock keeps it shut. Without isolation student code could have
written it, so it is not read. A verdict counts only in exactly the circumstances in which it was found.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from grader.doctor.findings import Finding, Verdict
from grader.files import cache_folder, read_own, write_own
from grader.model.isolation import Mode
from grader.model.records import DoctorVerdict
from grader.model.version import __version__
from grader.sandbox.walls import cgroup

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LARGEST = 1 << 16


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file's content."""

    circumstances: dict[str, str]
    verdict: DoctorVerdict


def verdict_of(findings: Sequence[Finding], *, on: date) -> DoctorVerdict:
    """A whole examination in short; what the mode does not promise is not counted."""
    promised = [finding for finding in findings if finding.verdict is not Verdict.NOT_PROMISED]
    broken = tuple(finding.name for finding in promised if not finding.verdict.good)
    return DoctorVerdict(
        kept=len(promised) - len(broken), tried=len(promised), broken=broken, tried_on=on.isoformat()
    )


def remember(mode: Mode, verdict: DoctorVerdict, *, environ: Mapping[str, str]) -> Path | None:
    """Keep the verdict for ``recall``; returns the file, None if none can be written.

    ``environ`` says where the cache folder is, by XDG_CACHE_HOME or HOME.
    """
    folder = cache_folder(environ)
    if folder is None:
        return None
    try:
        circumstances = _circumstances(mode)
        path = _path(folder, circumstances)
        write_own(path, msgspec.json.encode(_Kept(circumstances, verdict)))
    except OSError:
        return None
    return path


def recall(mode: Mode, *, environ: Mapping[str, str]) -> DoctorVerdict | None:
    """What doctor found in this mode on this machine since it was started; None if it has not been run.

    None also for a file that somebody else could have written, or that is not what ``remember`` writes.
    """
    folder = cache_folder(environ)
    if folder is None or not mode.isolates:
        return None
    try:
        circumstances = _circumstances(mode)
        kept = msgspec.json.decode(read_own(_path(folder, circumstances), limit=_LARGEST), type=_Kept)
    except (OSError, msgspec.DecodeError):
        return None
    return kept.verdict if kept.circumstances == circumstances else None


def _path(folder: Path, circumstances: Mapping[str, str]) -> Path:
    name = hashlib.sha256(msgspec.json.encode(sorted(circumstances.items()))).hexdigest()[:16]
    return folder / f"doctor-{name}.json"


def _circumstances(mode: Mode) -> dict[str, str]:
    """All that a verdict may depend on: our code, Python, the running system, the container, the user.

    Of the cgroup only whether there is one: its name changes with each login.

    Raises OSError where there is no /proc.
    """
    return {
        "chainrule": __version__,
        "code": own_code(),
        "mode": mode.value,
        "python": f"{platform.python_version()} {sys.prefix}",
        "kernel": platform.release(),
        "boot": _BOOT.read_text(encoding="ascii").strip(),
        "container": " ".join(str(Path(f"/proc/self/ns/{kind}").readlink()) for kind in ("mnt", "user")),
        "cgroup": "one" if cgroup.find() else "none",
        "user": str(os.geteuid()),
    }


@functools.cache  # a worker needs it for every submission
def own_code() -> str:
    """The digest of the sandbox's files as they were when this process first asked."""
    return _code()


def _code(package: Path = Path(__file__).parents[1]) -> str:
    """A digest that changes with each change of the sandbox's files, installed or edited in place."""
    digest = hashlib.sha256()
    for part in ("doctor", "inside", "sandbox"):
        for path in sorted((package / part).rglob("*.py")):
            found = path.stat()
            digest.update(f"{path.relative_to(package)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
