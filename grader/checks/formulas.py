"""``Formulas``: what an author names so that a wrong array is answered with the formula that was computed.

A formula is looked up in a table that is made once for all checks, by what the student's function gives on a
fixed probe; it must give the wrong array on the check's own inputs too, which have other sizes. Nothing here
runs for a check that passes, and nothing here decides whether an answer is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from grader.checks.arrays import Array
from grader.checks.formula_store import kept_table
from grader.checks.formula_table import CLOSE, Table
from grader.checks.operations import FUNCTIONS, Formula, Shape
from grader.model.errors import AuthorError
from grader.model.values import Remote

MOST_BYTES = 4 << 20
"""Of the inputs and the wrong array together: larger ones are not looked at."""

SIZES = ((6, 4, 5, 7, 8, 9, 10, 11), (8, 5, 7, 3, 6, 4, 11, 9))
"""The axes' lengths on the two probes: no two alike, and none the same on both."""

DIGITS = 1e-9
"""How close it must be where there is no second probe, or only one number, if in double precision."""

FEW = 3
"""Entries below which ``CLOSE`` would be met by chance."""

ANY = "..."
ANY_SHAPES = ((5, 4), (4, 6))
"""What arrays of any one shape have on the two probes."""

POSITIVE, ONE_HOT = "positive", "one-hot"

Probe = Mapping[str, Array]
"""Values of all names, those of the axes (their lengths) too."""


@dataclass(frozen=True)
class Spec:
    """The axes of an array, by name or as a length, and the kind of its values."""

    axes: tuple[str, ...]
    kind: str = ""

    @property
    def named(self) -> tuple[str, ...]:
        """Its axes that have names."""
        return tuple(axis for axis in self.axes if not axis.isdigit() and axis != ANY)

    def drawn(self, number: int, sizes: Mapping[str, int], rng: np.random.Generator) -> Array:
        """Random values for a probe; a number is between 0.2 and 0.9, as rates are."""
        shape = tuple(int(axis) if axis.isdigit() else sizes[axis] for axis in self.axes if axis != ANY)
        shape = ANY_SHAPES[number] if ANY in self.axes else shape
        if self.kind == ONE_HOT:
            return np.eye(shape[-1])[rng.integers(shape[-1], size=shape[:-1])]
        if self.kind == POSITIVE or not shape:
            return np.asarray(rng.uniform(0.2, 0.9, size=shape))
        return np.asarray(rng.normal(size=shape))


class Formulas:
    """The arrays that a function works with, for naming what it computes when the result is wrong.

    ``Formulas(X="N D", W="D K", b="1 K", G="N K")``: each name with its axes, "" for a number. A word after
    the axes says what an array holds, if not any numbers: "N K positive", "N K one-hot". Arrays with the
    axes "..." have one shape, whichever it is. ``using`` adds functions: any of relu, sigmoid, tanh, softmax,
    causal, log and exp, with spaces between them.

    Calling it with a check's own arrays, as ``LAYER(X=X, G=G)``, gives what ``assert_close(formulas=...)``
    takes. Raises AuthorError for what does not fit.
    """

    def __init__(self, *, using: str = "", **arrays: str) -> None:
        self._arrays = arrays
        self.specs = {name: _spec(name, text) for name, text in arrays.items()}
        self.axes = tuple(dict.fromkeys(axis for spec in self.specs.values() for axis in spec.named))
        self.using = tuple(using.split())
        unknown = [name for name in self.using if name not in FUNCTIONS]
        if unknown:
            raise AuthorError(f"Formulas: using={unknown[0]!r} is none of {', '.join(FUNCTIONS)}")
        if not arrays or len(self.axes) > len(SIZES[0]):
            raise AuthorError(f"Formulas: name some arrays, with at most {len(SIZES[0])} axes")
        same = sorted(set(self.axes) & set(arrays))
        if same:
            raise AuthorError(f"Formulas: {same[0]!r} is an array and an axis; give one another name")

    def __call__(self, **arrays: object) -> Named:
        """These arrays of a check; any may be left out. Raises AuthorError for wrong names and shapes."""
        sizes: dict[str, int] = {}
        any_shape: list[Shape] = []
        kept: dict[str, Array] = {}
        for name, value in arrays.items():
            spec = self.specs.get(name)
            if spec is None:
                raise AuthorError(f"formulas: {name!r} is none of {', '.join(self.specs)}")
            if isinstance(value, Remote):
                raise AuthorError(f"formulas: {name} is a student's object; name the check's own arrays")
            kept[name] = array = np.asarray(value)
            if array.dtype.kind not in "biuf":
                raise AuthorError(f"formulas: {name} is no array of real numbers (dtype {array.dtype})")
            _measure(name, spec, array.shape, sizes, any_shape)
        return Named(self, kept, sizes, any_shape[0] if any_shape else None)

    @cached_property
    def probes(self) -> tuple[Probe, Probe]:
        """Two sets of random values, of different sizes."""
        first, second = (self._probe(number) for number in (0, 1))
        return first, second

    @cached_property
    def table(self) -> Table:
        """All formulas, read on first use, or made, which takes a second; equal vocabularies share them."""
        return _table_of(tuple(self._arrays.items()), " ".join(self.using))

    def make_table(self) -> Table:
        """All formulas, made anew."""
        values = self.probes[0]
        numbers = [name for name, spec in self.specs.items() if not spec.axes]
        return Table.made(
            {name: values[name] for name, spec in self.specs.items() if spec.axes},
            numbers={name: values[name] for name in numbers},
            sizes={axis: values[axis] for axis in self.axes},
            using=self.using,
        )

    def sizes(self, number: int) -> dict[str, int]:
        """The axes' lengths on a probe."""
        return dict(zip(self.axes, SIZES[number], strict=False))

    def shapes_like(self, shape: Shape, named: Named) -> Iterator[Shape]:
        """The shapes on the first probe of what has this shape in a check."""
        lengths = self.sizes(0)
        axes = [
            [lengths[axis] for axis, own in named.sizes.items() if own == length] + [1] * (length == 1)
            for length in shape
        ]
        yield from product(*axes)
        if shape == named.any_shape:
            yield ANY_SHAPES[0]

    def _probe(self, number: int) -> Probe:
        rng, sizes = np.random.default_rng([7, number]), self.sizes(number)
        drawn = {name: spec.drawn(number, sizes, rng) for name, spec in self.specs.items()}
        return drawn | _as_numbers(sizes)


