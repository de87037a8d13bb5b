"""Arrays as a node of the tree and their bytes: numbers, texts, dates and times."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from grader.inside.wire import (
    MAX_BESIDE_NOTHING,
    MAX_DIMENSIONS,
    MAX_TEXT_LENGTH,
    Buffer,
    NotPlainDataError,
    WireError,
)

Array = np.ndarray[Any, Any]
Take = Callable[[int], memoryview]
"""Hands out the next bytes of a frame; raises WireError if it has fewer."""

_NUMBERS = ("b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")
DTYPES = {dtype.str: dtype for dtype in (np.dtype("<" + name) for name in _NUMBERS)}
TIMES = frozenset(
    f"<{kind}8[{unit}]" for kind in "mM" for unit in ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns")
)
# Their size differs from machine to machine, so they cross as the nearest dtype that does not.
_NARROWED = {np.dtype(np.longdouble).str: "<f8", np.dtype(np.clongdouble).str: "<c16"}

_PER_CHARACTER = 4  # numpy keeps text as UTF-32
_MAX_CODE_POINT = 0x10FFFF
_HALVES = 0xD800 >> 11  # the code points of surrogates, which share their upper bits
_REPLACEMENT = 0xFFFD


def taken_apart(array: Array, form: str) -> tuple[dict[str, Any], Buffer]:
    """The node and the bytes of an array; ``form`` is "array" or, without a dimension, "scalar".

    Raises NotPlainDataError for a dtype that does not cross.
    """
    code = array.dtype.newbyteorder("<").str
    if array.dtype.kind == "U":
        length = max(1, array.dtype.itemsize // _PER_CHARACTER)
        if length > MAX_TEXT_LENGTH:
            raise NotPlainDataError(f"an array of texts of {length:,} characters")
        head: dict[str, Any] = {"$": f"text {form}", "length": length}
        code = f"<U{length}"
    elif code in TIMES:
        head = {"$": f"time {form}", "dtype": code}
    else:
        code = code if code in DTYPES else _NARROWED.get(code, "")
        head = {"$": form, "dtype": code}
    if not code or array.dtype.kind == "V":
        raise NotPlainDataError(f"an array of dtype {str(array.dtype)[:80]}")
    if array.size == 0 and beside_nothing(array.shape) > MAX_BESIDE_NOTHING:
        raise NotPlainDataError(f"an empty array of shape {array.shape}"[:200])
    flat = np.ascontiguousarray(array, dtype=code).reshape(-1)
    return {**head, "shape": list(array.shape)}, flat.view(np.uint8).data if flat.size else b""


def shape_of(node: dict[str, Any]) -> list[int]:
    """The shape that a node claims; how much memory its entries take has to be asked next."""
    shape = node["shape"]
    if type(shape) is not list or len(shape) > MAX_DIMENSIONS:
        raise WireError("bad shape")
    if any(type(length) is not int or not 0 <= length < 1 << 48 for length in shape):
        raise WireError("bad shape")
    if 0 in shape and beside_nothing(shape) > MAX_BESIDE_NOTHING:
        raise WireError("an empty array with long axes")
    return shape


def beside_nothing(shape: Sequence[int]) -> int:
    """How many entries an empty array would have if its axes of length 0 had length 1."""
    return math.prod(length for length in shape if length)


def numbers(node: dict[str, Any], take: Take) -> Array:
    """An array of numbers or booleans, as a private, writable copy."""
    dtype, shape = DTYPES[node["dtype"]], shape_of(node)
    count = math.prod(shape)
    sent = take(count * dtype.itemsize)
    if count == 0:
        return np.empty(shape, dtype)
    array = np.frombuffer(sent, dtype).reshape(shape)
    if dtype.kind != "b":
        return array.copy()
    # A byte that is neither 0 nor 1 would make a bool that is neither False nor True. Without a dimension the
    # comparison gives a scalar.
    return np.asarray(array.view(np.uint8) != 0)


def texts(node: dict[str, Any], take: Take) -> Array:
    """An array of texts, with U+FFFD for each half of a pair that stands alone."""
    shape, length = shape_of(node), node["length"]
    if type(length) is not int or not 1 <= length <= MAX_TEXT_LENGTH:
        raise WireError("bad length of texts")
    count = math.prod(shape)
    sent = take(count * length * _PER_CHARACTER)
    if count == 0:
        return np.empty(shape, f"<U{length}")
    codes = np.frombuffer(sent, "<u4").copy()
    if codes.max() > _MAX_CODE_POINT:
        raise WireError("not text")
    codes[codes >> 11 == _HALVES] = _REPLACEMENT
    return codes.view(f"<U{length}").reshape(shape)


def times(node: dict[str, Any], take: Take) -> Array:
    """An array of dates, times or durations."""
    shape, code = shape_of(node), node["dtype"]
    if type(code) is not str or code not in TIMES:
        raise WireError("not a type of times")
    count = math.prod(shape)
    sent = take(count * 8)
    return np.frombuffer(sent, code).reshape(shape).copy() if count else np.empty(shape, code)


def first_of(array: Array) -> Any:
    """A scalar, which crosses as an array without a dimension."""
    if array.ndim:
        raise WireError("a scalar with a shape")
    return array[()]
