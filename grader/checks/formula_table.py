"""A table of formulas, found by the values that they give on a fixed probe.

It is enumerated bottom-up, thousands of formulas to a call of numpy. Of those that give the same values the
cheapest is kept. A formula is five numbers (an operation, two parts, a cost, a shape) and two sums of its
entries with fixed random weights, by which it is found; values are kept only while others are made of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from grader.checks.arrays import Array
from grader.checks.formula_values import NONE, Plan, Rows, Values, plan
from grader.checks.operations import (
    BEND,
    FUNCTIONS,
    MINUS,
    NEGATE,
    OVER,
    PLUS,
    PRODUCT,
    PRODUCT_OF,
    REDUCE,
    ROOT,
    SCALE,
    SQUARE,
    SUM,
    TIMES,
    TURN,
    Formula,
    Operation,
    Shape,
    combined,
)

MOST_ENTRIES = 1024
"""Values with more entries are not kept: the probes are small."""

MOST_OF_A_STAGE = 20_000
"""Formulas that one stage of the enumeration may try, the cheapest first."""

HUGE = 1e12
"""Values with larger entries are not kept: the others would be lost in their rounding."""

CHUNK = 1 << 19
"""Entries that are computed in one go: 4 MB."""

MOST_COMPUTED = 6_000
"""Formulas that are computed on a check's own inputs, where its function cannot be asked again."""

CLOSE = 1e-5
"""How far a value may be from a formula's, as a share of it and of the largest entry: float32 keeps 1e-6."""


@dataclass
class Stack:
    """Formulas of one shape and one cost: their numbers, and their values on the probe."""

    numbers: Array
    values: Array

    @property
    def shape(self) -> Shape:
        """The shape of each value."""
        shape: Shape = self.values.shape[1:]
        return shape


@dataclass(frozen=True)
class Attempt:
    """An operation that is tried on all formulas of a stack, or between those of two."""

    cost: int
    operation: Operation
    left: Stack
    right: Stack | None = None

    @property
    def count(self) -> int:
        """How many formulas that makes."""
        return len(self.left.numbers) * (1 if self.right is None else len(self.right.numbers))

    @property
    def entries(self) -> int:
        """The most entries that one value may have."""
        sizes = (int(np.prod(part.shape)) for part in (self.left, self.right) if part is not None)
        return max(1, int(np.prod([max(1, size) for size in sizes])))


