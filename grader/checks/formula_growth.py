"""Making the formulas of a vocabulary, bottom-up, thousands of them to a call of numpy.

A stage combines the formulas of earlier ones, the cheapest first. Of those that give the same values the
cheapest is kept. Values are kept only while others are made of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from grader.checks.arrays import Array
from grader.checks.formula_values import NONE, Rows
from grader.checks.operations import (
    BEND,
    CENTRE,
    COMPLEMENT,
    DOUBLE,
    FOLD,
    HALVE,
    MINUS,
    NEGATE,
    OVER,
    PLUS,
    PRODUCT,
    REDUCE,
    ROOT,
    SCALE,
    SQUARE,
    TIMES,
    TURN,
    WHOLE,
    Operation,
    Shape,
    combined,
)

MOST_ENTRIES = 1024
"""Values with more entries are not kept: the probes are small."""

MOST_OF_A_STAGE = 20_000
"""Formulas that one stage may try, the cheapest first."""

HUGE = 1e12
"""Values with larger entries are not kept: the others would be lost in their rounding."""

TINY = 1e-9
"""Values without a larger entry are rounding: (X - X.mean(0)).sum()."""

CHUNK = 1 << 19
"""Entries that are computed in one go: 4 MB."""

MOST_AXES = 3


@dataclass(frozen=True)
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
class Made:
    """New formulas of one shape: their values, and how they were made."""

    values: Array
    operation: Array
    left: Array
    right: Array
    cost: Array


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


class Growth:
    """The formulas made so far."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.operations: list[Operation | str] = []
        self.weights = sum_weights()
        self._operation_places: dict[Operation, int] = {}
        self._places: dict[Shape, int] = {}
        self._codes: dict[Shape, Array] = {}  # sorted, of each formula of a shape ...
        self._of_code: dict[Shape, Array] = {}  # ... and whose they are
        self._sums: dict[Shape, list[Array]] = {}
        self._members: dict[Shape, list[Array]] = {}

    def index(self) -> dict[Shape, tuple[Array, Array, Array]]:
        """The formulas of each shape by the first of their sums: the sums, and their numbers."""
        found = {}
        for shape, parts in self._sums.items():
            sums, numbers = np.concatenate(parts), np.concatenate(self._members[shape])
            order = np.argsort(sums[:, 0], kind="stable")
            found[shape] = (sums[order, 0], sums[order, 1], numbers[order])
        return found

    def enumerate(
        self,
        arrays: Mapping[str, Array],
        numbers: Mapping[str, Array],
        sizes: Mapping[str, Array],
        functions: tuple[Operation, ...],
    ) -> None:
        """Make all formulas of these inputs, axes' lengths and functions."""
        named = self._leaves(arrays)
        known, counts = self._leaves(numbers, cost=0), self._leaves(sizes)
        factors = known + counts
        if numbers:
            self._sums_of_terms(named, known)
            if len({array.shape for array in arrays.values()}) == 1:  # an update rule: nothing else is in it
                return
        turned = named + self._each((TURN,), named)
        bent = turned + self._each(functions, turned)
        if COMPLEMENT in functions:  # of probabilities, such as log(1 - P)
            bent += self._each(functions, self._each((COMPLEMENT,), turned))
        kept = self._each(REDUCE, named)
        scaled = self._each(SCALE, named) + self._pairs((OVER,), named, counts)
        simple = bent + scaled + kept + self._each((TURN,), kept) + self._each(BEND, named)
        self._layers(turned, named, known, counts, bent, functions)
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

    def _layers(  # the parts of ``enumerate``
        self,
        turned: list[Stack],
        named: list[Stack],
        known: list[Stack],
        counts: list[Stack],
        bent: list[Stack],
        functions: tuple[Operation, ...],
    ) -> None:
        """What homework is full of and is deeper: layers there and back, errors, losses, weight decay."""
        changed = self._each((CENTRE, *FOLD), named)
        linear = self._pairs((PRODUCT,), turned, turned)
        linear += self._pairs((PRODUCT,), changed, turned) + self._pairs((PRODUCT,), turned, changed)
        added = named + known + changed + self._each((*SCALE, *WHOLE), named)
        affine = self._pairs((PLUS, MINUS), linear, added)
        outputs = linear + affine + self._each(functions, linear + affine)
        errors = self._pairs((MINUS,), named, named)
        errors += self._pairs((MINUS,), outputs, named)
        back = self._pairs((PRODUCT, TIMES), turned, errors + self._each((TURN,), errors))
        slopes = bent[len(turned) :]
        back += self._pairs((TIMES,), linear + errors, slopes or named)
        shares = self._pairs((OVER,), linear + errors + back, counts)
        back += self._pairs((PRODUCT,), back + shares, turned)
        self._pairs((OVER,), back, counts)
        decay = self._pairs((TIMES,), known, named + self._each((DOUBLE, HALVE, *WHOLE), named))
        self._pairs((PLUS, MINUS), linear + shares, decay + named)
        logs = tuple(function for function in functions if function.text.startswith("log"))
        if logs:
            others = self._each((COMPLEMENT,), named)
            whole = named + others
            terms = self._pairs((TIMES,), whole, self._each(logs, whole))
            both = terms + self._pairs((PLUS, MINUS), terms, terms)
            loss = both + self._each(REDUCE, both)
            loss += self._pairs((OVER,), loss, counts)
            self._each((NEGATE,), loss)

    def _sums_of_terms(self, named: list[Stack], known: list[Stack]) -> None:
        """Up to three arrays, each with a factor of up to two numbers: what an update rule is made of."""
        shares = known + self._each((COMPLEMENT,), known)  # as in averages
        factors = shares + self._pairs((TIMES,), known, shares)
        squares = self._each((SQUARE,), named)
        roots = self._each((ROOT,), named)
        rooted = roots + self._pairs((PLUS,), named + roots, known)
        quotients = self._pairs((OVER,), named, rooted + self._each((ROOT,), rooted))
        terms = named + self._each((NEGATE,), named) + self._pairs((TIMES,), factors, named)
        twos = self._pairs((PLUS, MINUS), terms, terms)
        steps = twos + self._pairs((TIMES,), factors, twos)
        self._pairs((PLUS, MINUS), terms, self._pairs((TIMES,), factors, squares))
        self._pairs((PLUS, MINUS), named, quotients + self._pairs((TIMES,), known, quotients))
        self._pairs((PLUS, MINUS), named, steps, most=3 * MOST_OF_A_STAGE)

    # -- one stage -------------------------------------------------------------------------------------

    def _leaves(self, values: Mapping[str, Array], *, cost: int = 1) -> list[Stack]:
        found = []
        for name, value in values.items():
            self.operations.append(name)
            none = np.full(1, NONE, np.int32)
            place, costs = np.full(1, len(self.operations) - 1), np.full(1, cost)
            made = usable(Made(np.asarray(value, float)[None], place, none, none, costs))
            found += self._kept([made] if made else [])
        return found

    def _each(self, operations: Sequence[Operation], stacks: list[Stack]) -> list[Stack]:
        """Operations on formulas, the cheapest first: those that give these values, new or not."""
        whole = merged(stacks)
        if len(operations) * sum(len(one.numbers) for one in whole) <= MOST_OF_A_STAGE:
            stacks = whole
        return self._tried([Attempt(self._cost(o, one), o, one) for o in operations for one in stacks])

    def _pairs(
        self,
        operations: Sequence[Operation],
        left: list[Stack],
        right: list[Stack],
        *,
        most: int = MOST_OF_A_STAGE,
    ) -> list[Stack]:
        """Operations between two formulas, the cheapest first: those that give these values, new or not."""
        shapes = {one.shape for one in left}, {one.shape for one in right}
        fit = {(o.kind, *pair) for o in operations for pair in product(*shapes) if fits(o, *pair)}

        def attempts(left: list[Stack], right: list[Stack]) -> list[Attempt]:
            return [
                Attempt(self._cost(o, one, other), o, one, other)
                for o in operations
                for one in left
                for other in right
                if (o.kind, one.shape, other.shape) in fit
            ]

        found = attempts(merged(left), merged(right))
        if sum(attempt.count for attempt in found) > most:  # not all: then what is cheap comes first
            found = attempts(left, right)
        return self._tried(found, most=most)

    def _cost(self, operation: Operation, *parts: Stack) -> int:
        return operation.cost + sum(int(self.rows.cost[part.numbers[0]]) for part in parts)

    def _tried(self, attempts: list[Attempt], *, most: int = MOST_OF_A_STAGE) -> list[Stack]:
        """What the attempts give, until a stage has made its share of formulas."""
        made: dict[Shape, list[Made]] = {}
        for attempt in sorted(attempts, key=lambda one: one.cost):
            most -= attempt.count
            if most < 0:
                break
            if attempt.operation not in self._operation_places:
                self._operation_places[attempt.operation] = len(self.operations)
                self.operations.append(attempt.operation)
            for part in self._made(attempt, self._operation_places[attempt.operation]):
                made.setdefault(part.values.shape[1:], []).append(part)
        return [stack for parts in made.values() for stack in self._kept(parts)]

    def _made(self, attempt: Attempt, place: int) -> Iterator[Made]:
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
            right = np.full_like(left, NONE) if other is None else np.tile(other.numbers, len(numbers))
            cost = attempt.operation.cost + self.rows.cost[left]
            if other is not None:
                cost = cost + self.rows.cost[right]
            new = usable(Made(np.asarray(made, float), np.full(len(left), place), left, right, cost))
            if new is not None:
                yield new

    def _kept(self, parts: Sequence[Made]) -> list[Stack]:
        """The formulas that give these values, all of one shape, after adding those that are new, by cost."""
        if not parts:
            return []
        made = Made(*(np.concatenate(columns) for columns in zip(*map(columns_of, parts), strict=True)))
        shape: Shape = made.values.shape[1:]
        flat = made.values.reshape(len(made.values), -1)
        sums = flat @ self.weights[: flat.shape[1]]
        # Rounded to single precision, two sums agree only by being the same: 48 bits of them.
        code = sums.astype(np.float32).view(np.int64).ravel()
        order = np.lexsort((made.cost, code))
        order = order[np.concatenate(([True], np.diff(code[order]) != 0))]
        numbers = self._known(shape, code[order])
        new = numbers == NONE
        numbers[new] = self.rows.add(int(new.sum()), self._places.setdefault(shape, len(self._places)))
        self._remember(shape, code[order][new], sums[order][new], numbers[new])
        cheaper = new | (made.cost[order] < self.rows.cost[numbers])
        place, rows = order[cheaper], numbers[cheaper]
        self.rows.operation[rows], self.rows.cost[rows] = made.operation[place], made.cost[place]
        self.rows.left[rows], self.rows.right[rows] = made.left[place], made.right[place]
        costs, values = self.rows.cost[numbers], made.values[order]
        return [Stack(numbers[costs == cost], values[costs == cost]) for cost in np.unique(costs)]

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


