"""Points are exact: whole hundredths inside, decimal numbers outside, never binary floats."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import total_ordering

MOST = 10**9
"""Hundredths of a point: anything larger is a typing mistake, and 1e999999999 would fill the memory."""

ONE_POINT = 100


@total_ordering
class Points:
    """An exact, immutable number of points, held as whole hundredths.

    Not a dataclass: msgspec would encode its fields instead of calling our hooks for a decimal number.
    """

    __slots__ = ("_hundredths",)

    def __init__(self, hundredths: int = 0) -> None:
        self._hundredths = hundredths

    @property
    def hundredths(self) -> int:
        """The same points in hundredths of a point."""
        return self._hundredths

    @classmethod
    def of(cls, value: int | float | str | Decimal | Points) -> Points:
        """Points from a number as people write it (2, 0.5, "1.25").

        A float is read by its shortest decimal form, so 0.1 means exactly one tenth.
        Raises ValueError for anything that is not a finite number of whole hundredths.
        """
        if isinstance(value, Points):
            return value
        if isinstance(value, bool):
            raise ValueError(f"points must be a number, not {value!r}")
        try:
            exact = Decimal(repr(value) if isinstance(value, float) else value) * 100
        except (ArithmeticError, TypeError, ValueError):
            raise ValueError(f"points must be a number, not {value!r}") from None
        if not exact.is_finite() or abs(exact) > MOST:
            raise ValueError(f"points must be a number that a course awards, not {value!r}")
        whole = int(exact)
        if whole != exact:
            raise ValueError(f"points have at most two decimals, not {value!r}")
        return cls(whole)

    @property
    def decimal(self) -> Decimal:
        """The points as a decimal with no trailing zeros: 2, 0.5, 1.25."""
        whole, rest = divmod(self.hundredths, 100)
        return Decimal(whole) if rest == 0 else Decimal(self.hundredths).scaleb(-2).normalize()

    @property
    def in_words(self) -> str:
        """With the word: "1 point", "2.5 points"."""
        return f"{self} point" if self.hundredths == ONE_POINT else f"{self} points"

    def __add__(self, other: Points) -> Points:
        return Points(self.hundredths + other.hundredths)

    def __sub__(self, other: Points) -> Points:
        return Points(self.hundredths - other.hundredths)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Points) and self._hundredths == other._hundredths

    def __hash__(self) -> int:
        return hash((Points, self._hundredths))

    def __repr__(self) -> str:
        return f"Points.of('{self}')"

    def __lt__(self, other: Points) -> bool:
        return self.hundredths < other.hundredths

    def __bool__(self) -> bool:
        return self.hundredths != 0

    def __str__(self) -> str:
        return str(self.decimal)


ZERO = Points(0)


def total(points: Iterable[Points]) -> Points:
    """The exact sum; zero for none."""
    return Points(sum(one.hundredths for one in points))
