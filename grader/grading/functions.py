"""The author's file that says which functions a submission's recordings hold, to find copies in a class.

`hidden_tests/likeness.py` runs on the trusted side. It receives what the submission recorded and returns
sketches of the trained models (see `grader.checks.likeness`). They cost nobody a point: whoever shares a
function with somebody else is named to the instructor.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.checks.evidence import Recording
from grader.checks.likeness import unsketch
from grader.grading.author_file import in_one_line, load_function
from grader.model.errors import AuthorError, CheckFailed

FILE = "likeness.py"
MOST = 32
"""Sketches of one submission."""

PREFIX = "function"
_LABEL = re.compile(r"[\w.-]{1,40}")
_FIELDS = 5


@dataclass(frozen=True)
class Sketch:
    """One trained model's own part of its outputs, as ``sketch`` gives it; "" is left out.

    Two submissions are named if theirs are alike by at least ``least``. ``seed`` is the seed that was
    recorded: honest runs from one seed may be one function.
    """

    text: str
    least: float
    seed: object = None


Prints = frozenset[tuple[str, str]]


def sketched(checks: Path, recordings: Mapping[str, Recording]) -> Prints:
    """Pairs of an item and a model's sketch, from the author's file; none if there is no file.

    ``recordings`` has each item's recording, where there are not several that differ.

    Raises AuthorError, one line, if the file or what it returns cannot be used. A CheckFailed that it raises
    (there are no such weights) is no error.
    """
    path = checks / FILE
    if not path.is_file():
        return frozenset()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            found = load_function(path, "sketches", of="recordings")(recordings)
    except CheckFailed:
        return frozenset()
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the author's code may raise anything
        raise AuthorError(f"{FILE}: {in_one_line(error, path)}") from None
    return frozenset(
        (item, f"{PREFIX} {label} {sketch.least:g} {_digest(sketch.seed)} {sketch.text}")
        for item, label, sketch in _usable(found)
        if sketch.text
    )


@dataclass(frozen=True)
class ShownFunction:
    """What a fingerprint says of a model. ``label`` tells several models of one item apart."""

    label: str
    least: float
    seed: str
    text: str

    @classmethod
    def of(cls, fingerprint: str) -> ShownFunction | None:
        """The model of a fingerprint, or None if it is of another kind."""
        parts = fingerprint.split(" ")
        if len(parts) != _FIELDS or parts[0] != PREFIX:
            return None
        return cls(parts[1], float(parts[2]), parts[3], parts[4])


def _usable(found: object) -> list[tuple[str, str, Sketch]]:
    """The item, label and sketch of each model. Raises AuthorError for anything else."""
    if not isinstance(found, Mapping) or not all(isinstance(some, Mapping) for some in found.values()):
        raise AuthorError(f"{FILE}: sketches must give a mapping of items to mappings of labels to Sketch")
    listed = [(item, label, sketch) for item, models in found.items() for label, sketch in models.items()]
    if len(listed) > MOST:
        raise AuthorError(f"{FILE}: {len(listed)} sketches, and {MOST} can be kept of a submission")
    for item, label, sketch in listed:
        if not isinstance(item, str) or not isinstance(label, str) or not _LABEL.fullmatch(label):
            raise AuthorError(f"{FILE}: an item has a label for each model, of letters, digits, . and -")
        if not isinstance(sketch, Sketch) or not 0 < sketch.least <= 1:
            raise AuthorError(f"{FILE}: {item}: {label} is no Sketch with `least` above 0 and up to 1")
        if not isinstance(sketch.text, str) or (sketch.text and unsketch(sketch.text) is None):
            raise AuthorError(f"{FILE}: {item}: {label} was not made by `sketch`")
    return listed


def _digest(seed: object) -> str:
    return hashlib.sha256(repr(seed).encode("utf-8", "replace")).hexdigest()[:12]
