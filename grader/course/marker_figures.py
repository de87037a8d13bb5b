"""How the people who mark a class agree, from the marks that a gradebook keeps."""

from __future__ import annotations

import itertools
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from grader.course.item_figures import Tally, above_mean, krippendorffs_alpha
from grader.gradebook.marker_notes import OPINION
from grader.gradebook.rows import Mark
from grader.gradebook.rubrics import current
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import Total
from grader.model.class_report import Agreement, MarkerFigures, Marking, RubricFigures

FEWEST = 5
"""Marks below which nothing is said of how somebody marks."""
AT_ONCE = 500
"""Marks whose rubric lines are read at a time."""


@dataclass
class CountingMarks:
    """The marks that count, added up as a class's totals come."""

    _shares: dict[str, dict[str, Tally]] = field(default_factory=lambda: defaultdict(dict))
    _marked: dict[str, array[int]] = field(default_factory=lambda: defaultdict(partial(array, "l")))

    def add(self, total: Total) -> None:
        """One submission's."""
        for item in total.items:
            marked = self._marked[item.item]  # every item has its place here, marked or not
            if item.mark is None:
                continue
            marked.append(item.mark.submission)
            if item.possible:
                share = item.earned.hundredths / item.possible.hundredths
                self._shares[item.item].setdefault(item.mark.author, Tally()).add(share)

    def figures(self, gradebook: Gradebook, assignment: str) -> Marking:
        """What the marks of a class say about those who gave them."""
        markers = above_mean(self._shares.values())
        return Marking(
            marks=sum(count for count, _ in markers.values()),
            changed=changed_by_others(gradebook.mark_histories(assignment)),
            markers=tuple(
                MarkerFigures(marker, count, above if count >= FEWEST and len(markers) > 1 else None)
                for marker, (count, above) in sorted(markers.items())
            ),
            items=tuple(agreements(gradebook, assignment, list(self._marked))),
            rubric=tuple(
                line
                for item, marked in self._marked.items()
                for line in rubric_figures(gradebook, assignment, item, marked)
            ),
        )


def rubric_figures(
    gradebook: Gradebook, assignment: str, item: str, marked: Sequence[int]
) -> Iterator[RubricFigures]:
    """How many of an item's answers got each line of its rubric, of those whose marks rest on lines.

    ``marked`` are the submissions that have the marks.
    """
    store, given, answers = gradebook.marking(assignment), Counter[int](), 0
    versions = store.versions(item) if marked else []
    line_of = {one.row: one.line for one in versions}
    for start in range(0, len(marked), AT_ONCE):
        some = marked[start : start + AT_ONCE]
        held = store.held(item, list(set(some)))
        rulings = [one.ruling for row in some if (one := held.get(row)) and one.ruling is not None]
        answers += len(rulings)
        given.update(line for ruling in rulings for line in {line_of[row] for row in ruling.versions})
    for line in current(versions) if answers else ():
        yield RubricFigures(item, line.text, line.points, given[line.line], answers)


def changed_by_others(marks: Iterable[Mark]) -> int:
    """How many answers have a mark that replaced another person's points.

    Each answer's marks come together, the oldest first.
    """
    return sum(
        _is_changed_by_another(own)
        for _, own in itertools.groupby(marks, key=lambda mark: (mark.submission, mark.item))
    )


def _is_changed_by_another(marks: Iterable[Mark]) -> bool:
    before: Mark | None = None
    for mark in marks:
        if before is not None and before.author != mark.author and before.points != mark.points:
            return True
        before = mark if mark.points is not None else before
    return False


def agreements(gradebook: Gradebook, assignment: str, items: Sequence[str]) -> Iterator[Agreement]:
    """How far the opinions on each item agree that several gave without seeing the others'."""
    notes = gradebook.marker_notes(assignment)
    for item in items:
        opinions: dict[int, dict[str, float]] = defaultdict(dict)
        for trial in notes.trials(item):
            if trial.purpose == OPINION:
                opinions[trial.submission][trial.author] = trial.points.hundredths / 100
        units = [list(said.values()) for said in opinions.values() if len(said) > 1]
        if units:
            apart = [abs(one - other) for unit in units for one, other in itertools.combinations(unit, 2)]
            yield Agreement(
                item,
                len(units),
                sum(len(set(unit)) == 1 for unit in units),
                float(np.mean(apart)),
                krippendorffs_alpha(units),
            )
