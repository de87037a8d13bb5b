"""Student values as arrays: whatever is not a regular array of numbers fails the check, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.checks.formatting import shape_text
from grader.model.errors import AuthorError, CheckFailed
from grader.model.text import snippet
from grader.model.values import Remote

Array = np.ndarray[Any, np.dtype[Any]]
"""An array of any shape and numeric dtype."""

Shape = tuple[int | None, ...]
"""An expected shape; None stands for any length."""

_NUMERIC = "biufc"
_DEEPEST_LIST = 32


def as_array(value: object, *, shape: Shape | None = None, name: str = "value") -> Array:
    """``value`` as an array of numbers or truth values; arrays are passed through, not copied.

    Takes arrays, numbers, (nested) lists and tuples of them, and proxies, whose plain values are fetched.
    ``shape``, if given, must match exactly; None in it stands for any length. Raises CheckFailed for None,
    text, other objects, ragged lists, object arrays and wrong shapes.
    """
    array = _numeric(_fetched(value, name=name), name=name)
    if shape is not None and not _fits(array.shape, shape):
        wanted = str(shape).replace("None", "any")
        raise CheckFailed(f"{name} has {shape_text(array.shape)}, expected shape {wanted}.")
    return array


def expected_array(value: object, *, name: str, equal_nan: bool = False) -> Array:
    """The author's side of a comparison. Raises AuthorError for proxies and anything but numbers.

    NaN is one of these, unless ``equal_nan``.
    """
    if isinstance(value, Remote):
        raise AuthorError(f"{name}: the expected value is a student's object; fetch it with as_array() first")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise AuthorError(f"{name}: the expected value is no array: {error}") from None
    if array.dtype.kind not in _NUMERIC:
        raise AuthorError(f"{name}: the expected value is no array of numbers (dtype {array.dtype})")
    if not equal_nan and array.dtype.kind in "fc" and bool(np.isnan(array).any()):
        raise AuthorError(
            f"{name}: the expected value contains NaN, which nothing equals; "
            "where NaN is right, write assert_close(..., equal_nan=True)"
        )
    return array


def squeezed(array: Array, shape: tuple[int, ...]) -> Array:
    """``array`` in ``shape`` if the two differ only by a leading axis of length 1, else unchanged.

    (D,) fits (1, D) and vice versa; (D, 1) never fits (D,) or (1, D).
    """
    alike = (1, *array.shape) == shape or array.shape == (1, *shape)
    return array.reshape(shape) if alike else array


def _fits(shape: tuple[int, ...], wanted: Shape) -> bool:
    return len(shape) == len(wanted) and all(
        want is None or have == want for have, want in zip(shape, wanted, strict=True)
    )


def _fetched(value: object, *, name: str, depth: int = 0) -> object:
    """Proxies replaced by their plain values, also inside lists and tuples."""
    if isinstance(value, Remote):
        return _fetched(value.value, name=name, depth=depth)
    if isinstance(value, list | tuple):
        if depth == _DEEPEST_LIST:
            raise CheckFailed(f"{name} is a list nested more than {_DEEPEST_LIST} deep, expected an array.")
        return [_fetched(entry, name=name, depth=depth + 1) for entry in value]
    if isinstance(value, range):
        return list(value)
    if type(value).__module__.partition(".")[0] == "pandas":  # a series, a frame or an index
        return np.asarray(value)
    return value


def _numeric(value: object, *, name: str) -> Array:
    if value is None:
        raise CheckFailed(f"{name} is None, expected an array. Is a `return` missing?")
    if not isinstance(value, np.ndarray | np.generic | bool | int | float | complex | list):
        raise CheckFailed(f"{name} is {_described(value)}, expected an array of numbers.")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, OverflowError):
        raise CheckFailed(
            f"{name} is a list whose rows differ in length or hold no numbers, expected an array of numbers."
        ) from None
    if array.dtype.kind not in _NUMERIC:
        dtype = snippet(str(array.dtype), limit=30)
        raise CheckFailed(f"{name} is an array of dtype {dtype}, expected an array of numbers.")
    return array


def _described(value: object) -> str:
    kind = snippet(type(value).__name__, limit=40)
    if isinstance(value, str):
        return f"the text '{snippet(value, limit=40)}'"
    return f"of type {kind}"
