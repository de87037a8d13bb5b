"""Texts and sets: is a text what it should be, and are the same members there, in whatever order."""

from __future__ import annotations

import bisect
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.model.errors import AuthorError, CheckFailed
from grader.model.text import snippet
from grader.model.values import Remote

AROUND = 20
"""Characters that a message shows before and after the first difference."""
MAX_NAMED = 5
DEEPEST = 32
RELATIVE, FLOOR = 1e-6, 1e-12
LARGEST = 1e300
MAX_PAIRS = 1_000_000
"""Pairs of members that are compared to find those that differ by rounding."""

_NUMBER = (int, float, complex)


def assert_text(
    actual: object, expected: str, *, case: bool = True, whitespace: bool = True, name: str = "the text"
) -> None:
    """Pass when a text is ``expected``.

    Without ``case`` capital letters count as small ones. Without ``whitespace`` each run of blanks and
    newlines counts as one blank, and none at either end. Raises CheckFailed, with the first difference.
    """
    if not isinstance(expected, str):
        raise AuthorError(f"{name}: the expected value is {_kind(expected)}, not a text")
    value = _fetched(actual)
    if not isinstance(value, str):
        none = " Is a `return` missing?" if value is None else ""
        raise CheckFailed(f"{name} is {_kind(value)}, expected a text.{none}")
    have, want = (_simplified(text, case=case, whitespace=whitespace) for text in (value, expected))
    if have == want:
        return
    place = _first_difference(have, want)
    line = have.count("\n", 0, place) + 1
    where = f"line {line}, " if "\n" in want else ""
    raise CheckFailed(
        f"{name} differs from {where}character {place - have.rfind(chr(10), 0, place)} on.\n  "
        f"got {_part(have, place)}, expected {_part(want, place)}"
    )


def assert_same_set(
    actual: object, expected: Iterable[object], *, counts: bool = False, name: str = "the set"
) -> None:
    """Pass when a set, list, tuple or array has the members of ``expected``, in whatever order.

    With ``counts`` each member must come as often as there. Numbers may differ by rounding (1e-6 of their
    size), and lists and rows of arrays count as tuples. Raises CheckFailed, with what is missing and what is
    too much.
    """
    if isinstance(expected, Remote | str):
        raise AuthorError(f"{name}: the expected value is {_kind(expected)}; write a set or a list")
    want = _members(expected, name=name)
    value = _fetched(actual)
    if not isinstance(value, Collection) or isinstance(value, str | bytes | Mapping):
        raise CheckFailed(f"{name} is {_kind(value)}, expected a set or a list.")
    if isinstance(value, np.ndarray) and value.ndim == 0:
        raise CheckFailed(f"{name} is a single number, expected a set or a list.")
    try:
        have = _members(value, name=name)
    except AuthorError:
        raise CheckFailed(f"{name} has members that cannot be compared.") from None
    near = Nearness.of(want)
    if counts:
        missing, extra = near.unpaired([*(want - have).elements()], [*(have - want).elements()])
    else:
        missing = near.far_from(want.keys() - have.keys(), have)
        extra = near.far_from(have.keys() - want.keys(), want)
    if missing or extra:
        said = [f"lacks {_named(missing)}"] if missing else []
        said += [f"has {_named(extra)} too much"] if extra else []
        raise CheckFailed(f"{name} {' and '.join(said)}; {len(want)} members were expected.")


