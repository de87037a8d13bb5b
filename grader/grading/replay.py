"""The author's file that decides how a submission's long run is replayed for a few steps while grading.

It runs on the trusted side, before the cells, and receives what the submission recorded. It returns data:
names for the budget, and source that runs in the sandbox before the first cell. If anything goes wrong with
it, grading continues without a replay: the notebook runs within the manifest's own budget.
"""

from __future__ import annotations

import contextlib
import io
import math
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from grader.grading.author_file import in_one_line, load_function
from grader.grading.seeds import Seeds
from grader.model.assignment import BudgetValue
from grader.model.errors import AuthorError, CheckFailed
from grader.model.records import CellStatus
from grader.model.text import storable
from grader.session.notebook import Notebook

FILE = "replay.py"
MAX_PRELUDE = 16_000_000
"""Characters of a prelude."""
MAX_VALUE = 10_000
"""Characters of a budget's text, entries of a budget's list."""

Meanwhile = Callable[[Callable[[str], np.random.Generator]], object]
_LARGEST = 2**53  # beyond it, not every reader of JSON gets the same integer


@dataclass(frozen=True)
class Replay:
    """How this submission's run is replayed.

    ``budget`` overrides the manifest's, name by name; ``prelude`` is Python source that runs in the sandbox
    before the first cell. Student code can read both: put no expected value into them. ``meanwhile`` is
    called in a thread of its own while the cells run, with a function that gives the ``rng`` of a check by
    its name, ``file::function``: what it computes by functions that are ``computed_once``, checks find.
    """

    budget: Mapping[str, BudgetValue] = field(default_factory=dict)
    prelude: str = ""
    meanwhile: Meanwhile | None = None


def begin(stack: ExitStack, work: Meanwhile | None, *, seed: int, left: Callable[[], float]) -> None:
    """Begin what can be done meanwhile; ``stack`` waits for its end, for the seconds ``left`` at most.

    Whatever it raises, the checks that need it compute it themselves, and say what is wrong.
    """
    if work is None:
        return

    def rng_of(check: str) -> np.random.Generator:
        return np.random.default_rng(Seeds(seed).of_check(check))

    def run() -> None:
        with contextlib.suppress(Exception):
            work(rng_of)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stack.callback(lambda: thread.join(min(max(0.0, left()), threading.TIMEOUT_MAX)))


def prepare(checks: Path, recordings: Mapping[str, tuple[Mapping[str, Any], ...]]) -> Replay:
    """The replay that the author's file makes of each item's recordings; an empty one if there is no file.

    Raises AuthorError, one line, if the file or what it returns cannot be used. A CheckFailed that it raises
    (the recordings cannot be believed) is no error: the replay is then empty.
    """
    path = checks / FILE
    if not path.is_file():
        return Replay()
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # `--json` promises the record alone
            found = load_function(path, "prepare", of="recordings")(recordings)
    except CheckFailed:
        return Replay()
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the author's code may raise anything
        raise AuthorError(f"{FILE}: {in_one_line(error, path)}") from None
    _assert_usable(found)
    replay: Replay = found
    return replay


def run_prelude(notebook: Notebook, prelude: str, *, seconds: float) -> None:
    """Run a prelude inside the notebook. Raises AuthorError, one line, if it fails."""
    if not prelude:
        return
    run = notebook.run_cell(prelude, seconds=seconds)
    if run.status is not CellStatus.OK:
        said = " ".join(run.error.split())[:300]
        raise AuthorError(f"{FILE}: the prelude did not run through: {run.status}: {said}")


def _assert_usable(found: object) -> None:
    """Raise AuthorError unless this is a budget and a prelude that a record can hold."""
    if not isinstance(found, Replay):
        raise AuthorError(f"{FILE}: prepare gave {type(found).__name__}, expected grader.Replay")
    if not isinstance(found.prelude, str) or len(found.prelude) > MAX_PRELUDE:
        raise AuthorError(f"{FILE}: the prelude must be text of at most {MAX_PRELUDE:,} characters")
    if found.meanwhile is not None and not callable(found.meanwhile):
        raise AuthorError(f"{FILE}: meanwhile is {type(found.meanwhile).__name__}, expected a function")
    if not isinstance(found.budget, Mapping):
        raise AuthorError(f"{FILE}: the budget must map names to values")
    for name, value in found.budget.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise AuthorError(f"{FILE}: budget: {str(name)[:80]!r} is not a Python name")
        if not _is_budget_value(value):
            raise AuthorError(
                f"{FILE}: budget: {name} is neither a finite number, text, true or false nor a list of them"
            )


def _is_budget_value(value: object) -> bool:
    if type(value) is list:
        return len(value) <= MAX_VALUE and all(
            type(entry) is not list and _is_budget_value(entry) for entry in value
        )
    if type(value) is str:
        return len(value) <= MAX_VALUE and storable(value) == value
    if type(value) is float:
        return math.isfinite(value)
    return type(value) is bool or (type(value) is int and abs(value) <= _LARGEST)
