"""The finished runs of a calibration, kept as they end: what is interrupted, or lacks one bound, loses none.

A file of lines in the cache folder of the person who calibrates. A run counts only for the same reference,
helpers, libraries and mode, and for each file of checks only as long as that is the same.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec

from grader.checks.thresholds import Seen
from grader.digests import digest_of_file, digest_of_texts, files_below
from grader.files import cache_folder, read_own, write_own
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.bounds import reference_digest
from grader.grading.kept_checks import machine
from grader.model.checked import Name

_LARGEST = 256 << 20

SeenBy = dict[Name, Seen]
"""What one run saw in one file of checks, by check and name of the statistic."""


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One run of one file of checks, which had the digest ``checks``."""

    seed: int
    file: str
    checks: str
    seen: tuple[tuple[str, str, Seen], ...]


class KeptRuns:
    """The runs of one assignment's reference. Without a cache folder nothing is kept."""

    def __init__(self, home: AssignmentFolder, *, sandbox: bool, environ: Mapping[str, str]) -> None:
        folder = cache_folder(environ)
        name = hashlib.sha256(os.fsencode(home.path)).hexdigest()[:16]
        self._path = None if folder is None else folder / f"calibration-{name}.jsonl"
        self._header = msgspec.json.encode(_circumstances(home, sandbox=sandbox))

    def read(self, files: Iterable[Path]) -> dict[Path, dict[int, SeenBy]]:
        """What was seen in these files, by seed, in runs that still count."""
        found: dict[Path, dict[int, SeenBy]] = {path: {} for path in files}
        digests = {(path.name, digest_of_file(path)): path for path in found}
        for line in self._lines():
            path = digests.get((line.file, line.checks))
            if path is not None:
                found[path][line.seed] = {(check, name): seen for check, name, seen in line.seen}
        return found

    def add(self, seed: int, path: Path, seen: SeenBy) -> None:
        """Keep one run of one file of checks. A disk that is full loses only what would have been kept."""
        if self._path is None:
            return
        flat = tuple((check, name, one) for (check, name), one in seen.items())
        line = msgspec.json.encode(_Line(seed, path.name, digest_of_file(path), flat))
        with suppress(OSError):
            if self._first_line() != self._header:
                write_own(self._path, self._header + b"\n")
                _forget_gone(self._path.parent)
            with self._path.open("ab") as file:
                file.write(line + b"\n")

    def _first_line(self) -> bytes:
        if self._path is None or not self._path.is_file():
            return b""
        with self._path.open("rb") as file:
            return file.readline().rstrip(b"\n")

    def _lines(self) -> list[_Line]:
        if self._path is None:
            return []
        found: list[_Line] = []
        with suppress(OSError):
            header, *lines = read_own(self._path, limit=_LARGEST).split(b"\n")
            for line in lines if header == self._header else ():
                with suppress(msgspec.DecodeError):  # the last one of a run that was killed
                    found.append(msgspec.json.decode(line, type=_Line))
        return found


def _forget_gone(folder: Path) -> None:
    """Remove what is kept of assignments that are gone."""
    for path in folder.glob("calibration-*.jsonl"):
        with suppress(OSError, msgspec.DecodeError), path.open("rb") as file:
            header = msgspec.json.decode(file.readline(), type=dict[str, str])
            if not Path(header.get("assignment", "/")).is_dir():
                path.unlink(missing_ok=True)


def _circumstances(home: AssignmentFolder, *, sandbox: bool) -> dict[str, str]:
    """All that a run depends on but the file of checks itself."""
    helpers = [
        f"{name}={digest_of_file(path)}"
        for name, path in files_below(home.checks(hidden=True))
        if not path.name.startswith("test_")
    ]
    return {
        "assignment": str(home.path),
        "reference": reference_digest(home) or "",
        "helpers": digest_of_texts(helpers),
        "machine": machine(),
        "sandbox": str(sandbox),
    }
