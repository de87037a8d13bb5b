"""Written answers that several students share, word for word or nearly, found without keeping the texts.

Of each answer its runs of SPAN words are kept as numbers, at most KEPT of them, the smallest: how many of the
smallest numbers of two answers are the same estimates how much of their runs is (A. Broder, "On the
resemblance and containment of documents", 1997). Runs that many students have are the assignment's words or
the lecture's, and count for nothing.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from grader.checks.likeness import connected

SPAN = 4
KEPT = 256
FEWEST = 8
"""Runs that are not everybody's which answers must share: short answers are the same by chance."""
ALIKE = 0.6
"""Share of the smaller answer's runs from which on two answers are named."""
NEARLY = 0.99
"""Share of an answer that is wholly in another, longer one."""
COMMON, FEW, MANY = 0.05, 4, 60
"""A run is everybody's if more than this share of the different answers have it, of FEW or MANY at least."""

Runs = NDArray[np.uint64]
_WORD = re.compile(r"[^\W_]+")


def runs_of(text: str, given: Runs | None = None) -> Runs:
    """The runs of an answer's words as sorted numbers, without those of the text that the course gave."""
    words = _WORD.findall(text.casefold())
    spans = {" ".join(words[at : at + SPAN]) for at in range(len(words) - SPAN + 1)}
    numbers = np.array(sorted(map(_number, spans)), dtype=np.uint64)
    own = numbers if given is None else np.setdiff1d(numbers, given, assume_unique=True)
    return own[:KEPT]


def alike(answers: Mapping[int, Runs]) -> Iterator[tuple[tuple[int, ...], float]]:
    """Groups of students, by number, whose answers are the same (1) or nearly, with the least share."""
    same: dict[bytes, list[int]] = defaultdict(list)
    for student, runs in answers.items():
        same[runs.tobytes()].append(student)
    texts = list(same)
    links = list(_links([answers[same[text][0]].tolist() for text in texts]))
    groups = connected([(one, other) for one, other, _ in links])
    alone = set(range(len(texts))).difference(*groups)
    for group in (*groups, *([text] for text in alone)):
        students = sorted(student for text in group for student in same[texts[text]])
        least = min((value for one, _, value in links if one in group), default=1.0)
        if len(students) > 1 and len(answers[students[0]]) >= FEWEST:
            yield tuple(students), least


def _links(answers: Sequence[Sequence[int]]) -> Iterator[tuple[int, int, float]]:
    """Pairs of different answers that share at least ALIKE of the smaller one's runs."""
    owners: dict[int, list[int]] = defaultdict(list)
    for number, runs in enumerate(answers):
        for run in runs:
            owners[run].append(number)
    most = min(max(FEW, COMMON * len(answers)), MANY)
    own = [several for several in owners.values() if len(several) <= most]
    sizes = Counter(number for several in own for number in several)
    together: Counter[tuple[int, int]] = Counter()
    for several in own:
        together.update(itertools.combinations(several, 2))
    for (one, other), count in together.items():
        smaller = min(sizes[one], sizes[other])
        if count >= max(FEWEST, ALIKE * smaller):
            yield one, other, min(count / smaller, NEARLY)


def _number(span: str) -> int:
    return int.from_bytes(hashlib.blake2b(span.encode("utf-8", "replace"), digest_size=8).digest(), "big")
