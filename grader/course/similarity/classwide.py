"""A class's code, read and compared: everything that its gradebook knows of."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from grader.checks.likeness import connected
from grader.course.locations import Locations
from grader.course.packages import kept_package
from grader.course.similarity.code import Given, keys_of, pieces_of, solved
from grader.course.similarity.pairs import Class, Compared, Keys, Pair
from grader.course.similarity.passages import passages
from grader.gradebook.rows import SubmissionRow
from grader.gradebook.store import Gradebook
from grader.host import processors
from grader.model.errors import InfrastructureError, UsageError
from grader.model.similarity import Piece, Side, SimilarCode, Similarity, SimilarPair
from grader.model.text import one_line
from grader.notebooks.shapes import Shape

MOST_SHOWN = 100
"""Pairs with their passages, the largest shares."""
_FEW = 10
"""Students from which on a class tells what everybody writes."""
_PARALLEL = 400
"""Submissions from which on processes read them: each takes half a second to start."""
_MOST_PROCESSES = 4
"""They take 100 MB each, three times that for code as long as it may be."""
_CHUNK = 20

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class _Read:
    """A submission's shapes, or why there are none; the code and where the shapes are only if asked for."""

    keys: Keys = field(default_factory=lambda: np.empty(0, np.uint64))
    notices: tuple[str, ...] = ()
    code: tuple[Piece, ...] = ()
    shapes: tuple[Shape, ...] = ()


def similar_code(
    gradebook: Gradebook, locations: Locations, *, told: Told | None = None, shown: int = MOST_SHOWN
) -> tuple[Similarity, tuple[SimilarCode, ...]]:
    """What submissions of different students have in common, and the first ``shown`` pairs with their code.

    Students' earlier submissions count too. ``told`` receives how many submissions are read, of how many.
    Raises CannotGrade.
    """
    given = Given.of_assignment(locations.home)
    rows = _different(gradebook.submissions(locations.title))
    read = []
    for one in _all_read(rows, given):
        read.append(one)
        if told is not None:
            told(len(read), len(rows))
    people: dict[str, int] = {}
    owners = [people.setdefault(_owner(row), len(people)) for row in rows]
    everyone = Class([one.keys for one in read], owners, [solved(locations.home, given)])
    compared = everyone.compared()
    names = {student.id: student.name for student in gradebook.students().values()}
    listed = [_record(pair, rows, names) for pair in compared.pairs]
    codes = [
        _with_code(one, everyone, *(_whole(read[number], rows[number], given) for number in (pair.a, pair.b)))
        for one, pair in zip(listed[:shown], compared.pairs, strict=False)
    ]
    record = Similarity(
        locations.title,
        compared=len(rows),
        students=len(people),
        line=round(compared.line, 3),
        expected=round(compared.expected, 2),
        pairs=(*(one.pair for one in codes), *listed[len(codes) :]),
        groups=_groups(compared, owners, rows, names),
        notices=tuple(_notices(rows, read, compared, len(people))),
    )
    return record, tuple(codes)


def _different(rows: Iterator[SubmissionRow]) -> list[SubmissionRow]:
    """Each student's submissions, those of the same content once."""
    return list({(_owner(row), row.sha256): row for row in rows}.values())


def _owner(row: SubmissionRow) -> str:
    return row.student or f"#{row.row}"


def _all_read(rows: Sequence[SubmissionRow], given: Given) -> Iterator[_Read]:
    processes = min(processors(), _MOST_PROCESSES)
    if len(rows) < _PARALLEL or processes == 1:
        yield from (_read(given, row, whole=len(rows) < _PARALLEL) for row in rows)
        return
    reading = partial(_read, given)
    # A process that only reads makes many nodes and no circles: to look for some takes a fifth of its time.
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), gc.disable) as pool:
        try:
            yield from pool.map(reading, rows, chunksize=_CHUNK)
        except BrokenProcessPool:
            raise UsageError(
                "a process that reads submissions was ended, as where memory is short; nothing was compared"
            ) from None


def _read(given: Given, row: SubmissionRow, *, whole: bool = False) -> _Read:
    package = kept_package(row)
    if package is None:
        return _Read(notices=("not compared: its files are no longer where they were graded",))
    try:
        code, notices = pieces_of(package, given)
    except InfrastructureError as why:
        return _Read(notices=(str(why),))
    found = tuple(given.shapes_of([one.text for one in code]))
    keys = keys_of(found)
    return _Read(keys, notices, code, found) if whole else _Read(keys, notices)


def _whole(read: _Read, row: SubmissionRow, given: Given) -> _Read:
    return read if read.code else _read(given, row, whole=True)


def _record(pair: Pair, rows: Sequence[SubmissionRow], names: dict[str, str]) -> SimilarPair:
    left, right = (
        Side(row.student, names.get(row.student, ""), row.name) for row in (rows[pair.a], rows[pair.b])
    )
    return SimilarPair(left, right, round(pair.share, 3), round(pair.shared, 1))


def _with_code(record: SimilarPair, everyone: Class, left: _Read, right: _Read) -> SimilarCode:
    found = passages(left.shapes, right.shapes, (left.code, right.code), everyone)
    full = SimilarPair(record.left, record.right, record.share, record.shared, found)
    return SimilarCode(full, left.code, right.code)


def _groups(
    compared: Compared, owners: Sequence[int], rows: Sequence[SubmissionRow], names: dict[str, str]
) -> tuple[tuple[str, ...], ...]:
    """Students whom pairs connect, where they are more than two."""
    called = {
        owner: names.get(row.student) or row.student or row.name
        for owner, row in zip(owners, rows, strict=True)
    }
    groups = connected((owners[one.a], owners[one.b]) for one in compared.pairs)
    return tuple(tuple(called[owner] for owner in group) for group in groups if len(group) > 2)  # noqa: PLR2004


def _notices(
    rows: Sequence[SubmissionRow], read: Sequence[_Read], compared: Compared, people: int
) -> Iterator[str]:
    if people < _FEW:
        yield f"{people} students are too few to tell what everybody writes: pairs may share only that"
    if compared.left_out:
        yield f"{compared.left_out:,} pairs more were not looked at closely"
    for row, one in zip(rows, read, strict=True):
        yield from (f"{one_line(row.name, 60)}: {one_line(notice, 300)}" for notice in one.notices)
