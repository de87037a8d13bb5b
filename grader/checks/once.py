"""What is computed once, by whichever thread asks first; the others wait for it."""

from __future__ import annotations

import functools
import hashlib
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import fields, is_dataclass
from typing import ParamSpec, TypeVar

import numpy as np

MOST = 256
"""Results that a function keeps; then the oldest go."""

Taken = ParamSpec("Taken")
Given = TypeVar("Given")


def computed_once(function: Callable[Taken, Given]) -> Callable[Taken, Given]:
    """The function, which computes for equal arguments once: a check finds what a replay has computed ahead.

    Arguments are arrays, numbers, texts, and mappings, sequences and dataclasses of them; arrays count by
    their bytes, and how an argument is passed makes no difference. Nobody may write into a result. What was
    raised is raised by the next call anew.
    """
    found: dict[bytes, Future[Given]] = {}
    lock, signature = threading.Lock(), inspect.signature(function)

    @functools.wraps(function)
    def once(*args: Taken.args, **by_name: Taken.kwargs) -> Given:
        asked = signature.bind(*args, **by_name)
        asked.apply_defaults()  # an argument left out is its default's equal, a positional one its name's
        digest = hashlib.sha256()
        for part in _parts(asked.arguments):
            digest.update(part)
        key = digest.digest()
        with lock:
            future = found.get(key)
            mine = future is None
            if future is None:
                future = found[key] = Future()
                for old in list(found)[:-MOST]:
                    del found[old]
        if mine:
            try:
                future.set_result(function(*args, **by_name))
            except BaseException as error:
                with lock:
                    found.pop(key, None)
                future.set_exception(error)
                raise
        return future.result()

    return once


def _parts(value: object) -> Iterator[bytes]:
    """Bytes that tell a value from every other one."""
    if isinstance(value, np.ndarray):
        yield f"array {value.dtype.str} {value.shape} ".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, Mapping):
        yield f"mapping {len(value)} ".encode()
        for key in sorted(value):
            yield from _parts(key)
            yield from _parts(value[key])
    elif isinstance(value, tuple | list):
        yield f"sequence {len(value)} ".encode()
        for entry in value:
            yield from _parts(entry)
    elif is_dataclass(value):
        yield from _parts([getattr(value, field.name) for field in fields(value)])
    elif isinstance(value, str | int | float | None):
        said = repr(value)
        yield f"plain {len(said)} {said} ".encode()
    else:
        raise TypeError(f"computed_once: an argument of type {type(value).__name__} cannot be compared")