@lru_cache(maxsize=8)
def _table_of(arrays: tuple[tuple[str, str], ...], using: str) -> Table:
    """The table of a vocabulary: a file of checks that is loaded anew has the same ones."""
    return kept_table((*map(" ".join, arrays), using), Formulas(using=using, **dict(arrays)).make_table)


@dataclass(frozen=True, eq=False)
class Named:
    """A check's own arrays by their names in a vocabulary, its axes' lengths, and the shape of "..."."""

    formulas: Formulas
    arrays: Mapping[str, Array]
    sizes: Mapping[str, int]
    any_shape: Shape | None = None

    def kept(self) -> Named:
        """The same with copies, which a check does not go on to change."""
        return replace(self, arrays={name: array.copy() for name, array in self.arrays.items()})

    @property
    def bytes(self) -> int:
        """What the arrays take."""
        return sum(array.nbytes for array in self.arrays.values())

    @cached_property
    def values(self) -> Probe:
        """The arrays in double precision, with the axes' lengths."""
        return {name: array.astype(float) for name, array in self.arrays.items()} | _as_numbers(self.sizes)


@dataclass(frozen=True, eq=False)
class WrongArray:
    """What a check found wrong, and what it may be a formula of; ``facts`` is the message so far."""

    answer: Array
    expected: Array
    named: Named
    facts: str

    @classmethod
    def of(cls, answer: Array, expected: Array, named: Named, *, facts: str) -> WrongArray | None:
        """With copies, so that the check may go on to change them; None if they are too large."""
        if answer.nbytes + expected.nbytes + named.bytes > MOST_BYTES:
            return None
        return cls(answer.copy(), expected.copy(), named.kept(), facts)


class Answer(NamedTuple):
    """What the student's function gives on a probe, and the names whose arrays it was given."""

    array: Array
    given: frozenset[str]


Ask = Callable[[int], Answer | None]
"""Calls the student's function on a probe, by its number; None if it cannot be called."""


def formula_of(wrong: Array, named: Named, ask: Ask) -> Formula | None:
    """The cheapest formula of ``named`` that gives ``wrong``, here and on a probe of other sizes.

    If the function cannot be asked, or no formula is found that way, the cheaper ones are computed on the
    check's own inputs; then all digits of the array count.
    """
    actual = _usable(wrong, constant=True)
    if actual is None or actual.nbytes + named.bytes > MOST_BYTES:
        return None
    with np.errstate(all="ignore"):
        answer = ask(0)
        found = _asked_again(answer, actual, named, ask) if answer else None
        if found or _is_constant(actual) or (answer and named.arrays.keys() <= answer.given):
            return found
        close = CLOSE if wrong.dtype.kind == "f" and wrong.dtype.itemsize < actual.itemsize else DIGITS
        return _computed_here(actual, named, close=close, refuted=answer.given if answer else None)


