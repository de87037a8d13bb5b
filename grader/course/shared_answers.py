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
import tempfile
import weakref
from array import array
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
    links = list(_links([answers[same[text][0]] for text in texts]))
    groups = connected([(one, other) for one, other, _ in links])
    alone = set(range(len(texts))).difference(*groups)
    for group in (*groups, *([text] for text in alone)):
        students = sorted(student for text in group for student in same[texts[text]])
        least = min((value for one, _, value in links if one in group), default=1.0)
        if len(students) > 1 and len(answers[students[0]]) >= FEWEST:
            yield tuple(students), least


def _links(answers: Sequence[Runs]) -> Iterator[tuple[int, int, float]]:
    """Pairs of different answers that share at least ALIKE of the smaller one's runs."""
    flat = np.concatenate([np.empty(0, np.uint64), *answers])
    order = np.argsort(flat, kind="stable")  # so that each run's owners stand together, in order
    owners = np.repeat(np.arange(len(answers), dtype=np.int32), [len(runs) for runs in answers])[order]
    starts = np.flatnonzero(np.diff(flat[order], prepend=~flat[order][:1]))
    counts = np.diff(starts, append=len(flat))
    is_own = counts <= min(max(FEW, COMMON * len(answers)), MANY)
    sizes = np.bincount(owners[np.repeat(is_own, counts)], minlength=len(answers))
    together: Counter[tuple[int, int]] = Counter()
    shared = is_own & (counts > 1)
    for start, count in zip(starts[shared].tolist(), counts[shared].tolist(), strict=True):
        together.update(itertools.combinations(owners[start : start + count].tolist(), 2))
    for (one, other), count in together.items():
        smaller = int(min(sizes[one], sizes[other]))
        if count >= max(FEWEST, ALIKE * smaller):
            yield one, other, min(count / smaller, NEARLY)


class Pile:
    """The runs of a class's answers to one item, in a file of this program's own until they are compared."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the object
        weakref.finalize(self, self._file.close)
        self._students, self._lengths = array("l"), array("l")

    def __len__(self) -> int:
        return len(self._students)

    def add(self, student: int, runs: Runs) -> None:
        """One student's answer."""
        self._students.append(student)
        self._lengths.append(len(runs))
        self._file.write(runs.tobytes())

    def answers(self) -> dict[int, Runs]:
        """All of them, by the student's number."""
        self._file.seek(0)
        flat = np.frombuffer(self._file.read(), np.uint64)
        parts = np.split(flat, np.cumsum(self._lengths)[:-1])
        return dict(zip(self._students, parts, strict=True)) if self._students else {}


def _number(span: str) -> int:
    return int.from_bytes(hashlib.blake2b(span.encode("utf-8", "replace"), digest_size=8).digest(), "big")
