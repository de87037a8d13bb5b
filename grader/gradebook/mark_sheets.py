"""Marks as a spreadsheet: what waits for a person, with the answers, and what the person filled in.

Spreadsheets rewrite what looks like a number or a date, so a row has a key that does not: ``#17:1.10``
is item 1.10 of submission 17. Its version, such as ``v5``, is the mark that it was exported with. A row that
is as it was exported changes nothing; one that somebody else has marked since is not imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from grader.gradebook.marks import ClassMarks, GradedSubmissions, MarkGiven, mark_of, parse_mark
from grader.gradebook.rows import GradeRow, ItemPoints, Mark
from grader.gradebook.spreadsheets import cell_of_lines, plain
from grader.gradebook.store import Gradebook
from grader.model.errors import UsageError
from grader.model.points import Points

COLUMNS = (
    *("key", "version", "student", "name", "file", "item", "title", "possible"),
    *("points", "comment", "earlier", "answer"),
)
_KEY = re.compile(r"#(\d{1,12}):(.{1,200})")
_VERSION = re.compile(r"v(\d{1,12})")
_SAID = 5  # wrong rows that a message lists


def rows_to_mark(
    grades: Iterable[GradeRow],
    marks: ClassMarks,
    names: Mapping[str, str],
    answers_of: Callable[[GradeRow], Mapping[str, str]],
    *,
    everything: bool,
) -> Iterator[list[object]]:
    """The rows to fill in: items that a person decides (or all items), with the marks that count so far."""
    for grade in grades:
        own = grade.submission
        found = {item.item: marks.of(grade).get(item.item) for item in grade.items}
        wanted = [item for item in grade.items if everything or found[item.item] or is_for_people(item)]
        answers = answers_of(grade) if wanted else {}
        for item in wanted:
            mark = found[item.item]
            yield [
                f"#{own.row}:{item.item}",
                f"v{mark.row if mark is not None else 0}",
                own.student,
                names.get(own.student, ""),
                own.name,
                item.item,
                item.title,
                Points(item.possible),
                "" if mark is None or mark.points is None else mark.points,
                "" if mark is None else mark.comment,
                _earlier(grade, mark, marks.elsewhere.get(own.row, {}).get(item.item)),
                cell_of_lines(answers.get(item.item, "")),
            ]


def is_for_people(item: ItemPoints) -> bool:
    """Whether a person decides an item: a written one, or one that checks left open."""
    return item.kind == "written" or not item.decided


def _earlier(grade: GradeRow, mark: Mark | None, other: Mark | None) -> str:
    if mark is not None and mark.submission != grade.submission.row:
        return f"carried over from #{mark.submission}: the same answer"
    if other is None or other.points is None:
        return ""
    said = f": {other.comment}" if other.comment else ""
    return f"{other.points.in_words} for another answer, in #{other.submission}{said}"


@dataclass(frozen=True)
class Sheet:
    """What a filled-in table asks for: marks with the versions that its rows saw, and conflicts in words.

    A version is the row number of a mark; None where the table has none, so that the mark is simply given.
    """

    marks: list[tuple[Mark, int | None]] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)


class Reader:
    """Reads the rows of tables for one assignment, as they are exported or made by hand."""

    def __init__(
        self,
        gradebook: Gradebook,
        assignment: str,
        marks: ClassMarks,
        *,
        author: str,
        reason: str,
        bonus: Mapping[str, Points],
    ) -> None:
        self._graded, self._marks = GradedSubmissions(gradebook, assignment), marks
        self._written = gradebook.all_marks(assignment)
        self._last = {(mark.submission, mark.item): mark for mark in self._written.values()}  # oldest first
        self._author, self._reason, self._bonus = author, reason, bonus

    def read(self, rows: Iterable[Mapping[str, str]], *, source: str) -> Sheet:
        """The marks of a table's rows. Raises UsageError that lists the wrong rows, if there is any."""
        sheet, lines, wrong = Sheet(), dict[tuple[int, str], tuple[int, Mark]](), list[str]()
        for line, row in enumerate(rows, start=2):
            where = f"{source}, line {line}"
            try:
                mark = self._mark(row, where=where)
                if mark is None:
                    continue
                key = mark.submission, mark.item
                if key in lines and lines[key][1] != mark:
                    wrong.append(f"{where}: line {lines[key][0]} gives the same item other points")
                lines[key] = line, mark
                self._sort_in(sheet, mark, _version(row, where=where), where=where)
            except UsageError as error:
                text = str(error)
                wrong.append(text if text.startswith(where) else f"{where}: {text}")
        if wrong:
            more = f"; and {len(wrong) - _SAID} more" if len(wrong) > _SAID else ""
            raise UsageError(f"nothing was imported. {'; '.join(wrong[:_SAID])}{more}")
        return sheet

    def students_of(self, marks: Iterable[Mark]) -> set[str]:
        """Whose submissions these marks are for."""
        return {self._graded.find(f"#{mark.submission}").submission.student for mark in marks}

    def conflict(self, mark: Mark, now: Mark) -> str:
        """What to say of a mark that somebody else has changed meanwhile."""
        mine, theirs = _points(mark), _points(now)
        who = self._graded.find(f"#{mark.submission}").submission
        return (
            f"{who.student or who.name}, item {mark.item}: {theirs} by {now.author} since this table was "
            f"exported, {mine} in the table: not imported; `grade mark` decides"
        )

    def _sort_in(self, sheet: Sheet, mark: Mark, version: int | None, *, where: str) -> None:
        """Take the mark into the sheet, unless its row is as exported or the mark that counts is newer."""
        if version is None:
            sheet.marks.append((mark, None))
            return
        seen = self._written.get(version)
        if version and seen is None:
            raise UsageError(f"no mark v{version} in the gradebook: the table is of another one")
        now = self._current(mark.submission, mark.item)
        if _says_the_same(mark, seen) or _says_the_same(mark, now):
            return
        if now is not None and now.row > version:
            sheet.conflicts.append(f"{where}: {self.conflict(mark, now)}")
        else:
            sheet.marks.append((mark, version))

    def _current(self, row: int, item: str) -> Mark | None:
        """The last mark for an item, withdrawn or not, or the one that is carried over to it."""
        return self._last.get((row, item)) or self._marks.counting.get(row, {}).get(item)

    def _mark(self, row: Mapping[str, str], *, where: str) -> Mark | None:
        if "points" not in row or not {"key", "item"} & row.keys():
            raise UsageError(
                "no columns `key` and `points`; `grade marks export FILE` makes a table to fill in"
            )
        word, item = _key(row)
        given = parse_mark(item, row["points"], row.get("comment", ""), where=where)
        if given is None:
            return None
        if not word:
            raise UsageError(
                "no submission: fill in `key`, or `item` and one of `submission`, `student`, `file`"
            )
        return self._of(word, given)

    def _of(self, word: str, given: MarkGiven) -> Mark:
        grade = self._graded.find(word)
        return mark_of(grade, given, author=self._author, reason=self._reason, bonus=self._bonus)


def _key(row: Mapping[str, str]) -> tuple[str, str]:
    """What names the submission, and the item; the key says both."""
    text = row.get("key", "")
    found = _KEY.fullmatch(text)
    if found is not None:
        return f"#{found[1]}", found[2]
    if text:
        raise UsageError(f"the key {text!r} is not one like #17:1.10; leave that column as it was exported")
    return row.get("submission") or row.get("student") or row.get("file") or "", row.get("item", "")


def _version(row: Mapping[str, str], *, where: str) -> int | None:
    text = row.get("version", "")
    if not text:
        return None
    found = _VERSION.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{where}: the version {text!r} is not one like v5; leave that column as it was exported"
        )
    return int(found[1])


def _says_the_same(mark: Mark, other: Mark | None) -> bool:
    """Whether two marks give the same points and words, as far as a spreadsheet keeps words."""
    if other is None:
        return mark.points is None
    return mark.points == other.points and _kept(mark.comment) == _kept(other.comment)


def _kept(comment: str) -> str:
    return plain(comment).removeprefix("'")


def _points(mark: Mark) -> str:
    return "none" if mark.points is None else mark.points.in_words