def _asked_again(answer: Answer, actual: Array, named: Named, ask: Ask) -> Formula | None:
    first = _usable(answer.array)
    if first is None:
        return None
    for formula in named.formulas.table.near(first):
        on_probe, here = (_value(formula, inputs) for inputs in (named.formulas.probes[0], named.values))
        if is_same(on_probe, first) and is_same(here, actual):
            is_sure = actual.size >= FEW or is_same(here, actual, close=DIGITS)
            is_sure = is_sure and not _is_constant(actual)
            if is_sure and _sizes_differ(named):
                return formula
            second = ask(1)
            is_found = second is not None and _gives(formula, named.formulas.probes[1], second.array)
            return formula if is_found else None
    return None


def _gives(formula: Formula, inputs: Probe, answer: Array) -> bool:
    array = _usable(answer)
    return array is not None and is_same(_value(formula, inputs), array)


def _computed_here(
    actual: Array, named: Named, *, close: float, refuted: frozenset[str] | None
) -> Formula | None:
    """A formula that gives the array on the check's own inputs, unless the function's answer refutes it.

    That is no formula of the arrays that the function was given for the probe.
    """
    for shape in named.formulas.shapes_like(actual.shape, named):
        for formula in named.formulas.table.giving(actual, shape, named.values):
            is_sure = is_same(_value(formula, named.values), actual, close=close)
            is_sure = is_sure and (actual.size >= FEW or close == DIGITS)
            if is_sure and not (refuted is not None and formula.names & named.arrays.keys() <= refuted):
                return formula
    return None


def is_same(value: Array | None, array: Array, *, close: float = CLOSE) -> bool:
    """Whether a formula's value is a student's, as far as float32 can tell."""
    if value is None or value.shape != array.shape:
        return False
    size = np.abs(array)
    return bool((np.abs(value - array) <= close * size + close * size.max(initial=0)).all())


def _value(formula: Formula, inputs: Probe) -> Array | None:
    """A formula's value; None if the inputs lack a part of it, or do not fit."""
    try:
        return np.asarray(formula.value(inputs))
    except (KeyError, ValueError):
        return None


def _sizes_differ(named: Named) -> bool:
    """Whether each axis of the check has another length than on the first probe."""
    sizes = named.formulas.sizes(0)
    return named.any_shape != ANY_SHAPES[0] and all(
        sizes[axis] != length for axis, length in named.sizes.items()
    )


def _usable(array: Array | None, *, constant: bool = False) -> Array | None:
    """A student's array in double precision, one entry as a number; None if it cannot be looked up.

    One whose entries are all the same is many formulas' value.
    """
    if array is None or array.dtype.kind not in "biuf" or not array.size or array.nbytes > MOST_BYTES:
        return None
    with np.errstate(all="ignore"):
        wide = array.astype(float)
    if not np.isfinite(wide).all() or (_is_constant(wide) and not constant):
        return None
    return wide.reshape(()) if wide.size == 1 else wide


def _is_constant(array: Array) -> bool:
    return (array.size > 1 or not array.any()) and bool((array == array.flat[0]).all())


def _as_numbers(sizes: Mapping[str, int]) -> dict[str, Array]:
    return {axis: np.asarray(float(length)) for axis, length in sizes.items()}


def _spec(name: str, text: object) -> Spec:
    words = text.split() if isinstance(text, str) else None
    if words is None:
        raise AuthorError(f"Formulas: {name}={text!r}: write the axes as text, such as {name}='N D'")
    kind = words.pop() if words and words[-1] in (POSITIVE, ONE_HOT) else ""
    wrong = words != [ANY] and not all(word.isidentifier() or word.isdigit() for word in words)
    if wrong or len(words) > 3 or (kind and not words):  # noqa: PLR2004  # stacks of matrices at most
        raise AuthorError(f"Formulas: {name}={text!r}: write up to three axes, by name or length, or '...'")
    return Spec(tuple(words), kind)


def _measure(name: str, spec: Spec, shape: Shape, sizes: dict[str, int], any_shape: list[Shape]) -> None:
    """Note the axes' lengths. Raises AuthorError if they contradict the vocabulary or one another."""
    if spec.axes == (ANY,):
        any_shape.append(shape)
        if shape != any_shape[0]:
            raise AuthorError(
                f"formulas: {name} has shape {shape}, another has {any_shape[0]}; both are '...'"
            )
        return
    fits = len(shape) == len(spec.axes)
    for axis, length in zip(spec.axes, shape, strict=False):
        fits = fits and (int(axis) if axis.isdigit() else sizes.setdefault(axis, length)) == length
    if not fits:
        known = ", ".join(f"{axis} = {length}" for axis, length in sizes.items())
        place = f" ({known})" if known else ""
        raise AuthorError(f"formulas: {name} has shape {shape}, but is {' '.join(spec.axes)!r}{place}")
