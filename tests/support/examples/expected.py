"""What an example must get: ``examples/<name>/expected.toml``, typed, unknown keys refused.

::

    what = "what the student did, in one line"
    why = "what it deserves, and why"
    file = "neural_networks.py"            # what to grade; left out, hw3.ipynb
    recipe = "fifty_megabytes"             # left out, the file lies beside; else it is made when tests run
    exit = 0                               # 0 graded, 1 needs attention, 2 cannot be graded
    error = "not JSON"                     # exit 2: part of its line
    rest = "full"                          # code items not named below: "full" points, "none", or "undecided"
    notices = ["cell 3"]                   # parts of notices; none other may be there
    attention = ["3.1.1"]                  # parts of the attention lines; none other may be there

    [limits]                               # instead of the assignment's, so that tests are quick
    cell_seconds = 4

    [items."3.1.1"]
    earned = 5.25
    decided = true                         # left out, true
    lost = { test_forward = "timed_out" }  # the checks that do not pass, and how they end
    says = { test_forward = "a mean" }     # part of what one of them says to the instructor

    [cells]                                # code cells by their number in the file; the others are "ok"
    4 = "timed_out: stopped after"         # status, then part of the error
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from grader.model.assignment import Limits
from grader.model.points import Points


class ExpectedItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Points of one item, and the checks that did not pass with their outcome."""

    earned: Decimal
    decided: bool = True
    lost: dict[str, str] = {}
    says: dict[str, str] = {}

    @property
    def points(self) -> Points:
        """What the item earns."""
        return Points.of(self.earned)


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One example's pinned result."""

    what: str
    why: str
    file: str = "hw3.ipynb"
    recipe: str = ""
    exit: Literal[0, 1, 2] = 0
    error: str = ""
    rest: Literal["full", "none", "undecided"] = "full"
    notices: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()
    limits: dict[str, int | float] = {}
    items: dict[str, ExpectedItem] = {}
    cells: dict[str, str] = {}

    def limits_from(self, usual: Limits) -> Limits:
        """The assignment's limits with this example's own in their place."""
        return msgspec.convert({**msgspec.structs.asdict(usual), **self.limits}, Limits)

    def cell(self, number: int) -> tuple[str, str]:
        """A code cell's status, and a part of its error."""
        status, _, error = self.cells.get(str(number), "ok").partition(": ")
        return status, error


def read_expected(folder: Path) -> Expected:
    """The expectation in an example's folder. Raises msgspec.ValidationError for what does not fit."""
    tree = tomllib.loads((folder / "expected.toml").read_text(encoding="utf-8"), parse_float=Decimal)
    return msgspec.convert(tree, Expected, strict=False)
