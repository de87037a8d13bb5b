"""What checks ask of the reference, asked again: of a mutant, and with other inputs.

A trace is the list of requests that a check made while it ran against the reference. Played against a
mutant's state, its answers show whether the mutant differs where the check looked; with its arrays replaced
by others, whether it differs where the check did not look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grader.model.audit import Difference
from grader.model.errors import CallTimedOut, CheckError, SandboxDied, StudentError, UnsupportedValue
from grader.session.proxy import ROOT, Proxy
from grader.session.session import Session

CLOSE = 1e-9
"""Relative difference that rounding explains: the same formula in another order."""
MOST_STEPS = 300
"""Requests of one check that are repeated: those of a property would be thousands."""
SHOWN = 300
"""Characters of a value in a report."""
_NUMBER = re.compile(r"[-+]?\d{1,40}(?:\.\d{0,40})?(?:e[-+]?\d{1,5})?", re.IGNORECASE)


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
        return _mapped(value, other)

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


# -- playing -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Played:
    """The answer to a request, and what a call left in the arrays that it was given."""

    answer: Any
    after: Any


def play(session: Session, trace: Trace, steps: Sequence[Step]) -> Iterator[Played]:
    """Make the requests in this session, its generators seeded as the check's were; last is what was printed.

    Raises what ends a session: a time-out, a crash.
    """
    session.forget_output()
    if trace.seed is not None:
        session.request("seed", trace.seed)
    here = _Here(session)
    for step in steps:
        given: list[Proxy] = []
        answer: Any
        try:
            arguments = here.of(step.arguments)
            if step.operation == "call":
                arguments = _lent(session, arguments, given)
            answer = session.request(step.operation, *arguments)
        except _NoSuchObjectError:
            answer = Failed("missing")
        except (StudentError, UnsupportedValue) as error:
            answer = Failed(getattr(error, "kind", "") or type(error).__name__)
        here.bind(step.answer, answer)
        yield Played(answer, [_value_of(one) for one in given])
    yield Played(session.printed, [])


class _NoSuchObjectError(Exception):
    """A request is about an object that an earlier answer should have been."""


class _Here:
    """The objects of a session that stand where a trace had its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._handles: dict[int, Proxy] = {}

    def of(self, value: Any) -> Any:
        """The value with this session's objects in it. Raises _NoSuchObjectError if one does not exist."""
        if not isinstance(value, Proxy):
            return _mapped(value, self.of)
        number, path = value._where()
        steps = tuple((kind, self.of(key)) for kind, key in path)
        if number == ROOT:
            return Proxy(self._session, ROOT, "notebook", steps)
        if number not in self._handles:
            raise _NoSuchObjectError
        start, before = self._handles[number]._where()
        return Proxy(self._session, start, "object", (*before, *steps))

    def bind(self, recorded: Any, now: Any) -> None:
        """Note which object stands where the recorded answer had one."""
        if isinstance(recorded, Proxy):
            if isinstance(now, Proxy):
                self._handles[recorded._where()[0]] = now
        elif isinstance(recorded, list | tuple) and isinstance(now, list | tuple):
            for one, other in zip(recorded, now, strict=False):
                self.bind(one, other)
        elif isinstance(recorded, dict) and isinstance(now, dict):
            for key, one in recorded.items():
                if key in now:
                    self.bind(one, now[key])


def _lent(session: Session, arguments: Any, given: list[Proxy]) -> Any:
    """A call's arguments with each array laid on the other side first, to see what the call does to it."""
    function, by_place, by_name = arguments

    def lend(value: Any) -> Any:
        if not isinstance(value, np.ndarray):
            return value
        put = session.request("put", value)
        if isinstance(put, Proxy):
            given.append(put)
        return put

    return function, [lend(one) for one in by_place], {name: lend(one) for name, one in by_name.items()}


def _value_of(proxy: Proxy) -> Any:
    try:
        return proxy.value
    except (StudentError, UnsupportedValue) as error:
        return Failed(type(error).__name__)


# -- comparing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A trace with one variation, and the reference's answers, twice: where they differ, chance decides."""

    trace: Trace
    variation: str
    steps: list[Step]
    first: list[Played]
    second: list[Played]

    @property
    def calls(self) -> int:
        """How many calls, and values that were fetched, are in it."""
        return sum(step.operation in ("call", "value", "data") for step in self.steps)


def ask_reference(traces: Sequence[Trace], fresh: Callable[[], Session], *, seed: int) -> list[Asked]:
    """Every trace with every variation that the reference accepts, and its answers.

    ``fresh`` gives a session with a new copy of the reference's state.
    """
    first, second = fresh(), fresh()
    asked = []
    for number, variation in enumerate(VARIATIONS):
        for trace in traces:
            steps = varied(trace, variation, seed=seed + number)
            try:
                answers = _accepted(first, trace, steps)
                again = _accepted(second, trace, steps) if answers else None
            except CheckError:
                first, second, again = fresh(), fresh(), None
            if answers and again:
                asked.append(Asked(trace, variation, steps, answers, again))
    return asked


def _accepted(session: Session, trace: Trace, steps: Sequence[Step]) -> list[Played] | None:
    """The reference's answers; None at the first request that these inputs make impossible."""
    found = []
    for played, step in zip(play(session, trace, steps), [*steps, None], strict=True):
        refused = isinstance(played.answer, Failed) and not (step and isinstance(step.answer, CheckError))
        if refused:
            return None
        found.append(played)
    return found


def first_difference(session: Session, asked: Sequence[Asked]) -> tuple[int, Difference | None]:
    """How many calls gave the reference's values in this session, and the first answer that is another."""
    calls = 0
    for one in asked:
        trace, now = one.trace, play(session, one.trace, one.steps)
        for number, (mine, again) in enumerate(zip(one.first, one.second, strict=True)):
            try:
                theirs = next(now)
            except (CallTimedOut, SandboxDied) as error:
                theirs = Played(Failed(type(error).__name__), [])
            pair = _unlike(mine, again, theirs)
            if pair is not None:
                call = said_step(one.steps, number)
                same_input = not one.variation
                difference = Difference(trace.check, trace.title, call, *pair, same_input, one.variation)
                return calls, difference
        calls += one.calls
    return calls, None


def _unlike(mine: Played, again: Played, theirs: Played) -> tuple[str, str] | None:
    """The reference's answer and another one in words, if they differ; None if chance may decide it."""
    if same(mine.answer, again.answer) and not same(mine.answer, theirs.answer):
        return told(mine.answer, theirs.answer)
    if same(mine.after, again.after) and not same(mine.after, theirs.after):
        left, right = told(mine.after, theirs.after)
        return f"its argument is then {left}", f"its argument is then {right}"
    return None


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


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    if type(value) is list or type(value) is tuple:
        return type(value)(map(change, value))
    if type(value) is dict:
        return {key: change(one) for key, one in value.items()}
    return value


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else _mapped(value, _copied)
