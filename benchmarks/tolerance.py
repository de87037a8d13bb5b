"""From a few dozen values of a statistic to a bound that a further one keeps, where a normal law fits.

`grade calibrate` assumes less (see `grader.checks.tails`) and needs more values than long trainings can give.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

FEWEST = 30
CONFIDENCE = 0.95
"""How sure a limit is to keep its promise, over repetitions of the whole measurement."""
_CHANCE_OF_FALSE_ALARM = 0.01
_SIMULATED = 4000


class NoLimitError(Exception):
    """The values support no limit; the message says why."""


def lower_limit(values: Sequence[float], *, risk: float) -> float:
    """What a further value stays below with probability at most ``risk``, if all are normally distributed.

    The one-sided tolerance limit mean - k sd, with k by Natrella's approximation (NIST/SEMATECH e-Handbook of
    Statistical Methods, 7.2.6.3). Raises NoLimitError for too few values, for values without variation, and
    where the least lies further out than it does in 99 of 100 normal samples.
    """
    found = np.asarray(values, dtype=np.float64)
    if len(found) < FEWEST:
        raise NoLimitError(f"{len(found)} values are too few for a limit: at least {FEWEST}")
    mean, sd = float(found.mean()), float(found.std(ddof=1))
    if not 0 < sd < math.inf:
        raise NoLimitError(f"nothing varies: each value is {mean:.4g}")
    if (mean - found.min()) / sd > _furthest(len(found)):
        raise NoLimitError(f"{found.min():.4g} lies too far below the others for a normal law")
    return mean - factor(len(found), risk=risk) * sd


def factor(count: int, *, risk: float) -> float:
    """k of the limit mean - k sd from ``count`` values, at ``CONFIDENCE``."""
    reach, sure = NormalDist().inv_cdf(1 - risk), NormalDist().inv_cdf(CONFIDENCE)
    a = 1 - sure**2 / (2 * (count - 1))
    b = reach**2 - sure**2 / count
    return (reach + math.sqrt(reach**2 - a * b)) / a


@functools.cache
def _furthest(count: int) -> float:
    """How many standard deviations the least of so many normal values rarely lies below their mean."""
    drawn = np.random.default_rng(0).normal(size=(_SIMULATED, count))
    extremes = (drawn.mean(axis=1) - drawn.min(axis=1)) / drawn.std(axis=1, ddof=1)
    return float(np.quantile(extremes, 1 - _CHANCE_OF_FALSE_ALARM))
