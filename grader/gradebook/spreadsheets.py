"""CSV as spreadsheets and learning platforms write it: rosters and tables of marks.

What is written for people never holds a formula, whatever a student's name is.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from grader.gradebook.rows import Student
from grader.gradebook.worksheets import english_names, in_english, participant_number
from grader.model.errors import UsageError
from grader.model.owner_hints import OwnerHint
from grader.model.points import Points
from grader.model.text import printable

MAX_BYTES = 50_000_000
MAX_CELL = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")

ROSTER_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": (
        "id",
        "student id",
        "student_id",
        "sis user id",  # Canvas
        "sis login id",
        "sid",  # Gradescope
        "id number",  # Moodle
        "orgdefinedid",  # Brightspace
        "login",
        "username",
    ),
    "name": ("name", "student", "full name", "student name"),
    "first": ("first name", "first_name", "firstname", "given name"),
    "last": ("last name", "last_name", "lastname", "surname", "family name"),
    "email": ("email", "email address", "e-mail", "e-mail address"),
    "section": ("section", "sections", "group", "groups"),
    "participant": ("identifier",),  # Moodle's worksheet
    "submitted": ("last modified (submission)",),
}
WHO = ("id", "email", "name")
_PEOPLE = tuple(column for kind in (*WHO, "first", "last") for column in ROSTER_COLUMNS[kind])
TIME_COLUMNS = ("time", "submitted_at", "submitted at", "submission time")
_CANVAS = ("sis user id", "sis login id")
_BRIGHTSPACE = ("orgdefinedid", "end-of-line indicator")
TEST_STUDENTS = ("Student, Test", "Test Student")  # Canvas makes one for each course
_NEVER = ("", "-")


class Sheet:
    """A CSV file: its columns, and each filled row with as many cells as there are columns.

    The rows are parsed anew each time: a class of thousands is not held. Raises UsageError that names file
    and line.
    """

    def __init__(self, data: bytes, *, source: str) -> None:
        if len(data) > MAX_BYTES:
            raise UsageError(f"{source}: {len(data):,} bytes; a table has at most {MAX_BYTES:,}")
        self._data, self._source = data, source
        self._encoding = _encoding_of(data)
        with self._text() as text:
            self.separator = max(",;\t", key=text.readline().count)
        csv.field_size_limit(MAX_CELL * 10)
        self.columns = next(self._filled(), [])
        if not self.columns:
            raise UsageError(f"{source}: empty; its first line has to name the columns")

    @property
    def rows(self) -> Iterator[list[str]]:
        """The rows after the columns."""
        empty = [""] * len(self.columns)
        for row in itertools.islice(self._filled(), 1, None):
            yield [*row, *empty][: len(empty)]

    def _filled(self) -> Iterator[list[str]]:
        with self._text() as text:
            rows = csv.reader(text, delimiter=self.separator)
            try:
                yield from (row for row in rows if any(cell.strip() for cell in row))
            except csv.Error as error:
                raise UsageError(f"{self._source}, line {rows.line_num}: {error}") from None

    def _text(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(self._data), self._encoding, "replace", newline="")


class TimeGiven(msgspec.Struct, frozen=True):
    """A row of a table of times: what it calls the student, the time as written, and where it stands."""

    who: str
    time: str
    reason: str
    where: str


def read_sheet(data: bytes, *, source: str) -> Sheet:
    """A CSV file with its cells as they are. Raises UsageError that names file and line.

    Reads UTF-8 with or without a byte order mark, UTF-16 with one, otherwise Latin-1. The separator is the
    comma, semicolon or tab, whichever is most frequent in the first line: Excel writes semicolons in half of
    Europe. A row that ends early has empty cells.
    """
    sheet = Sheet(data, source=source)
    for _ in sheet.rows:  # whatever is wrong is said before anything else is done
        pass
    return sheet


def read_table(data: bytes, *, source: str) -> list[dict[str, str]]:
    """The rows of a CSV file as ``read_sheet`` reads it, by column name in lower case."""
    return list(rows_by_name(read_sheet(data, source=source)))


def rows_by_name(sheet: Sheet) -> Iterator[dict[str, str]]:
    """Each row of a sheet by column name in lower case, its cells without the blanks around them."""
    columns = [name.strip().lower() for name in sheet.columns]
    for row in sheet.rows:
        yield {column: cell.strip()[:MAX_CELL] for column, cell in zip(columns, row, strict=True)}


def _encoding_of(data: bytes) -> str:
    if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


class Roster(msgspec.Struct, frozen=True):
    """A class, and what a platform's table says beside it.

    ``numbers`` are the students' ids by the number that downloads have for them, of Moodle's worksheet or of
    Canvas. ``logins`` are the ids by other words that mean the same student alone. ``times`` are by a
    student's id and as they were written.
    """

    students: list[Student]
    numbers: dict[str, str] = {}
    logins: dict[str, str] = {}
    times: dict[str, str] = {}


def read_roster(data: bytes, *, source: str) -> Roster:
    """A roster, as a course writes it or as Canvas, Moodle, Blackboard, Brightspace or Gradescope export it.

    The e-mail address is the id if a row has no other, and the participant's number if there is no address:
    a worksheet of blind marking has nothing else. A worksheet may be in any language. Canvas's test student
    is nobody. Several rows of one name are one person in several sections. Raises UsageError if no column
    holds ids, and if two people have the same one.
    """
    rows = in_english(read_table(data, source=source), known=_PEOPLE)
    students: dict[str, Student] = {}
    roster = Roster([], {}, {}, {})
    for number, row in enumerate(rows, start=2):
        student = _student(row)
        if not student.id:
            if rows and _has_any(rows[0], ("id", "email", "participant")):
                continue  # not a person: Canvas's "Points Possible", or totals at the end
            raise UsageError(
                f"{source}: no column for the students' ids; name one of: "
                f"{', '.join(ROSTER_COLUMNS['id'])}, email"
            )
        if student.name in TEST_STUDENTS and "sis user id" in row:
            continue
        known = students.setdefault(student.id, student)
        if not _is_one_person(known, student):
            raise UsageError(
                f"{source}, line {number}: the id {student.id!r} stands for {known.name!r} "
                f"and for {student.name!r}; give each their own"
            )
        is_new = student.section not in ("", known.section, *known.section.split(", "))
        students[student.id] = msgspec.structs.replace(
            known,
            email=known.email or student.email,
            section=", ".join(filter(None, (known.section, student.section if is_new else ""))),
        )
        for word in _others(row, student):
            roster.logins[word] = student.id if roster.logins.get(word, student.id) == student.id else ""
        participant = row.get("id", "") if any(column in row for column in _CANVAS) else _participant(row)
        if participant and roster.numbers.setdefault(participant, student.id) != student.id:
            raise UsageError(f"{source}, line {number}: the participant {participant} is in two rows")
        if _cell(row, "submitted") not in _NEVER:
            roster.times[student.id] = _cell(row, "submitted")
    ids = {student.casefold() for student in students}
    alone = {word: student for word, student in roster.logins.items() if student and word not in ids}
    return msgspec.structs.replace(roster, students=list(students.values()), logins=alone)


def owners_of_rows(sheet: Sheet) -> Iterator[OwnerHint]:
    """What each row of a roster says about whose it is; nothing for a row that is nobody's.

    A name says something only in a sheet that tells neither ids nor addresses: two people may have one name.
    """
    names = english_names(rows_by_name(sheet), known=_PEOPLE)
    is_by_name = not any(hint.email or hint.words for hint in _hints(sheet, names))
    for hint in _hints(sheet, names):
        yield hint if is_by_name else msgspec.structs.replace(hint, name="", id="")


def _hints(sheet: Sheet, names: Mapping[str, str]) -> Iterator[OwnerHint]:
    """What each row says, by columns that are renamed so."""
    for found in rows_by_name(sheet):
        row = {names.get(column, column): cell for column, cell in found.items()}
        student, is_canvas = _student(row), any(column in row for column in _CANVAS)
        if not student.id or (is_canvas and student.name in TEST_STUDENTS):
            yield OwnerHint()
            continue
        number = row.get("id", "") if is_canvas else _participant(row)
        words = tuple({student.id, *_others(row, student)} - {"", number})
        yield OwnerHint(id=number, name=student.name, email=student.email, number=number, words=words)


def read_times(data: bytes, *, source: str, columns: Sequence[str] = TIME_COLUMNS) -> list[TimeGiven]:
    """Who with which time, as a course writes it: a column that names the student, and one with the time.

    Rows without a time are left out. Raises UsageError if a column is missing.
    """
    found = []
    for number, row in enumerate(read_table(data, source=source), start=2):
        where = f"{source}, line {number}"
        time = next((name for name in columns if name in row), None)
        if time is None or not _has_any(row, WHO):
            raise UsageError(
                f"{source}: needs a column {' or '.join(columns)}, and one of: id, login, email, name"
            )
        who = next((_cell(row, kind) for kind in WHO if _cell(row, kind)), "")
        if row[time] and not who:
            raise UsageError(f"{where}: a time, but no student")
        if row[time]:
            found.append(TimeGiven(who, row[time], row.get("reason", ""), where))
    return found


def _is_one_person(known: Student, student: Student) -> bool:
    """Whether two rows are one person's, who is in two sections."""
    emails = {one.email.casefold() for one in (known, student)} - {""}
    return known.name == student.name and len(emails) <= 1


