"""`class.html`: `grade report` writes it, and from then on it follows marks, batches and regrades.

Beside it lies what a mark does not change, so that no record is read and no code compared for one.
"""

from __future__ import annotations

from typing import Any

import msgspec

from grader.course.class_report import Progress, class_report, marks_followed
from grader.course.locations import Locations
from grader.course.table import Rules
from grader.files import write_whole
from grader.gradebook.store import Gradebook
from grader.model.class_report import ClassReport
from grader.model.points import Points

PAGE = "class.html"
STATE = ".class.json"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The report as it was written last, how it was asked for, and the last rows that it knew of."""

    report: ClassReport
    rules: Rules
    with_code: bool
    newest: tuple[int, ...]


def write_class_page(
    gradebook: Gradebook,
    locations: Locations,
    rules: Rules,
    *,
    with_code: bool = True,
    progress: Progress | None = None,
) -> ClassReport:
    """Write the page of the class as it is now. Raises UsageError."""
    newest = gradebook.newest(marks=True)  # before anything is read: what comes meanwhile is news
    report = class_report(gradebook, locations, rules, with_code=with_code, progress=progress)
    _write(locations, Kept(report, rules, with_code, newest))
    return report


def follow_class_page(gradebook: Gradebook, locations: Locations) -> None:
    """Write the page anew if there is one and something in it has changed. Raises UsageError."""
    before = _kept(locations)
    newest = gradebook.newest(marks=True)
    if before is None or newest == before.newest:
        return
    *known, _ = before.newest
    if [*newest[:-1]] == known:
        report = marks_followed(gradebook, locations, before.report, before.rules)
        _write(locations, msgspec.structs.replace(before, report=report, newest=newest))
    else:
        write_class_page(gradebook, locations, before.rules, with_code=before.with_code)


def _write(locations: Locations, kept: Kept) -> None:
    from grader.reports.class_page import render  # noqa: PLC0415  # matplotlib takes half a second

    write_whole(locations.reports / PAGE, render(kept.report).encode())
    write_whole(locations.reports / STATE, msgspec.json.encode(kept, enc_hook=_hundredths))


def _kept(locations: Locations) -> Kept | None:
    """None if there is no page to follow, or another version of this program wrote it."""
    if not (locations.reports / PAGE).is_file():
        return None
    try:
        return msgspec.json.decode((locations.reports / STATE).read_bytes(), type=Kept, dec_hook=_points)
    except (OSError, msgspec.DecodeError):
        return None


def _hundredths(value: Any) -> int:
    if isinstance(value, Points):
        return value.hundredths
    raise NotImplementedError(type(value))


def _points(_: type, value: int) -> Points:
    return Points(value)
