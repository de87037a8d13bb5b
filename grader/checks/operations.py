"""The operations that formulas are made of, and a formula as a tree of them.

Every operation works on stacks: arrays with leading axes that number independent values. So one call makes
thousands of formulas (``formula_table``), and a single value is a stack of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from grader.checks.arrays import Array

Shape = tuple[int, ...]


SUM, PRODUCT_OF, SIGNED, ATOM = 1, 2, 3, 5
"""How strongly the text of a formula holds together, as in Python."""

ANY_PART = (0,)
"""A part that stands in parentheses anyway."""


class Operation(NamedTuple):
    """How a formula is made of others: its text, a cost, small for what is common, its function on stacks.

    ``apply`` takes stacks with one leading axis; with two parts, stacks whose leading axes broadcast and
    whose other axes are as many. ``kind`` groups those that are mistaken for each other. The text holds
    together as strongly as ``level``, and each part in it has to as ``needs`` says, or gets parentheses.
    """

    text: str
    cost: int
    apply: Callable[..., Array]
    kind: str = ""
    level: int = ATOM
    needs: tuple[int, ...] = (ATOM,)


class Formula(NamedTuple):
    """An operation on parts, or a name."""

    of: Operation | str
    parts: tuple[Formula, ...] = ()

    def __str__(self) -> str:
        if isinstance(self.of, str):
            return self.of
        parts = (part.inside(need) for part, need in zip(self.parts, self.of.needs, strict=True))
        return self.of.text.format(*parts)

    def inside(self, need: int) -> str:
        """The text within another's, in parentheses if it has to be."""
        is_loose = not isinstance(self.of, str) and self.of.level < need
        return f"({self})" if is_loose else str(self)

    @property
    def names(self) -> frozenset[str]:
        """The inputs that it is made of."""
        if isinstance(self.of, str):
            return frozenset((self.of,))
        return frozenset().union(*(part.names for part in self.parts))

    def value(self, inputs: Mapping[str, Array]) -> Array:
        """What it gives. Raises ValueError where shapes do not fit, KeyError for an input that is missing."""
        if isinstance(self.of, str):
            return inputs[self.of]
        parts = [part.value(inputs) for part in self.parts]
        with np.errstate(all="ignore"):
            if len(parts) == 1:
                return np.asarray(np.asarray(self.of.apply(parts[0][None]))[0])
            return np.asarray(combined(self.of, parts[0][None], parts[1][None])[0])

    def rewritten(
        self, change: Callable[[Formula], Iterator[tuple[str, Formula]]]
    ) -> Iterator[tuple[str, Formula]]:
        """Every formula with one change at one place, the root's first; a change has a name."""
        yield from change(self)
        for place, part in enumerate(self.parts):
            for name, other in part.rewritten(change):
                yield name, Formula(self.of, (*self.parts[:place], other, *self.parts[place + 1 :]))


def combined(operation: Operation, left: Array, right: Array, *, crossed: bool = False) -> Array:
    """The values of an operation between two stacks, pair by pair, as one stack.

    With ``crossed`` between every two: left's first with each of right's, then left's second, ...
    Raises ValueError where the shapes do not fit, as numpy does.
    """
    leads = ((len(left), 1), (1, len(right))) if crossed else ((len(left),), (len(right),))
    a, b = left.shape[1:], right.shape[1:]
    is_product = operation.kind == "product"
    if is_product and not (a and b):
        raise ValueError
    # As in numpy, a vector is a row on the left of a product and a column on the right.
    one = (1, *a) if is_product and len(a) == 1 else a
    other = (*b, 1) if is_product and len(b) == 1 else b
    axes = max(len(one), len(other))
    value = np.asarray(
        operation.apply(
            left.reshape(*leads[0], *(1,) * (axes - len(one)), *one),
            right.reshape(*leads[1], *(1,) * (axes - len(other)), *other),
        )
    )
    shape = value.shape[len(leads[0]) :]
    if is_product:
        shape = shape[:-2] + shape[-2:-1] * (len(a) > 1) + shape[-1:] * (len(b) > 1)
    return value.reshape(-1, *shape)


def turned(stack: Array) -> Array:
    """Each value with its last two axes exchanged."""
    if stack.ndim < 3:  # noqa: PLR2004  # a vector has nothing to exchange
        raise ValueError
    return stack.swapaxes(-1, -2)


def softmax(stack: Array, axis: int) -> Array:
    """exp over its sum along an axis of the stack; entries of -inf become 0."""
    exponentials = np.exp(stack - stack.max(axis, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis, keepdims=True))


def _along(reduce: Callable[..., Array], name: str, axis: int, *, kept: bool) -> Operation:
    text = f"{{}}.{name}({axis}{', keepdims=True' if kept else ''})"

    def apply(stack: Array) -> Array:
        if stack.ndim < axis + 2:
            raise ValueError
        return reduce(stack, axis=axis + 1, keepdims=kept)

    return Operation(text, 1 + axis + kept, apply, name)


def _whole(reduce: Callable[..., Array], name: str) -> Operation:
    def apply(stack: Array) -> Array:
        if stack.ndim == 1:
            raise ValueError
        return np.asarray(reduce(stack.reshape(len(stack), -1), axis=1))

    return Operation(f"{{}}.{name}()", 1, apply, name)


def _masked(stack: Array, hidden: Callable[..., Array], offset: int) -> Array:
    """softmax along the last axis without the entries that ``hidden`` keeps."""
    if stack.ndim < 3:  # noqa: PLR2004  # scores are a matrix
        raise ValueError
    return softmax(np.where(hidden(np.ones(stack.shape[-2:]), offset) > 0, -np.inf, stack), -1)


