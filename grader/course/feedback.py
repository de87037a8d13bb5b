"""A class's feedback on disk: one folder for each student, written anew only where something changed.

Beside the students' folders ``.told`` keeps what each was told last, so that the next one says what changed.
"""

from __future__ import annotations

import functools
import multiprocessing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path

import msgspec

from grader.course.feedback_notebook import (
    Part,
    feedback_notebooks,
    one_notebook,
    parts_of,
    stem,
    written,
)
from grader.course.packages import kept_package
from grader.course.report_files import report_name
from grader.course.table import ClassRow
from grader.digests import digest_of, digest_of_texts
from grader.files import cannot_write, replace_whole
from grader.gradebook.rows import Student, SubmissionRow
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.handed_in.package import Package, load
from grader.model.errors import InfrastructureError, SubmissionError, UsageError
from grader.model.points import Points, total
from grader.model.records import PersonsMark, decode, with_marks
from grader.notebooks.item_cells import asked_by_checks, asked_by_item
from grader.reports.feedback_changes import changes
from grader.reports.safe_words import Safe, SafeGrade, safe_grade, said

FOLDER = "feedback"
PAGE, PDF = "feedback.html", "feedback.pdf"
KEPT = ".told"
VERSION = "2"
"""Of how feedback looks; another one writes all of it anew."""
MOST_BYTES = 100_000_000
"""Bytes of a submission that is read again."""
AHEAD = 4
"""Students that wait for each process: more would only fill the memory."""


class Wanted(msgspec.Struct, frozen=True):
    """One student's feedback to be made: their submission that counts, its record and marks.

    ``why`` is the reason of the grade, if a person gave one for grading again; of certain ``items`` alone if
    there are any. ``late`` says what being late costs.
    """

    folder: str
    student: Student
    submission: SubmissionRow
    record: bytes
    marks: Mapping[str, PersonsMark]
    why: str = ""
    items: tuple[str, ...] = ()
    late: str = ""

    @property
    def whose(self) -> str:
        """Whose it is, for its head."""
        return self.student.name or self.student.id or self.submission.name


class Told(msgspec.Struct, frozen=True):
    """What a student was told last: its digest, when, what had changed, and the names of the files.

    ``delivered`` is the digest that each way of sending sent last, ``uploads`` what a platform called the
    notebook that each file is feedback on.
    """

    digest: str
    at: str
    grade: SafeGrade
    files: tuple[str, ...]
    changes: tuple[Safe, ...] = ()
    delivered: Mapping[str, str] = {}
    uploads: Mapping[str, str] = {}


class Made(msgspec.Struct, frozen=True):
    """What became of one student's feedback; ``problem`` says why their notebook is not in it.

    ``name`` is the submission's; the others are as in ``Wanted`` and ``Told``.
    """

    folder: str
    student: Student
    whose: str
    name: str
    digest: str
    files: tuple[str, ...]
    delivered: Mapping[str, str]
    uploads: Mapping[str, str]
    is_new: bool
    problem: str = ""


def wanted_of(
    gradebook: Gradebook, rows: Sequence[ClassRow], *, items: Sequence[str] = ()
) -> Iterator[Wanted]:
    """What is to be made for those of a class who have a grade; of certain items alone if they are named.

    A page of records is read at a time.
    """
    rows = [row for row in rows if row.grade is not None]
    taken: set[str] = set()
    for start in range(0, len(rows), AHEAD * 8):
        some = rows[start : start + AHEAD * 8]
        records = dict(gradebook.records(row.grade.key for row in some if row.grade is not None))
        for row in some:
            if row.grade is not None and row.grade.key in records:
                folder = folder_of(row, taken)
                taken.add(folder)
                yield _wanted(row, folder, records[row.grade.key], items)


def folder_of(row: ClassRow, taken: set[str]) -> str:
    """The folder's name: the student's id where it is a plain one, else with a digest that tells it apart."""
    name = row.student.id or (row.grade.submission.name if row.grade is not None else "")
    plain = report_name(name, taken=())
    return plain if plain == name and plain not in taken else report_name(name)


