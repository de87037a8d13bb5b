"""All pairs of a class by the shapes of their code: what is rare in the class counts most.

Of n students, a shape that k of the others have beside two of them weighs::

    w = 1 - log(k + 1) / log(n / 2)          1 if nobody else has it, 0 from half the class on

    shared(a, b)  =  sum of w over the shapes that both have
    own(a)        =  sum of w over the shapes of a
    share(a, b)   =  shared(a, b) / (min(own(a), own(b)) + SHORT)

The smaller of the two: code that was added to a copy takes nothing away. SHORT keeps short pieces, in which a
few shapes happen to be the same, from a large share.

*Candidates* come from a sketch of each submission (feature hashing: Weinberger et al., ICML 2009): its
shapes, signed at random and added into 2,048 numbers, so that the product of two sketches is about
``shared``, and all pairs are products of matrices of bounded size. Each candidate is then computed exactly.

The *line* from which on a pair is named is drawn for each class. Most pairs of a class are of people who
worked apart. Their shares fall off like an exponential; its scale is read off their middle and their top
twentieth, and the line is where FALSE_PAIRS of all the class's pairs are expected above it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Numbers = NDArray[np.intp]
Array = NDArray[np.float64]

FALSE_PAIRS = 1.0
"""Pairs of people who worked apart that are expected above the line, in a whole class."""
LOWEST, HIGHEST = 0.30, 0.60
"""Where the line may be: below, real solutions of people who worked apart were seen; copies are above."""
SHORT = 10.0
"""Rare shapes, about five lines of code."""
LEAST = 10.0
"""Rare shapes that a pair has in common at least."""

_SKETCH = 2048
_BLOCK = 512
_NEAR = 0.6
"""Of the lowest line, from which on two sketches are candidates: four deviations of their noise below it."""
_MOST = 200_000
"""Candidates that are computed exactly, the nearest: a second for 30,000."""
_SAMPLE = 4_000
"""Pairs at random, from which the line is drawn."""


class Pair(NamedTuple):
    """Two submissions, by their numbers, the share of one that is in the other, and the weight of it."""

    a: int
    b: int
    share: float
    shared: float


@dataclass(frozen=True)
class Compared:
    """A class, compared: its pairs from the line on, the largest share first, one for each two students.

    ``expected`` is how many pairs of people who worked apart are expected among them. ``left_out`` is how
    many candidates were not looked at because there were too many.
    """

    pairs: tuple[Pair, ...]
    line: float
    expected: float
    left_out: int = 0


class Class:
    """Submissions as sets of weighed shapes.

    ``shapes`` are the keys of each submission's, ``owners`` whose they are: what one student handed in
    several times is no less rare for it. ``known`` are solutions of others, such as the course's own, which
    tell what is common too.
    """

    def __init__(self, shapes: Sequence[Keys], owners: Sequence[int], known: Sequence[Keys] = ()) -> None:
        self.owners = np.asarray(owners, np.intp)
        counts = [len(one) for one in shapes]
        self.starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
        self.rows = np.repeat(np.arange(len(shapes)), counts)
        flat = np.concatenate([np.empty(0, np.uint64), *shapes])
        self.vocabulary, self.numbers = np.unique(flat, return_inverse=True)
        self.holders = self._holders(known)
        people = len(set(owners)) + len(known)
        self.weights = _weights(self.holders, people)
        self.own = np.bincount(self.rows, self.weights[self.numbers], minlength=len(shapes))

    def others(self, keys: Keys) -> tuple[Array, Numbers]:
        """The weights of some shapes, and how many students have each; 0 for shapes that are in none."""
        if not len(self.vocabulary):
            return np.zeros(len(keys)), np.zeros(len(keys), np.intp)
        places = np.minimum(np.searchsorted(self.vocabulary, keys), len(self.vocabulary) - 1)
        found = self.vocabulary[places] == keys
        return np.where(found, self.weights[places], 0.0), np.where(found, self.holders[places], 0)

    def pair(self, a: int, b: int) -> Pair:
        """What two submissions have in common."""
        common = np.intersect1d(self._of(a), self._of(b), assume_unique=True)
        shared = float(self.weights[common].sum())
        return Pair(a, b, shared / (float(min(self.own[a], self.own[b])) + SHORT), shared)

    def compared(self) -> Compared:
        """All pairs of different students."""
        near, left_out = self._candidates()
        line, expected = self._line()
        found = (self.pair(a, b) for a, b in near)
        named = [one for one in found if one.share >= line and one.shared >= LEAST]
        best: dict[frozenset[int], Pair] = {}
        for one in sorted(named, key=lambda one: (-one.share, one.a, one.b)):
            best.setdefault(frozenset(self.owners[[one.a, one.b]].tolist()), one)
        return Compared(tuple(best.values()), line, expected, left_out)

    def _of(self, number: int) -> Numbers:
        return self.numbers[self.starts[number] : self.starts[number + 1]]

    def _holders(self, known: Sequence[Keys]) -> Numbers:
        """How many people have each shape."""
        size = len(self.vocabulary)
        held = np.unique(self.owners[self.rows] * size + self.numbers) if size else np.empty(0, np.intp)
        holders = np.bincount(held % max(size, 1), minlength=size)
        for keys in known:
            holders = holders + np.isin(self.vocabulary, keys)
        return holders

    def _line(self) -> tuple[float, float]:
        """The line, and the pairs that are expected above it."""
        full = np.flatnonzero(self.own >= LEAST)
        people = len(set(self.owners[full].tolist()))
        if people < 2:  # noqa: PLR2004  # no pair
            return LOWEST, 0.0
        pairs = people * (people - 1) / 2
        draw = full[np.random.default_rng(len(full)).integers(0, len(full), size=(_SAMPLE, 2))]
        apart = draw[self.owners[draw[:, 0]] != self.owners[draw[:, 1]]]
        middle, top = np.quantile([self.pair(a, b).share for a, b in apart.tolist()], [0.5, 0.95])
        scale = max((top - middle) / math.log(10), 1e-3)
        drawn = top + scale * math.log(max(0.05 * pairs / FALSE_PAIRS, 1e-9))
        line = float(np.clip(drawn, LOWEST, HIGHEST))
        return line, float(min(pairs, 0.05 * pairs * math.exp(-(line - top) / scale)))

    def _candidates(self) -> tuple[list[tuple[int, int]], int]:
        """Pairs whose sketches are near, and how many more there were."""
        found = list(self._near_pairs())
        pairs = np.concatenate([np.empty((0, 2), np.intp), *(one for one, _ in found)])
        shares = np.concatenate([np.empty(0, np.float32), *(one for _, one in found)])
        kept = np.sort(np.argsort(-shares, kind="stable")[:_MOST])
        return [(a, b) for a, b in pairs[kept].tolist()], len(pairs) - len(kept)

    def _near_pairs(self) -> Iterator[tuple[Numbers, NDArray[np.floating]]]:
        sketches = self._sketches()
        own = self.own.astype(np.float32)
        for start in range(0, len(sketches), _BLOCK):
            block = slice(start, min(start + _BLOCK, len(sketches)))
            smaller = np.minimum(own[block, None], own[None, : block.stop])
            shares = (sketches[block] @ sketches[: block.stop].T) / (smaller + np.float32(SHORT))
            apart = self.owners[block, None] != self.owners[None, : block.stop]
            before = np.arange(block.start, block.stop)[:, None] > np.arange(block.stop)[None, :]
            rows, columns = np.nonzero((shares >= _NEAR * LOWEST) & (smaller >= LEAST) & apart & before)
            yield np.stack([columns, rows + start], axis=1), shares[rows, columns]

    def _sketches(self) -> NDArray[np.float32]:
        made = np.zeros((len(self.owners), _SKETCH), np.float32)
        place = (self.vocabulary % np.uint64(_SKETCH)).astype(np.intp)
        sign = np.where(self.vocabulary >> np.uint64(63), 1.0, -1.0)
        value = sign * np.sqrt(self.weights)
        for start in range(0, len(made), _BLOCK):
            stop = min(start + _BLOCK, len(made))
            numbers = self.numbers[self.starts[start] : self.starts[stop]]
            rows = self.rows[self.starts[start] : self.starts[stop]] - start
            places = rows * _SKETCH + place[numbers]
            flat = np.bincount(places, value[numbers], minlength=(stop - start) * _SKETCH)
            made[start:stop] = flat.reshape(stop - start, _SKETCH)
        return made


def _weights(holders: Numbers, people: int) -> Array:
    if people <= 3:  # noqa: PLR2004  # two of three is most of the class: nothing tells what is common
        return np.ones(len(holders))
    return np.clip(1 - np.log(np.maximum(holders - 1, 1)) / math.log(people / 2), 0.0, 1.0)
