"""Whether two answers of student code are the same, and both in words for an audit's report."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from grader.authoring.steps import Failed, Step
from grader.session.proxy import ROOT, Proxy

CLOSE = 1e-9
"""Relative difference that rounding explains: the same formula in another order."""
SHOWN = 300
"""Characters of a value in a report."""
_NUMBER = re.compile(r"[-+]?\d{1,40}(?:\.\d{0,40})?(?:e[-+]?\d{1,5})?", re.IGNORECASE)


def same(first: Any, second: Any) -> bool:  # noqa: PLR0911  # a table of types
    """Whether two answers are the same up to rounding; two objects are, of whatever they hold."""
    if isinstance(first, Proxy) or isinstance(second, Proxy):
        return isinstance(first, Proxy) and isinstance(second, Proxy)
    if type(first) is not type(second):
        return False
    if isinstance(first, np.ndarray):
        return _same_arrays(first, second)
    if isinstance(first, float | complex | np.number):
        return _same_arrays(np.asarray(first), np.asarray(second))
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(one, second[key]) for key, one in first.items())
    if isinstance(first, str):
        return first == second or _same_numbers(first, second)
    if isinstance(first, int | bool | bytes | Failed | type(None)):
        return bool(first == second)
    return repr(first) == repr(second)


def _same_arrays(first: np.ndarray, second: np.ndarray) -> bool:
    if first.shape != second.shape or first.dtype != second.dtype:
        return False
    if first.dtype.kind not in "fc":
        return bool(np.array_equal(first, second))
    with np.errstate(all="ignore"):
        scale = np.abs(first)[np.isfinite(first)].max(initial=0.0)
        bar = CLOSE if first.dtype.itemsize >= np.dtype(float).itemsize else 1e-4  # float32
        return bool(np.allclose(first, second, rtol=bar, atol=bar * 1e-3 * scale, equal_nan=True))


def _same_numbers(first: str, second: str) -> bool:
    """Whether two texts differ in the last digits of numbers only."""
    if _NUMBER.sub("#", first) != _NUMBER.sub("#", second):
        return False
    pairs = zip(_NUMBER.findall(first), _NUMBER.findall(second), strict=True)
    return all(np.isclose(float(one), float(other), rtol=CLOSE, atol=1e-12) for one, other in pairs)


# -- in words ----------------------------------------------------------------------------------------------


def said_step(steps: Sequence[Step], number: int) -> str:
    """A request as an author would write it, with the objects that it is about."""
    if number == len(steps):
        return "what is printed"
    names: dict[int, str] = {}
    for step in steps[:number]:
        if isinstance(step.answer, Proxy):
            names[step.answer._where()[0]] = _said_request(step, names, short=True)
    return _said_request(steps[number], names, short=False)


def _said_request(step: Step, names: dict[int, str], *, short: bool) -> str:
    match step.operation, step.arguments:
        case "call", (function, by_place, by_name):
            given = [said(one, names, short=short) for one in by_place]
            given += [f"{name}={said(one, names, short=short)}" for name, one in by_name.items()]
            return f"{said(function, names)}({', '.join(given)})"
        case "value" | "data", (owner, *_):
            return said(owner, names)
        case "set", (owner, (kind, name), value):
            place = f".{name}" if kind == "attribute" else f"[{name!r}]"
            return f"{said(owner, names)}{place} = {said(value, names, short=short)}"
        case "provide", _:
            return "given"
        case "put", (value,):
            return said(value, names, short=short)
    return f"{step.operation}({', '.join(said(one, names, short=True) for one in step.arguments)})"


def said(value: Any, names: dict[int, str] | None = None, *, short: bool = False) -> str:
    """A value in a report: bounded, arrays with their type and shape."""
    if isinstance(value, Proxy):
        number, path = value._where()
        steps = "".join(f".{key}" if kind == "attribute" else f"[{key!r}]" for kind, key in path)
        return steps.lstrip(".") if number == ROOT else f"{(names or {}).get(number, 'an object')}{steps}"
    if isinstance(value, np.ndarray):
        if short:
            return f"<{value.dtype} {value.shape}>"
        with np.printoptions(precision=4, threshold=12, edgeitems=2, linewidth=10_000, suppress=False):
            return (
                f"{' '.join(np.array2string(value, separator=', ').split())} ({value.dtype}, {value.shape})"
            )
    if isinstance(value, Failed):
        return f"raises {value.kind}"
    if isinstance(value, list | tuple) and any(isinstance(one, Proxy | np.ndarray) for one in value):
        return f"[{', '.join(said(one, names, short=True) for one in value)}]"
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def told(reference: Any, mutant: Any) -> tuple[str, str]:
    """Two different answers in words; of arrays of one shape and type, the entry that differs most."""
    if isinstance(reference, list) and isinstance(mutant, list) and len(reference) == len(mutant):
        pair = next(
            ((one, other) for one, other in zip(reference, mutant, strict=True) if not same(one, other)), None
        )
        if pair is not None:
            return told(*pair)
    alike = isinstance(reference, np.ndarray) and isinstance(mutant, np.ndarray)
    if (
        alike
        and (reference.shape, reference.dtype) == (mutant.shape, mutant.dtype)
        and reference.ndim
        and reference.size
        and reference.dtype.kind in "fiub"
    ):
        with np.errstate(all="ignore"):
            gap = np.abs(reference.astype(float) - mutant.astype(float))
        place = np.unravel_index(int(np.argmax(np.where(np.isnan(gap), np.inf, gap))), gap.shape)
        where = ", ".join(map(str, place))
        return (f"[{where}] is {reference[place]:.6g}", f"[{where}] is {mutant[place]:.6g}")
    return said(reference), said(mutant)
