"""Numeric derivatives that know how far they can be trusted.

Each entry is moved by a step and by twice the step, both ways. The two central differences together cancel
the error of second order (Richardson's extrapolation), and their disagreement says how large the rest may be;
the two one-sided ones tell a kink from a bend: over half the step a bend halves, a kink does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grader.checks.arrays import Array
from grader.checks.formatting import shape_text
from grader.model.errors import AuthorError
from grader.model.text import snippet

Loss = Callable[[Array], object]
"""A scalar function of an array; it receives its own copy and may change it."""

STEP = 1e-4
"""The step by default, relative to the point: with two steps, rounding and bending are both about 1e-12."""

SMALLER = 1 / 32
"""Where the differences at a step disagree, another step of this part of it is tried, and one of this part of
that."""

_TRIES = 3
_ROUNDING_ULPS = 16
"""Rounding errors of one loss, in units in its last place, that a difference of losses may show."""

_NOISE = _ROUNDING_ULPS * float(np.finfo(np.float64).eps)

_DISAGREE = 1e-3
"""An entry counts as rough if its error may be more than this part of its size."""

SMALL = 0.01
"""Entries smaller than this part of the largest are judged as if they were that large.

Such an entry is a difference of nearly equal losses: its relative error says nothing.
"""

_HALVES = 0.75
"""Over half the step a smooth function's one-sided differences come nearer to each other by a half."""


@dataclass(frozen=True, kw_only=True)
class Slopes:
    """A numeric gradient, entry by entry; all fields are arrays of one length.

    ``value`` is uncertain by ``error``. Where ``rough``, the point lies on a kink or near one, and all that
    can be said of the slope is that it lies between ``low`` and ``high``. ``noise`` is what rounding adds to
    ``error`` for each unit of the loss, and ``steepness`` is the loss over the size of the entry: what a
    slope has to be compared with to be called flat. ``bend`` is the most that a slope changes over its entry.
    """

    value: Array
    error: Array
    rough: Array
    low: Array
    high: Array
    noise: Array
    sizes: Array
    loss: float
    bend: float

    @property
    def steepness(self) -> Array:
        """The loss over each entry's size."""
        return self.loss / self.sizes

    def with_terms(self, size: float) -> Slopes:
        """The same where the loss is a sum of terms of this ``size`` that cancel."""
        return replace(self, error=self.error + self.noise * size, loss=max(self.loss, size))


def slopes(loss: Loss, at: Array, entries: Array, *, step: float = STEP) -> Slopes:
    """The derivatives of ``loss`` at the float64 array ``at`` with respect to these flat ``entries``.

    The step is relative to the sizes of the entries. ``loss`` is called four times an entry and once more,
    and again where it is rough. Raises AuthorError if it returns anything but one finite number.
    """
    middle = number_from(loss, at.copy())
    sizes = sizes_of(at).ravel()[entries]
    steps = step * sizes
    found = [_slope(loss, at, entry, width, middle) for entry, width in zip(entries, steps, strict=True)]
    for _ in range(_TRIES - 1):
        steps = steps * SMALLER
        for place in np.flatnonzero(_rough(found)):
            again = _slope(loss, at, entries[place], steps[place], middle)
            # A smaller step does not help where rounding decides: the better of both is kept.
            if again.error < found[place].error or again.kinked:
                found[place] = again
    columns = [(one.value, one.error, one.low, one.high, one.noise) for one in found]
    value, error, low, high, noise = np.array(columns).reshape(-1, 5).T
    rough = _rough(found)
    # ``noise`` is a constant over the step, and a kink bends at no rate.
    bends = np.abs(at).ravel()[entries] * (high - low) * noise / _NOISE
    return Slopes(
        value=value,
        error=error,
        rough=rough,
        low=low,
        high=high,
        noise=noise,
        sizes=sizes,
        loss=abs(middle),
        bend=float(np.max(bends, initial=0.0, where=~rough)),
    )


def sizes_of(at: Array) -> Array:
    """How large a change of an entry is in proportion: by its own size, or if that is less, that of all.

    The size of all is their root mean square; where all are 0 it is 1.
    """
    together = float(np.sqrt(np.mean(np.square(at)))) if at.size else 0.0
    return np.maximum(np.abs(at), together or 1.0)


@dataclass(frozen=True, kw_only=True)
class _Slope:
    """One entry's slope; ``rounding`` is a part of ``error``, and ``noise`` of a loss of 1."""

    value: float
    error: float
    rounding: float
    noise: float
    low: float
    high: float
    kinked: bool


def _slope(loss: Loss, at: Array, entry: int, step: float, middle: float) -> _Slope:
    up, down, far_up, far_down = (loss_at(loss, at, entry, by * step) for by in (1, -1, 2, -2))
    near, far = (up - down) / (2 * step), (far_up - far_down) / (4 * step)
    largest = max(map(abs, (up, down, far_up, far_down, middle)))
    noise = _NOISE / step
    rounding = noise * largest
    right, left = (up - middle) / step, (middle - down) / step
    bend = abs(right - left)
    far_bend = abs((far_up - middle) - (middle - far_down)) / (2 * step)
    return _Slope(
        value=(4 * near - far) / 3,
        error=abs(near - far) / 3 + rounding,
        rounding=rounding,
        noise=noise,
        low=min(left, right),
        high=max(left, right),
        kinked=bend > _HALVES * far_bend and bend > _DISAGREE * max(abs(right), abs(left)) + 4 * rounding,
    )


def _rough(found: Sequence[_Slope]) -> Array:
    """Which slopes are at a kink, or change too much between the steps to be trusted."""
    largest = max((abs(one.value) for one in found), default=0.0)
    return np.array(
        [
            one.kinked or one.error > _DISAGREE * max(abs(one.value), SMALL * largest) + 2 * one.rounding
            for one in found
        ],
        dtype=bool,
    )


def loss_at(loss: Loss, at: Array, entry: int, change: float) -> float:
    """The loss with one entry changed. Raises AuthorError unless it is one finite number."""
    moved = at.copy()
    moved.flat[entry] += change
    return number_from(loss, moved)


def number_from(loss: Loss, point: Array) -> float:
    """What the loss gives at a point. Raises AuthorError unless it is one finite number."""
    value = loss(point)
    try:
        number = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise AuthorError(f"the loss must give one number, not {snippet(type(value).__name__)}") from None
    if number.size != 1:
        raise AuthorError(
            f"the loss must give one number, not an array of {shape_text(number.shape)}: sum it up"
        )
    single = float(number.item())
    if not math.isfinite(single):
        raise AuthorError(f"the loss is {single} near the point of the check: choose another point")
    return single
