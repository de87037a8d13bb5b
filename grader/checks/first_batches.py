"""The first mini-batches of a run, as the template's ``ImageBeginning`` and ``TextBeginning`` record them.

What is read here comes from a student's file and becomes the data of the replay. So types, sizes and ranges
are checked before anything is unpacked, and whatever does not fit raises BadEvidence in one line. Whether the
losses are right is not decided here.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from grader.checks.arrays import Array
from grader.model.errors import BadEvidence

MOST_EXAMPLES = 100_000
"""Examples that the training set may have."""
MOST_ROWS = 10_000
"""Examples that one recording may hold."""
MOST_CHARACTERS = 5_000_000
"""Characters that the text may have."""
MOST_PIECES, LONGEST_PIECE = 1_000, 1_025
"""Pieces of text that one recording may hold, and characters of one."""
MOST_LETTERS = 1_000
"""Characters that an alphabet may have."""
MOST_LOSSES = 100

_LARGEST_PIXEL = 255


@dataclass(frozen=True)
class ImageBatches:
    """Mini-batches of labelled images: ``rows`` and ``labels`` of shape (N,), ``pixels`` uint8 (N, pixels).

    ``examples`` is the size of the training set, ``losses`` are those of the first mini-batches in order.
    """

    losses: Array
    rows: tuple[int, ...]
    labels: tuple[int, ...]
    pixels: Array
    examples: int

    @classmethod
    def of(cls, data: object, *, pixels: int, classes: int) -> Self:
        """Read recorded images of ``pixels`` pixels each. Raises BadEvidence."""
        table = _table(data)
        examples = _whole(table, "examples", least=1, most=MOST_EXAMPLES)
        rows = _wholes(table, "rows", most_entries=MOST_ROWS, below=examples)
        labels = _wholes(table, "labels", most_entries=MOST_ROWS, below=classes)
        losses = _losses(table)
        if len(labels) != len(rows) or len(set(rows)) != len(rows) or len(rows) % len(losses):
            raise BadEvidence("the recorded beginning does not fit together: losses, rows and labels")
        packed = _unpacked(table.get("pixels"), size=len(rows) * pixels)
        return cls(losses, rows, labels, np.frombuffer(packed, np.uint8).reshape(len(rows), pixels), examples)

    def assert_images(self) -> None:
        """Raise BadEvidence for blank, constant or repeated images and for labels that are all the same.

        A correct solution never fails on Fashion-MNIST: none of its 10,000 training images is blank or occurs
        twice, and 40 labels of 10 classes are all the same with a probability of 1e-39.
        """
        blank = self.pixels.max(axis=1) == self.pixels.min(axis=1)
        distinct = len(np.unique(self.pixels, axis=0))
        if bool(blank.any()) or distinct < 0.9 * len(self.rows) or len(set(self.labels)) == 1:
            raise BadEvidence("the pictures of the recorded beginning are no pictures of the training set")


@dataclass(frozen=True)
class TextBatches:
    """Mini-batches of pieces of a text: where each starts, and its characters.

    ``characters`` is the length of the whole text, ``alphabet`` its distinct characters in order, and
    ``losses`` are those of the first mini-batches in order.
    """

    losses: Array
    starts: tuple[int, ...]
    pieces: tuple[str, ...]
    characters: int
    alphabet: str

    @classmethod
    def of(cls, data: object, *, share: float) -> Self:
        """Read recorded pieces of the first ``share`` of a text. Raises BadEvidence."""
        table = _table(data)
        characters = _whole(table, "characters", least=1, most=MOST_CHARACTERS)
        alphabet = _alphabet(table.get("alphabet"))
        starts = _wholes(table, "starts", most_entries=MOST_PIECES, below=characters)
        pieces = _pieces(table.get("pieces"), alphabet)
        if len(pieces) != len(starts) or len({len(piece) for piece in pieces}) != 1:
            raise BadEvidence("the recorded beginning does not fit together: starts and pieces")
        if max(starts) + len(pieces[0]) > int(share * characters):
            raise BadEvidence("the recorded beginning goes past the training part of the text")
        found = cls(_losses(table), starts, pieces, characters, alphabet)
        found.add_to({})
        return found

    def add_to(self, known: dict[int, str]) -> None:
        """Add the characters to ``known`` by their positions. Raises BadEvidence if one contradicts it."""
        mine: dict[int, str] = {}
        for start, piece in zip(self.starts, self.pieces, strict=True):
            for at, character in enumerate(piece, start=start):
                if {known.get(at, character), mine.get(at, character)} != {character}:
                    raise BadEvidence(
                        f"the recorded pieces of the text contradict each other at position {at:,}"
                    )
                mine[at] = character
        known.update(mine)


def _table(data: object) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise BadEvidence("the recording has no `beginning`")
    return data


def _whole(table: Mapping[str, Any], key: str, *, least: int, most: int) -> int:
    value = table.get(key)
    if type(value) is not int or not least <= value <= most:
        raise BadEvidence(f"`beginning.{key}` is not a whole number from {least:,} to {most:,}")
    return value


def _wholes(table: Mapping[str, Any], key: str, *, most_entries: int, below: int) -> tuple[int, ...]:
    """A non-empty list, or list of lists, of whole numbers from 0, flattened."""
    flat = _flat(table.get(key), key=key, most=most_entries)
    if not all(type(value) is int and 0 <= value < below for value in flat):
        raise BadEvidence(
            f"`beginning.{key}` holds something else than whole numbers from 0 to {below - 1:,}"
        )
    return tuple(flat)


def _flat(value: object, *, key: str, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise BadEvidence(f"`beginning.{key}` is no list of at most {most:,} entries")
    flat: list[Any] = []
    for entry in value:
        flat += entry if isinstance(entry, list) else [entry]
        if len(flat) > most:
            raise BadEvidence(f"`beginning.{key}` is no list of at most {most:,} entries")
    if not flat:
        raise BadEvidence(f"`beginning.{key}` is empty")
    return flat


def _losses(table: Mapping[str, Any]) -> Array:
    values = table.get("losses")
    if not isinstance(values, list) or not 0 < len(values) <= MOST_LOSSES:
        raise BadEvidence(f"`beginning.losses` is no list of 1 to {MOST_LOSSES} numbers")
    if not all(type(value) in (int, float) and abs(value) < np.inf for value in values):
        raise BadEvidence("`beginning.losses` holds something else than finite numbers")
    return np.array(values, dtype=np.float64)


def _unpacked(value: object, *, size: int) -> bytes:
    """The ``size`` bytes packed with zlib and base64; never unpacks more than one byte beyond that."""
    if isinstance(value, str):
        try:
            reader = zlib.decompressobj()
            found = reader.decompress(base64.b64decode(value, validate=True), size + 1)
        except (ValueError, binascii.Error, zlib.error):
            found = b""
        if len(found) == size and reader.eof:
            return found
    raise BadEvidence("`beginning.pixels` cannot be unpacked to the recorded number of pictures")


def _alphabet(value: object) -> str:
    if not isinstance(value, str) or not 1 < len(value) <= MOST_LETTERS or list(value) != sorted(set(value)):
        raise BadEvidence("`beginning.alphabet` does not hold the distinct characters of a text, in order")
    return value


def _pieces(value: object, alphabet: str) -> tuple[str, ...]:
    flat = _flat(value, key="pieces", most=MOST_PIECES)
    known = set(alphabet)
    if not all(
        isinstance(piece, str) and 1 < len(piece) <= LONGEST_PIECE and known.issuperset(piece)
        for piece in flat
    ):
        raise BadEvidence("`beginning.pieces` holds something else than pieces of text in its alphabet")
    return tuple(flat)
