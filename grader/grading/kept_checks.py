"""What is known of an assignment's checks, kept for later grades on the same machine.

One small file per assignment in the cache folder of the person who grades, as doctor's verdict: no sandbox
can write there. It counts only as long as everything that decides it is the same: the manifest, the checks,
the reference (which the template is made from), the given files, the grader and the libraries.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from grader.digests import CACHES, digest_of_texts
from grader.files import cache_folder, read_own, write_own
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.environment import PACKAGES, version_of
from grader.model.checked import SCHEMA, Checked, Name, NotPassed
from grader.model.errors import Outcome
from grader.model.isolation import Mode
from grader.model.text import counted
from grader.model.version import __version__

Kind = Literal["check", "arbiter"]
"""Who found it out: `grade check`, or grading when it had to know."""

COMMAND = "grade check"
_LARGEST = 4 << 20
_CHANGED = {
    "manifest": "assignment.toml has changed since",
    "checks": "the checks have changed since",
    "reference": "the reference has changed since",
    "given": "the given files have changed since",
    "machine": "Python, a library or Chainrule has changed since",
}
WRONG = (
    *(Outcome.FAILED, Outcome.PARTIAL, Outcome.ERRORED, Outcome.UNSUPPORTED_VALUE),
    *(Outcome.UNDECIDED, Outcome.SKIPPED),
)
"""What a check ends with that is wrong. Time and memory may have been short for other reasons."""


def deciding(folder: AssignmentFolder) -> dict[str, str]:
    """The digests of all that decides how the checks end, by what it is. Raises UsageError, ManifestError."""
    return {**folder.digests, "machine": machine()}


@functools.cache
def machine() -> str:
    """A digest of Python, the libraries and our own code, as they are when this process first asks."""
    versions = [f"{name}={version_of(name)}" for name in PACKAGES]
    return digest_of_texts([__version__, _code(), platform.python_version(), platform.machine(), *versions])


def _code(package: Path = Path(__file__).parents[1]) -> str:
    """A digest that changes with each change of our files, installed or edited in place."""
    digest = hashlib.sha256()
    for folder, inner, names in os.walk(package):
        inner[:] = sorted(set(inner) - CACHES)
        for name in sorted(names):
            if name.endswith(".py"):
                found = (Path(folder) / name).stat()
                digest.update(f"{folder} {name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def keep(kind: Kind, found: Checked, *, environ: Mapping[str, str]) -> Path | None:
    """Keep what was found out for ``recall``; the file, None if none can be written.

    What is kept of assignments that are gone is removed.
    """
    folder = cache_folder(environ)
    if folder is None:
        return None
    path = _path(folder, kind, Path(found.assignment))
    try:
        write_own(path, msgspec.json.encode(found))
        _forget_gone(folder)
    except OSError:
        return None
    return path


def recall(kind: Kind, folder: AssignmentFolder, *, environ: Mapping[str, str]) -> Checked | None:
    """What is kept of an assignment, stale or not; None if it is not what ``keep`` wrote."""
    caches = cache_folder(environ)
    return None if caches is None else _read(_path(caches, kind, folder.path))


def _read(path: Path) -> Checked | None:
    with suppress(OSError, msgspec.DecodeError):
        found = msgspec.json.decode(read_own(path, limit=_LARGEST), type=Checked)
        return found if found.schema == SCHEMA else None
    return None


def _forget_gone(folder: Path) -> None:
    for path in folder.glob("checks-*.json"):
        found = _read(path)
        if found is not None and not Path(found.assignment).is_dir():
            path.unlink(missing_ok=True)


def _path(folder: Path, kind: Kind, assignment: Path) -> Path:
    name = hashlib.sha256(os.fsencode(assignment)).hexdigest()[:16]
    return folder / f"checks-{kind}-{name}.json"


def staleness(found: Checked, decides: Mapping[str, str]) -> str:
    """Why what is kept no longer counts; "" if it does."""
    changed = [what for what, digest in decides.items() if found.decides.get(what) != digest]
    return _CHANGED[changed[0]] if changed else ""


def state_line(folder: AssignmentFolder, *, environ: Mapping[str, str]) -> str:
    """What `grade check` last said of the assignment, in one line for whoever grades with it."""
    if not folder.references:
        return "never tried on a reference: the assignment has none"
    found = recall("check", folder, environ=environ)
    if found is None:
        return f"never tried on the reference; run: {COMMAND}"
    if why := staleness(found, deciding(folder)):
        return f"tried on {found.date}, and {why}; run: {COMMAND}"
    if found.good:
        return f"passed by the reference ({', '.join(found.modes)}; {found.date})"
    broken = {failure.name for run in found.runs for failure in run.failed}
    gifts = found.template.gifts if found.template else ()
    said = [f"the reference does not pass {counted(len(broken), 'check', 'checks')}"] if broken else []
    said += [f"the untouched template passes {counted(len(gifts), 'check', 'checks')}"] if gifts else []
    return f"not right ({'; '.join(said) or 'the reference does not run through'}); see: {COMMAND}"


@dataclass(frozen=True)
class Known:
    """What is known in one mode: whether the reference was asked, and the checks that it does not pass."""

    asked: bool = False
    broken: Mapping[Name, NotPassed] = field(default_factory=dict)


def known_in(folder: AssignmentFolder, mode: Mode, *, environ: Mapping[str, str]) -> Known:
    """What is known of the checks in this mode and still counts. Without isolation nothing is believed."""
    kept = [recall(kind, folder, environ=environ) for kind in ("check", "arbiter")] if mode.isolates else []
    decides = deciding(folder) if any(kept) else {}
    runs = [
        run
        for found in kept
        if found is not None and not staleness(found, decides)
        for run in found.runs
        if run.mode is mode and not run.public
    ]
    failures = [failure for run in runs for failure in run.not_passed if failure.outcome in WRONG]
    return Known(bool(runs), {failure.name: failure for failure in failures})