def _has_any(row: Mapping[str, str], kinds: Sequence[str]) -> bool:
    return any(column in row for kind in kinds for column in ROSTER_COLUMNS[kind])


def _others(row: Mapping[str, str], student: Student) -> set[str]:
    """What else a row calls its student: a login, the university's number."""
    cells = (_bare(row, column).casefold() for column in ROSTER_COLUMNS["id"])
    return {cell for cell in cells if cell not in ("", student.id.casefold())}


def _student(row: Mapping[str, str]) -> Student:
    name = " ".join(filter(None, (_cell(row, "first"), _cell(row, "last")))) or _cell(row, "name")
    email = _cell(row, "email")
    return Student(_cell(row, "id") or email or _participant(row), name, email, _cell(row, "section"))


def _cell(row: Mapping[str, str], kind: str) -> str:
    return next(filter(None, (_bare(row, column) for column in ROSTER_COLUMNS[kind])), "")


def _bare(row: Mapping[str, str], column: str) -> str:
    """A cell without the number sign that Brightspace writes before ids and logins."""
    cell = row.get(column, "")
    is_theirs = column in ROSTER_COLUMNS["id"] and any(name in row for name in _BRIGHTSPACE)
    return cell.removeprefix("#") if is_theirs else cell


def _participant(row: Mapping[str, str]) -> str:
    return participant_number(_cell(row, "participant"))


def parse_points(text: str, *, where: str) -> Points | None:
    """Points as a person writes them (1.5 or 1,5); None for an empty cell. Raises UsageError."""
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"{where}: {text!r} is not a number of points")
    try:
        return Points.of(text.replace(",", "."))
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None


def write_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, separator: str = ","
) -> Iterator[str]:
    """The lines of a CSV file, header first; an apostrophe keeps a spreadsheet from running a formula."""
    for row in itertools.chain([columns], rows):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n", delimiter=separator).writerow(map(_harmless, row))
        yield line.getvalue()


def plain(cell: object) -> str:
    """A cell's text on one line, harmless in a spreadsheet."""
    text = " ".join(str(cell).split())
    text = printable(text, limit=len(text) + 1)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


class Lines(str):
    """A cell's text that is written as it is: of ``cell_of_lines``, or of the file that it goes back to."""

    __slots__ = ()


def cell_of_lines(text: str) -> Lines:
    """A cell for a text of several lines, each of them harmless in a spreadsheet."""
    return Lines("\n".join(plain(line) for line in text[:MAX_CELL].splitlines()).strip())


def _harmless(cell: object) -> str:
    return cell if isinstance(cell, Lines) else plain(cell)
