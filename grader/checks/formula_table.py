"""A table of formulas, found by the values that they give on a fixed probe.

A formula is five numbers (an operation, two parts, a cost, a shape) and two sums of its entries with fixed
random weights, by which it is found. ``formula_growth`` makes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from grader.checks.arrays import Array
from grader.checks.formula_growth import MOST_ENTRIES, Growth, sum_weights
from grader.checks.formula_values import COLUMNS, NONE, Plan, Rows, plan, values_of
from grader.checks.operations import FUNCTIONS, OPERATIONS, Formula, Operation, Shape

MOST_COMPUTED = 4_000
"""Formulas that are computed on a check's own inputs, where its function cannot be asked again."""

CLOSE = 1e-5
"""How far a value may be from a formula's, as a share of it and of the largest entry: float32 keeps 1e-6."""


Index = Mapping[Shape, tuple[Array, Array, Array]]
"""Of each shape, the first sums in order, the second ones, and whose they are."""


class Table:
    """The formulas of a vocabulary: their rows, what the operations in these are, and their sums."""

    def __init__(self, rows: Rows, operations: Sequence[Operation | str], index: Index) -> None:
        self._rows, self._operations, self._index = rows, operations, index
        self._weights = sum_weights()
        self._plans: dict[Shape, Plan] = {}

    @classmethod
    def made(
        cls,
        arrays: Mapping[str, Array],
        *,
        numbers: Mapping[str, Array],
        sizes: Mapping[str, Array],
        using: Sequence[str] = (),
    ) -> Table:
        """All formulas of a vocabulary, which takes up to a second or two.

        ``arrays`` and ``numbers`` are its values on the probe, ``sizes`` its axes' lengths; all have names.
        ``using`` names further functions of ``operations.FUNCTIONS``.
        """
        growth = Growth()
        growth.enumerate(arrays, numbers, sizes, tuple(op for name in using for op in FUNCTIONS[name]))
        return cls(growth.rows.trimmed(), growth.operations, growth.index())

    @classmethod
    def read(cls, columns: Mapping[str, Array]) -> Table:
        """A table again from its ``columns``. Raises KeyError or ValueError for what is none."""
        operation, left, right, cost, shape = (columns[name] for name in COLUMNS)
        rows = Rows(operation, left, right, cost, shape, len(operation))
        words = columns["operations"].tolist()
        operations = [OPERATIONS[word[1:]] if word[0] == "=" else word[1:] for word in words]
        shapes = [tuple(map(int, text.split())) for text in columns["shapes"].tolist()]
        index = {
            shape: (columns[f"{number} first"], columns[f"{number} second"], columns[f"{number} numbers"])
            for number, shape in enumerate(shapes)
        }
        return cls(rows, operations, index)

    def columns(self) -> dict[str, Array]:
        """All that it is made of, as arrays of numbers and texts."""
        found = {name: getattr(self._rows, name) for name in COLUMNS}
        words = [f"-{one}" if isinstance(one, str) else f"={one.text}" for one in self._operations]
        found["operations"] = np.array(words)
        found["shapes"] = np.array([" ".join(map(str, shape)) for shape in self._index])
        for number, parts in enumerate(self._index.values()):
            names = (f"{number} {name}" for name in ("first", "second", "numbers"))
            found |= zip(names, parts, strict=True)
        return found

    def __len__(self) -> int:
        return self._rows.count

    @property
    def bytes(self) -> int:
        """The memory that it holds."""
        return sum(column.nbytes for column in self.columns().values())

    def formula(self, number: int) -> Formula:
        """The formula of a number."""
        of = self._operations[self._rows.operation[number]]
        parts = (self._rows.left[number], self._rows.right[number])
        return Formula(of, tuple(self.formula(int(part)) for part in parts if part != NONE))

    def near(self, value: Array) -> Iterator[Formula]:
        """Formulas whose sums are the value's, the cheapest first; whoever asks compares the entries."""
        if value.shape not in self._index or value.size > MOST_ENTRIES:
            return
        first, second, numbers = self._index[value.shape]
        weights = self._weights[: value.size]
        wanted = value.ravel() @ weights
        room = CLOSE * (
            np.abs(value.ravel()) @ np.abs(weights) + np.abs(value).max() * np.abs(weights).sum(0)
        )
        start, stop = np.searchsorted(first, (wanted[0] - room[0], wanted[0] + room[0]))
        found = numbers[start:stop][np.abs(second[start:stop] - wanted[1]) <= room[1]]
        for number in found[np.argsort(self._rows.cost[found], kind="stable")]:
            yield self.formula(int(number))

    def giving(self, value: Array, shape: Shape, inputs: Mapping[str, Array]) -> Iterator[Formula]:
        """Formulas that give ``value`` on other inputs, the cheapest first, of those that are cheap.

        ``shape`` is what they give on the probe. Thousands are computed: milliseconds for small inputs.
        """
        largest = max(array.size for array in (value, *inputs.values()))
        if shape not in self._index or largest > MOST_ENTRIES:
            return
        numbers = self._index[shape][2]
        numbers = numbers[np.argsort(self._rows.cost[numbers], kind="stable")][:MOST_COMPUTED]
        if shape not in self._plans:
            self._plans[shape] = plan(self._rows, self._operations, numbers)
        values = values_of(self._plans[shape], inputs)
        if values is not None and values.shape[1:] == value.shape:
            for number in numbers[all_same(values, value)]:
                yield self.formula(int(number))


def all_same(values: Array, value: Array) -> Array:
    """Which values of a stack are ``value``, as far as float32 can tell."""
    size = np.abs(value)
    with np.errstate(all="ignore"):
        near = np.abs(values - value) <= CLOSE * size + CLOSE * size.max(initial=0)
    return np.asarray(near.reshape(len(values), -1).all(1))
