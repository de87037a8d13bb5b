"""The `calibrated` fixture: a check's bounds, from the file beside it, unless they are stale."""

from __future__ import annotations

import ast
import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from grader.checks.thresholds import RECALIBRATE, Limit, Stored
from grader.digests import digest_of, digest_of_file, digests_below
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.calibration import CalibrationFile, decode
from grader.model.errors import AuthorError, CannotGrade

FIXTURE = "calibrated"
Calibrated = Callable[[str], Limit]


class Bounds:
    """A pytest plugin with the fixture `calibrated`: `calibrated("name")` is a stored bound.

    ``checks`` is the folder of checks that run; the assignment around it decides whether bounds are stale.
    ``fresh`` maps files of checks to bounds that are used as they are, instead of the stored ones.
    """

    def __init__(self, checks: Path, *, fresh: Mapping[Path, CalibrationFile] | None = None) -> None:
        self._checks, self._fresh = checks, fresh

    @pytest.fixture
    def calibrated(self, request: pytest.FixtureRequest) -> Calibrated:
        """`calibrated("name")` is the bound that `grade calibrate` computed for this check."""
        return functools.partial(self.bound, request.node.path, request.node.name)

    def bound(self, path: Path, check: str, name: str) -> Limit:
        """The bound ``name`` of a check. Raises AuthorError if it is missing, damaged or stale."""
        mend = f"{RECALIBRATE} {path.name}"
        if self._fresh is None and (reason := staleness(path, self._reference)):
            raise AuthorError(f"{path.name}: check `{check}`: its bounds are {reason}; {mend}")
        whole = read(file_of(path)) if self._fresh is None else self._fresh[path]
        found = whole.find(check, name)
        if found is None:
            why = whole.why_not(check, name)
            said = f" ({why})" if why else f"; {mend}"
            raise AuthorError(f"{path.name}: check `{check}` has no calibrated bound {name!r}{said}")
        return Stored(found)

    @functools.cached_property
    def _reference(self) -> str | None:
        try:
            return reference_digest(assignment_folder.load(self._checks.parent))
        except CannotGrade:
            return None  # checks without their assignment: nothing to compare with


def file_of(checks: Path) -> Path:
    """Where the bounds of a file of checks are."""
    return checks.with_suffix(".calibration.json")


def read(path: Path) -> CalibrationFile:
    """Read stored bounds. Raises AuthorError if the file is not what `grade calibrate` wrote."""
    try:
        return decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AuthorError(f"{path.name} cannot be read: {error}; {RECALIBRATE}") from None


def staleness(checks: Path, reference: str | None) -> str:
    """Why the stored bounds of a file of checks cannot be used; "" if they can."""
    path = file_of(checks)
    if not path.is_file():
        return "missing"
    found = read(path)
    if found.checks != digest_of_file(checks):
        return "stale: the checks have changed since"
    if reference is not None and found.reference != reference:
        return "stale: the reference has changed since"
    return ""


def uses_bounds(checks: Path) -> bool:
    """Whether a file of checks asks for calibrated bounds."""
    try:
        tree = ast.parse(checks.read_bytes())
    except (SyntaxError, ValueError):
        return False
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return any(FIXTURE in (argument.arg for argument in node.args.args) for node in functions)


def reference_digest(home: AssignmentFolder) -> str | None:
    """A digest of the reference notebook, the given files and the budget; None if there is no notebook."""
    notebook = home.path / home.assignment.notebook
    if not notebook.is_file():
        return None
    digests = {"budget": digest_of(json.dumps(home.assignment.budget, sort_keys=True).encode())}
    for name, path in {"notebook": notebook, **home.given_files()}.items():
        found = digests_below(path) if path.is_dir() else {".": digest_of_file(path)}
        digests |= {f"{name}/{inner}": digest for inner, digest in found.items()}
    return digest_of("\n".join(f"{digest} {name}" for name, digest in digests.items()).encode())
