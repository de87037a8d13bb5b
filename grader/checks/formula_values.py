"""Thousands of formulas of a table computed on other inputs than the probe, a few hundred calls of numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from grader.checks.arrays import Array
from grader.checks.operations import Operation, combined

NONE = -1
"""Stands where a formula has no part."""


@dataclass
class Rows:
    """Columns of a table, an entry per formula: an operation, two parts, a cost, a shape on the probe."""

    operation: Array = field(default_factory=lambda: np.empty(0, np.int16))
    left: Array = field(default_factory=lambda: np.empty(0, np.int32))
    right: Array = field(default_factory=lambda: np.empty(0, np.int32))
    cost: Array = field(default_factory=lambda: np.empty(0, np.int16))
    shape: Array = field(default_factory=lambda: np.empty(0, np.int16))

    count: int = 0

    def add(self, count: int, shape: int) -> Array:
        """The numbers of so many new formulas, of which only the shape is known."""
        start, self.count = self.count, self.count + count
        if self.count > len(self.cost):
            self._resize(2 * self.count)
        self.left[start : self.count] = self.right[start : self.count] = NONE
        self.shape[start : self.count] = shape
        return np.arange(start, self.count, dtype=np.int32)

    def trimmed(self) -> Rows:
        """Without the room that was left for more."""
        self._resize(self.count)
        return self

    def _resize(self, count: int) -> None:
        for column in ("operation", "left", "right", "cost", "shape"):
            setattr(self, column, np.resize(getattr(self, column), count))


@dataclass(frozen=True)
class Step:
    """Formulas made by one operation from parts of the same shapes; an input if the operation is a name."""

    operation: Operation | str
    numbers: Array
    left: Array
    right: Array


@dataclass(frozen=True)
class Plan:
    """Steps, each after those that make its parts, and how many formulas they make of each shape."""

    steps: Sequence[Step]
    counts: Mapping[int, int]


def plan(rows: Rows, operations: Sequence[Operation | str], wanted: Array) -> Plan:
    """How to compute some formulas."""
    numbers = with_parts(rows, wanted)
    depth = np.zeros(len(rows.cost), np.int16)
    while True:  # a formula's parts may have any numbers: a cheaper way to make it may have been found later
        left, right = rows.left[numbers], rows.right[numbers]
        deeper = np.maximum(depth[left], np.where(right == NONE, 0, depth[right])) + 1
        deeper[left == NONE] = 0
        if (deeper == depth[numbers]).all():
            break
        depth[numbers] = deeper
    left, right = rows.left[numbers], rows.right[numbers]
    columns = (depth[numbers], rows.operation[numbers], rows.shape[left], rows.shape[right])
    order = np.lexsort(columns[::-1])
    starts = np.flatnonzero(np.any([np.diff(column[order]) != 0 for column in columns], axis=0)) + 1
    steps = [
        Step(operations[rows.operation[group[0]]], group, rows.left[group], rows.right[group])
        for group in np.split(numbers[order], starts)
    ]
    places, counts = np.unique(rows.shape[numbers], return_counts=True)
    return Plan(steps, dict(zip(places.tolist(), counts.tolist(), strict=True)))


def with_parts(rows: Rows, wanted: Array) -> Array:
    """Formulas with all that they are made of, in the order of their numbers."""
    numbers = np.unique(wanted)
    while True:
        parts = np.r_[rows.left[numbers], rows.right[numbers]]
        more = np.union1d(numbers, parts[parts != NONE])
        if len(more) == len(numbers):
            return numbers
        numbers = more


class Values:
    """What a plan's formulas give on some inputs; some may be missing."""

    def __init__(self, rows: Rows, plan_: Plan, inputs: Mapping[str, Array]) -> None:
        self._rows, self._plan = rows, plan_
        self._place = np.full(len(rows.cost), NONE, np.int32)
        self._values: dict[int, Array] = {}
        self._used: dict[int, int] = {}
        with np.errstate(all="ignore"):
            for step in plan_.steps:
                self._take(step, inputs)

    def of(self, numbers: Array) -> tuple[Array, Array | None]:
        """Those of these formulas, all of one shape, that could be computed, and their values."""
        there = numbers[self._place[numbers] != NONE]
        return there, self._stack(there) if len(there) else None

    def _stack(self, numbers: Array) -> Array:
        values: Array = self._values[int(self._rows.shape[numbers[0]])][self._place[numbers]]
        return values

    def _take(self, step: Step, inputs: Mapping[str, Array]) -> None:
        if isinstance(step.operation, str):
            if step.operation in inputs:
                self._keep(step.numbers, inputs[step.operation][None])
            return
        known = self._place[step.left] != NONE
        is_pair = step.right[0] != NONE
        if is_pair:
            known &= self._place[step.right] != NONE
        if not known.any():
            return
        left = self._stack(step.left[known])
        try:
            if is_pair:
                made = combined(step.operation, left, self._stack(step.right[known]))
            else:
                made = np.asarray(step.operation.apply(left))
        except ValueError:  # not for values of this shape, which has fewer axes than on the probe
            return
        self._keep(step.numbers[known], made)

    def _keep(self, numbers: Array, made: Array) -> None:
        shape = int(self._rows.shape[numbers[0]])
        if shape not in self._values:
            self._values[shape] = np.empty((self._plan.counts[shape], *made.shape[1:]))
            self._used[shape] = 0
        kept, used = self._values[shape], self._used[shape]
        if kept.shape[1:] != made.shape[1:]:
            return
        kept[used : used + len(made)] = made
        self._place[numbers] = np.arange(used, used + len(made))
        self._used[shape] = used + len(made)
