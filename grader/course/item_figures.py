"""Statistics of a class's points, as the field defines them. Pure: arrays in, numbers out.

Rows are submissions, columns items; what is not decided is NaN.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST = 10
"""Submissions below which a correlation says nothing."""
MOSTLY = 0.9
"""Share of submissions in which an item must be decided to count in the total."""


def discrimination(points: Array, item: int) -> float | None:
    """The corrected item-total correlation of an item: Pearson's, with the points of the other items.

    The item itself is left out of the total, or it would correlate with itself (S. Henrysson, "Correction of
    item-total correlations in item analysis", Psychometrika 28, 1963). The total is over the items that are
    decided in nearly all submissions in which this one is, where all of these are. None for fewer than FEWEST
    submissions, and where either does not vary.
    """
    is_decided = ~np.isnan(points)
    own = is_decided[:, item]
    if own.sum() < FEWEST:
        return None
    others = is_decided[own].mean(axis=0) >= MOSTLY
    others[item] = False
    rows = own & is_decided[:, others].all(axis=1)
    first, rest = points[rows, item], np.zeros(int(rows.sum()))
    for other in np.flatnonzero(others):  # one after the other: a copy of all is large
        rest += points[rows, other]
    if len(first) < FEWEST or np.ptp(first) == 0 or np.ptp(rest) == 0:
        return None
    return float(np.corrcoef(first, rest)[0, 1])


def krippendorffs_alpha(units: Iterable[Iterable[float]]) -> float | None:
    """Agreement beyond chance of any number of markers: 1 is perfect, 0 is what chance would give.

    Interval data, of units that several marked (K. Krippendorff, Content Analysis, 2nd ed. 2004, ch. 11)::

        alpha = 1 - observed / expected    mean squared differences within units / of all pairs of values

    None if there is no such unit, or all values are equal.
    """
    paired = [values for unit in units if len(values := np.array(list(unit), dtype=float)) > 1]
    if not paired:
        return None
    every = np.concatenate(paired)
    expected = 2 * every.var() * len(every) / (len(every) - 1)
    if expected == 0:
        return None
    # The squared differences of all ordered pairs of m values are 2 m² times their variance.
    observed = sum(2 * len(unit) ** 2 * unit.var() / (len(unit) - 1) for unit in paired) / len(every)
    return float(1 - observed / expected)


@dataclass
class Tally:
    """How many numbers there were, and their sum."""

    count: int = 0
    sum: float = 0.0

    def add(self, value: float) -> None:
        """One more."""
        self.count += 1
        self.sum += value


def above_mean(items: Iterable[Mapping[str, Tally]]) -> dict[str, tuple[int, float]]:
    """For each marker: how many marks, and by how much they lie above the mean of their items.

    ``items`` are each item's shares of the possible points, by marker.
    """
    found: dict[str, Tally] = defaultdict(Tally)
    for by_marker in items:
        mean = sum(one.sum for one in by_marker.values()) / sum(one.count for one in by_marker.values())
        for marker, one in by_marker.items():
            found[marker].count += one.count
            found[marker].sum += one.sum - one.count * mean
    return {marker: (one.count, one.sum / one.count) for marker, one in found.items()}
