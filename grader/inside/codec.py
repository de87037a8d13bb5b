"""The wire format: plain data only, by exact type, every size checked before memory is taken.

A frame is a header, a JSON tree and the raw bytes of its arrays::

    header  <IIQB  length of the tree, length of the buffer, request id, kind
    tree    JSON; None, bool, str, list, finite floats and 64-bit ints stand for themselves,
            everything else is an object whose "$" names its form
    buffer  little-endian array bytes and byte strings, in the order the tree mentions them

Nothing here unpickles, evaluates, imports or calls anything that the other side names. Both sides use this
module; it must import nothing but the standard library and numpy.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from grader.inside import array_forms, tables
from grader.inside.array_forms import DTYPES, TIMES, first_of
from grader.inside.wire import (
    MAX_BESIDE_NOTHING,
    MAX_BUFFER,
    MAX_DEPTH,
    MAX_FLOAT_TEXT,
    MAX_INT_BITS,
    MAX_KEYS,
    MAX_NODES,
    MAX_STEPS,
    MAX_TREE,
    Buffer,
    NotPlainDataError,
    WireError,
    length_of,
    without_surrogates,
)

__all__ = [
    "DISPLAY", "DTYPES", "ERROR", "HEADER", "MAX_BUFFER", "MAX_DEPTH", "MAX_INT_BITS", "MAX_KEYS",
    "MAX_NODES", "MAX_STEPS", "MAX_TREE", "REPLY", "REQUEST", "STREAM", "TIMES", "Buffer", "Decoder",
    "Encoder", "NotPlainDataError", "Reference", "Resolve", "WireError", "is_key", "is_plain", "pack",
    "parse_header", "unpack", "without_surrogates",
]  # fmt: skip

HEADER = struct.Struct("<IIQB")

REQUEST, REPLY, ERROR, STREAM, DISPLAY = range(5)

_IN_OBJECT_ARRAYS = frozenset({type(None), bool, int, float, complex, str})
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_RANGE_PARTS = 3  # start, stop, step


class Reference(Protocol):
    """Encodes a value that is not plain data, usually as a handle; raises NotPlainDataError."""

    def __call__(self, encoder: Encoder, value: object, depth: int) -> Any:
        """The tree of ``value``, which the encoder has no form for."""


OBJECT = "an object of type"
"""How the reason begins for what is no plain data at all, unlike what is too large or too deep."""

Resolve = Callable[[dict[str, Any], "Decoder"], object]


class Encoder:
    """Turns one value into a JSON tree and a list of buffers."""

    def __init__(self, reference: Reference | None = None) -> None:
        self.buffers: list[Buffer] = []
        self._reference = reference
        self._nodes = self._keys = self._steps = 0

    def encode(self, value: object, depth: int = 0) -> Any:
        """The tree of ``value``. Raises NotPlainDataError for what may not cross."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise NotPlainDataError(f"more than {MAX_NODES:,} values in lists and dicts (use an array)")
        if depth > MAX_DEPTH:
            raise NotPlainDataError(f"lists or dicts nested more than {MAX_DEPTH} deep")
        form = _FORMS.get(type(value))
        if form is not None:
            return form(self, value, depth)
        if isinstance(value, (np.str_, np.bytes_)):
            return self.encode(value.item(), depth)
        if isinstance(value, np.generic):
            return self.array(np.asarray(value), form="scalar")
        table = self._table(value)
        if table is not None:
            form_name, content = table
            return {"$": form_name, "of": self.encode(content, depth + 1)}
        if self._reference is not None:
            return self._reference(self, value, depth)
        raise NotPlainDataError(f"{OBJECT} {type(value).__name__[:80]}")

    @staticmethod
    def _table(value: object) -> tuple[str, dict[str, Any]] | None:
        try:
            return tables.as_tree(value)
        except tables.NotPlain as error:
            raise NotPlainDataError(str(error)) from None

    def array(self, array: np.ndarray[Any, Any], *, form: str = "array") -> dict[str, Any]:
        """An array or numpy scalar of numbers, texts, dates or times, or an array of plain objects."""
        if array.dtype.kind == "O":
            return self._objects(array)
        node, data = array_forms.taken_apart(array, form)
        self.buffers.append(data)
        return node

    def _objects(self, array: np.ndarray[Any, Any]) -> dict[str, Any]:
        """An array of Python's own plain values, as of texts of any length."""
        if array.size == 0 and array_forms.beside_nothing(array.shape) > MAX_BESIDE_NOTHING:
            raise NotPlainDataError(f"an empty array of shape {array.shape}"[:200])
        entries = array.reshape(-1).tolist()
        for entry in entries:
            if type(entry) not in _IN_OBJECT_ARRAYS:
                raise NotPlainDataError(f"an array of objects of type {type(entry).__name__[:80]}")
        return {"$": "objects", "of": self.encode(entries), "shape": list(array.shape)}

    def _range(self, value: range, _: int) -> Any:
        self._steps += length_of(value)
        if self._steps > MAX_STEPS:
            raise NotPlainDataError(f"ranges of more than {MAX_STEPS:,} numbers")
        return {"$": "range", "of": [self._int(part, 0) for part in (value.start, value.stop, value.step)]}

    def _set(self, value: set[Any] | frozenset[Any], depth: int) -> Any:
        self._keys += len(value)
        if self._keys > MAX_KEYS:
            raise NotPlainDataError(f"sets with more than {MAX_KEYS:,} members")
        if not all(map(is_key, value)):
            raise NotPlainDataError("a set with a member that is no number, text or tuple of them")
        form = "set" if type(value) is set else "frozenset"
        return {"$": form, "of": [self.encode(entry, depth + 1) for entry in value]}

    def _plain(self, value: Any, _: int) -> Any:
        return value

    def _int(self, value: int, _: int) -> Any:
        if -(1 << 63) <= value < 1 << 63:
            return value
        if value.bit_length() > MAX_INT_BITS:
            raise NotPlainDataError(f"an int of {value.bit_length()} bits")
        return {"$": "int", "hex": hex(value)}

    def _float(self, value: float, _: int) -> Any:
        return value if math.isfinite(value) else {"$": "float", "is": repr(value)}

    def _complex(self, value: complex, _: int) -> Any:
        return {"$": "complex", "parts": [repr(value.real), repr(value.imag)]}

    def _bytes(self, value: bytes, _: int) -> Any:
        self.buffers.append(value)
        return {"$": "bytes", "length": len(value)}

    def _list(self, value: list[Any], depth: int) -> Any:
        return [self.encode(entry, depth + 1) for entry in value]

    def _tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        return {"$": "tuple", "of": [self.encode(entry, depth + 1) for entry in value]}

    def _dict(self, value: dict[Any, Any], depth: int) -> Any:
        self._keys += len(value)
        if self._keys > MAX_KEYS:
            raise NotPlainDataError(f"dicts with more than {MAX_KEYS:,} keys")
        pairs = []
        for key, entry in value.items():
            if not is_key(key):
                raise NotPlainDataError(f"a dict with a key of type {type(key).__name__[:80]}")
            pairs.append([self.encode(key, depth + 1), self.encode(entry, depth + 1)])
        return {"$": "dict", "of": pairs}

    def _ndarray(self, value: np.ndarray[Any, Any], _: int) -> Any:
        return self.array(value)