def _second(stack: Array) -> int:
    """The last axis but one, which must not number the values."""
    if stack.ndim < 3:  # noqa: PLR2004  # of a vector there is only one
        raise ValueError
    return -2


TURN = Operation("{}.T", 0, turned, "turn")
NEGATE = Operation("-{}", 1, np.negative, "sign", SIGNED, (PRODUCT_OF,))
DOUBLE = Operation("2 * {}", 1, lambda v: 2 * v, "constant", PRODUCT_OF, (SIGNED,))
HALVE = Operation("{} / 2", 2, lambda v: v / 2, "constant", PRODUCT_OF, (PRODUCT_OF,))
CENTRE = Operation("{0} - {0}.mean(0)", 3, lambda v: v - v.mean(1, keepdims=True), "", SUM)
SCALE = (NEGATE, DOUBLE, HALVE)
SQUARE = Operation("{}**2", 2, np.square, "bend", 4)
ROOT = Operation("sqrt({})", 3, np.sqrt, "bend", ATOM, ANY_PART)
COMPLEMENT = Operation("1 - {}", 1, lambda v: 1 - v, "complement", SUM, (PRODUCT_OF,))
FOLD = (Operation("abs({})", 2, np.abs, "bend", ATOM, ANY_PART), SQUARE)
BEND = (*FOLD, ROOT, CENTRE)
WHOLE = (_whole(np.sum, "sum"), _whole(np.mean, "mean"))
REDUCE = (
    *WHOLE,
    *(
        _along(reduce, name, axis, kept=kept)
        for reduce, name in ((np.sum, "sum"), (np.mean, "mean"))
        for axis in (0, 1)
        for kept in (False, True)
    ),
)
PRODUCT = Operation("{} @ {}", 0, np.matmul, "product", PRODUCT_OF, (PRODUCT_OF, SIGNED))
TIMES = Operation("{} * {}", 1, np.multiply, "times", PRODUCT_OF, (PRODUCT_OF, SIGNED))
OVER = Operation("{} / {}", 1, np.divide, "over", PRODUCT_OF, (PRODUCT_OF, SIGNED))
PLUS = Operation("{} + {}", 1, np.add, "plus", SUM, (SUM, PRODUCT_OF))
MINUS = Operation("{} - {}", 1, np.subtract, "minus", SUM, (SUM, PRODUCT_OF))

FUNCTIONS: Mapping[str, tuple[Operation, ...]] = {
    "relu": (
        Operation("({} > 0)", 1, lambda v: (v > 0) * 1.0, "mask", ATOM, ANY_PART),
        Operation("relu({})", 1, lambda v: np.maximum(v, 0), "function", ATOM, ANY_PART),
        Operation("({} < 0)", 2, lambda v: (v < 0) * 1.0, "mask", ATOM, ANY_PART),
        Operation("minimum({}, 0)", 3, lambda v: np.minimum(v, 0), "function", ATOM, ANY_PART),
        Operation("where({} > 0, 1, 0.01)", 2, lambda v: np.where(v > 0, 1, 0.01), "mask", ATOM, ANY_PART),
        Operation("sign({})", 3, np.sign, "mask", ATOM, ANY_PART),
    ),
    "sigmoid": (
        Operation("sigmoid({})", 1, lambda v: 1 / (1 + np.exp(-v)), "function", ATOM, ANY_PART),
        COMPLEMENT,
        Operation("{0} * (1 - {0})", 1, lambda v: v * (1 - v), "slope", PRODUCT_OF),
        Operation("sigmoid'({})", 2, lambda v: 1 / (2 + np.exp(-v) + np.exp(v)), "function", ATOM, ANY_PART),
    ),
    "tanh": (
        Operation("1 - {}**2", 1, lambda v: 1 - v**2, "slope", SUM),
        Operation("tanh({})", 1, np.tanh, "function", ATOM, ANY_PART),
        Operation("1 - tanh({})**2", 2, lambda v: 1 - np.tanh(v) ** 2, "function", SUM, ANY_PART),
    ),
    "softmax": (
        Operation("softmax({}, axis=-1)", 1, lambda v: softmax(v, v.ndim - 1), "function", ATOM, ANY_PART),
        Operation("softmax({}, axis=-2)", 2, lambda v: softmax(v, _second(v)), "function", ATOM, ANY_PART),
    ),
    "causal": (
        Operation(
            "softmax({}, future hidden)", 1, lambda v: _masked(v, np.triu, 1), "function", ATOM, ANY_PART
        ),
        Operation(
            "softmax({}, past hidden)", 2, lambda v: _masked(v, np.tril, -1), "function", ATOM, ANY_PART
        ),
        Operation(
            "softmax({}, one step of the future seen)",
            3,
            lambda v: _masked(v, np.triu, 2),
            "function",
            ATOM,
            ANY_PART,
        ),
        Operation("tril({})", 2, np.tril, "function", ATOM, ANY_PART),
    ),
    "log": (Operation("log({})", 1, np.log, "function", ATOM, ANY_PART),),
    "exp": (Operation("exp({})", 1, np.exp, "function", ATOM, ANY_PART),),
}
"""What ``Formulas(using=...)`` adds, by name."""

OPERATIONS: Mapping[str, Operation] = {
    one.text: one
    for one in (
        *(TURN, *SCALE, *BEND, COMPLEMENT, *REDUCE, PRODUCT, TIMES, OVER, PLUS, MINUS),
        *(one for several in FUNCTIONS.values() for one in several),
    )
}
"""All there are, by their text."""
