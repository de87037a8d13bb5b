"""Does a text read like another? Statistics of pairs of characters, and windows copied from a known text."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Self

import numpy as np

from grader.checks.arrays import Array
from grader.model.errors import BadEvidence
from grader.model.text import snippet

_PRIOR = 5.0
"""Pseudo-counts, distributed like single letters, for the pairs that a short text never shows."""


class LetterPairs:
    """How likely each character is after the one before it, learned from a text.

    ``surprise`` is in nats per character. With the 95,913 characters of Macbeth, pieces of 500 characters of
    another Shakespeare text have 2.67 +- 0.18 (400 pieces, at most 3.33), letters drawn by their frequency
    alone 5.2 +- 0.15 (200 draws, at least 4.85), and letters drawn evenly 8.7 +- 0.13.
    """

    def __init__(self, numbers: dict[str, int], chances: Array) -> None:
        self._numbers, self._chances = numbers, chances

    @classmethod
    def of(cls, text: str) -> Self:
        """Learn from ``text``. All characters that are not in it count as one further character."""
        numbers = {character: number for number, character in enumerate(sorted(set(text)))}
        found = np.array([numbers[character] for character in text])
        size = len(numbers) + 1
        single = np.bincount(found, minlength=size) + 0.5
        pairs = np.zeros((size, size))
        np.add.at(pairs, (found[:-1], found[1:]), 1.0)
        pairs += _PRIOR * single / single.sum()
        return cls(numbers, pairs / pairs.sum(axis=1, keepdims=True))

    def surprise(self, text: str) -> float:
        """The mean of -log P(character | the one before), in nats; ``text`` has two characters or more."""
        other = len(self._numbers)
        numbers = np.array([self._numbers.get(character, other) for character in text])
        return float(-np.log(self._chances[numbers[:-1], numbers[1:]]).mean())


def assert_made_of(text: str, alphabet: Iterable[str], *, name: str) -> None:
    """Every character of ``text`` is in the alphabet. A correct solution never fails: it knows no other."""
    strange = sorted(set(text) - set(alphabet))
    if strange:
        raise BadEvidence(
            f"{name} holds {snippet(repr(strange[0]), limit=20)}, which the training text does not"
        )


def assert_reads_like(text: str, pairs: LetterPairs, *, at_most: float, name: str) -> None:
    """The surprise is at most ``at_most`` nats per character. The author states the probability with it."""
    if not pairs.surprise(text) <= at_most:
        raise BadEvidence(
            f"{name} does not read like the training text: its letters follow one another by chance"
        )


def assert_reads_better(before: str, after: str, pairs: LetterPairs, *, by: float) -> None:
    """The text after training has at least ``by`` nats per character less surprise than the one before.

    The author states the probability with ``by``.
    """
    if not pairs.surprise(after) <= pairs.surprise(before) - by:
        raise BadEvidence("the text after training reads no more like the training text than that before it")


def shingle_hits(text: str, shingles: frozenset[int], *, length: int, one_in: int) -> tuple[int, int]:
    """How many windows of ``length`` characters were examined, and how many of those are in ``shingles``.

    A window is examined if its CRC-32 is a multiple of ``one_in``. That chooses the same windows in every
    text: a large one can be kept as few numbers, and a copied passage still contains some of them.
    """
    sums = window_sums(text, length=length, one_in=one_in)
    return len(sums), sum(found in shingles for found in sums)


def window_sums(text: str, *, length: int, one_in: int) -> list[int]:
    """The CRC-32 of those windows of ``text`` whose sum is a multiple of ``one_in``."""
    data = text.encode("utf-32-le")
    step = 4
    sums = (zlib.crc32(data[at : at + step * length]) for at in range(0, len(data) - step * length + 1, step))
    return [found for found in sums if found % one_in == 0]
