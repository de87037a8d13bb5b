"""A grade's record and page on disk, and the names of their folders."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from pathlib import Path

from grader.digests import digest_of
from grader.files import cannot_write, replace_whole
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import CannotGrade
from grader.model.records import Grade, encode
from grader.notebooks.questions import evidence_for
from grader.reports.about import About, Asked

RECORD = "grade.json"
PAGE = "report.html"
HEAD = 4096  # bytes of a page that hold its title
UNPACKED = "submissions"  # beside the reports: what archives held
_UNUSUAL = re.compile(r"[^\w.-]+")
MAX_NAME_BYTES = 100  # of a report's folder; file systems allow 255


def write_reports(grade: Grade, out: Path, *, name: str, home: AssignmentFolder, student: str = "") -> Path:
    """Write grade.json and report.html to the folder ``name`` below ``out``; its path. Raises UsageError.

    ``student`` is who handed it in, as people are shown; "" if nobody knows.
    Each file is put in place whole: a full disk or a second grading leaves no half of one.
    """
    from grader.reports.page import render  # noqa: PLC0415  # Jinja2 and Markdown, not needed to start

    place = out / name
    try:
        place.mkdir(parents=True, exist_ok=True)
        replace_whole(place / RECORD, encode(grade))
        replace_whole(place / PAGE, render(grade, about(home, student)).encode())
    except OSError as error:
        raise cannot_write(place, error.strerror) from None
    return place


def is_misheaded(place: Path, student: str) -> bool:
    """Whether the page in this folder, if there is one, is headed by somebody or something else."""
    if not student:
        return False
    from grader.reports.page import title_of  # noqa: PLC0415  # as above

    try:
        with (place / PAGE).open("rb") as page:
            return title_of(student) not in page.read(HEAD)
    except OSError:
        return False


def about(home: AssignmentFolder, student: str = "") -> About:
    """What a page shows beside the record; no questions where the assignment's notebook cannot be read."""
    try:
        questions = home.questions
    except (CannotGrade, OSError):
        questions = {}
    asked = {}
    for item in home.assignment.item:
        evidence = evidence_for(home.assignment, item) if item.kind == "written" else None
        asked[item.id] = Asked(questions.get(item.id, ""), item.rubric, evidence.id if evidence else "")
    return About(student, asked)


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
