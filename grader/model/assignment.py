"""The manifest ``assignment.toml``: items, points, limits, budget. Callers read it from disk, this parses it.

Unknown keys, repeated ids and points that do not add up are errors that name the file and the key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from grader.model.errors import ManifestError
from grader.model.points import ZERO, Points, total

BudgetValue = int | float | str | bool | list[int | float | str]


class RubricLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing a written answer should say, with the points it is worth."""

    points: Points
    text: str


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One graded item.

    ``kind`` is "code" (checks decide), "evidence" (checks of the saved run decide) or "written" (a person
    decides). By default it is "written" for an item with a rubric and "code" for any other. ``notebook`` is
    one of the assignment's several; without it, the item's heading decides. ``bonus`` are points that its
    checks, or a person, may give above its own, and above the assignment's.
    """

    id: str
    title: str
    points: Points
    kind: str = "code"
    rubric: tuple[RubricLine, ...] = ()
    notebook: str = ""
    bonus: Points = ZERO

    @property
    def most(self) -> Points:
        """The points that it may earn."""
        return self.points + self.bonus


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one submission may use.

    ``check_seconds`` is for one check with all of its calls, ``total_seconds`` for everything, our own work
    included. Seconds are processor time, or a third of the time that is slept. Memory is resident, in units
    of 2**20 bytes.
    """

    cell_seconds: float = 30.0
    check_seconds: float = 10.0
    notebook_seconds: float = 300.0
    total_seconds: float = 600.0
    memory_mb: int = 2048
    processes: int = 64
    disk_mb: int = 256


class SubmissionRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a submission consists of.

    ``notebooks`` are the graded notebooks, a script of the same stem counts too; without any it is the one
    that is made from the reference. ``files`` are patterns of what else a student may hand in beside them.
    """

    notebooks: tuple[str, ...] = ()
    files: tuple[str, ...] = ("*",)


class EnvironmentRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What submissions may count on while they run.

    ``cuda`` says what becomes of code that asks for a GPU: "cpu" runs it on the processor, "undecided" leaves
    what fails to a person. ``packages`` are those that students may import.
    """

    cuda: Literal["cpu", "undecided"] = "cpu"
    packages: tuple[str, ...] = ()


class EvidenceRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which seeds students' long runs begin.

    With "student" each has one of their own: every parameter in ``seeds`` that a recording names is
    ``student_seed`` of the text in its parameter ``student``.
    """

    seed: Literal["assignment", "student"] = "assignment"
    student: str = "STUDENT"
    seeds: tuple[str, ...] = ("SEED",)

    @property
    def own_seeds(self) -> bool:
        """Whether no two students have the same."""
        return self.seed == "student"


class DataFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that grading holds and students get: where it is, and the SHA-256 digest of its bytes."""

    path: str
    sha256: str


class Assignment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole assignment. Paths are relative to the assignment's folder."""

    title: str
    points: Points
    item: tuple[Item, ...]
    limits: Limits = Limits()
    budget: dict[str, BudgetValue] = {}
    notebook: str = "reference/notebook.py"
    given: tuple[str, ...] = ()
    data: dict[str, DataFile] = {}
    submission: SubmissionRules = SubmissionRules()
    environment: EnvironmentRules = EnvironmentRules()
    evidence: EvidenceRules = EvidenceRules()

    @property
    def notebooks(self) -> tuple[str, ...]:
        """The names of the notebooks that students hand in."""
        stem = self.notebook.rpartition("/")[2].removesuffix(".py").removesuffix(NOTEBOOK)
        return self.submission.notebooks or (stem + NOTEBOOK,)

    @property
    def beside(self) -> tuple[str, ...]:
        """What lies beside the notebook: all that is given, and data files that lie in no given folder."""
        given = [entry.rstrip("/") for entry in self.given]
        paths = dict.fromkeys(file.path for file in self.data.values())
        return self.given + tuple(
            path
            for path in paths
            if not any(path == entry or path.startswith(f"{entry}/") for entry in given)
        )

    def find(self, item_id: str) -> Item | None:
        """The item with this id, or None."""
        return next((item for item in self.item if item.id == item_id), None)

    @property
    def bonuses(self) -> dict[str, Points]:
        """What items may earn above their points."""
        return {item.id: item.bonus for item in self.item if item.bonus}

    def of_kind(self, kind: str) -> tuple[Item, ...]:
        """The items of one kind, in the manifest's order."""
        return tuple(item for item in self.item if item.kind == kind)


NOTEBOOK = ".ipynb"
CUDA = ("cpu", "undecided")
SEEDS = ("assignment", "student")
_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
KINDS = ("code", "evidence", "written")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")


def parse(text: str, *, source: str = "assignment.toml") -> Assignment:
    """The assignment in a TOML text; ``source`` names the file in errors.

    Raises ManifestError, which names file and key, for anything that does not fit.
    """
    try:
        tree = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ManifestError(f"{source}: not valid TOML: {error}") from None
    try:
        assignment = msgspec.convert(_plain(tree), Assignment, dec_hook=_points_hook)
    except msgspec.ValidationError as error:
        raise ManifestError(f"{source}: {_key_of(str(error))}") from None
    _assert_items(assignment, source)
    for name, file in assignment.data.items():
        if not _SHA256.fullmatch(file.sha256):
            raise ManifestError(f"{source}: data {name!r}: key `sha256`: not 64 hexadecimal digits")
    return assignment