_KEY_TYPES = (type(None), bool, int, float, complex, str, bytes)


def is_key(value: object) -> bool:
    """Whether a value may be a dict's key: hashed and compared by Python's and numpy's own code alone."""
    if type(value) is tuple:
        return all(map(is_key, value))
    return type(value) in _KEY_TYPES or isinstance(value, np.generic)


_FORMS: dict[type, Callable[[Encoder, Any, int], Any]] = {
    type(None): Encoder._plain,
    bool: Encoder._plain,
    str: Encoder._plain,
    int: Encoder._int,
    float: Encoder._float,
    complex: Encoder._complex,
    bytes: Encoder._bytes,
    list: Encoder._list,
    tuple: Encoder._tuple,
    dict: Encoder._dict,
    set: Encoder._set,
    frozenset: Encoder._set,
    range: Encoder._range,
    np.ndarray: Encoder._ndarray,
}


def is_plain(value: object) -> bool:
    """Whether there is a form for the value itself; its entries may still be none."""
    return type(value) in _FORMS or isinstance(value, np.generic) or tables.is_table(value)


def pack(kind: int, request: int, value: object, reference: Reference | None = None) -> list[Buffer]:
    """One frame as a list of buffers to send in order. Raises NotPlainDataError."""
    encoder = Encoder(reference)
    tree = json.dumps(encoder.encode(value), separators=(",", ":"), allow_nan=False).encode()
    if len(tree) > MAX_TREE:
        raise NotPlainDataError(f"{len(tree):,} bytes of text, more than {MAX_TREE:,}")
    size = sum(len(buffer) for buffer in encoder.buffers)
    if size > MAX_BUFFER:
        raise NotPlainDataError(f"{size:,} bytes of arrays, more than {MAX_BUFFER:,}")
    return [HEADER.pack(len(tree), size, request, kind), tree, *encoder.buffers]


