"""How far two correct answers may differ.

The tolerance follows the floating-point type of what is expected, or float32 if a student's answer is coarser
than that: a type that the student chose never makes the bar wider than float32's. Each entry is held against
its own size; what the rounding of a sum excuses beside larger entries is a floor of another order. Both were
measured (``python -m benchmarks.tolerance``, tests/unit/test_checks_closeness.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grader.checks.arrays import Array

_RELATIVE = {2: 2e-2, 4: 1e-4, 8: 1e-6}
"""Relative tolerance by bytes per real number: float16, float32, float64 (and wider)."""

_EPS = {size: float(np.finfo(f"f{size}").eps) for size in _RELATIVE}

_FLOOR = {2: 2e-2, 4: 1e-5, 8: 1e-12}
"""What rounding may change in any entry, relative to the largest one, by bytes per real number.

A sum's rounding error follows its largest terms, not its value. Matrix products, softmax, normalization, ten
layers back and forth and LSTMs of 20 steps were off by at most 4 units in the last place of the largest entry
beyond the relative tolerance; this is 84 of them in float32.
"""

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

        By default rtol follows the expected side's floating type, or float32 if the actual side is coarser,
        and atol is what rounding may change beside the largest finite expected magnitude. If neither side is
        floating, both are 0: integers and truth values are compared exactly.
        """
        if not any(side.dtype.kind in "fc" for side in (actual, expected)):
            return cls(rtol=rtol or 0.0, atol=atol or 0.0)
        size = max(_answered(actual), _bytes_or_double(expected), key=lambda held: _RELATIVE[held])
        if atol is None:
            magnitude = largest_magnitude(expected)
            atol = _FLOOR[size] * magnitude if magnitude else _ZERO_ULPS * _EPS[size]
        return cls(rtol=_RELATIVE[size] if rtol is None else rtol, atol=atol)

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


def relative_bar(answer: Array) -> float:
    """The relative tolerance for a student's answer by its type: float32's if it is that or coarser."""
    return _RELATIVE[_answered(answer)]


def floor_of(answer: Array, magnitude: float) -> float:
    """What rounding may change in a student's answer, by its type, beside entries of this magnitude."""
    return _FLOOR[_answered(answer)] * magnitude


def eps_of(answer: Array) -> float:
    """The unit in the last place of 1 in a student's type; float16 counts as float32."""
    return _EPS[_answered(answer)]


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


def _answered(array: Array) -> int:
    """The bytes of a real number that a student's answer is judged by; float16 counts as float32."""
    return max(4, _bytes_or_double(array))


def _bytes_or_double(array: Array) -> int:
    """Bytes of one real number, at most a double's; a complex number holds two. Integers are exact."""
    if array.dtype.kind not in "fc":
        return 8
    return min(8, array.dtype.itemsize // (2 if array.dtype.kind == "c" else 1))
