"""From a wrong array to one likely cause: the mistakes that students really make in homework on gradients.

A cause is named only if the wrong array is, entry by entry, what that mistake would give: a misleading guess
is worse than none. Nothing here decides whether an answer is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from grader.checks.arrays import Array
from grader.checks.tolerance import Tolerance

_ENOUGH = 3
"""Entries that must agree before an unnamed factor or offset counts as a pattern rather than chance."""

MOST_BYTES = 4 << 20
"""Larger arrays are not looked at: each mistake that is tried takes several copies."""

_WIDEST = 8  # bytes of one entry; all are computed with in double precision

_MATRIX = 2
"""Axes an array needs before transposing it changes anything."""


@dataclass(frozen=True, kw_only=True)
class _Case:
    actual: Array
    expected: Array
    suspects: Mapping[str, Array]
    batch: int | None
    tolerance: Tolerance

    def is_like(self, candidate: Array) -> bool:
        """Whether the wrong array is what this mistake gives.

        A mistake that happens to give the right answer on this input (a symmetric matrix transposed, say)
        explains nothing, so it is no candidate.
        """
        return self._same(self.actual, candidate) and not self._same(candidate, self.expected)

    def _same(self, first: Array, second: Array) -> bool:
        return first.shape == second.shape and bool(self.tolerance.close(first, second).all())


@dataclass(frozen=True)
class Cause:
    """What probably went wrong: in words, and as the name by which a class can be counted.

    With ``is_plain`` no formula would say more.
    """

    words: str = ""
    mistake: str = ""
    is_plain: bool = False

    @property
    def sentence(self) -> str:
        """The words as a sentence, or nothing."""
        return f"Likely cause: {self.words}." if self.words else ""


def likely_cause(
    actual: Array,
    expected: Array,
    *,
    tolerance: Tolerance,
    suspects: Mapping[str, object] | None = None,
    batch: int | None = None,
) -> Cause:
    """What probably went wrong, if anything can be said.

    ``suspects`` maps a cause, in words, to the array it would give; they are tried before the generic causes.
    ``batch`` is the number of examples, if a factor of it may be wrong.
    """
    if max(array.size for array in (actual, expected)) * _WIDEST > MOST_BYTES:
        return Cause()
    case = _Case(
        actual=_computable(actual),
        expected=_computable(expected),
        suspects={words: _computable(np.asarray(array)) for words, array in (suspects or {}).items()},
        batch=batch,
        tolerance=_inexact(tolerance, expected),
    )
    with np.errstate(all="ignore"):
        for cause, mistake in _CAUSES.items():
            words = cause(case)
            if words:
                return Cause(words, mistake or words, is_plain=cause in _PLAIN)
    return Cause()


def _inexact(tolerance: Tolerance, expected: Array) -> Tolerance:
    """A tolerance for guesses: integers are compared exactly, but a seventh of one never is exact."""
    return Tolerance.between(_computable(expected), _computable(expected)) if tolerance.exact else tolerance


def _computable(array: Array) -> Array:
    """Truth values and integers as float64, so that differences and negatives mean what they say."""
    return array.astype(np.float64) if array.dtype.kind in "biu" else array


def _not_finite(case: _Case) -> str:
    if case.actual.size == 0 or bool(np.isfinite(case.actual).all()):
        return ""
    if bool(np.isnan(case.actual).any()):
        return "NaN in the result: 0/0, inf - inf, the logarithm of a negative number, or memory never filled"
    return "infinity in the result: a division by 0, log(0), or an exp that overflowed"


def _suspect(case: _Case) -> str:
    return next((words for words, array in case.suspects.items() if case.is_like(array)), "")


def _all_zero(case: _Case) -> str:
    if case.actual.size and not case.actual.any() and bool(case.expected.any()):
        return "every entry is 0, as if it was never computed or never stored"
    return ""


def _sign(case: _Case) -> str:
    return "the sign is flipped" if case.is_like(-case.expected) else ""


def _transpose(case: _Case) -> str:
    if case.expected.ndim < _MATRIX:
        return ""
    turned = case.expected.T
    if case.is_like(turned):
        return "it is the transpose of what is expected"
    if case.is_like(-turned):
        return "it is the transpose of what is expected, with the sign flipped"
    if case.actual.size == case.expected.size and case.is_like(turned.reshape(case.actual.shape)):
        return "its entries are those of the transpose (a reshape where a transpose belongs)"
    return ""


def _reshaped(case: _Case) -> str:
    same_size = case.actual.size == case.expected.size and case.actual.shape != case.expected.shape
    if same_size and case.is_like(case.expected.reshape(case.actual.shape)):
        return "the entries are right, only the shape differs"
    return ""


def _sum(case: _Case) -> str:
    """A sum over one axis that is missing, or that was taken where none belongs."""
    for axis, part in _reductions(case.actual, case.expected.shape):
        if case._same(part, case.expected):
            return f"the sum over axis {axis} is missing"
    for axis, part in _reductions(case.expected, case.actual.shape):
        if case._same(part, case.actual):
            return f"it was summed over axis {axis}, which should stay"
    return ""


def _reductions(array: Array, wanted: tuple[int, ...]) -> Iterator[tuple[int, Array]]:
    """The sums over one axis, kept with length 1 or not, that bring ``array`` to the shape ``wanted``."""
    for axis in range(array.ndim if array.shape != wanted else 0):
        for kept in (False, True):
            left = array.shape[:axis] + (1,) * kept + array.shape[axis + 1 :]
            if left == wanted:  # asked before memory is taken
                yield axis, np.asarray(array.sum(axis=axis, keepdims=kept))


def _batch_factor(case: _Case) -> str:
    n = case.batch
    if n is None or n <= 1:
        return ""
    if case.is_like(case.expected / n):
        return f"every entry is 1/{n} of what is expected: a mean for a sum, or divided by N once too often"
    if case.is_like(case.expected * n):
        return f"every entry is {n} times what is expected: a sum for a mean, or a division by N left out"
    return ""


def _factor(case: _Case) -> str:
    if case.actual.shape != case.expected.shape or "c" in (case.actual.dtype.kind, case.expected.dtype.kind):
        return ""
    for factor in (2.0, 0.5, -2.0, -0.5):
        if case.is_like(case.expected * factor):
            return f"every entry is {factor:g} times what is expected"
    if np.count_nonzero(case.expected) < _ENOUGH:
        return ""
    # The factor is read off at the largest entry, where rounding disturbs it least.
    pivot = np.unravel_index(int(np.argmax(np.abs(case.expected))), case.expected.shape)
    factor = float(case.actual[pivot] / case.expected[pivot])
    if factor and case.is_like(case.expected * factor):
        return f"every entry is {factor:.4g} times what is expected"
    return ""


def _offset(case: _Case) -> str:
    if (
        case.actual.shape != case.expected.shape
        or case.actual.size < _ENOUGH
        or "c" in (case.actual.dtype.kind, case.expected.dtype.kind)
    ):
        return ""
    offset = float((case.actual - case.expected).flat[0])
    if case.is_like(case.expected + offset):
        return f"every entry is off by the same {offset:.4g}"
    return ""


# From the specific to the general; the first that fits is named. An author's suspect says more than "the sign
# is flipped", and a factor of the batch size more than "every entry is 0.2 times what is expected".
_CAUSES: Mapping[Callable[[_Case], str], str] = {
    _not_finite: "not finite",
    _suspect: "",  # the author's own words
    _all_zero: "every entry is 0",
    _sign: "the sign is flipped",
    _batch_factor: "a factor of the number of examples",
    _reshaped: "the shape alone is wrong",
    _transpose: "a transpose of what belongs there",
    _sum: "a sum over one axis too many or too few",
    _factor: "a constant factor",
    _offset: "a constant offset",
}
"""Each with the mistake's name, which says no number."""

_PLAIN = (_not_finite, _suspect, _all_zero, _reshaped)
