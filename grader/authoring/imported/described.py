"""What an assignment of another system says, described alike for all of them: the readers make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grader.model.points import ZERO, Points
from grader.notebooks.cells import Cell

NAMESPACE, FILE = "namespace", "file"


@dataclass(frozen=True, slots=True)
class ForeignItem:
    """Something that has points there. A person marks it if it is ``written``, by ``rubric`` if there is one.

    ``notebook`` is the name of the notebook that it stands in.
    """

    id: str
    title: str
    points: Points
    notebook: str
    written: bool = False
    rubric: str = ""


@dataclass(frozen=True, slots=True)
class ForeignTest:
    """A test as Python source that runs in the namespace of a notebook or module, and raises if it fails.

    ``public`` is the part that students see, "" for none. ``helpers`` is source above it that it may need,
    such as the test cells before it. ``where`` is its place there.
    ``parameters`` are names that its ``decorators`` fill in, as pytest does. ``modules`` are the students'
    modules whose names its source imports. With ``awards`` its last expression is the number of points.
    ``points`` are for all of its ``cases``.
    """

    item: str
    name: str
    title: str
    points: Points
    source: str
    where: str
    public: str = ""
    helpers: str = ""
    hint: str = ""
    parameters: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    awards: bool = False
    cases: int = 1


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not taken over as it was, and why."""

    where: str
    text: str


@dataclass(kw_only=True)
class Course:
    """A whole assignment of another system.

    ``notebooks`` are solved and have our markers; ``modules`` are those that students write, with our markers
    too. ``files`` are given: names and contents. ``seen`` is how many tests there are, converted or not.
    """

    origin: Literal["nbgrader", "otter", "pytest"]
    title: str
    notebooks: dict[str, tuple[Cell, ...]] = field(default_factory=dict)
    items: list[ForeignItem] = field(default_factory=list)
    tests: list[ForeignTest] = field(default_factory=list)
    modules: Mapping[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    seen: int = 0

    def note(self, where: str, text: str) -> None:
        """Add a line for the report."""
        self.notes.append(Note(where, text))

    def tests_of(self, item: ForeignItem) -> list[ForeignTest]:
        """The tests of one item."""
        return [test for test in self.tests if test.item == item.id]


def worth(value: object, *, or_else: Points = ZERO) -> Points:
    """Points from a number of theirs, rounded to hundredths; ``or_else`` for what is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return or_else
    try:
        return Points.of(f"{float(value):.2f}")
    except ValueError:
        return or_else