@dataclass
class Nearness:
    """Which members count as equal: those that differ by rounding, ``floor`` or RELATIVE of their size.

    Real numbers are sorted, so that many of them take little time. Of others at most ``room`` pairs are
    compared.
    """

    floor: float
    room: int = MAX_PAIRS

    @classmethod
    def of(cls, members: Iterable[Any]) -> Nearness:
        """What rounding may change beside the largest of these."""
        return cls(FLOOR * max((abs(float(member)) for member in members if _is_real(member)), default=0.0))

    def far_from(self, members: Iterable[Any], others: Iterable[Any]) -> list[Any]:
        """The members that are close to none of the others."""
        known = list(others)
        reals = sorted(filter(_is_real, known))
        rest = [other for other in known if not _is_real(other)]
        return [member for member in members if not self._is_among(member, reals, rest)]

    def unpaired(self, missing: list[Any], extra: list[Any]) -> tuple[list[Any], list[Any]]:
        """What is left of both once each is paired with one that it is close to."""
        wanted, held = sorted(filter(_is_real, missing)), sorted(filter(_is_real, extra))
        left: tuple[list[Any], list[Any]] = ([], [])
        while wanted and held:
            if self.is_close(wanted[-1], held[-1]):
                wanted.pop()
                held.pop()
            elif wanted[-1] > held[-1]:
                left[0].append(wanted.pop())
            else:
                left[1].append(held.pop())
        rest = [other for other in extra if not _is_real(other)]
        for member in (other for other in missing if not _is_real(other)):
            place = self._place_in(rest, member)
            if place is None:
                left[0].append(member)
            else:
                del rest[place]
        return [*left[0], *wanted], [*left[1], *held, *rest]

    def is_close(self, one: Any, other: Any) -> bool:
        """Whether members are equal, or numbers that differ by rounding, or tuples of such."""
        if isinstance(one, tuple) and isinstance(other, tuple):
            return len(one) == len(other) and all(map(self.is_close, one, other))
        if not (isinstance(one, _NUMBER) and isinstance(other, _NUMBER)):
            return type(one) is type(other) and bool(one == other)
        if isinstance(one, int) and isinstance(other, int):
            return one == other
        try:
            bar = max(self.floor, RELATIVE * max(abs(one), abs(other)))
            return bool(one == other or (math.isfinite(bar) and abs(one - other) <= bar))
        except OverflowError:  # a whole number beyond a float's range, beside a float
            return False

    def _is_among(self, member: Any, reals: list[Any], rest: list[Any]) -> bool:
        if not _is_real(member):
            return self._place_in(rest, member) is not None
        place = bisect.bisect_left(reals, member)
        return any(self.is_close(member, other) for other in reals[max(0, place - 1) : place + 1])

    def _place_in(self, rest: list[Any], member: Any) -> int | None:
        self.room -= len(rest)
        if self.room < 0:
            return None
        return next((place for place, other in enumerate(rest) if self.is_close(other, member)), None)


def _is_real(value: object) -> bool:
    """Whether a member can be sorted among numbers; whole numbers beyond a float's range cannot."""
    return isinstance(value, int | float) and abs(value) < LARGEST


def _members(values: Iterable[object], *, name: str) -> Counter[object]:
    try:
        return Counter(_hashable(value) for value in values)
    except TypeError as error:
        raise AuthorError(f"{name}: its members cannot be compared: {error}") from None


def _hashable(value: object, depth: int = 0) -> object:
    if isinstance(value, Remote):
        value = value.value
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float) and math.isnan(value):
        return math.nan  # one object, which is found again
    if isinstance(value, list | tuple) and depth < DEEPEST:
        return tuple(_hashable(entry, depth + 1) for entry in value)
    return frozenset(value) if isinstance(value, set) else value


def _fetched(value: object) -> object:
    return value.value if isinstance(value, Remote) else value


def _simplified(text: str, *, case: bool, whitespace: bool) -> str:
    text = text if case else text.casefold()
    return text if whitespace else " ".join(text.split())


def _first_difference(one: str, other: str) -> int:
    """The place where two texts, which are not equal, begin to differ."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _part(text: str, place: int) -> str:
    """The text around a place, quoted; what is cut off is dots."""
    start, end = max(0, place - AROUND), place + AROUND
    shown = repr(text[start:end])
    if place >= len(text):
        shown += " (its end)"
    return snippet(f"{'…' if start else ''}{shown}{'…' if end < len(text) else ''}", limit=4 * AROUND)


def _named(members: list[object]) -> str:
    shown = sorted(snippet(repr(member), limit=60) for member in members[:1000])
    more = len(members) - MAX_NAMED
    return ", ".join(shown[:MAX_NAMED]) + (f" and {more} more" if more > 0 else "")


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {snippet(type(value).__name__, limit=40)}"
