"""A student's gradient against central differences of a loss that the check's author wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from grader.checks.arrays import Array, as_array, expected_array, squeezed
from grader.checks.closeness import difference_text, shape_difference_text, worst_entry
from grader.checks.diagnosis import likely_cause
from grader.checks.formatting import shape_text
from grader.checks.tolerance import Tolerance, distance, largest_magnitude, relative_bar
from grader.model.errors import AuthorError, CheckFailed
from grader.model.text import snippet

Loss = Callable[[Array], object]
"""A scalar function of an array; it receives its own copy and may change it."""

_FLOOR = 0.01
"""Entries smaller than this part of the largest are judged as if they were that large.

Such an entry is a difference of nearly equal losses: its relative error says nothing.
"""

_GUESS = 1e-5
"""How closely, relative to the largest entry, a wrong gradient must match a mistake before it is named.

Coarser than the test itself: the numeric gradient that mistakes are made from is itself only this accurate.
"""

_ROUNDING_ULPS = 16
"""Rounding errors of one loss, in units in its last place, that its difference quotient may show.

A loss of magnitude L is known to about eps L, so the quotient of two is uncertain by that divided by 2h: with
h = 1e-5 a loss of 1000 already blurs entries by 2e-7, which is not the student's mistake.
"""


@dataclass(frozen=True, kw_only=True)
class Numeric:
    """A gradient by central differences, and the error that rounding in the loss may put into an entry."""

    gradient: Array
    noise: float


def check_gradients(  # noqa: PLR0913  # each is the author's to choose, all but three by keyword
    loss: Loss,
    at: object,
    claimed: object,
    *,
    name: str = "gradient",
    batch: int | None = None,
    h: float = 1e-5,
    rtol: float | None = None,
    squeeze: bool = False,
    suspects: Mapping[str, object] | None = None,
) -> None:
    """Pass when ``claimed`` is the gradient of ``loss`` at ``at``, by central differences in float64.

    ``loss`` takes an array shaped like ``at`` and returns one finite number; it is called 2 * at.size times,
    with one entry moved by +h or -h. An entry passes if |claimed - numeric| is at most rtol times the largest
    of |claimed|, |numeric| and a hundredth of the largest |numeric|, plus the loss's own rounding error. rtol
    is 1e-6 (1e-4 for a float32 gradient). Keep ``at`` further than h from kinks.

    ``squeeze=True`` also accepts (D,) for (1, D) and vice versa. ``batch`` (the number of examples) and
    ``suspects`` (a mistake in words -> the gradient it would give) only sharpen the message.
    Raises CheckFailed if the two disagree, AuthorError if the loss does not return one finite number.
    """
    point = expected_array(at, name=f"the point of {name}").astype(np.float64)
    have = as_array(claimed, name=name)
    if squeeze:
        have = squeezed(have, point.shape)
    numeric = central_differences(loss, point, h=h)
    gradient = numeric.gradient
    bar = relative_bar(have) if rtol is None else rtol
    if have.shape == point.shape:
        scale = _scale(have, gradient)
        passes = np.isfinite(have) & (distance(have, gradient) <= bar * scale + numeric.noise)
        if bool(passes.all()):
            return
        facts = _facts(have, gradient, passes=passes, scale=scale, bar=bar, name=name)
    else:
        facts = shape_difference_text(have, gradient, name=name)
    guess = Tolerance(rtol=_GUESS, atol=_GUESS * largest_magnitude(gradient))
    cause = likely_cause(have, gradient, tolerance=guess, suspects=suspects, batch=batch)
    raise CheckFailed("\n  ".join(filter(None, (facts, cause))))


def central_differences(loss: Loss, at: Array, *, h: float = 1e-5) -> Numeric:
    """The gradient of ``loss`` at the float64 array ``at``: (F(w + h) - F(w - h)) / 2h, entry by entry.

    Raises AuthorError if the loss returns anything but one finite number.
    """
    gradient = np.zeros_like(at)
    largest = 0.0
    for index in np.ndindex(at.shape):
        above, below = (_loss_at(loss, at, index, step) for step in (h, -h))
        gradient[index] = (above - below) / (2 * h)
        largest = max(largest, abs(above), abs(below))
    return Numeric(
        gradient=gradient, noise=_ROUNDING_ULPS * float(np.finfo(np.float64).eps) * largest / (2 * h)
    )


def _loss_at(loss: Loss, at: Array, index: tuple[int, ...], step: float) -> float:
    moved = at.copy()
    moved[index] += step
    value = loss(moved)
    try:
        number = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise AuthorError(f"the loss must give one number, not {snippet(type(value).__name__)}") from None
    if number.size != 1:
        raise AuthorError(
            f"the loss must give one number, not an array of {shape_text(number.shape)}: sum it up"
        )
    if not np.isfinite(number).all():
        raise AuthorError(f"the loss is {number.item()} near the point of the check: choose another point")
    return float(number.item())


def _scale(have: Array, gradient: Array) -> Array:
    """What each entry's error is relative to; never 0 unless the whole gradient is."""
    floor = _FLOOR * largest_magnitude(gradient)
    with np.errstate(all="ignore"):
        return np.fmax(np.fmax(np.abs(have), np.abs(gradient)), floor)


def _facts(have: Array, gradient: Array, *, passes: Array, scale: Array, bar: float, name: str) -> str:
    with np.errstate(all="ignore"):
        errors = np.asarray(distance(have, gradient) / scale)
    worst = worst_entry(errors, passes=passes)
    margin = f"central differences; relative error {errors[worst]:.2g}, allowed {bar:.2g}"
    return difference_text(have, gradient, worst=worst, passes=passes, name=name, margin=margin)