def _wanted(row: ClassRow, folder: str, record: bytes, only: Sequence[str]) -> Wanted:
    grade = row.grade
    assert grade is not None  # noqa: S101  # for the type checker: rows without one were left out
    items = row.total.items if row.total is not None else ()
    marks = {
        item.item: PersonsMark(mark.points, mark.comment, mark.at)
        for item in items
        if (mark := item.mark) is not None and mark.points is not None
    }
    why = "" if grade.reason == "batch" else grade.reason
    return Wanted(folder, row.student, grade.submission, record, marks, why, tuple(only), row.penalty_words)


# -- one student ---------------------------------------------------------------------------------------


def make(wanted: Wanted, home: AssignmentFolder, out: Path, now: str) -> Made:
    """Write a student's feedback below ``out`` unless they were told the same before. Raises UsageError."""
    record = with_marks(decode(wanted.record), wanted.marks)
    told = of_items(msgspec.structs.replace(safe_grade(record), late=said(wanted.late)), wanted.items)
    digest = digest_of_texts([VERSION, wanted.whose, wanted.submission.sha256, digest_of(encoded(told))])
    place, before = out / wanted.folder, last_told(out, wanted.folder)
    if before is not None and before.digest == digest and _is_whole(place, before):
        return _made(wanted, before, is_new=False)
    changed = changes(before.grade, told, said(wanted.why)) if before is not None else ()
    page = Page(told, wanted.whose, changed, before.at[:10] if before is not None and changed else "")
    package = kept_package(wanted.submission)
    parts, problem = _parts(package, home)
    try:
        files = files_of(page, parts)
    except Exception as error:  # noqa: BLE001  # one student's odd file must not keep the class waiting
        files, problem = files_of(page, ()), f"a defect in Chainrule: {type(error).__name__}: {error}"
    delivered = before.delivered if before is not None else {}
    state = Told(digest, now, told, tuple(files), changed, delivered, uploads_of(package))
    _write(place, files, before.files if before is not None else ())
    keep(out, wanted.folder, state)
    return _made(wanted, state, is_new=True, problem=problem)


def _is_whole(place: Path, told: Told) -> bool:
    """Whether all files are there; without a notebook it is worth another try."""
    has_notebook = any(name != PAGE for name in told.files)
    return has_notebook and all((place / name).is_file() for name in told.files)


class Page(msgspec.Struct, frozen=True):
    """What a student's files say: the grade, whose it is, what changed since when."""

    told: SafeGrade
    whose: str
    changes: tuple[Safe, ...] = ()
    since: str = ""


def files_of(page: Page, parts: Sequence[Part]) -> dict[str, bytes]:
    """A student's files by their names: a notebook for each that was graded, and the page."""
    from grader.reports import feedback_page  # noqa: PLC0415  # nbconvert is an extra, and takes a second

    notebooks = feedback_notebooks(page.told, parts, page.whose, page.changes)
    files = {file_of(name): written(one) for name, one in notebooks.items() if parts}
    facts = feedback_page.Told(page.told, page.whose, page.changes, page.since)
    return {**files, PAGE: feedback_page.render(one_notebook(notebooks), facts).encode()}


def file_of(name: str) -> str:
    """What the feedback on a file of this name is called."""
    return f"{stem(name)}.feedback.ipynb"


def uploads_of(package: Package | None) -> dict[str, str]:
    """What a platform called each graded file, by the name of the feedback on it."""
    graded = (file for file in package.files if file.place in package.notebooks) if package else ()
    return {file_of(file.place): file.download for file in graded if file.download}


def _made(wanted: Wanted, told: Told, *, is_new: bool, problem: str = "") -> Made:
    name = wanted.submission.name
    facts = (told.digest, told.files, told.delivered, told.uploads, is_new, problem)
    return Made(wanted.folder, wanted.student, wanted.whose, name, *facts)


