"""A grade's record and page on disk, and the names of their folders."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from pathlib import Path

from grader.digests import digest_of
from grader.files import cannot_write, replace_whole
from grader.model.records import Grade, encode

RECORD = "grade.json"
UNPACKED = "submissions"  # beside the reports: what archives held
_UNUSUAL = re.compile(r"[^\w.-]+")
MAX_NAME_BYTES = 100  # of a report's folder; file systems allow 255


def write_reports(grade: Grade, out: Path, *, name: str) -> Path:
    """Write grade.json and report.html to the folder ``name`` below ``out``; its path. Raises UsageError.

    Each file is put in place whole: a full disk or a second grading leaves no half of one.
    """
    from grader.reports.page import render  # noqa: PLC0415  # Jinja2 and Markdown, not needed to start

    place = out / name
    try:
        place.mkdir(parents=True, exist_ok=True)
        replace_whole(place / RECORD, encode(grade))
        replace_whole(place / "report.html", render(grade).encode())
    except OSError as error:
        raise cannot_write(place, error.strerror) from None
    return place


def report_name(submission: str, *, taken: Collection[str] | None = None) -> str:
    """The folder of a submission's report: its name in letters, digits, dots, dashes and underscores.

    Two submissions never share one. Where the names that are ``taken`` are known, a number tells the second
    from the first; a worker of a batch knows no other name, so there a digest of the whole name follows.
    """
    stem = next(
        (submission.removesuffix(end) for end in (".ipynb", ".py") if submission.endswith(end)), submission
    )
    plain = _UNUSUAL.sub("_", stem).strip("._")
    short = plain.encode()[:MAX_NAME_BYTES].decode(errors="ignore") or "submission"
    if taken is None:
        return f"{short}-{digest_of(submission.encode())[:8]}"
    candidates = itertools.chain([short], (f"{short}-{number}" for number in itertools.count(2)))
    return next(name for name in candidates if name not in taken)