def sum_weights() -> Array:
    """What entries are multiplied with in the two sums of a formula: always the same random numbers."""
    return np.random.default_rng(20).normal(size=(MOST_ENTRIES, 2))


def columns_of(made: Made) -> tuple[Array, ...]:
    """Its fields, in their order."""
    return made.values, made.operation, made.left, made.right, made.cost


def usable(made: Made) -> Made | None:
    """Without what says nothing: values that are not finite, huge, or the same everywhere, such as W / W."""
    size = int(np.prod(made.values.shape[1:]))
    if size > MOST_ENTRIES or made.values.ndim > MOST_AXES + 1 or not len(made.values):
        return None
    flat = made.values.reshape(len(made.values), size)
    with np.errstate(invalid="ignore"):
        good = (np.abs(flat) < HUGE).all(1)  # NaN fails the comparison
        good &= (np.abs(flat) > TINY).any(1)
        good &= (flat != (flat[:, :1] if size > 1 else 0)).any(1)
    if good.all():
        return made
    return Made(*(column[good] for column in columns_of(made))) if good.any() else None


def merged(stacks: list[Stack]) -> list[Stack]:
    """One stack for each shape, whatever the formulas cost."""
    shapes: dict[Shape, list[Stack]] = {}
    for stack in stacks:
        shapes.setdefault(stack.shape, []).append(stack)
    return [
        Stack(np.concatenate([one.numbers for one in same]), np.concatenate([one.values for one in same]))
        for same in shapes.values()
    ]


def fits(operation: Operation, left: Shape, right: Shape) -> bool:
    """Whether an operation takes values of these shapes."""
    if operation.kind == "product":
        if not left or not right:
            return False
        inner = right[-2] if len(right) > 1 else right[0]
        if left[-1] != inner:
            return False
        left, right = left[:-2], right[:-2]
    return all(one == other or 1 in (one, other) for one, other in zip(left[::-1], right[::-1], strict=False))
