"""Weights that a recording holds, as arrays: what the template's ``pack_weights`` wrote, strictly read.

``{"L1.W": {"shape": [784, 128], "type": "int8", "data": "...", "scale": "..."}}``: little-endian numbers in C
order, as base64. The type is float32, float16 or int8; int8 has one float32 scale for each row (the first
axis), a vector being one row. All of it comes from a student's file: the caller says which arrays there must
be, and every length is compared with theirs before anything is decoded.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from grader.model.errors import BadEvidence
from grader.model.text import snippet

Weights = dict[str, NDArray[np.float32]]

_TYPES = {"float32": "<f4", "float16": "<f2", "int8": "|i1"}


def unpack_weights(raw: object, *, shapes: Mapping[str, tuple[int, ...]], name: str = "`weights`") -> Weights:
    """The arrays that a recording packed, as float32, with exactly these names and shapes.

    Raises BadEvidence, one line, for anything else: other names, shapes or lengths, and numbers that are not
    finite.
    """
    if not isinstance(raw, dict) or raw.keys() != shapes.keys():
        wanted = snippet(", ".join(shapes), limit=120)
        raise BadEvidence(f"{name} does not hold the arrays that this model has ({wanted})")
    return {key: _array(raw[key], shape, f"{name}: {key}") for key, shape in shapes.items()}


def _array(entry: object, shape: tuple[int, ...], name: str) -> NDArray[np.float32]:
    if not isinstance(entry, dict) or entry.get("shape") != list(shape):
        raise BadEvidence(f"{name} does not have the shape {shape}")
    kind = entry.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise BadEvidence(f"{name} is of none of the types {', '.join(_TYPES)}")
    values = _numbers(entry.get("data"), _TYPES[kind], math.prod(shape), name).reshape(shape)
    if kind == "int8":
        rows = shape[0] if len(shape) > 1 else 1
        scale = _numbers(entry.get("scale"), "<f4", rows, f"{name}, its scale")
        with np.errstate(all="ignore"):
            values = (values.reshape(rows, -1) * scale[:, None]).reshape(shape)
    if not bool(np.isfinite(values).all()):
        raise BadEvidence(f"{name} holds numbers that are not finite")
    return values


def _numbers(text: object, kind: str, count: int, name: str) -> NDArray[np.float32]:
    """So many numbers of this type, as float32."""
    size = count * np.dtype(kind).itemsize
    if not isinstance(text, str) or len(text) != 4 * -(-size // 3):
        raise BadEvidence(f"{name} does not hold the {count:,} numbers of its shape")
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        data = b""
    if len(data) != size:
        raise BadEvidence(f"{name} is not base64 of the {count:,} numbers of its shape")
    return np.frombuffer(data, kind).astype(np.float32)
