"""Plain data for what only looks different: tensors of any library, subclasses of containers, iterators."""

from __future__ import annotations

import dataclasses
import enum
import itertools
import sys
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from typing import Any

import numpy as np

from grader.inside import codec

MAX_ENTRIES = 50_000
MAX_SIZE = 64 << 20
"""Values that are taken from an iterator, and bytes of their arrays: one that has more is endless."""

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
_CONTAINERS: dict[type, Callable[[Any], Any]] = {
    dict: lambda value: dict(dict.items(value)),
    list: lambda value: list(list.__iter__(value)),
    tuple: lambda value: tuple(tuple.__iter__(value)),
    set: lambda value: set(set.__iter__(value)),
    frozenset: lambda value: frozenset(frozenset.__iter__(value)),
}
# By the base's own methods: `str(member)` of a text enum is the name of its class and member.
_SCALARS: dict[type, Callable[[Any], Any]] = {
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
}


class EndlessError(codec.NotPlainDataError):
    """An iterator had more values than cross; ``instead`` gives all of them once more."""

    def __init__(self, instead: object) -> None:
        super().__init__(f"an iterator with more than {MAX_ENTRIES:,} values or {MAX_SIZE >> 20} MiB")
        self.instead = instead


def as_plain(value: object, *, asked: bool = False) -> object:
    """``value`` as plain data if it only looks different, else itself. Raises NotPlainDataError.

    With ``asked`` it was asked for as data, so containers of the notebook's own classes are their entries.
    """
    kind = type(value)  # never isinstance: it asks the object's own __class__
    if kind in _ITERATORS or issubclass(kind, KeysView | ValuesView | ItemsView):
        return _taken(iter(value))  # type: ignore[call-overload]  # all of them can be gone through
    try:
        converted = _library_value(value)
    except codec.NotPlainDataError:
        raise
    except Exception:  # noqa: BLE001  # whatever a library makes of it: then it stays what it is
        return value
    return _base_of(value, asked=asked) if converted is value else converted


def fields_of(value: object) -> object:
    """A data class's fields by name, an enumeration's value; anything else as it is.

    For a value that was asked for as data.
    """
    if issubclass(type(value), enum.Enum):
        return value._value_  # type: ignore[attr-defined]
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


def _library_value(value: Any) -> object:
    """The array in an object of a library for arrays, tensors or tables; anything else as it is."""
    kind = type(value)
    if issubclass(kind, np.ndarray) and kind is not np.ndarray:
        return np.array(value, subok=False)
    torch = sys.modules.get("torch")
    if torch is not None and issubclass(kind, torch.Tensor):
        return tensor_as_array(torch, value)
    if kind.__module__.startswith("scipy.sparse"):
        return _dense(value)
    of_library = kind.__module__.partition(".")[0] in _ARRAY_LIBRARIES
    if not of_library or not hasattr(value, "__array__") or not hasattr(value, "shape"):
        return value
    if hasattr(value, "to_dict") and hasattr(value, "columns"):  # a frame of polars
        return {name: np.asarray(value[name]) for name in value.columns}
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "V" else array  # bfloat16


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
    """What an iterator gives. Raises EndlessError for one that gives too much."""
    taken: list[object] = []
    size = 0
    for value in values:
        taken.append(value)
        size += getattr(value, "nbytes", 0) if isinstance(value, np.ndarray) else 0
        if len(taken) > MAX_ENTRIES or size > MAX_SIZE:
            raise EndlessError(itertools.chain(taken, values))
    return taken


def _base_of(value: object, *, asked: bool) -> object:
    """An object of a subclass of Python's own types as one of that type, whatever the subclass overrides.

    A container whose class the submission defines, with attributes or methods of its own, is more than its
    entries: it stays an object, unless it was asked for as data.
    """
    kind = type(value)
    for base, plain in _SCALARS.items():
        if issubclass(kind, base) and kind is not base and kind is not bool:
            return plain(value)
    for base, plain in _CONTAINERS.items():
        if issubclass(kind, base) and kind is not base:
            named = base is tuple and hasattr(kind, "_fields")
            return value if not asked and not named and _says_more(kind, base) else plain(value)
    return value


def _says_more(kind: type, base: type) -> bool:
    """Whether a class is the submission's own and gives what its base does not."""
    return _is_own(kind) and (
        "__init__" in vars(kind)
        or any(not name.startswith("__") and not hasattr(base, name) for name in dir(kind))
    )


def _is_own(kind: type) -> bool:
    """Whether a class comes from the notebook or a file beside it, and not from anything installed."""
    module: Any = sys.modules.get(kind.__module__)
    if module is None or module is sys.modules.get("__main__"):
        return True
    place = getattr(module, "__file__", None)
    installed = (sys.prefix, sys.base_prefix)
    return place is not None and "-packages" not in place and not place.startswith(installed)
