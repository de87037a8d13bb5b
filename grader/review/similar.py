"""Which answer tells most about the others, and what the others would probably get: asked, never applied.

Texts are compared by their pieces of two to four letters (TF-IDF), so that the language does not matter. For
each rubric line a logistic regression is fitted to what a person has ticked; the answer that it doubts most,
weighted by how many wrote it, is asked for next (uncertainty sampling, Lewis and Gale 1994). Measured on
short answers with known marks it pays from about a hundred answers on; below, an item keeps its plain order.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

WORTH_IT = 100
"""Answers of an item from which on the model chooses the order."""
FIRST = 5
"""Units that are asked for before there is a model: the commonest."""
MOST_TEXT = 3_000
"""Characters of an answer that are compared."""
MOST_PIECES = 30_000
STRENGTH = 30.0
"""How much a mark weighs against the wish for small weights, as C in scikit-learn."""
STEPS = 40
SHARED = 0.75
"""The power of the number of students who wrote a text."""
CAUTION = 2.0
"""The stated share is what the model expects times this, and as much again of the answers as one mark of
those so far stands for: no model knows kinds of answers that nobody has seen yet. With it the bound held in
50 of 50 classes after ten actions (``benchmarks/review_order.py``)."""

Floats = NDArray[np.float64]


class Forecast(msgspec.Struct, frozen=True):
    """What the marks so far say about the units: for each the chance of each line, how much it would tell.

    ``wrong`` is the stated bound on the share of answers that would be wrong with the likeliest lines,
    ``doubt`` the chance that a unit's are, ``seen`` how many units the forecast rests on, ``lines`` what each
    unit probably gets.
    """

    chance: dict[str, dict[int, float]]
    tells: dict[str, float]
    wrong: float
    doubt: dict[str, float]
    seen: int
    lines: dict[str, frozenset[int]]

    def likely(self, unit: str) -> frozenset[int]:
        """The lines that a unit probably gets."""
        return self.lines.get(unit, frozenset())

    def wrong_among(self, counts: Mapping[str, int]) -> float:
        """The bound for some units that nobody has marked, each with the number of its answers.

        It allows for one text more than for all of an item's: of few texts a single one is a large share.
        """
        expected = sum(number * self.doubt[unit] for unit, number in counts.items())
        answers = sum(counts.values())
        return min(CAUTION * (expected / answers + 1 / self.seen) + 1 / len(counts), 1.0)


class Texts:
    """The texts of an item's units, compared once. ``counts`` are how many answers each stands for."""

    def __init__(self, texts: Mapping[str, str], counts: Mapping[str, int]) -> None:
        self.names = list(texts)
        self.count = np.array([counts[name] for name in self.names], dtype=float)
        self._at = {name: at for at, name in enumerate(self.names)}
        self.near = nearness([texts[name][:MOST_TEXT] for name in self.names])

    def forecast(self, marked: Mapping[str, frozenset[int]], lines: Sequence[int]) -> Forecast | None:
        """What the marked units (each with its lines) say; None before there are enough of them."""
        seen = np.array([self._at[name] for name in marked if name in self._at], dtype=int)
        if len(seen) < FIRST:
            return None
        ticked = [marked[self.names[at]] for at in seen]
        chances = {}
        doubt = np.zeros(len(self.names))
        right = np.ones(len(self.names))
        for line in lines:
            has = np.array([line in one for one in ticked])
            chance = self._chance(seen, has)
            chances[line] = chance
            doubt = np.maximum(doubt, 1 - 2 * np.abs(chance - 0.5))
            right *= np.maximum(chance, 1 - chance)
        left = np.ones(len(self.names), dtype=bool)
        left[seen] = False
        if not doubt.any():
            doubt = 1 - self.near[:, seen].max(axis=1)  # all alike so far: look for an unlike one
        expected = float((self.count * (1 - right))[left].sum())
        unseen = float(self.count[left].sum()) / len(seen)
        wrong = CAUTION * (expected + unseen) / float(self.count.sum())
        return Forecast(
            chance={
                name: {line: float(chances[line][at]) for line in lines} for at, name in enumerate(self.names)
            },
            tells={name: float(doubt[at] * self.count[at] ** SHARED) for at, name in enumerate(self.names)},
            wrong=min(wrong, 1.0),
            doubt={name: float(1 - right[at]) for at, name in enumerate(self.names)},
            seen=len(seen),
            lines={
                name: frozenset(line for line in lines if chances[line][at] >= 0.5)  # noqa: PLR2004  # likelier than not
                for at, name in enumerate(self.names)
            },
        )

    def _chance(self, seen: NDArray[np.int_], has: NDArray[np.bool_]) -> Floats:
        """The chance of a line for every unit, from those that were seen with or without it."""
        if has.all() or not has.any():
            return np.full(len(self.names), float(has[0]))
        weight = np.sqrt(self.count[seen])
        share = np.where(has, weight[has].sum(), weight[~has].sum())
        weight = STRENGTH * weight * weight.sum() / (2 * share)  # both kinds count the same
        return logistic(self.near, seen, has.astype(float), weight)


