"""What checks ask of the reference, recorded, and the same with other inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.session.proxy import ROOT, Proxy

MOST_STEPS = 300
"""Requests of one check that are repeated: those of a property would be thousands."""


@dataclass(frozen=True)
class Step:
    """One request and its answer, which may be the error that it ended with."""

    operation: str
    arguments: tuple[Any, ...]
    answer: Any


@dataclass
class Trace:
    """A check's requests in order; ``seed`` is that of its copy's generators, None if it keeps the cells'."""

    check: str
    title: str
    seed: int | None
    steps: list[Step] = field(default_factory=list)

    def take(self, operation: str, arguments: tuple[object, ...], answer: object) -> None:
        """See Session.on_request. Arrays are copied: the check may write into its own."""
        if len(self.steps) < MOST_STEPS:
            self.steps.append(Step(operation, _copied(arguments), _copied(answer)))

    def names(self) -> Iterator[str]:
        """The notebook's names that were asked for."""
        for step in self.steps:
            yield from _root_names(step.arguments)
            if step.operation == "has":
                yield str(step.arguments[0])


@dataclass(frozen=True)
class Failed:
    """A request that ended with an error of this kind."""

    kind: str


# -- other inputs ------------------------------------------------------------------------------------------

Variation = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def _other_numbers(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.normal(array.mean(), array.std() or 1.0, size=array.shape)


def _huge(array: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.asarray(array * 1e3)


def _tiny(array: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.asarray(array * 1e-3)


def _negated(array: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.asarray(-array)


def _positive(array: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.asarray(np.abs(array))


def _ties(array: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.asarray(np.round(array))


def _zeros(array: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.zeros_like(array)


def _larger(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    shape = tuple(size + 1 if size > 1 else size for size in array.shape)
    return rng.normal(array.mean(), array.std() or 1.0, size=shape)


def _one_row(array: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return array[:1] if array.ndim > 1 else array


VARIATIONS: dict[str, Variation | None] = {
    "": None,
    "other numbers": _other_numbers,
    "a thousand times as large": _huge,
    "a thousandth of them": _tiny,
    "with the other sign": _negated,
    "all positive": _positive,
    "whole numbers, with ties and zeros": _ties,
    "all zeros": _zeros,
    "one more along each axis": _larger,
    "a single example": _one_row,
}
"""How the arrays of a trace are replaced; "" leaves them as the check drew them."""


_OF_SIZE = (_larger, _one_row)


def varied(trace: Trace, name: str, *, seed: int) -> list[Step]:
    """The trace's requests with other arrays, all changed in the same way. Equal arrays stay equal."""
    change = VARIATIONS[name]
    if change is None:
        return trace.steps
    rng, done = np.random.default_rng(seed), dict[bytes, np.ndarray]()
    sizes = {size for step in trace.steps for size in _sizes(step.arguments)} if change is _larger else set()

    def other(value: Any) -> Any:
        if change in _OF_SIZE and isinstance(value, np.ndarray) and value.dtype.kind in "iub" and value.ndim:
            # Labels have as many rows as the examples that they belong to.
            return value[:1] if change is _one_row else np.concatenate([value, value[-1:]])
        if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.size:
            key = repr((value.shape, value.dtype.str)).encode() + value.tobytes()
            if key not in done:
                done[key] = np.asarray(change(value, rng)).astype(value.dtype)
            return done[key]
        if type(value) is int and value in sizes:
            return value + 1
        return mapped(value, other)

    return [Step(step.operation, other(step.arguments), step.answer) for step in trace.steps]


def _root_names(value: Any) -> Iterator[str]:
    if isinstance(value, Proxy):
        number, path = value._where()
        if number == ROOT and path:
            yield str(path[0][1])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _root_names(one)
    elif isinstance(value, dict):
        yield from _root_names(list(value.values()))


def _sizes(value: Any) -> Iterator[int]:
    if isinstance(value, np.ndarray):
        yield from (size for size in value.shape if size > 1)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _sizes(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _sizes(one)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A container with its entries changed; anything else as it is."""
    if type(value) is list or type(value) is tuple:
        return type(value)(map(change, value))
    if type(value) is dict:
        return {key: change(one) for key, one in value.items()}
    return value


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else mapped(value, _copied)
