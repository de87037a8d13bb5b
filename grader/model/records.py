"""The record of one grading: a frozen, versioned fact. Reports are pure functions of it.

The JSON form (``encode``/``decode``) is documented in docs/record.md. Points are decimal numbers,
figures are base64 of a checked PNG. Text fields may hold what a student wrote: whoever shows them escapes
them.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import msgspec

from grader.model.assignment import BudgetValue, Limits
from grader.model.errors import Fault, Outcome
from grader.model.isolation import Mode
from grader.model.points import Points, total

SCHEMA = "chainrule.grade/4"


class CheckResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one check ended.

    ``check`` is the test function's name, ``title`` its docstring's first line. ``message`` is what a
    student may read (for a hidden check only the author's hint); ``detail`` is for the instructor: what was
    expected, what came, the student's traceback. ``printed`` is what student code printed meanwhile.
    ``mistake`` is the kind of mistake, the same text for all who made it; "" if it is not known.
    """

    check: str
    title: str
    item: str
    outcome: Outcome
    earned: Points
    possible: Points
    fault: Fault | None = None
    message: str = ""
    detail: str = ""
    printed: str = ""
    seconds: float = 0.0
    visibility: str = "hidden"
    mistake: str = ""


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure from the submission: a PNG whose size was checked. ``cell`` counts from 1."""

    png: bytes
    width: int
    height: int
    cell: int


class PersonsMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's points for an item, which count instead of what the checks found, and words beside them."""

    points: Points
    comment: str = ""
    at: str = ""


class ItemResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The points of one item and everything they rest on.

    ``decided`` is false while a person still has to act: a written answer to mark, evidence to look at, or a
    check that failed through the author's or the machine's fault. ``answer`` is the student's prose
    (Markdown, untrusted), ``found`` whether anything was handed in for the item. ``answer_sha256`` is the
    digest of its words and figures: a person's mark is for these, whichever file holds them.
    """

    item: str
    title: str
    kind: str
    earned: Points
    possible: Points
    decided: bool
    checks: tuple[CheckResult, ...] = ()
    found: bool = True
    answer: str = ""
    figures: tuple[Figure, ...] = ()
    waits_for: str = ""
    answer_sha256: str = ""
    mark: PersonsMark | None = None


class CellStatus(enum.StrEnum):
    """How a code cell ended."""

    OK = "ok"
    RAISED = "raised"
    TIMED_OUT = "timed_out"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    SKIPPED = "skipped"


class CellResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one code cell ended.

    ``cell`` counts all cells of the file from 1. ``error`` is one line, ``traceback`` the student's frames.
    ``notes`` say what was done differently while grading, one line each; the student's process wrote them.
    ``file`` is the place of the notebook or script that it belongs to, "" unless several are graded;
    ``line`` is the first line of a script's statement in its file, 0 in a notebook.
    """

    cell: int
    status: CellStatus
    seconds: float = 0.0
    first_line: str = ""
    error: str = ""
    traceback: str = ""
    notes: tuple[str, ...] = ()
    file: str = ""
    line: int = 0


class FileRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a submission: its place as the student laid it, and the SHA-256 of its bytes."""

    place: str
    sha256: str
    bytes: int


class SubmissionRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was graded: the file's name, the SHA-256 of its bytes, and "notebook" or "script".

    ``files`` are all files of the submission, and ``sha256`` covers them all; there are none where a notebook
    or script was handed in alone.
    """

    name: str
    sha256: str
    kind: str
    bytes: int
    files: tuple[FileRecord, ...] = ()


class DoctorVerdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `grade doctor` found when it last tried what the sandbox promises, in the grade's mode.

    Of ``tried`` promises ``kept`` held; ``broken`` names the others: those that a probe broke, and those
    whose probe proved nothing. ``tried_on`` is an ISO date.
    """

    kept: int
    tried: int
    broken: tuple[str, ...]
    tried_on: str


class Environment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it ran on. ``isolation`` is the sandbox's mode.

    ``doctor`` is None where doctor has not tried that mode on that machine, and where nothing isolates.
    """

    grader: str
    python: str
    platform: str
    isolation: Mode
    packages: dict[str, str] = {}
    doctor: DoctorVerdict | None = None


class Grade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One grading of one submission. Immutable: a regrade is a new Grade."""

    schema: str
    assignment: str
    assignment_sha256: str
    submission: SubmissionRecord
    mode: str
    seed: int
    graded_at: str
    seconds: float
    environment: Environment
    limits: Limits
    budget: dict[str, BudgetValue]
    earned: Points
    possible: Points
    decided: Points
    items: tuple[ItemResult, ...]
    cells: tuple[CellResult, ...] = ()
    figures: tuple[Figure, ...] = ()
    notices: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """True when every point is decided, those of a bonus too."""
        return self.decided == self.possible and all(item.decided for item in self.items)


def earned_points(items: tuple[ItemResult, ...]) -> Points:
    """Points earned so far, decided or not."""
    return total(item.earned for item in items)


def possible_points(items: tuple[ItemResult, ...]) -> Points:
    """Points the items are worth."""
    return total(item.possible for item in items)


def decided_points(items: tuple[ItemResult, ...]) -> Points:
    """Points of the items that nobody has to act on anymore."""
    return total(item.possible for item in items if item.decided)


def without_figures(grade: Grade) -> Grade:
    """The grade without its figures, which are most of its bytes and are in the submission anyway."""
    items = tuple(msgspec.structs.replace(item, figures=()) for item in grade.items)
    return msgspec.structs.replace(grade, items=items, figures=())


def with_marks(grade: Grade, marks: Mapping[str, PersonsMark]) -> Grade:
    """The grade with people's marks, by item, and with no others."""
    items = tuple(_marked(item, marks.get(item.item)) for item in grade.items)
    return msgspec.structs.replace(
        grade,
        items=items,
        earned=earned_points(items),
        possible=possible_points(items),
        decided=decided_points(items),
    )


def _marked(item: ItemResult, mark: PersonsMark | None) -> ItemResult:
    if mark is None:
        return item
    return msgspec.structs.replace(item, earned=mark.points, decided=True, waits_for="", mark=mark)


def encode(grade: Grade) -> bytes:
    """The record as indented JSON, UTF-8, points as decimal numbers."""
    encoder = msgspec.json.Encoder(enc_hook=_out, decimal_format="number")
    return msgspec.json.format(encoder.encode(grade), indent=2) + b"\n"


def decode(data: bytes) -> Grade:
    """The Grade that ``encode`` wrote, in this version of the format or an earlier one.

    Raises msgspec.ValidationError for anything else.
    """
    return msgspec.json.Decoder(Grade, dec_hook=_in, float_hook=str).decode(data)


read_record = decode
"""Its name for whoever reads records: ``from grader import read_record``."""


def _out(value: object) -> Any:
    if isinstance(value, Points):
        return value.decimal
    raise NotImplementedError(type(value))


def _in(kind: type, value: Any) -> Any:
    if kind is Points:
        return Points.of(value)
    raise NotImplementedError(kind)