class Table:
    """The formulas of a vocabulary.

    ``arrays`` and ``numbers`` are the vocabulary's values on the probe, ``sizes`` its axes' lengths; all have
    names. ``using`` names further functions of ``operations.FUNCTIONS``.
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        *,
        numbers: Mapping[str, Array],
        sizes: Mapping[str, Array],
        using: Sequence[str] = (),
    ) -> None:
        self._rows = Rows()
        self._operations: list[Operation | str] = []
        self._places: dict[Shape, int] = {}
        self._plans: dict[Shape, Plan] = {}
        self._weights = np.random.default_rng(20).normal(size=(MOST_ENTRIES, 2))
        self._codes: dict[Shape, Array] = {}  # sorted, of each formula of a shape ...
        self._of_code: dict[Shape, Array] = {}  # ... and whose they are
        self._sums: dict[Shape, list[Array]] = {}
        self._members: dict[Shape, list[Array]] = {}
        self._enumerate(arrays, numbers, sizes, tuple(op for name in using for op in FUNCTIONS[name]))
        self._index = {shape: self._indexed(shape) for shape in self._codes}
        del self._codes, self._of_code, self._sums, self._members

    def __len__(self) -> int:
        return len(self._rows.cost)

    @property
    def bytes(self) -> int:
        """The memory that it holds."""
        rows = self._rows
        columns = [rows.operation, rows.left, rows.right, rows.cost]
        columns += [part for index in self._index.values() for part in index]
        return sum(column.nbytes for column in columns)

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
        there, values = Values(self._rows, self._plans[shape], inputs).of(numbers)
        if values is not None and values.shape[1:] == value.shape:
            for number in there[all_same(values, value)]:
                yield self.formula(int(number))

    # -- enumeration -----------------------------------------------------------------------------------

    def _enumerate(
        self,
        arrays: Mapping[str, Array],
        numbers: Mapping[str, Array],
        sizes: Mapping[str, Array],
        functions: tuple[Operation, ...],
    ) -> None:
        named = self._leaves(arrays)
        known, counts = self._leaves(numbers, cost=0), self._leaves(sizes)
        factors = known + counts
        if numbers:
            self._sums_of_terms(named, known)
            if len({array.shape for array in arrays.values()}) == 1:  # an update rule: nothing else is in it
                return
        turned = named + self._each((TURN,), named)
        bent = turned + self._each(functions, turned)
        kept = self._each(REDUCE, named)
        scaled = self._each(SCALE, named) + self._pairs((OVER,), named, counts)
        simple = bent + scaled + kept + self._each((TURN,), kept) + self._each(BEND, named)
        # Two at a time, then each of these as a whole or with one more: what homework computes is no deeper.
        plain = self._pairs((PRODUCT, TIMES, PLUS, MINUS), bent, bent)
        more = self._pairs((PRODUCT, TIMES, PLUS, MINUS, OVER), simple, simple)
        parted = self._pairs((OVER, TIMES), plain, factors)
        reduced = self._each(REDUCE, bent + plain)
        shares = self._pairs((OVER, TIMES), reduced, factors)
        curved = self._each(functions, plain + parted)
        self._each((*SCALE, *BEND), plain + parted + reduced + curved)
        self._each((NEGATE,), shares)
        threes = self._pairs((PRODUCT, TIMES, PLUS, MINUS), plain + parted + curved, bent + scaled)
        threes += self._pairs((PRODUCT, TIMES, MINUS), bent, plain + parted + curved)
        threes += self._pairs((PLUS, MINUS), reduced + shares, simple)
        rests = self._pairs((MINUS,), plain + curved, named)  # of a prediction from what is measured
        threes += self._pairs((PRODUCT, TIMES), turned, rests)
        self._each((NEGATE,), threes)
        self._pairs((OVER, TIMES), threes, factors)
        self._each(REDUCE, self._pairs((TIMES,), plain + curved, bent))
        self._each(REDUCE, more)

    def _leaves(self, values: Mapping[str, Array], *, cost: int = 1) -> list[Stack]:
        found = []
        for name, value in values.items():
            self._operations.append(name)
            found += self._add(len(self._operations) - 1, cost, value[None], None, None)
        return found

    def _each(self, operations: Iterable[Operation], stacks: list[Stack]) -> list[Stack]:
        """Operations on formulas, the cheapest first: those that give these values, new or not."""
        return self._tried([Attempt(self._cost(o, one), o, one) for o in operations for one in stacks])

    def _pairs(
        self,
        operations: Iterable[Operation],
        left: list[Stack],
        right: list[Stack],
        *,
        most: int = MOST_OF_A_STAGE,
    ) -> list[Stack]:
        """Operations between two formulas, the cheapest first: those that give these values, new or not."""
        shapes = {one.shape for one in left}, {one.shape for one in right}
        fit = {(o.kind, *pair) for o in operations for pair in product(*shapes) if fits(o, *pair)}
        return self._tried(
            [
                Attempt(self._cost(o, one, other), o, one, other)
                for o in operations
                for one in left
                for other in right
                if (o.kind, one.shape, other.shape) in fit
            ],
            most=most,
        )

    def _cost(self, operation: Operation, *parts: Stack) -> int:
        return operation.cost + sum(int(self._rows.cost[part.numbers[0]]) for part in parts)

    def _tried(self, attempts: list[Attempt], *, most: int = MOST_OF_A_STAGE) -> list[Stack]:
        """What the attempts give, until a stage has made its share of formulas."""
        found: list[Stack] = []
        left = most
        places: dict[int, int] = {}
        for attempt in sorted(attempts, key=lambda one: one.cost):
            left -= attempt.count
            if left < 0:
                break
            operation = attempt.operation
            if id(operation) not in places:
                self._operations.append(operation)
                places[id(operation)] = len(self._operations) - 1
            found += self._made(attempt, places[id(operation)])
        return self._gathered(found)

    def _made(self, attempt: Attempt, place: int) -> Iterator[Stack]:
        """What one attempt gives, in parts that fit into memory."""
        one, other = attempt.left, attempt.right
        step = max(1, CHUNK // (attempt.entries * (len(other.numbers) if other else 1)))
        for start in range(0, len(one.numbers), step):
            numbers, values = one.numbers[start : start + step], one.values[start : start + step]
            try:
                with np.errstate(all="ignore"):
                    if other is None:
                        made = attempt.operation.apply(values)
                    else:
                        made = combined(attempt.operation, values, other.values, crossed=True)
            except ValueError:  # not for values of this shape
                return
            left = numbers if other is None else np.repeat(numbers, len(other.numbers))
            right = None if other is None else np.tile(other.numbers, len(numbers))
            yield from self._add(place, attempt.operation.cost, np.asarray(made, float), left, right)

    def _add(
        self, operation: int, own_cost: int, values: Array, left: Array | None, right: Array | None
    ) -> list[Stack]:
        """The formulas that give these values, after adding those that are new; none that says nothing."""
        size = int(np.prod(values.shape[1:]))
        if size > MOST_ENTRIES or values.ndim > 4:  # noqa: PLR2004  # stacks of values of three axes
            return []
        flat = values.reshape(len(values), size)
        with np.errstate(invalid="ignore"):
            usable = (np.abs(flat) < HUGE).all(1) & flat.any(1)  # NaN fails the comparison
            if size > 1:  # what is the same everywhere says nothing: W / W
                usable &= (flat != flat[:, :1]).any(1)
        if not usable.all():
            flat, values = flat[usable], values[usable]
            left, right = (None if part is None else part[usable] for part in (left, right))
        if not len(flat):
            return []
        shape, sums = values.shape[1:], flat @ self._weights[:size]
        cost = np.full(len(flat), own_cost, np.int16)
        for part in (left, right):
            if part is not None:
                cost += self._rows.cost[part]
        # Rounded to single precision, two sums agree only by being the same: 48 bits of them.
        code = sums.astype(np.float32).view(np.int64).ravel()
        order = np.lexsort((cost, code))
        order = order[np.r_[True, np.diff(code[order]) != 0]]
        numbers = self._known(shape, code[order])
        new = numbers == NONE
        numbers[new] = self._rows.add(int(new.sum()), self._places.setdefault(shape, len(self._places)))
        self._remember(shape, code[order][new], sums[order][new], numbers[new])
        cheaper = new | (cost[order] < self._rows.cost[numbers])
        place, rows = order[cheaper], numbers[cheaper]
        self._rows.operation[rows], self._rows.cost[rows] = operation, cost[place]
        self._rows.left[rows] = NONE if left is None else left[place]
        self._rows.right[rows] = NONE if right is None else right[place]
        return [Stack(numbers, values[order])]

    def _known(self, shape: Shape, code: Array) -> Array:
        """The numbers of formulas that are there already, by their sorted codes; NONE for the others."""
        numbers = np.full(len(code), NONE, np.int32)
        codes = self._codes.get(shape)
        if codes is not None:
            place = np.minimum(np.searchsorted(codes, code), len(codes) - 1)
            there = codes[place] == code
            numbers[there] = self._of_code[shape][place[there]]
        return numbers

    def _remember(self, shape: Shape, code: Array, sums: Array, numbers: Array) -> None:
        codes, of = self._codes.get(shape), self._of_code.get(shape)
        if codes is None or of is None:
            self._codes[shape], self._of_code[shape] = code, numbers
        else:
            place = np.searchsorted(codes, code)
            self._codes[shape] = np.insert(codes, place, code)
            self._of_code[shape] = np.insert(of, place, numbers)
        self._sums.setdefault(shape, []).append(sums)
        self._members.setdefault(shape, []).append(numbers)

    def _indexed(self, shape: Shape) -> tuple[Array, Array, Array]:
        sums, numbers = np.concatenate(self._sums[shape]), np.concatenate(self._members[shape])
        order = np.argsort(sums[:, 0], kind="stable")
        return sums[order, 0], sums[order, 1], numbers[order]

    def _gathered(self, stacks: list[Stack]) -> list[Stack]:
        """One stack for each shape and cost, every formula once."""
        shapes: dict[Shape, list[Stack]] = {}
        for stack in stacks:
            shapes.setdefault(stack.shape, []).append(stack)
        found = []
        for same in shapes.values():
            numbers, place = np.unique(np.concatenate([one.numbers for one in same]), return_index=True)
            values = np.concatenate([one.values for one in same])[place]
            costs = self._rows.cost[numbers]
            found += [Stack(numbers[costs == cost], values[costs == cost]) for cost in np.unique(costs)]
        return found

    # -- sums of terms: optimizers ---------------------------------------------------------------------

    def _sums_of_terms(self, named: list[Stack], known: list[Stack]) -> None:
        """Up to three arrays, each with a factor of up to two numbers: what an update rule is made of."""
        complements = self._complements(known)
        factors = known + complements + self._pairs((TIMES,), known, known + complements)
        squares = self._each((SQUARE,), named)
        roots = self._each((ROOT,), named)
        quotients = self._pairs((OVER,), named, roots + self._pairs((PLUS,), roots, known))
        terms = named + self._each((NEGATE,), named) + self._pairs((TIMES,), factors, named)
        twos = self._pairs((PLUS, MINUS), terms, terms)
        steps = twos + self._pairs((TIMES,), factors, twos + squares + quotients)
        self._pairs((PLUS, MINUS), terms, self._pairs((TIMES,), factors, squares + quotients))
        self._pairs((PLUS, MINUS), named, steps, most=3 * MOST_OF_A_STAGE)

    def _complements(self, known: list[Stack]) -> list[Stack]:
        """1 minus each number, for averages."""
        return self._each((Operation("1 - {}", 1, lambda v: 1 - v, "complement", SUM, (PRODUCT_OF,)),), known)


def all_same(values: Array, value: Array) -> Array:
    """Which values of a stack are ``value``, as far as float32 can tell."""
    size = np.abs(value)
    with np.errstate(all="ignore"):
        near = np.abs(values - value) <= CLOSE * size + CLOSE * size.max(initial=0)
    return np.asarray(near.reshape(len(values), -1).all(1))


def fits(operation: Operation, left: Shape, right: Shape) -> bool:
    """Whether an operation takes values of these shapes."""
    if operation.kind == "product":
        if not left or not right:
            return False
        inner = right[-2] if len(right) > 1 else right[0]
        if left[-1] != inner:
            return False
        left, right = left[:-2], right[:-2]
    try:
        np.broadcast_shapes(left, right)
    except ValueError:
        return False
    return True
