"""A failed check's message with the formula that the student's code computed.

The code is asked again, with other inputs and sizes, for what it answered in the check: everything that the
check did is done once more, with a probe's array wherever one of the check's own stood. An author writes
nothing for that. It happens after a check has failed, in its own copy of the notebook's state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType

import numpy as np

from grader.checks.arrays import Array
from grader.checks.formulas import ANY_SHAPES, Answer, Formulas, Named, Probe, WrongArray, formula_of
from grader.checks.mistakes import mistake_of
from grader.model.errors import CheckError, CheckFailed
from grader.session.history import CannotRepeat, repeated
from grader.session.session import Session

SLOWEST = 0.25
"""Seconds that a check's requests may have taken for them to be made again."""

AGAIN = 4
"""How many times as long they may take then, and ...."""

LEAST = 0.5
"""... the seconds that they may take in any case, also on a busy machine."""

UNNAMED = "another formula"

NO_NAME = (ArithmeticError, LookupError, TypeError, ValueError, MemoryError, RecursionError)
"""Whatever goes wrong here, the check has failed already and says so."""


def make_tables(modules: Iterable[ModuleType]) -> None:
    """Make the tables of all vocabularies that files of checks name, for the forks of this process."""
    for module in modules:
        for value in list(vars(module).values()):
            if isinstance(value, Formulas):
                value.table  # noqa: B018  # made on first use, and kept


def look_up(error: BaseException | None, session: Session | None) -> None:
    """Add to a failed check's error what its array is a formula of, if that is found."""
    if not isinstance(error, CheckFailed) or not isinstance(error.wrong, WrongArray):
        return
    wrong, error.wrong = error.wrong, None
    try:
        formula = formula_of(wrong.answer, wrong.named, Repetition(wrong, session).ask)
        kind = mistake_of(formula, wrong.named, wrong.expected) if formula else ""
    except NO_NAME:
        return
    if formula is None:
        return
    said = [f"{wrong.facts}" if kind else str(error)]
    error.args = ("\n  ".join([*said, f"This is `{formula}`{': ' * bool(kind)}{kind}."]),)
    error.mistake = kind or error.mistake or UNNAMED


class Repetition:
    """The requests of a check, to be made again with a probe's arrays."""

    def __init__(self, wrong: WrongArray, session: Session | None) -> None:
        self._wrong, self._session = wrong, session

    def ask(self, number: int) -> Answer | None:
        """What the student's code gives on a probe; None if it cannot be asked, or gives no array."""
        session = self._session
        if session is None or session.history.seconds > SLOWEST:
            return None
        translate = Translation(self._wrong.named, number)
        seconds = max(LEAST, AGAIN * session.history.seconds)
        try:
            found = repeated(session.history, self._wrong.answer, session, translate, seconds=seconds)
        except (CheckError, CannotRepeat):
            return None
        if not isinstance(found, np.ndarray | np.generic | int | float | list):
            return None
        try:
            return Answer(np.asarray(found), frozenset(translate.given))
        except (TypeError, ValueError, OverflowError, CheckError):
            return None


class Translation:
    """Arguments of a check's requests, as they would be with a probe's arrays and sizes."""

    def __init__(self, named: Named, number: int) -> None:
        self._named, self._number_of_probe = named, number
        self._probe: Probe = named.formulas.probes[number]
        self._lengths = lengths(named.sizes, named.formulas.sizes(number))
        self._rng = np.random.default_rng([11, number])
        self._others: dict[bytes, Array] = {}
        self.given: set[str] = set()
        """The names whose values took the place of others."""

    def __call__(self, value: object) -> object:
        """A value in the place of another. Raises CannotRepeat where it is not known which."""
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, bool | np.bool_):
            return value
        if isinstance(value, int | np.integer) and int(value) in self._lengths:
            return type(value)(self._length(int(value)))
        if isinstance(value, int | float | np.number):
            return self._number(value)
        return value

    def _array(self, value: Array) -> Array:
        for name, own in self._named.arrays.items():
            if own.size == value.size and np.array_equal(own.ravel(), value.ravel()):
                self.given.add(name)
                probe = self._probe[name]
                shape = probe.shape if value.shape == own.shape else self._shape(value.shape)
                return probe.reshape(shape).astype(value.dtype if value.dtype.kind == "f" else float)
        shape = self._shape(value.shape)
        if value.size and (value == value.flat[0]).all():
            return np.full(shape, value.flat[0])
        if value.dtype.kind not in "fiu":
            raise CannotRepeat
        if value.dtype.kind != "f":
            return np.resize(value, shape)
        # An array that the author did not name: a result that depends on it is in no table.
        key = value.tobytes()
        if key not in self._others:
            self._others[key] = self._rng.normal(size=shape).astype(value.dtype)
        return self._others[key]

    def _number(self, value: object) -> object:
        for name, own in self._named.arrays.items():
            if not own.shape and own == value:
                self.given.add(name)
                return float(self._probe[name])
        return value

    def _shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if shape == self._named.any_shape:
            return ANY_SHAPES[self._number_of_probe]
        return tuple(self._length(length) for length in shape)

    def _length(self, length: int) -> int:
        found = self._lengths.get(length, length)
        if found is None:
            raise CannotRepeat
        return found


def lengths(own: Mapping[str, int], probe: Mapping[str, int]) -> dict[int, int | None]:
    """The probe's length for each of the check's; None where two axes of the check are as long.

    An axis of length 1 cannot be told from one that always has length 1.
    """
    found: dict[int, int | None] = {}
    for axis, length in own.items():
        is_known = length in found and found[length] != probe[axis]
        found[length] = None if is_known or length == 1 else probe[axis]
    return found