def logistic(near: Floats, seen: NDArray[np.int_], has: Floats, weight: Floats) -> Floats:
    """Chances for all texts by a logistic regression on nearness, fitted by Newton's method.

    It is that on the pieces themselves: its weights are a sum over the texts seen (the representer theorem),
    so the unknowns are one number for each text seen and the intercept.
    """
    inner = near[np.ix_(seen, seen)]
    size = len(seen)
    rows = np.hstack([inner, np.ones((size, 1))])
    ridge = np.zeros((size + 1, size + 1))
    ridge[:size, :size] = inner
    ridge[:size, :size] += 1e-6 * np.eye(size)
    found = np.zeros(size + 1)
    for _ in range(STEPS):
        chance = sigmoid(rows @ found)
        slope = rows.T @ (weight * (chance - has)) + ridge @ found
        curve = rows.T @ ((weight * chance * (1 - chance) + 1e-9)[:, None] * rows) + ridge
        step = np.linalg.solve(curve + 1e-9 * np.eye(size + 1), slope)
        step *= min(1.0, 5.0 / (np.abs(rows @ step).max() + 1e-12))  # far from the solution Newton overshoots
        found -= step
        if np.abs(step).max() < 1e-6:  # noqa: PLR2004  # it no longer moves
            break
    return sigmoid(near[:, seen] @ found[:size] + found[size])


def sigmoid(values: Floats) -> Floats:
    """The logistic function, without overflow."""
    return 1 / (1 + np.exp(-np.clip(values, -40, 40)))


def nearness(texts: Sequence[str]) -> Floats:
    """How near each pair of texts is, from 0 to 1: the cosine of their pieces' TF-IDF."""
    counted = [Counter(pieces(text)) for text in texts]
    spread = Counter(piece for own in counted for piece in own)
    shared = [piece for piece, number in spread.most_common(MOST_PIECES) if number > 1]
    place = {piece: at for at, piece in enumerate(shared)}
    rarity = {piece: math.log((1 + len(texts)) / (1 + spread[piece])) + 1 for piece in spread}
    made = np.zeros((len(texts), len(shared)), dtype=np.float32)
    alone = np.zeros(len(texts))
    for row, own in enumerate(counted):
        for piece, number in own.items():
            value = (1 + math.log(number)) * rarity[piece]
            if piece in place:
                made[row, place[piece]] = value
            else:
                alone[row] += value**2  # in no other text: it only makes this one longer
    length = np.sqrt((made.astype(float) ** 2).sum(axis=1) + alone)
    length[length == 0] = 1
    found = (made @ made.T).astype(float) / np.outer(length, length)
    np.fill_diagonal(found, 1.0)
    return found


def pieces(text: str) -> list[str]:
    """Pieces of two to four letters within words, their edges as blanks."""
    found = []
    for word in text.split():
        padded = f" {word} "
        for size in (2, 3, 4):
            found += [padded[at : at + size] for at in range(max(len(padded) - size + 1, 1))]
    return found
