"""What a check has asked of a student's code, so that it can be asked again with other inputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.model.errors import CheckError, StudentError
from grader.session.proxy import ROOT, Proxy, Requests

MOST_REQUESTS = 200
MOST_BYTES = 1 << 20
"""A check that asks for more is not asked again."""

LOOKS = ("value", "data", "has")
"""Requests that change nothing: only the one whose answer is wanted is made again."""

PROVIDE = "provide"

DEEPEST = 8
"""Of lists within lists, in which a value is looked for."""


@dataclass(frozen=True)
class Asked:
    """A request and its answer; ``failed`` if student code raised."""

    operation: str
    arguments: tuple[object, ...]
    answer: Any = None
    failed: bool = False


class History:
    """The requests of a session in order, as long as they are few and small."""

    def __init__(self) -> None:
        self._asked: list[Asked] = []
        self._left = MOST_BYTES
        self.seconds = 0.0

    def add(self, asked: Asked, *, size: int, seconds: float) -> None:
        """Keep one more request, whose frames have ``size`` bytes."""
        self._left -= size
        self.seconds += seconds
        if self._left < 0 or len(self._asked) >= MOST_REQUESTS:
            self._left = -1
            self._asked.clear()
        else:
            self._asked.append(asked)

    def up_to(self, value: object) -> tuple[list[Asked], tuple[object, ...]]:
        """The requests up to the last one that answered with ``value``, and where in its answer that is.

        None if no answer holds it, or if there were too many requests.
        """
        for count in range(len(self._asked), 0, -1):
            place = place_of(value, self._asked[count - 1].answer)
            if place is not None:
                return self._asked[:count], place
        return [], ()


class CannotRepeat(Exception):
    """A request has no meaning with other inputs."""


def repeated(
    history: History,
    value: object,
    ask: Requests,
    translate: Callable[[object], object],
    *,
    seconds: float,
) -> object:
    """What student code gives in the place of ``value`` if all is asked again, with translated arguments.

    Everything that the check made on the student's side is made anew, except modules that it provided: what
    these keep between calls may hide an answer, but makes none right. Raises CannotRepeat, and what a request
    raises.
    """
    asked, place = history.up_to(value)
    if not asked:
        raise CannotRepeat
    end = time.monotonic() + seconds
    proxies: dict[int, int] = {ROOT: ROOT}
    answer: object = None
    for number, one in enumerate(asked, start=1):
        if one.operation in LOOKS and number < len(asked):
            continue
        if one.operation == PROVIDE:  # a module of the author's, without inputs: running it takes longest
            proxies.update(pairs_of_proxies(one.answer, one.answer))
            continue
        arguments = [
            # The second argument of `set` is a step of a path, which stays as it is.
            argument
            if one.operation == "set" and place_of_argument == 1
            else translated(argument, proxies, translate, ask)
            for place_of_argument, argument in enumerate(one.arguments)
        ]
        left = end - time.monotonic()
        if left <= 0:
            raise CannotRepeat
        try:
            answer = ask.request(one.operation, *arguments, seconds=left)
        except StudentError:
            if not one.failed:
                raise
            continue
        proxies.update(pairs_of_proxies(one.answer, answer))
    return at_place(answer, place)


def translated(
    value: object, proxies: dict[int, int], translate: Callable[[object], object], ask: Requests
) -> object:
    """An argument with other inputs, and with the proxies of this time."""
    if isinstance(value, Proxy):
        number, path = value._where()
        if number not in proxies:
            raise CannotRepeat
        return Proxy(ask, proxies[number], value._type, path)
    if isinstance(value, list | tuple):
        return type(value)([translated(part, proxies, translate, ask) for part in value])
    if isinstance(value, dict):
        return {key: translated(part, proxies, translate, ask) for key, part in value.items()}
    return translate(value)


def pairs_of_proxies(before: object, now: object) -> Iterator[tuple[int, int]]:
    """The numbers of proxies in two answers, pair by pair."""
    if isinstance(before, Proxy) and isinstance(now, Proxy):
        yield before._where()[0], now._where()[0]
    elif isinstance(before, list | tuple) and isinstance(now, list | tuple):
        for one, other in zip(before, now, strict=False):
            yield from pairs_of_proxies(one, other)
    elif isinstance(before, dict) and isinstance(now, dict):
        for key in before.keys() & now.keys():
            yield from pairs_of_proxies(before[key], now[key])


def place_of(value: object, answer: object, *, depth: int = 0) -> tuple[object, ...] | None:
    """The indices at which an answer holds a value; None if it does not."""
    if is_value(value, answer):
        return ()
    if depth == DEEPEST or not isinstance(answer, list | tuple | dict):
        return None
    parts = answer.items() if isinstance(answer, dict) else enumerate(answer)
    for key, part in parts:
        below = place_of(value, part, depth=depth + 1)
        if below is not None:
            return (key, *below)
    return None


def is_value(value: object, answer: object) -> bool:
    """Whether an answer is this array, or a number or list that an array was made of."""
    if answer is value:
        return True
    if not isinstance(answer, np.ndarray | np.generic | bool | int | float | list):
        return False
    try:
        return bool(np.array_equal(np.asarray(answer), np.asarray(value)))
    except (TypeError, ValueError, OverflowError, CheckError):  # a ragged list, one with proxies in it
        return False


def at_place(answer: object, place: tuple[object, ...]) -> object:
    """What an answer holds at some indices. Raises CannotRepeat if it has none of them."""
    for key in place:
        if not isinstance(answer, list | tuple | dict):
            raise CannotRepeat
        try:
            answer = answer[key]  # type: ignore[call-overload]  # a key of the other answer
        except (LookupError, TypeError):
            raise CannotRepeat from None
    return answer
