"""Where two submissions say the same: the lines of both, side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from grader.course.similarity.pairs import Class
from grader.model.similarity import Passage, Piece, Span
from grader.notebooks.shapes import Shape

MOST = 200
"""Passages of a pair, the weightiest."""
_GAP = 2
"""Lines that one passage goes on over: a comment, a line that only one of them has."""


class _Match(NamedTuple):
    left: Shape
    right: Shape
    weight: float
    others: int


def passages(
    left: Sequence[Shape],
    right: Sequence[Shape],
    pieces: tuple[Sequence[Piece], Sequence[Piece]],
    everyone: Class,
) -> tuple[Passage, ...]:
    """What both have in common of some weight in the class, in the order of the first, each line once."""
    joined: list[list[_Match]] = []
    for match in _outermost(_matches(left, right, everyone)):
        if joined and _goes_on(joined[-1][-1], match):
            joined[-1].append(match)
        else:
            joined.append([match])
    found = [_passage(group, pieces) for group in joined]
    kept = sorted(range(len(found)), key=lambda place: -found[place].weight)[:MOST]
    return tuple(found[place] for place in sorted(kept))


def _matches(left: Sequence[Shape], right: Sequence[Shape], everyone: Class) -> list[_Match]:
    """Each common shape, where it first stands in both; those that many have are left out."""
    there: dict[int, list[Shape]] = defaultdict(list)
    for shape in right:
        there[shape.key].append(shape)
    common = [shape for shape in left if shape.key in there]
    weights, holders = everyone.others(np.array([shape.key for shape in common], np.uint64))
    return [
        _Match(shape, _taken(there[shape.key]), weight, max(people - 2, 0))
        for shape, weight, people in zip(common, weights.tolist(), holders.tolist(), strict=True)
        if weight > 0
    ]


def _taken(places: list[Shape]) -> Shape:
    """The next place of a shape that stands there several times; the last one stays."""
    return places.pop(0) if len(places) > 1 else places[0]


def _outermost(matches: Iterable[_Match]) -> list[_Match]:
    """One match for each line, that of the longest shape, with the weight of all that begin in it."""
    lines: dict[tuple[int, int], _Match] = {}
    for match in matches:
        place = match.left.piece, match.left.first
        known = lines.get(place)
        if known is None:
            lines[place] = match
            continue
        longer = max(known, match, key=lambda one: one.left.last - one.left.first)
        rarest = min(known.others, match.others)
        lines[place] = _Match(longer.left, longer.right, known.weight + match.weight, rarest)
    return [lines[place] for place in sorted(lines)]


def _goes_on(before: _Match, match: _Match) -> bool:
    return all(
        one.piece == other.piece and other.first - one.first >= 0 and other.first - one.last <= _GAP
        for one, other in ((before.left, match.left), (before.right, match.right))
    )


def _passage(group: Sequence[_Match], pieces: tuple[Sequence[Piece], Sequence[Piece]]) -> Passage:
    sides = [[match.left for match in group], [match.right for match in group]]
    left, right = (_span(shapes, own) for shapes, own in zip(sides, pieces, strict=True))
    weight = round(sum(match.weight for match in group), 2)
    return Passage(left, right, weight, min(match.others for match in group))


def _span(shapes: Sequence[Shape], pieces: Sequence[Piece]) -> Span:
    piece = pieces[shapes[0].piece]
    first, last = min(one.first for one in shapes), max(one.last for one in shapes)
    return Span(piece.where, first + piece.start - 1, last + piece.start - 1)
