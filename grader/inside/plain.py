"""Plain data for what only looks different: tensors of any library, subclasses of containers, iterators."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

import numpy as np

from grader.inside import codec

MAX_ENTRIES = 50_000
"""Values that are taken from an iterator; one that has more is endless for a check."""

# Libraries whose arrays are arrays of numbers and nothing else, by the first part of their module's name.
_ARRAY_LIBRARIES = frozenset({"cupy", "jax", "jaxlib", "polars", "tensorflow", "xarray"})
# Types that are iterators over plain values, whatever made them.
_ITERATORS: tuple[type, ...] = (
    type(_ for _ in ()),
    map, filter, zip, enumerate, reversed, itertools.chain, itertools.islice, itertools.count,
    itertools.cycle, itertools.repeat, itertools.accumulate, itertools.product, itertools.permutations,
    itertools.combinations, itertools.takewhile, itertools.dropwhile, itertools.starmap,
    type(iter([])), type(iter(())), type(iter({})), type(iter({}.values())), type(iter({}.items())),
    type(iter(set())), type(iter(range(0))), type(iter("")),
)  # fmt: skip
_CONTAINERS: tuple[type, ...] = (dict, list, tuple, set, frozenset)
_SCALARS: tuple[type, ...] = (bool, int, float, complex, str, bytes)


def as_plain(value: object) -> object:
    """``value`` as plain data if it only looks different, else itself. Raises NotPlainDataError."""
    if isinstance(value, np.ndarray) and type(value) is not np.ndarray:
        return np.array(value, subok=False)
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return tensor_as_array(torch, value)
    if type(value).__module__.partition(".")[0] in _ARRAY_LIBRARIES:
        return _library_array(value)
    if type(value) in _ITERATORS or isinstance(value, KeysView | ValuesView | ItemsView):
        return _taken(iter(value))  # type: ignore[call-overload]  # all of them can be gone through
    if type(value).__module__.startswith("scipy.sparse"):
        return _dense(value)
    return _base_of(value)


def fields_of(value: object) -> object:
    """A data class's fields by name; anything else as it is. For a value that was asked for as data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return value


def tensor_as_array(torch: Any, tensor: Any) -> np.ndarray[Any, Any]:
    """A tensor's values, dense; dtypes that numpy lacks, such as bfloat16, as float32."""
    plain = tensor.detach().cpu()
    if plain.layout is not torch.strided:
        plain = plain.to_dense()
    plain = plain.resolve_conj().resolve_neg()
    try:
        return np.array(plain.numpy())
    except TypeError:
        return np.array(plain.float().numpy())


def _library_array(value: Any) -> object:
    """An array of JAX and the like; bfloat16 as float32. A frame of polars is a dict of its columns."""
    if not hasattr(value, "__array__") or not hasattr(value, "shape"):
        return value
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return {name: np.asarray(value[name]) for name in value.columns}
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "V" else array


def _dense(value: Any) -> object:
    """A sparse matrix as an array, if it is no larger than what may cross."""
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if not hasattr(value, "toarray") or shape is None or dtype is None:
        return value
    size = np.dtype(dtype).itemsize
    for length in shape:
        size *= length
    if size > codec.MAX_BUFFER:
        raise codec.NotPlainDataError(f"a sparse matrix of {size:,} bytes once it is dense")
    return np.asarray(value.toarray())


def _taken(values: Iterator[object]) -> list[object]:
    """What an iterator gives. Raises NotPlainDataError for one that does not end in time."""
    taken = list(itertools.islice(values, MAX_ENTRIES + 1))
    if len(taken) > MAX_ENTRIES:
        raise codec.NotPlainDataError(f"an iterator with more than {MAX_ENTRIES:,} values")
    return taken


def _base_of(value: object) -> object:
    """An object of a subclass of Python's own types as one of that type, whatever the subclass overrides.

    A class that the notebook itself derives from them may be more than its entries: it stays an object.
    """
    if type(value).__module__ == "__main__" and not isinstance(value, tuple):
        return value
    for base in (*_CONTAINERS, *_SCALARS):
        if isinstance(value, base) and type(value) is not base:
            if base is dict:
                return dict(dict.items(value))  # type: ignore[arg-type]
            if base in _CONTAINERS:
                return base(base.__iter__(value))  # type: ignore[attr-defined]
            return base.__new__(base, value)
    return value
