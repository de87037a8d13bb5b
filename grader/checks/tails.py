"""From a sample of a statistic to a bound that a further draw exceeds with at most a stated probability.

N values alone say nothing about events rarer than about 3 in N: a bound for 1 in 10,000 from a few hundred
seeds needs an assumption about the tail. The one made here is weak: beyond the sample's upper tenth the
hazard rate does not fall, which means that the tail is no heavier than an exponential one. That holds for the
normal, logistic, gamma (shape >= 1), uniform, binomial and Poisson distributions, and for every distribution
with a log-concave density. For such a tail with mean excess M over a threshold u that a share q exceeds,

    P(X > u + x) <= q exp(-w x)   where   w M = 1 - exp(-w x),

because among all such tails with that mean the truncated exponential one reaches furthest. q and M are
estimates, so each is replaced by its upper confidence limit (order statistics are beta distributed; a sum of
exponential excesses is gamma distributed, and is only more concentrated for a lighter tail).

A sample that shows a heavier tail, or no variation at all, gets no bound but an error, in words.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from grader.checks.arrays import Array

CONFIDENCE = 0.95
"""The probability that a bound keeps its promise, over repetitions of the whole calibration."""

FEWEST = 100
"""The fewest values that a bound needs."""

ASSUMPTION = (
    "beyond the sample's most extreme tenth the hazard rate does not fall (as in every log-concave law)"
)

_SHARE = 10  # the tail is the upper tenth
_FEWEST_EXCESSES = 15  # fewer would leave M so uncertain that the bound is of no use
_CHANCE_OF_FALSE_ALARM = 0.01
_SIMULATED = 4000


class NoBoundError(Exception):
    """The sample supports no bound; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class TailBound:
    """``value`` is exceeded with probability at most ``risk``, at the requested confidence.

    ``threshold`` is where the tail begins, ``reach`` and ``scale`` the upper confidence limits of the
    share beyond it (q) and of the mean excess (M).
    """

    value: float
    risk: float
    threshold: float
    reach: float
    scale: float


def upper_bound(
    values: Sequence[float], *, risk: float, confidence: float = CONFIDENCE, resolution: float = 0.0
) -> TailBound:
    """A bound that a further value exceeds with probability at most ``risk``.

    ``resolution`` is the step of a statistic that counts something (1/n for an accuracy on n examples). If
    values repeat, the smallest gap between them is used when it is larger. Raises NoBoundError.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    step = max(resolution, _assert_usable(ordered, resolution))
    count = max(_FEWEST_EXCESSES, len(ordered) // _SHARE)
    threshold = float(ordered[-count - 1])
    # A value on a grid stands for everything up to the next one, so each excess may be a step larger.
    excesses = ordered[-count:] - threshold + step
    _assert_not_heavy(excesses)
    unsure = (1 - confidence) / 2  # shared between two estimates, q and M: both hold with the confidence
    reach = _largest_share(len(ordered), count, unsure)
    scale = float(excesses.sum()) / _gamma_quantile(count, unsure)
    # With M at its limit, w M = 1 - exp(-w x) and q exp(-w x) = risk give w x = log(q / risk) and this x.
    folds = math.log(reach / risk)
    distance = scale * folds / -math.expm1(-folds)
    return TailBound(value=threshold + distance, risk=risk, threshold=threshold, reach=reach, scale=scale)


def least_rate(wins: int, trials: int, *, confidence: float = CONFIDENCE) -> float:
    """The exact lower confidence limit (Clopper and Pearson) of a rate, after ``wins`` in ``trials``."""
    if wins == 0:
        return 0.0
    return _crossing(lambda rate: at_least(wins, trials, rate) - (1 - confidence), 0.0, 1.0)


def unseen_rate(trials: int, *, confidence: float = CONFIDENCE) -> float:
    """The largest probability that an event may have which did not happen in so many trials."""
    return float(-np.expm1(math.log1p(-confidence) / trials))


def at_least(wins: int, trials: int, rate: float) -> float:
    """P(at least ``wins`` of ``trials``) where each succeeds with probability ``rate``."""
    if rate <= 0 or rate >= 1:
        return float(rate >= 1 or wins <= 0)
    counts = np.arange(wins, trials + 1)  # in logarithms: the binomial coefficients overflow a float
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, trials + 1)))])
    terms = logs[trials] - logs[counts] - logs[trials - counts]
    terms = terms + counts * math.log(rate) + (trials - counts) * math.log1p(-rate)
    return float(np.exp(terms).sum())


def _assert_usable(ordered: Array, resolution: float) -> float:
    """The smallest gap where values repeat, else 0."""
    if len(ordered) < FEWEST:
        raise NoBoundError(f"{len(ordered)} values are too few for a bound: use at least {FEWEST} seeds")
    if not np.isfinite(ordered).all():
        raise NoBoundError("NaN or infinity among the values")
    gaps = np.diff(ordered)
    positive = gaps[gaps > 0]
    if positive.size == 0 and resolution == 0:
        raise NoBoundError(
            "every seed gave the same value: nothing here is random, so write the bound yourself, as a number"
        )
    return float(positive.min()) if 0 < positive.size < gaps.size else 0.0


def _assert_not_heavy(excesses: Array) -> None:
    """Exponential excesses have a coefficient of variation of 1, lighter ones less, heavier ones more."""
    if _spread(excesses) > _widest_spread(excesses.size):
        raise NoBoundError(
            "a few seeds lie far outside all others, further than the bound's assumption allows: does the "
            "reference itself fail now and then? Else train it longer, or take a calmer statistic"
        )


def _spread(excesses: Array) -> Array:
    return np.asarray((excesses**2).mean(axis=-1) / excesses.mean(axis=-1) ** 2)


@functools.cache
def _widest_spread(count: int) -> float:
    """The spread that so many exponential excesses exceed once in a hundred samples.

    Simulated, from a fixed seed: it has no closed form. Chance alone refuses at most one sound calibration in
    a hundred.
    """
    simulated = np.random.default_rng(0).exponential(size=(_SIMULATED, count))
    return float(np.quantile(_spread(simulated), 1 - _CHANCE_OF_FALSE_ALARM))


@functools.cache
def _largest_share(values: int, beyond: int, unsure: float) -> float:
    """The upper confidence limit of the probability beyond the value that ``beyond`` others exceed."""
    return _crossing(lambda share: at_least(beyond + 1, values, share) - (1 - unsure), 0.0, 1.0)


@functools.cache
def _gamma_quantile(shape: int, probability: float) -> float:
    """The quantile of a gamma distribution of integer ``shape`` and scale 1.

    For an integer shape its distribution function is a finite sum (of Poisson probabilities), so that this
    module needs no scipy.
    """
    logs = [math.lgamma(k + 1) for k in range(shape)]

    def below(x: float) -> float:
        return 1 - sum(math.exp(k * math.log(x) - x - logs[k]) for k in range(shape))

    return _crossing(lambda x: below(x) - probability, 1e-9, 4.0 * shape + 40)


def _crossing(rising: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses 0 between ``low`` and ``high``, by bisection."""
    for _ in range(60):
        middle = (low + high) / 2
        if rising(middle) < 0:
            low = middle
        else:
            high = middle
    return high
