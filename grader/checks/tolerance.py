"""How far two correct answers may differ.

The tolerance follows the coarser floating-point type of the two sides. It was measured (see
tests/unit/test_checks_closeness.py): matrix products summed in another order stay below it by more than a
factor of 20 in float64 and float32, while a wrong sign, factor or transpose or a missing term is far above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grader.checks.arrays import Array

_RELATIVE = {2: 2e-2, 4: 1e-4, 8: 1e-6}
"""Relative tolerance by bytes per real number: float16, float32, float64 (and wider)."""

_ZERO_ULPS = 100
"""If every expected entry is 0, nothing gives a scale: this many units in the last place of 1 pass as 0."""


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """An entry passes if |actual - expected| <= atol + rtol |expected|; NaN never passes."""

    rtol: float
    atol: float

    @classmethod
    def between(
        cls, actual: Array, expected: Array, *, rtol: float | None = None, atol: float | None = None
    ) -> Tolerance:
        """The tolerance for two sides; a given rtol or atol is taken as it is.

        By default rtol follows the coarser floating type, and atol is rtol times the largest finite expected
        magnitude: a sum's rounding error follows its largest terms, not its value. If neither side is
        floating, both are 0: integers and truth values are compared exactly.
        """
        floating = [side for side in (actual, expected) if side.dtype.kind in "fc"]
        if not floating:
            return cls(rtol=rtol or 0.0, atol=atol or 0.0)
        relative = relative_bar(*floating) if rtol is None else rtol
        if atol is None:
            magnitude = largest_magnitude(expected)
            atol = relative * magnitude if magnitude else _ZERO_ULPS * max(_eps(side) for side in floating)
        return cls(rtol=relative, atol=atol)

    @property
    def exact(self) -> bool:
        """Whether only equal values pass."""
        return self.rtol == 0 and self.atol == 0

    def close(self, actual: Array, expected: Array) -> Array:
        """Entry by entry, which pass; the sides have the same shape."""
        with np.errstate(all="ignore"):
            # Equality first: inf - inf is NaN. Both comparisons are written so that NaN fails them.
            equal = np.asarray(actual == expected)
            if self.exact:
                return equal
            return np.asarray(equal | (distance(actual, expected) <= self.allowed(expected)))

    def allowed(self, expected: Array) -> Array:
        """Entry by entry, the largest difference that passes; 0 for an infinity, which only itself equals."""
        with np.errstate(all="ignore"):
            bar = self.atol + self.rtol * np.abs(_wide(expected))
        return np.asarray(np.where(np.isfinite(bar), bar, 0.0))


def relative_bar(*arrays: Array) -> float:
    """The relative tolerance of the coarsest floating type in the arrays; float64's if none is floating."""
    bars = (_RELATIVE[min(_bytes(array), 8)] for array in arrays if array.dtype.kind in "fc")
    return max(bars, default=_RELATIVE[8])


def distance(actual: Array, expected: Array) -> Array:
    """|actual - expected| in double precision; NaN where either side is NaN."""
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(_wide(actual) - _wide(expected)))


def largest_magnitude(array: Array) -> float:
    """The largest finite |entry|; 0 where there is none."""
    with np.errstate(all="ignore"):
        sizes = np.abs(_wide(array))
    finite = sizes[np.isfinite(sizes)]
    return float(finite.max()) if finite.size else 0.0


def _wide(array: Array) -> Array:
    """The array in double precision or wider."""
    return array.astype(np.result_type(array.dtype, np.float64), copy=False)


def _bytes(array: Array) -> int:
    """Bytes of one real number; a complex one holds two."""
    return array.dtype.itemsize // (2 if array.dtype.kind == "c" else 1)


def _eps(array: Array) -> float:
    return float(np.finfo(array.dtype).eps)
