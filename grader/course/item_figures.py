"""Statistics of a class's points, as the field defines them. Pure: arrays in, numbers out.

Rows are submissions, columns items; what is not decided is NaN.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

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
    own = points[~np.isnan(points[:, item])]
    if len(own) < FEWEST:
        return None
    is_decided = ~np.isnan(own)
    others = is_decided.mean(axis=0) >= MOSTLY
    others[item] = False
    rows = is_decided[:, others].all(axis=1)
    first, rest = own[rows, item], own[rows][:, others].sum(axis=1)
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


def above_mean(shares: Mapping[str, Iterable[tuple[str, float]]]) -> dict[str, tuple[int, float]]:
    """For each marker: how many marks, and by how much they lie above the mean of their items.

    ``shares`` are pairs of a marker and a share of the possible points, by item.
    """
    distances: dict[str, list[float]] = defaultdict(list)
    for pairs in shares.values():
        several = list(pairs)
        mean = float(np.mean([share for _, share in several]))
        for marker, share in several:
            distances[marker].append(share - mean)
    return {marker: (len(found), float(np.mean(found))) for marker, found in distances.items()}