class Decoder:
    """Rebuilds one value; raises WireError for everything that ``Encoder`` would not have sent.

    Arrays come as private, writable copies. ``resolve`` gives a handle's value; without it none is allowed.
    """

    def __init__(self, buffer: Buffer, resolve: Resolve | None = None) -> None:
        self._buffer = memoryview(buffer)
        self._taken = 0
        self._nodes = self._keys = self._steps = 0
        self._resolve = resolve

    def decode(self, node: Any, depth: int = 0) -> Any:
        """The value of one tree node."""
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise WireError("tree too deep or too large")
        kind = type(node)
        if node is None or kind is bool or kind is int or kind is float:
            return node
        if kind is str:
            return node if node.isascii() else without_surrogates(node)
        if kind is list:
            return [self.decode(entry, depth + 1) for entry in node]
        return self._form(node, depth)

    def finish(self) -> None:
        """Refuse bytes that no node asked for."""
        if self._taken != len(self._buffer):
            raise WireError("bytes left over")

    def _form(self, node: dict[str, Any], depth: int) -> Any:
        name = node.get("$")
        if name == "ref":
            if self._resolve is None:
                raise WireError("a handle where only data may be")
            return self._resolve(node, self)
        read = _READERS.get(name) if type(name) is str else None
        if read is None:
            raise WireError("unknown form")
        try:
            return read(self, node, depth)
        except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError):
            raise WireError(f"malformed {name}") from None

    def take(self, size: Any) -> memoryview:
        """The next bytes of the buffer."""
        if type(size) is not int or size < 0 or self._taken + size > len(self._buffer):
            raise WireError("more bytes claimed than sent")
        start, self._taken = self._taken, self._taken + size
        return self._buffer[start : self._taken]

    def _objects(self, node: dict[str, Any], depth: int) -> np.ndarray[Any, Any]:
        shape, entries = array_forms.shape_of(node), self.decode(node["of"], depth + 1)
        if type(entries) is not list or math.prod(shape) != len(entries):
            raise WireError("bad shape")
        if any(type(entry) not in _IN_OBJECT_ARRAYS for entry in entries):
            raise WireError("not plain values")
        array = np.empty(len(entries), dtype=object)
        array[:] = entries
        return array.reshape(shape)

    def _range(self, node: dict[str, Any], depth: int) -> range:
        parts = self.decode(node["of"], depth + 1)
        if type(parts) is not list or [type(part) for part in parts] != [int] * _RANGE_PARTS:
            raise WireError("malformed range")
        found = range(*parts)
        self._steps += length_of(found)
        if self._steps > MAX_STEPS:
            raise WireError("too many numbers in ranges")
        return found

    def _set(self, node: dict[str, Any], depth: int) -> Any:
        if type(node["of"]) is not list:
            raise WireError("malformed set")
        self._keys += len(node["of"])
        if self._keys > MAX_KEYS:
            raise WireError("too many members")
        members = [self.decode(entry, depth + 1) for entry in node["of"]]
        if not all(map(is_key, members)):
            raise WireError("malformed set")
        return set(members) if node["$"] == "set" else frozenset(members)

    def _table(self, node: dict[str, Any], depth: int) -> Any:
        content = self.decode(node["of"], depth + 1)
        try:
            return tables.from_tree(node["$"], content)
        except Exception:  # noqa: BLE001  # whatever pandas makes of a hostile table
            raise WireError(f"malformed {node['$']}") from None

    def _tuple(self, node: dict[str, Any], depth: int) -> Any:
        if type(node["of"]) is not list:
            raise WireError("malformed tuple")
        return tuple(self.decode(entry, depth + 1) for entry in node["of"])

    def _dict(self, node: dict[str, Any], depth: int) -> Any:
        if type(node["of"]) is not list:
            raise WireError("malformed dict")
        self._keys += len(node["of"])
        if self._keys > MAX_KEYS:
            raise WireError("too many keys")
        found: dict[Any, Any] = {}
        for key, entry in node["of"]:
            # Looked up in two steps: array bytes were written key first.
            name = self.decode(key, depth + 1)
            if not is_key(name):
                raise WireError("malformed key")
            found[name] = self.decode(entry, depth + 1)
        return found

    def _float(self, node: dict[str, Any], _: int) -> float:
        return _NOT_FINITE[node["is"]]

    def _complex(self, node: dict[str, Any], _: int) -> complex:
        real, imaginary = node["parts"]
        if (
            type(real) is not str
            or type(imaginary) is not str
            or max(len(real), len(imaginary)) > MAX_FLOAT_TEXT
        ):
            raise WireError("malformed complex")
        return complex(float(real), float(imaginary))

    def _bytes(self, node: dict[str, Any], _: int) -> bytes:
        return bytes(self.take(node["length"]))

    def _int(self, node: dict[str, Any], _: int) -> int:
        digits = node["hex"]
        if type(digits) is not str or len(digits) > MAX_INT_BITS // 4 + 3:
            raise WireError("malformed int")
        return int(digits, 16)