def of_items(told: SafeGrade, items: Sequence[str]) -> SafeGrade:
    """What is said of certain items alone; everything if none are named."""
    if not items:
        return told
    some = tuple(item for item in told.items if item.item in items)
    earned, possible = total(item.earned for item in some), total(item.possible for item in some)
    decided = total(item.possible for item in some if item.decided)
    line = said(f"{earned} of {possible} points for {', '.join(items)}")
    points = {"earned": earned, "possible": possible, "decided": decided, "total_line": line}
    return msgspec.structs.replace(told, items=some, cells=(), late=said(""), **points)


def _parts(package: Package | None, home: AssignmentFolder) -> tuple[tuple[Part, ...], str]:
    """Their files with what belongs where, or none and why."""
    if package is None:
        return (), "the file is no longer where it was graded, or has changed since"
    if package.size > MOST_BYTES:
        return (), f"the files hold {package.size:,} bytes; at most {MOST_BYTES:,} are read again"
    try:
        return parts_of(load(package), home, asked_of(home.path)), ""
    except (InfrastructureError, SubmissionError) as error:
        return (), str(error)


def _write(place: Path, files: Mapping[str, bytes], before: Sequence[str]) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            replace_whole(place / name, data)
        for name in {*before, PDF} - set(files):  # a page that was printed is no longer this one
            (place / name).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(place, error.strerror) from None


@functools.cache
def asked_of(home: Path) -> Mapping[str, frozenset[str]]:
    """The names that each item of the assignment in a folder asks for: by its reference, else its checks."""
    folder = assignment_folder.load(home)
    found: dict[str, frozenset[str]] = {}
    for path in folder.references.values():
        for item, names in asked_by_item(folder.reference_cells(path), folder.assignment).items():
            found[item] = found.get(item, frozenset()) | names
    with suppress(UsageError):  # no hidden checks
        for check in sorted(folder.checks(hidden=True).glob("**/test_*.py")):
            by_checks = asked_by_checks(check.read_text(encoding="utf-8", errors="replace"))
            found |= {item: names for item, names in by_checks.items() if not found.get(item)}
    return found


# -- what was told ---------------------------------------------------------------------------------------


def encoded(value: object) -> bytes:
    """JSON with points as hundredths."""
    return msgspec.json.encode(value, enc_hook=_out)


def last_told(out: Path, folder: str) -> Told | None:
    """What this student was told last; None before the first time."""
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((out / KEPT / f"{folder}.json").read_bytes(), type=Told, dec_hook=_in)
    return None


def keep(out: Path, folder: str, told: Told) -> None:
    """Remember what this student was told. Raises UsageError."""
    path = out / KEPT / f"{folder}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_whole(path, encoded(told))
    except OSError as error:
        raise cannot_write(path, error.strerror) from None


def _out(value: object) -> object:
    if isinstance(value, Points):
        return value.hundredths
    raise NotImplementedError(type(value))


def _in(kind: type, value: object) -> object:
    if kind is Points and isinstance(value, int):
        return Points(value)
    raise NotImplementedError(kind)


# -- a class -----------------------------------------------------------------------------------------------


def make_all(
    several: Iterable[Wanted], home: AssignmentFolder, out: Path, *, now: str, workers: int
) -> Iterator[Made]:
    """Everybody's feedback, in the order given, by so many processes. Raises UsageError."""
    if workers == 1:
        yield from (make(one, home, out, now) for one in several)
        return
    context = multiprocessing.get_context("spawn")  # a fork would share the gradebook's connection
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        waiting: list[Future[Made]] = []
        left = iter(several)
        while True:
            room = workers * AHEAD - len(waiting)
            waiting += [pool.submit(_make, one, home.path, out, now) for one in islice(left, room)]
            if not waiting:
                return
            yield waiting.pop(0).result()


def _make(wanted: Wanted, home: Path, out: Path, now: str) -> Made:
    return make(wanted, _home(home), out, now)


@functools.cache
def _home(path: Path) -> AssignmentFolder:
    return assignment_folder.load(path)
