"""Are two trained models one function? What they give for the same examples says.

Copied weights can be relabelled, their neurons rearranged and rescaled, noise added, some training put on
top: cosines of weights then see nothing. The outputs stay, because they are the function's. Those of two
honest runs are alike too, because both learned the same task. So what honest runs have in common is taken
away first: the *background*, such as the mean outputs of honest runs after several amounts of training and in
several settings. What remains is a run's own, and two runs share it only if one began from the other.

    own = y - B B' y, with an orthonormal basis of 1 and the background as columns of B
    likeness = cos(own, own')

A *sketch* is what is kept of a submission: 512 small integers, as text. Where there are more outputs, they
are sums of all of them with random signs, the same for everybody: these keep a likeness within 1/sqrt(512) =
0.04 (Achlioptas, Journal of Computer and System Sciences 66, 2003). All sketches of a class are compared with
each other in matrix products of bounded size.
"""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Iterable, Iterator

import numpy as np

from grader.checks.arrays import Array
from grader.model.errors import AuthorError

MOST_OUTPUTS = 8192
"""Of a model, for a sketch: more say nothing more."""

NUMBERS = 512
"""In a sketch, at most: 700 characters of text."""

STEPS = 24.0
"""Steps of a sketch in one standard deviation: int8 then reaches 5.3 of them."""

_SMALL = 1e-3
"""Neurons this much shorter than the longest have hardly moved: they are not stretched to length 1."""

_NOTHING = 1e-9
"""What rounding leaves of a vector of length 1 after its projection."""

_BLOCK = 256
"""Sketches compared at once: the product of two blocks takes 256 kB."""


def likeness(first: Array, second: Array) -> float:
    """The correlation of two models' outputs on the same examples, (N,) each: 1 for one function.

    0 if one of them does not vary or is not finite.
    """
    a, b = (_unit(np.asarray(values, np.float64).ravel()) for values in (first, second))
    return float(a @ b)


def centred_scores(scores: Array, labels: Array) -> Array:
    """Scores (N, C) without what shifts a whole class, flat: for each label and column the mean is 0.

    A constant added to all scores of an example changes no probability. A class's bias moves with each
    mini-batch, so that it says when a run ended and not which run it was.
    """
    rows = np.asarray(scores, np.float64)
    rows = rows - rows.mean(axis=1, keepdims=True)
    for label in np.unique(labels):
        own = np.asarray(labels) == label
        rows[own] -= rows[own].mean(axis=0)
    return np.asarray(rows.ravel())


def neuron_products(weights: Array, directions: Array) -> Array:
    """What a layer's neurons (N, inputs) have together, along directions (inputs, Q): Q (Q - 1) / 2 numbers.

    The products of different directions, summed over neurons of length 1: rearranging and rescaling neurons
    changes nothing. A model whose function was lost (added to other weights, healed) still has them.
    """
    seen = np.asarray(weights, np.float64) @ np.asarray(directions, np.float64)
    lengths = np.linalg.norm(seen, axis=1, keepdims=True)
    seen /= np.maximum(lengths, max(_SMALL * float(lengths.max(initial=0)), _NOTHING))
    products = seen.T @ seen
    return np.asarray(products[np.triu_indices(len(products), 1)])


def without_common(rows: Array, background: Array) -> Array:
    """What is each run's own: rows (S, N) without their best fit by the background (B, N) and a constant.

    The result's rows have mean 0 and length 1, or are zeros where nothing is left or a row is not finite.
    """
    values = np.asarray(rows, np.float64)
    common = np.vstack([np.ones((1, values.shape[1])), np.asarray(background, np.float64)])
    basis, _ = np.linalg.qr(common.T)
    own = np.empty_like(values)
    for number, row in enumerate(values):
        scaled = _unit(row)
        left = scaled - basis @ (basis.T @ scaled)
        own[number] = _unit(left) if np.linalg.norm(left) > _NOTHING else 0.0
    return own


def sketch(outputs: Array, background: Array | None = None) -> str:
    """A model's own part of its outputs (N,) as at most 512 bytes in base64.

    ``background`` (B, N) is what honest runs have in common; without one only the mean is taken away. "" if
    nothing is left to compare. Raises AuthorError for more than MOST_OUTPUTS outputs.
    """
    values = np.asarray(outputs, np.float64).ravel()
    if values.size > MOST_OUTPUTS:
        raise AuthorError(f"a sketch of {values.size:,} outputs: draw at most {MOST_OUTPUTS:,}")
    nothing = np.empty((0, values.size))
    own = without_common(values[None], nothing if background is None else background)[0]
    if not own.any():
        return ""
    sums = own if own.size <= NUMBERS else _signs(own.size) @ own
    steps = np.clip(np.round(STEPS / sums.std() * sums), -127, 127).astype(np.int8)
    return base64.b64encode(steps.tobytes()).decode()


def unsketch(text: str) -> Array | None:
    """A sketch's numbers, int8. None if it is none."""
    if len(text) > 4 * ((NUMBERS + 2) // 3):
        return None
    try:
        steps = np.frombuffer(base64.b64decode(text, validate=True), np.int8)
    except (binascii.Error, ValueError):
        return None
    return steps if steps.size else None


def alike(rows: Array, *, least: float) -> Iterator[tuple[int, int, float]]:
    """Pairs (i, j, likeness), i < j, of sketches (S, N) that are alike by at least ``least``.

    All pairs of a class in matrix products of 256 x 256: memory does not grow with the number of pairs.
    """

    def block(start: int) -> Array:
        return np.stack([_unit(row.astype(np.float32)) for row in rows[start : start + _BLOCK]])

    for top in range(0, len(rows), _BLOCK):
        above = block(top)
        for left in range(top, len(rows), _BLOCK):
            products = above @ (above if left == top else block(left)).T
            for i, j in np.argwhere(products >= least):
                if top + i < left + j:
                    yield int(top + i), int(left + j), float(products[i, j])


def connected(pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    """The groups that pairs connect, each ascending, ordered by their first."""
    group_of: dict[int, set[int]] = {}
    for i, j in pairs:
        if j not in group_of.get(i, ()):
            merged = group_of.get(i, {i}) | group_of.get(j, {j})
            group_of |= dict.fromkeys(merged, merged)
    return tuple(sorted({tuple(sorted(found)) for found in group_of.values()}))


@functools.lru_cache(maxsize=4)
def _signs(outputs: int) -> Array:
    """The same random signs for everybody, (NUMBERS, outputs)."""
    drawn = np.random.default_rng(0).integers(0, 2, size=(NUMBERS, outputs), dtype=np.int8)
    return np.asarray(2 * drawn - 1, np.float32)


def _unit(values: Array) -> Array:
    """Mean 0 and length 1; zeros if that is impossible."""
    with np.errstate(all="ignore"):
        largest = float(np.abs(values).max(initial=0))
        scaled = values / largest if 0 < largest < np.inf else np.zeros_like(values)
        centred = scaled - scaled.mean() if values.size else scaled
        length = float(np.linalg.norm(centred))
    return centred / length if length > _NOTHING else np.zeros_like(centred)