_READERS: dict[str, Callable[[Decoder, dict[str, Any], int], Any]] = {
    "array": lambda decoder, node, _: array_forms.numbers(node, decoder.take),
    "scalar": lambda decoder, node, _: first_of(array_forms.numbers(node, decoder.take)),
    "text array": lambda decoder, node, _: array_forms.texts(node, decoder.take),
    "text scalar": lambda decoder, node, _: first_of(array_forms.texts(node, decoder.take)),
    "time array": lambda decoder, node, _: array_forms.times(node, decoder.take),
    "time scalar": lambda decoder, node, _: first_of(array_forms.times(node, decoder.take)),
    "objects": Decoder._objects,
    "tuple": Decoder._tuple,
    "dict": Decoder._dict,
    "set": Decoder._set,
    "frozenset": Decoder._set,
    "range": Decoder._range,
    "float": Decoder._float,
    "complex": Decoder._complex,
    "bytes": Decoder._bytes,
    "int": Decoder._int,
    **dict.fromkeys(("series", "frame", "index", "categorical"), Decoder._table),
}


def unpack(tree: Buffer, buffer: Buffer, resolve: Resolve | None = None) -> Any:
    """The value of one frame. Raises WireError for anything malformed; never anything else."""
    try:
        nodes = json.loads(bytes(tree), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise WireError("not JSON") from None
    decoder = Decoder(buffer, resolve)
    value = decoder.decode(nodes)
    decoder.finish()
    return value


def _no_constant(name: str) -> Any:
    raise WireError(f"{name} is not JSON")


def parse_header(
    header: Buffer, *, max_tree: int = MAX_TREE, max_buffer: int = MAX_BUFFER
) -> tuple[int, int, int, int]:
    """(tree length, buffer length, request id, kind); raises WireError before anything is allocated."""
    tree, buffer, request, kind = HEADER.unpack(header)
    if tree > max_tree or buffer > max_buffer:
        raise WireError(f"a frame of {tree + buffer:,} bytes")
    return tree, buffer, request, kind
