"""How large the terms of a loss are where its value and its slopes are small because they cancel.

Where softmax, tanh or attention are saturated, a right gradient is a difference of nearly equal numbers, and
only its rounding is left of it. That is invisible at the point itself. On the way from the point to 0 the
function leaves saturation: the losses and slopes there are of the size of the terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from grader.checks.arrays import Array
from grader.checks.slopes import Loss, loss_at, number_from, sizes_of
from grader.model.errors import AuthorError

NEARER = 0.25
STOPS = 8
"""Points on the way, each at a quarter of the one before: from a size of 1000 to one of 0.02."""

_SATURATED = 3
"""So many of them from the point on are near it: the loss there is still that of saturation."""

_STAYS = 0.03
"""A loss near the point of less than this part of the largest has decayed, as that of exp or 1/x does."""

_ENTRIES = 16
COARSE = 1e-2
"""Relative to the point: the order of a slope is enough here."""

_FALLS = 6.0
"""How many times as steep one stop must be as the one before: 1/x is 4 times as steep."""

_SETTLES = 2.0
"""A slope that grows by more than this over the last stop grows without end, like that of log at 0: the
function has no size of its own, and is not saturated."""


@dataclass(frozen=True)
class Terms:
    """The largest loss near the point, and the largest slope on the way to 0 if the point is saturated."""

    loss: float = 0.0
    slope: float = 0.0


UNKNOWN = Terms()


def terms_of(loss: Loss, at: Array, entries: Array, values: Array) -> Terms:
    """The size of a loss's terms, by some of these entries, whose slopes at the point are ``values``.

    Calls the loss at most 264 times. Only slopes that fall faster than 1/x, as no norm's do, with a loss that
    stays, as that of exp or 1/x does not, are small because terms cancel.
    """
    steep = entries[np.argsort(-np.abs(values), kind="stable")]
    some = steep[:: max(1, len(steep) // _ENTRIES)][:_ENTRIES]
    losses, steepest = [abs(number_from(loss, at.copy()))], [float(np.abs(values).max())]
    try:
        for stop in range(1, STOPS + 1):
            point = at * NEARER**stop
            losses.append(abs(number_from(loss, point.copy())))
            steepest.append(_steepest(loss, point, some, size=max(losses)))
    except (AuthorError, ArithmeticError, ValueError):
        return Terms(max(losses[:_SATURATED]))
    here, anywhere = max(losses[:_SATURATED]), max(losses)
    falls = any(near > _FALLS * far for far, near in pairwise(steepest))
    if here <= _STAYS * anywhere or not falls or steepest[-1] > _SETTLES * steepest[-2]:
        return Terms(here)
    return Terms(here, max(steepest))


def _steepest(loss: Loss, at: Array, entries: Array, *, size: float) -> float:
    """The largest slope at a point, less what rounding may have made of a loss of this size."""
    steps = COARSE * sizes_of(at).ravel()[entries]
    found = [
        (loss_at(loss, at, entry, step) - loss_at(loss, at, entry, -step)) / (2 * step)
        for entry, step in zip(entries, steps, strict=True)
    ]
    noise = np.finfo(np.float64).eps * size / steps
    return float(np.max(np.abs(found) - noise, initial=0.0))