def _assert_items(assignment: Assignment, source: str) -> None:
    seen: set[str] = set()
    for item in assignment.item:
        where = f"{source}: item {item.id!r}"
        if item.id in seen:
            raise ManifestError(f"{where}: key `id`: another item has the same id")
        seen.add(item.id)
        if item.kind not in KINDS:
            raise ManifestError(f"{where}: key `kind`: {item.kind!r} is not one of {', '.join(KINDS)}")
        if item.points < ZERO or (item.points == ZERO and item.bonus <= ZERO):
            raise ManifestError(f"{where}: key `points`: must be more than 0, not {item.points}")
        if item.bonus < ZERO:
            raise ManifestError(f"{where}: key `bonus`: points above the item's, not {item.bonus}")
        rubric = total(line.points for line in item.rubric)
        if item.rubric and rubric != item.most:
            with_bonus = f" with its bonus of {item.bonus}" if item.bonus else ""
            raise ManifestError(
                f"{where}: key `rubric`: its lines add up to {rubric}, the item has {item.most}{with_bonus}"
            )
    if not assignment.item:
        raise ManifestError(f"{source}: key `item`: an assignment has at least one item")
    added = total(item.points for item in assignment.item)
    if added != assignment.points:
        raise ManifestError(
            f"{source}: key `points`: declared {assignment.points}, but the items add up to {added}"
        )
    _assert_numbers(assignment, source)
    _assert_submission(assignment, source)


def _assert_submission(assignment: Assignment, source: str) -> None:
    """Notebooks are plain names with no other of the same stem, patterns stay in a submission's folder."""
    stems: set[str] = set()
    for name in assignment.submission.notebooks:
        where = f"{source}: key `submission.notebooks`: {name!r}"
        if not name.endswith(NOTEBOOK) or name == NOTEBOOK or not _is_plain(name) or "/" in name:
            raise ManifestError(f"{where} is not the name of a notebook, such as 'part1.ipynb'")
        if name.casefold() in stems:
            raise ManifestError(f"{where} is named twice")
        stems.add(name.casefold())
    for pattern in assignment.submission.files:
        if not _is_plain(pattern):
            raise ManifestError(
                f"{source}: key `submission.files`: {pattern!r} leads out of a submission's folder; "
                "write a pattern such as 'layers/*.py'"
            )
    for item in assignment.item:
        if item.notebook and item.notebook not in assignment.notebooks:
            raise ManifestError(
                f"{source}: item {item.id!r}: key `notebook`: {item.notebook!r} is not one of "
                f"{', '.join(assignment.notebooks)}"
            )
    _assert_environment(assignment, source)
    _assert_evidence(assignment, source)


def _assert_environment(assignment: Assignment, source: str) -> None:
    if assignment.environment.cuda not in CUDA:
        raise ManifestError(
            f"{source}: key `environment.cuda`: {assignment.environment.cuda!r} is not one of "
            f"{', '.join(CUDA)}"
        )
    for package in assignment.environment.packages:
        if not _PACKAGE.fullmatch(package):
            raise ManifestError(
                f"{source}: key `environment.packages`: {package!r} is not a package's name, such as 'torch'"
            )


def _assert_evidence(assignment: Assignment, source: str) -> None:
    rules = assignment.evidence
    if rules.seed not in SEEDS:
        raise ManifestError(f"{source}: key `evidence.seed`: {rules.seed!r} is not one of {', '.join(SEEDS)}")
    if rules.own_seeds and not rules.seeds:
        raise ManifestError(f"{source}: key `evidence.seeds`: names no parameter; name one, such as 'SEED'")


def _is_plain(place: str) -> bool:
    """Whether a name or pattern stays in its folder, on every platform."""
    parts = place.split("/")
    return not {"", ".", ".."} & set(parts) and not set(place) & set("\\:\0") and place.isprintable()


def _assert_numbers(assignment: Assignment, source: str) -> None:
    for key in Limits.__struct_fields__:
        value = getattr(assignment.limits, key)
        if not value > 0:
            raise ManifestError(f"{source}: key `limits.{key}`: must be more than 0, not {value}")
    for name in assignment.budget:
        if not name.isidentifier():
            raise ManifestError(f"{source}: key `budget.{name}`: not a Python name")


def _points_hook(kind: type, value: object) -> object:
    if kind is Points:
        return Points.of(value)  # type: ignore[arg-type]  # Points.of refuses what is not a number
    raise NotImplementedError(kind)


def _plain(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The tree with exact decimals only for points; limits and the budget get floats."""

    def floats(value: Any) -> Any:
        if isinstance(value, Decimal):
            return float(value)
        if isinstance(value, list):
            return [floats(entry) for entry in value]
        return value

    out = dict(tree)
    if isinstance(out.get("item"), list):
        out["item"] = [
            {"kind": "written" if "rubric" in item else "code", **item} if isinstance(item, dict) else item
            for item in out["item"]
        ]
    for table in ("limits", "budget"):
        if isinstance(out.get(table), dict):
            out[table] = {key: floats(value) for key, value in out[table].items()}
    return out


def _key_of(message: str) -> str:
    """msgspec's "Expected `x`, got `y` - at `$.item[0].points`" with the key first."""
    what, _, path = message.partition(" - at `$")
    key = path.rstrip("`").lstrip(".")
    if unknown := _UNKNOWN.fullmatch(what):
        return f"key `{'.'.join(filter(None, (key, unknown[1])))}`: no such key; is it misspelt?"
    if missing := _MISSING.fullmatch(what):
        return f"key `{'.'.join(filter(None, (key, missing[1])))}`: is missing"
    return f"key `{key}`: {what}" if key else what
