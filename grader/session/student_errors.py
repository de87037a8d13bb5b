"""A student's exception as an error that ``except ValueError`` and ``pytest.raises(ValueError)`` catch.

Only Python's and numpy's own classes are made of a name that came from the student's process; a class of the
student's is known by its name alone.
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Sequence

import numpy as np

from grader.model.errors import StudentError

MAX_NAMES = 20
"""Names of classes that an exception may have; no library's has as many."""
_NUMPY: dict[str, type[Exception]] = {
    "LinAlgError": np.linalg.LinAlgError,
    "AxisError": np.exceptions.AxisError if hasattr(np, "exceptions") else IndexError,
}
# Generators and contexts end on the first two, and the third's subclasses insist on arguments of their own.
_NEVER = (StopIteration, StopAsyncIteration)
_AS_THEIR_BASE = (UnicodeError,)


def student_error(
    kinds: Sequence[str],
    message: str,
    traceback: str,
    place: tuple[str, int, int] | None,
) -> StudentError:
    """The error for an exception whose class has these names, from the class itself to its bases."""
    names = tuple(kinds[:MAX_NAMES])
    return _class_for(names)(names[0], message, traceback, place=place, kinds=names)


@functools.lru_cache(maxsize=256)
def _class_for(names: tuple[str, ...]) -> type[StudentError]:
    """A class that is a StudentError and whatever of Python's and numpy's the names are."""
    known: list[type[Exception]] = []
    for found in filter(None, map(_known, names)):
        if not any(issubclass(other, found) for other in known):
            known.append(found)
    for bases in (tuple(known), tuple(known[:1])):
        try:
            return type("StudentError", (StudentError, *bases), {"__module__": StudentError.__module__})
        except TypeError:  # no common layout in memory
            continue
    return StudentError


def _known(name: str) -> type[Exception] | None:
    """Python's or numpy's exception of this name that may be raised here too."""
    found = _NUMPY.get(name) or getattr(builtins, name, None)
    if not isinstance(found, type) or not issubclass(found, Exception) or issubclass(found, _NEVER):
        return None
    return next((base for base in _AS_THEIR_BASE if issubclass(found, base)), found)
