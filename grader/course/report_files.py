"""A grade's record and page on disk, and the names of their folders."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from grader.files import cannot_write, replace_whole
from grader.model.records import Grade, encode

MAX_NAME_BYTES = 100  # of a report's folder; file systems allow 255


def write_reports(grade: Grade, out: Path, *, name: str | None = None) -> Path:
    """Write grade.json and report.html below ``out``; the folder they are in. Raises UsageError.

    ``name`` is that folder's, made from the submission's where it is left out.
    Each file is put in place whole: a full disk or a second grading leaves no half of one.
    """
    from grader.reports.page import render  # noqa: PLC0415  # Jinja2 and Markdown, not needed to start

    place = out / (name or report_name(grade.submission.name))
    try:
        place.mkdir(parents=True, exist_ok=True)
        replace_whole(place / "grade.json", encode(grade))
        replace_whole(place / "report.html", render(grade).encode())
    except OSError as error:
        raise cannot_write(place, error.strerror) from None
    return place


def report_name(file_name: str) -> str:
    """A folder's name from a file's: letters of any script, digits, dots, dashes and underlines only."""
    plain = re.sub(r"[^\w.-]+", "_", Path(file_name).stem).strip("._")
    return plain.encode()[:MAX_NAME_BYTES].decode(errors="ignore") or "submission"


def report_names(paths: Sequence[Path]) -> list[str]:
    """A folder's name for each file; the second of one name, from another folder, gets a number."""
    names: list[str] = []
    for path in paths:
        plain = report_name(path.name)
        numbered = (f"{plain}-{number}" for number in itertools.count(2))
        names.append(plain if plain not in names else next(name for name in numbered if name not in names))
    return names


def report_folder(name: str) -> str:
    """A folder's name for the submission of this name in a batch: no two names share one."""
    plain = re.sub(r"[^\w.-]+", "_", name.removesuffix(".ipynb")).strip("._")
    short = plain.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    if short == name:
        return short
    return f"{short}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
