"""What kind of mistake a formula is: the one change that makes it the right one.

A kind names no input and no formula, so that students may read it, and it is the same for everybody who made
the mistake, so that a class can be counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import numpy as np

from grader.checks.arrays import Array, squeezed
from grader.checks.formulas import Named, is_same
from grader.checks.operations import (
    DOUBLE,
    FUNCTIONS,
    HALVE,
    MINUS,
    NEGATE,
    OVER,
    PLUS,
    PRODUCT,
    REDUCE,
    TIMES,
    TURN,
    Formula,
    Operation,
)

MOST_CHANGES = 400
"""Changes that are tried; each takes some microseconds."""

Change = tuple[str, Formula]

_MEANS = {"mean": "a mean where a sum belongs", "sum": "a sum where a mean belongs"}
_OTHER = {"plus": MINUS, "minus": PLUS, "times": PRODUCT, "product": TIMES}
_EXCHANGED = {
    "plus": "a sum where a difference belongs",
    "minus": "a difference where a sum belongs",
    "times": "an elementwise product where a matrix product belongs",
    "product": "a matrix product where an elementwise product belongs",
}
_ORDERED = ("product", "minus", "over")
_TOO_MANY = {
    "plus": "a term too many",
    "minus": "a term too many",
    "times": "a factor too many",
    "product": "a matrix product too many",
    "mask": "a mask too many",
    "function": "a function too many",
    "bend": "a function too many",
    "turn": "a transpose too many",
    "sign": "the sign is flipped",
    "constant": "a constant factor",
}


def mistake_of(formula: Formula, named: Named, expected: Array) -> str:
    """The kind of mistake, or "" if no single change makes the formula give what is expected."""
    right = expected.astype(float)
    for kind, other in islice(changed(formula, named), MOST_CHANGES):
        if _gives(other, named.values, right):
            return kind
    return ""


def changed(formula: Formula, named: Named) -> Iterator[Change]:
    """The formula with one change, what says most first: within it, at its root, with more around it."""
    yield from formula.rewritten(_one_change)
    yield from formula.rewritten(lambda part: _with_another_input(part, named))
    yield from _with_a_factor(formula, named)
    yield from formula.rewritten(lambda part: _with_more(part, named))


def _gives(formula: Formula, inputs: Mapping[str, Array], right: Array) -> bool:
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(formula.value(inputs))
    except (KeyError, ValueError):
        return False
    if value.size == right.size == 1:
        value = value.reshape(right.shape)
    return is_same(squeezed(value, right.shape), right)


def _one_change(formula: Formula) -> Iterator[Change]:
    """Changes of an operation itself, and of what it is done with."""
    of, parts = formula
    if isinstance(of, str):
        return
    if of.kind in _MEANS:
        yield from _other_reductions(of, parts[0])
    if of.kind in _OTHER:
        yield _EXCHANGED[of.kind], Formula(_OTHER[of.kind], parts)
    if of.kind in _ORDERED:
        yield "the operands are in the wrong order", Formula(of, parts[::-1])
    if of.kind == "over":
        divisor = parts[1].of
        yield f"a division by {divisor if isinstance(divisor, str) else 'something'} too many", parts[0]
    if of.kind in _TOO_MANY:
        yield from ((_TOO_MANY[of.kind], part) for part in parts)
    yield from _other_functions(of, parts)


def _other_functions(of: Operation, parts: tuple[Formula, ...]) -> Iterator[Change]:
    for others in FUNCTIONS.values():
        for other in others if of in others else ():
            if other is not of and other.kind == of.kind:
                yield f"another {of.kind}", Formula(other, parts)


def _other_reductions(of: Operation, part: Formula) -> Iterator[Change]:
    for other in REDUCE:
        if other.kind != of.kind and other.text.partition("(")[2] == of.text.partition("(")[2]:
            yield _MEANS[of.kind], Formula(other, (part,))
    for other in REDUCE:
        if other is not of and other.kind == of.kind:
            yield f"a {of.kind} over the wrong axis", Formula(other, (part,))
    yield f"a {of.kind} where none belongs", part


def _with_another_input(formula: Formula, named: Named) -> Iterator[Change]:
    if isinstance(formula.of, str):
        for name in named.arrays:
            if name != formula.of:
                yield "one input where another belongs", Formula(name)


def _with_a_factor(formula: Formula, named: Named) -> Iterator[Change]:
    """The whole with another sign or factor, or summed."""
    yield "the sign is flipped", Formula(NEGATE, (formula,))
    for axis in named.sizes:
        yield f"a division by {axis} is missing", Formula(OVER, (formula, Formula(axis)))
        yield f"a factor {axis} is missing", Formula(TIMES, (formula, Formula(axis)))
    for operation in (DOUBLE, HALVE):
        yield "a constant factor", Formula(operation, (formula,))
    for reduce in REDUCE:
        yield f"a {reduce.kind} is missing", Formula(reduce, (formula,))


def _with_more(formula: Formula, named: Named) -> Iterator[Change]:
    """A part with something that was left out."""
    yield "a transpose is missing", Formula(TURN, (formula,))
    functions = [function for name in named.formulas.using for function in FUNCTIONS[name]]
    for function in functions:
        if function.kind == "function":
            yield "a function is missing", Formula(function, (formula,))
    for name in named.arrays:
        for mask in functions:
            if mask.kind == "mask":
                yield "a mask is missing", Formula(TIMES, (formula, Formula(mask, (Formula(name),))))
        yield "a term is missing", Formula(PLUS, (formula, Formula(name)))
        yield "a term is missing", Formula(MINUS, (formula, Formula(name)))
        yield "a factor is missing", Formula(TIMES, (formula, Formula(name)))
        yield "a matrix product is missing", Formula(PRODUCT, (formula, Formula(name)))
