"""What students ask about their marks: rows of a table, shown beside the answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grader.gradebook.marker_notes import MarkerNotes
from grader.gradebook.marks import GradedSubmissions
from grader.model.errors import UsageError
from grader.review.classroom import Classroom

COLUMNS = ("student", "item", "words")
MOST_WORDS = 10_000
SHOWN_WRONG = 5


def add_requests(
    rows: Iterable[Mapping[str, str]],
    graded: GradedSubmissions,
    room: Classroom,
    notes: MarkerNotes,
    *,
    source: str,
    author: str,
) -> int:
    """Keep the requests of a table; how many rows it has.

    Raises UsageError, and keeps none, if one is wrong.
    """
    found, wrong = [], []
    for line, row in enumerate(rows, start=2):
        try:
            found.append(_request(row, graded, room))
        except UsageError as error:
            wrong.append(f"{source}, line {line}: {error}")
    if wrong:
        more = f"; and {len(wrong) - SHOWN_WRONG} more" if len(wrong) > SHOWN_WRONG else ""
        raise UsageError(f"no request was taken. {'; '.join(wrong[:SHOWN_WRONG])}{more}")
    for submission, item, words in found:
        notes.add_request(submission, item, words=words, author=author)
    return len(found)


def _request(row: Mapping[str, str], graded: GradedSubmissions, room: Classroom) -> tuple[int, str, str]:
    for column in COLUMNS:
        if column not in row:
            raise UsageError(f"no column {column!r}; a table of requests has {', '.join(COLUMNS)}")
    item, words = row["item"].strip(), row["words"].strip()
    if room.item(item) is None:
        raise UsageError(f"item {item!r} is not marked here; there are {', '.join(i.id for i in room.items)}")
    if not words:
        raise UsageError("no words: what does the student ask?")
    if len(words) > MOST_WORDS:
        raise UsageError(f"{len(words):,} characters of words; at most {MOST_WORDS:,} are kept")
    student = graded.find(row["student"].strip()).submission.student
    seats = (seat.submission.row for seat in room.seats.values() if student and seat.student.id == student)
    submission = next(seats, None)
    if submission is None:
        raise UsageError(f"{row['student']!r} has no submission that counts")
    return submission, item, words
