"""How far training has moved weights from where they began: a clock that losses do not set.

Weights are a mapping from a name to an array. The cosine between trained and newborn weights falls from 1 at
a pace that honest runs of one setting share, so that it tells the steps taken as the loss does, from another
side: weights that come from another run have the loss of training and a cosine near 0.

Each clock alone is cheap to forge (a penalty in training sets it to any value). Together with the loss it is
not: see `grader.checks.training_line`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from grader.checks.arrays import Array

Weights = Mapping[str, Array]


def clock(trained: Weights, newborn: Weights, *, names: Iterable[str]) -> float:
    """The cosine of trained and newborn weights, the named arrays laid end to end: 1 before training.

    cos = <w, w0> / (|w| |w0|). NaN if either is zero or not finite. KeyError for a name that is missing.
    """
    dot = own = born = 0.0
    for name in names:
        a, b = (np.asarray(weights[name], np.float64).ravel() for weights in (trained, newborn))
        with np.errstate(all="ignore"):
            dot, own, born = dot + float(a @ b), own + float(a @ a), born + float(b @ b)
    length = math.sqrt(own) * math.sqrt(born)
    return dot / length if 0 < length < math.inf and math.isfinite(dot) else math.nan


def neuron_clock(trained: Weights, newborn: Weights, *, neurons: Mapping[str, int]) -> float:
    """The median over neurons of the cosine of each neuron's own incoming weights.

    ``neurons`` maps the name of a matrix to the axis that counts its neurons: 1 for ``X @ W``, 0 for torch's
    ``Linear.weight``. A network of relus computes the same when a neuron's incoming weights are multiplied by
    c > 0 and its outgoing ones divided by c. That moves ``clock`` but not this median. A neuron without a
    direction (all zeros, not finite) counts as 0.
    """
    found = np.concatenate(list(_cosines(trained, newborn, neurons)))
    return float(np.median(found)) if found.size else math.nan


def log_size(weights: Weights, *, names: Iterable[str]) -> float:
    """The logarithm of the length |w| of the named arrays laid end to end; minus infinity for zeros.

    Weights grow as they are trained, at a pace that a larger learning rate changes. A logarithm, so that a
    neuron's rescaling adds to one layer what it takes from the next.
    """
    with np.errstate(all="ignore"):
        square = sum(float(np.sum(np.square(np.asarray(weights[name], np.float64)))) for name in names)
    return math.log(square) / 2 if square > 0 else -math.inf


def active_share(hidden: Array) -> float:
    """Which share of the entries of a hidden layer's outputs (N, H) is above 0.

    Relus that large steps have pushed below 0 stay there, and no rescaling brings them back: the share tells
    the learning rate, as a clock tells the steps.
    """
    return float(np.mean(np.asarray(hidden) > 0))


def _cosines(trained: Weights, newborn: Weights, neurons: Mapping[str, int]) -> Iterator[Array]:
    """One cosine for each neuron of each matrix."""
    for name, axis in neurons.items():
        a, b = (np.asarray(weights[name], np.float64) for weights in (trained, newborn))
        with np.errstate(all="ignore"):
            lengths = np.linalg.norm(a, axis=1 - axis) * np.linalg.norm(b, axis=1 - axis)
            cosines = np.sum(a * b, axis=1 - axis) / lengths
        yield np.where(np.isfinite(cosines), cosines, 0.0)
