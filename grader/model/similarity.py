"""The record of the code that submissions of a class have in common. Reports are pure functions of it."""

from __future__ import annotations

import msgspec

SCHEMA = "chainrule.similarity/1"


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cell or a part of a module. ``where`` names it for people ("hw3.ipynb, cell 12", "layers/conv.py").

    The text is the student's; ``start`` is the number of its first line. ``is_given`` is whether the course
    gave it as it is.
    """

    where: str
    text: str
    start: int = 1
    is_given: bool = False


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lines of a cell or module, counted from 1; ``where`` names it as a piece's does."""

    where: str
    first: int
    last: int


class Passage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Lines that say the same in both submissions.

    ``weight`` is that of their shapes: 1 for each that nobody else has, less the more have it. ``others`` is
    how many other students have the rarest of them.
    """

    left: Span
    right: Span
    weight: float
    others: int


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One submission of a pair: the student's id ("" for nobody's) and name, and the submission's name."""

    student: str
    name: str
    submission: str


class SimilarPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two submissions of different students with code in common.

    ``share`` is how much of what is rare in the smaller one is in the other, from 0 to 1; ``shared`` is the
    weight of it.
    """

    left: Side
    right: Side
    share: float
    shared: float
    passages: tuple[Passage, ...] = ()


class Similarity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a class has in common: pairs from ``line`` on, the largest share first.

    ``pairs`` have their passages as far as they were asked for. ``expected`` is how many pairs of people who
    worked apart are expected among them. ``groups`` are more than two students whom pairs connect, by their
    names. ``compared`` counts submissions, ``students`` those they belong to. ``notices`` are one line each,
    for people.
    """

    assignment: str
    compared: int
    students: int
    line: float
    expected: float
    pairs: tuple[SimilarPair, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    notices: tuple[str, ...] = ()
    schema: str = SCHEMA


class SimilarCode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One pair with the code of both, for its page."""

    pair: SimilarPair
    left: tuple[Piece, ...]
    right: tuple[Piece, ...]
