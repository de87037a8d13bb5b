"""What follows a mark, and a batch: the class's table and page, and each page with its student's marks.

A batch grades files of the same content once and writes one page; here each submission gets its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from grader.course.batch import grade_record
from grader.course.class_page import follow_class_page
from grader.course.locations import Locations
from grader.course.report_files import RECORD, is_misheaded, report_name, write_reports
from grader.course.table import write_class_table
from grader.gradebook.marks import class_marks
from grader.gradebook.rows import GradeRow, Mark, Student
from grader.gradebook.store import Gradebook
from grader.model.records import Grade, PersonsMark, decode, encode, with_marks


def follow(gradebook: Gradebook, locations: Locations, students: Collection[str] | None = None) -> None:
    """Write the table, and the pages of these students (all that are not as they should be, if None).

    Nothing is written where there are no reports, and no page where a batch wrote none. Raises UsageError.
    """
    if not locations.reports.is_dir():
        return
    marks, alike = class_marks(gradebook, locations.title), defaultdict[str, list[GradeRow]](list)
    people = gradebook.students()
    for grade in gradebook.grades(locations.title):
        alike[grade.key].append(grade)
    for group in alike.values():
        for grade in group:
            own = marks.of(grade)
            student = people.get(grade.submission.student, Student(grade.submission.student)).shown
            place = locations.reports / report_name(grade.submission.name)
            is_due = bool(own) or len(group) > 1 or is_misheaded(place, student)
            if is_due if students is None else grade.submission.student in students:
                names = [grade.submission.name, *(one.submission.name for one in group)]
                write_page(gradebook, grade, own, locations, names, student)
    write_class_table(gradebook, locations.title, locations.table)
    follow_class_page(gradebook, locations)


def write_page(
    gradebook: Gradebook,
    grade: GradeRow,
    marks: Mapping[str, Mark],
    locations: Locations,
    names: Sequence[str],
    student: str,
) -> None:
    """Write a submission's page and record with its marks, unless they are so already.

    ``names`` are its own, then those of others with the same content: the pictures are in one of their
    records. If there is none, nobody wanted pages.
    """
    reports = locations.reports
    record = grade_record(gradebook, grade.key)
    found = next(records_of(reports, names, sha256=record.submission.sha256), None)
    if found is None:
        return
    submission = msgspec.structs.replace(record.submission, name=grade.submission.name)
    record = msgspec.structs.replace(with_figures(record, found), submission=submission)
    given = {
        item: PersonsMark(mark.points, mark.comment, mark.at)
        for item, mark in marks.items()
        if mark.points is not None
    }
    record, own = with_marks(record, given), report_name(grade.submission.name)
    path = reports / own / RECORD
    if not path.is_file() or path.read_bytes() != encode(record) or is_misheaded(path.parent, student):
        write_reports(record, reports, name=own, home=locations.home, student=student)


def records_of(reports: Path, names: Sequence[str], *, sha256: str) -> Iterator[Grade]:
    """The records that a batch wrote for submissions of this content, with their pictures."""
    for name in dict.fromkeys(names):
        try:
            record = decode((reports / report_name(name) / RECORD).read_bytes())
        except (OSError, msgspec.DecodeError):  # none, or one of before there were such records
            continue
        if record.submission.sha256 == sha256:
            yield record


def with_figures(record: Grade, pictured: Grade) -> Grade:
    """The record with the pictures of another one of the same submission: a gradebook keeps none."""
    figures = {item.item: item.figures for item in pictured.items}
    items = tuple(msgspec.structs.replace(item, figures=figures.get(item.item, ())) for item in record.items)
    return msgspec.structs.replace(record, items=items, figures=pictured.figures)
