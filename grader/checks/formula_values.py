"""Thousands of formulas of a table computed on other inputs than the probe, a few hundred calls of numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from grader.checks.arrays import Array
from grader.checks.operations import Operation, combined

NONE = -1
"""Stands where a formula has no part."""

COLUMNS = ("operation", "left", "right", "cost", "shape")


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
        for column in COLUMNS:
            setattr(self, column, np.resize(getattr(self, column), count))


@dataclass(frozen=True)
class Step:
    """Formulas made by one operation from parts of the same shapes; an input if the operation is a name.

    ``shapes`` are those of the left and the right part, ``left`` and ``right`` say which values of these
    shapes; the results are the values from ``start`` on of the shape ``made``. Shapes have numbers.
    """

    operation: Operation | str
    shapes: tuple[int, int]
    left: Array
    right: Array
    made: int
    start: int


@dataclass(frozen=True)
class Plan:
    """Steps, each after those that make its parts; how many values of each shape there are.

    The formulas that are wanted have ``shape``, and are its values at ``places``.
    """

    steps: Sequence[Step]
    counts: Mapping[int, int]
    shape: int
    places: Array


def plan(rows: Rows, operations: Sequence[Operation | str], wanted: Array) -> Plan:
    """How to compute some formulas of one shape."""
    numbers = with_parts(rows, wanted)
    left, right = rows.left[numbers], rows.right[numbers]
    depth = depths(rows, numbers)
    columns = (depth, rows.operation[numbers], rows.shape[numbers], rows.shape[left], rows.shape[right])
    order = np.lexsort(columns[::-1])
    starts = np.flatnonzero(np.any([np.diff(column[order]) != 0 for column in columns], axis=0)) + 1
    places = np.zeros(rows.count, np.int32)
    counts: dict[int, int] = {}
    steps = []
    for group in np.split(numbers[order], starts):
        first = group[0]
        one, other, made = rows.left[group], rows.right[group], int(rows.shape[first])
        start = counts.get(made, 0)
        counts[made] = start + len(group)
        places[group] = np.arange(start, counts[made])
        right_shape = NONE if other[0] == NONE else int(rows.shape[other[0]])
        shapes = int(rows.shape[one[0]]), right_shape
        of = operations[rows.operation[first]]
        steps.append(Step(of, shapes, places[one], places[other], made, start))
    return Plan(steps, counts, int(rows.shape[wanted[0]]), places[wanted])


def depths(rows: Rows, numbers: Array) -> Array:
    """How many operations deep each formula is; its parts may have been found later than itself."""
    depth = np.zeros(rows.count, np.int16)
    left, right = rows.left[numbers], rows.right[numbers]
    while True:
        deeper = np.maximum(depth[left], np.where(right == NONE, 0, depth[right])) + 1
        deeper[left == NONE] = 0
        if (deeper == depth[numbers]).all():
            return deeper
        depth[numbers] = deeper


def with_parts(rows: Rows, wanted: Array) -> Array:
    """Formulas with all that they are made of, in the order of their numbers."""
    numbers = np.unique(wanted)
    while True:
        parts = np.concatenate((rows.left[numbers], rows.right[numbers]))
        more = np.union1d(numbers, parts[parts != NONE])
        if len(more) == len(numbers):
            return numbers
        numbers = more


def values_of(plan: Plan, inputs: Mapping[str, Array]) -> Array | None:
    """What the wanted formulas give on some inputs, NaN for those that cannot be computed; None if none can.

    An input may be missing, or have fewer axes than on the probe.
    """
    values: dict[int, Array] = {}
    with np.errstate(all="ignore"):
        for step in plan.steps:
            made = result_of(step, values, inputs)
            if made is None:
                continue
            kept = values.get(step.made)
            if kept is None:
                kept = values[step.made] = np.full((plan.counts[step.made], *made.shape[1:]), np.nan)
            if kept.shape[1:] == made.shape[1:]:
                kept[step.start : step.start + len(made)] = made
    found = values.get(plan.shape)
    return None if found is None else np.asarray(found[plan.places])


def result_of(step: Step, values: Mapping[int, Array], inputs: Mapping[str, Array]) -> Array | None:
    """The values that a step makes of earlier ones."""
    operation = step.operation
    if isinstance(operation, str):
        return inputs[operation][None] if operation in inputs else None
    left, right = (values.get(shape) for shape in step.shapes)
    if left is None or (right is None and step.shapes[1] != NONE):
        return None
    try:
        if right is None:
            return np.asarray(operation.apply(left[step.left]))
        return combined(operation, left[step.left], right[step.right])
    except ValueError:
        return None
