"""How the people who mark a class agree, from the marks that a gradebook keeps."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from grader.course.item_figures import above_mean, krippendorffs_alpha
from grader.gradebook.marker_notes import OPINION
from grader.gradebook.rows import Mark
from grader.gradebook.rubrics import current
from grader.gradebook.store import Gradebook
from grader.gradebook.totals import Total
from grader.model.class_report import Agreement, MarkerFigures, Marking, RubricFigures

FEWEST = 5
"""Marks below which nothing is said of how somebody marks."""


def marking(gradebook: Gradebook, assignment: str, totals: Sequence[Total]) -> Marking:
    """What the marks of a class say about those who gave them."""
    every = gradebook.all_marks(assignment)
    counting = [item for total in totals for item in total.items if item.mark is not None and item.possible]
    shares: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for item in counting:
        if item.mark is not None:
            share = item.earned.hundredths / item.possible.hundredths
            shares[item.item].append((item.mark.author, share))
    markers = above_mean(shares)
    items = dict.fromkeys(item.item for total in totals for item in total.items)
    return Marking(
        marks=len(counting),
        changed=changed_by_others(every),
        markers=tuple(
            MarkerFigures(marker, count, above if count >= FEWEST and len(markers) > 1 else None)
            for marker, (count, above) in sorted(markers.items())
        ),
        items=tuple(agreements(gradebook, assignment, list(items))),
        rubric=tuple(line for item in items for line in rubric_figures(gradebook, assignment, item, totals)),
    )


def rubric_figures(
    gradebook: Gradebook, assignment: str, item: str, totals: Iterable[Total]
) -> Iterator[RubricFigures]:
    """How many of an item's answers got each line of its rubric, of those whose marks rest on lines."""
    marks = [one.mark for total in totals for one in total.items if one.item == item and one.mark is not None]
    store = gradebook.marking(assignment)
    held = store.held(item, [mark.submission for mark in marks]) if marks else {}
    rulings = [one.ruling for mark in marks if (one := held.get(mark.submission)) and one.ruling is not None]
    if not rulings:
        return
    versions = store.versions(item)
    line_of = {one.row: one.line for one in versions}
    given = Counter(line for ruling in rulings for line in {line_of[row] for row in ruling.versions})
    for line in current(versions):
        yield RubricFigures(item, line.text, line.points, given[line.line], len(rulings))


def changed_by_others(marks: Mapping[int, Mark]) -> int:
    """How many answers have a mark that replaced another person's points."""
    last: dict[tuple[int, str], Mark] = {}
    changed = set()
    for _, mark in sorted(marks.items()):
        place = mark.submission, mark.item
        before = last.get(place)
        if before is not None and before.author != mark.author and before.points != mark.points:
            changed.add(place)
        if mark.points is not None:
            last[place] = mark
    return len(changed)


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
