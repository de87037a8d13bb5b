"""The line of honest training: which losses and clocks go together after so many steps.

Honest runs from different seeds end at slightly different losses and clocks. A run of fewer steps, of another
setting or from somebody else's weights may hit the usual loss or the usual clock, but hardly both. So they
are judged as one statistic: the distance of a run's numbers x from the honest mean m, in units of the honest
covariance S (Mahalanobis' distance). With m from n runs and S with f degrees of freedom

    T^2 = (x - m)' S^-1 (x - m) / (1 + 1/n)   is distributed as   p f / (f - p + 1) F(p, f - p + 1)

for a further honest run with p numbers, if they are normally distributed (Hotelling, Annals of Mathematical
Statistics 2, 1931). That counts how uncertain m and S are: a line of few runs is wide.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from grader.checks.arrays import Array
from grader.model.calibration import RISK
from grader.model.errors import AuthorError

_ARRAYS = ("at", "means", "covariances")


@dataclass(frozen=True, eq=False)
class TrainingLine:
    """Means and covariances of an honest run's numbers, by the steps taken.

    ``names`` (p) says what the numbers are. ``at`` (K,) are the steps, ascending; ``means`` (K, p) and
    ``covariances`` (K, p, p) belong to them. ``runs`` is n, ``freedom`` is f: n - 1 for a line of its own.
    """

    names: tuple[str, ...]
    at: Array
    means: Array
    covariances: Array
    runs: int
    freedom: int

    def __post_init__(self) -> None:
        shape = (len(self.at), len(self.names))
        if self.means.shape != shape or self.covariances.shape != (*shape, len(self.names)):
            raise AuthorError(
                f"a training line of {shape} has means of {self.means.shape} "
                f"and covariances of {self.covariances.shape}"
            )

    @classmethod
    def of_runs(cls, names: Sequence[str], at: Sequence[float], runs: Array) -> Self:
        """The line through honest ``runs`` (n, K, p): their numbers at the steps ``at``."""
        found = np.asarray(runs, np.float64)
        centred = found - found.mean(axis=0)
        covariances = np.einsum("nkp,nkq->kpq", centred, centred) / (len(found) - 1)
        steps = np.asarray(at, np.float64)
        return cls(tuple(names), steps, found.mean(axis=0), covariances, len(found), len(found) - 1)

    def covers(self, steps: float) -> bool:
        """Whether there were honest runs of so many steps: elsewhere the line says nothing."""
        return bool(self.at[0] <= steps <= self.at[-1])

    def distance(self, values: Sequence[float], steps: float) -> float:
        """T^2 of a run's numbers after ``steps``; infinite if one is NaN or infinite.

        Between the steps of the line mean and covariance are interpolated linearly. Raises AuthorError for
        steps that it does not cover.
        """
        self._assert_known()
        if not self.covers(steps):
            raise AuthorError(f"the training line reaches from {self.at[0]:g} to {self.at[-1]:g} steps")
        x = np.asarray(values, np.float64)
        if not np.isfinite(x).all():
            return math.inf
        mean, covariance = self._at(steps)
        gap = x - mean
        return float(gap @ np.linalg.solve(covariance, gap)) / (1 + 1 / self.runs)

    def bound(self, risk: float = RISK) -> float:
        """What T^2 of a further honest run exceeds with probability ``risk``, for normal numbers."""
        self._assert_known()
        p, rest = len(self.names), self.freedom - len(self.names) + 1
        return p * self.freedom / rest * fisher_quantile(p, rest, risk)

    def holds(self, values: Sequence[float], steps: float, *, risk: float = RISK) -> bool:
        """Whether the numbers are those of honest training: False with probability ``risk`` if they are."""
        return self.distance(values, steps) <= self.bound(risk)

    def as_data(self) -> dict[str, Any]:
        """Plain data, for a file beside the checks."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return {"names": list(self.names), **arrays, "runs": self.runs, "freedom": self.freedom}

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Self:
        """What ``as_data`` gave."""
        at, means, covariances = (np.asarray(data[name], np.float64) for name in _ARRAYS)
        return cls(tuple(data["names"]), at, means, covariances, int(data["runs"]), int(data["freedom"]))

    def _assert_known(self) -> None:
        """Raise AuthorError where the covariance is hardly known: such lines are good to be ``pooled``."""
        if self.freedom < len(self.names) + 1:
            raise AuthorError(f"{self.runs} runs are too few for a line of {len(self.names)} numbers")

    def _at(self, steps: float) -> tuple[Array, Array]:
        """Mean and covariance after so many steps."""
        if len(self.at) == 1:
            return self.means[0], self.covariances[0]
        after = min(max(int(np.searchsorted(self.at, steps)), 1), len(self.at) - 1)
        share = (steps - self.at[after - 1]) / (self.at[after] - self.at[after - 1])

        def between(table: Array) -> Array:
            return np.asarray((1 - share) * table[after - 1] + share * table[after])

        return between(self.means), between(self.covariances)


def pooled(lines: Sequence[TrainingLine]) -> tuple[TrainingLine, ...]:
    """The same lines with one covariance in common, when settings differ in their means alone.

    Each step's covariance is replaced by the mean over all lines, weighted by their degrees of freedom: a few
    runs of each of several settings then count together. The lines need the same names and as many steps.
    """
    freedom = sum(line.freedom for line in lines)
    common = sum(line.freedom * line.covariances for line in lines) / freedom
    return tuple(
        TrainingLine(line.names, line.at, line.means, np.asarray(common), line.runs, freedom)
        for line in lines
    )


def fisher_tail(value: float, above: int, below: int) -> float:
    """P(F > value) for Fisher's F with ``above`` and ``below`` degrees of freedom.

    It is the regularized incomplete beta function I_x(below/2, above/2) at x = below / (below + above value)
    (NIST Digital Library of Mathematical Functions, 8.17).
    """
    if value <= 0:
        return 1.0
    return _incomplete_beta(below / (below + above * value), below / 2, above / 2)


@functools.cache  # a millisecond or thirty, and few different ones
def fisher_quantile(above: int, below: int, risk: float) -> float:
    """The value that Fisher's F exceeds with probability ``risk``, by bisection."""
    low, high = 0.0, 1.0
    while fisher_tail(high, above, below) > risk:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if fisher_tail(middle, above, below) > risk else (low, middle)
    return high


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) by its continued fraction (DLMF 8.17.22), which converges fast for x < (a+1)/(a+b+2)."""
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    if x <= 0:
        return 0.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    fraction = 1.0
    for m in range(200, 0, -1):  # from the inside out
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        fraction = 1 + even / (1 + odd / fraction)
    first = -(a + b) * x / (a + 1)
    return front / a / (1 + first / fraction)
