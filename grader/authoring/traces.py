"""What checks ask of the reference, asked again: of a mutant, and with other inputs.

A trace is the list of requests that a check made while it ran against the reference. Played against a
mutant's state, its answers show whether the mutant differs where the check looked; with its arrays replaced
by others, whether it differs where the check did not look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.authoring.compared_answers import said_step, same, told
from grader.authoring.steps import VARIATIONS, Failed, Step, Trace, mapped, varied
from grader.model.audit import Difference
from grader.model.errors import CallTimedOut, CheckError, SandboxDied, StudentError, UnsupportedValue
from grader.session.proxy import ROOT, Proxy
from grader.session.session import Session


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
            return mapped(value, self.of)
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
