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

HEADER = struct.Struct("<IIQB")

REQUEST, REPLY, ERROR, STREAM, DISPLAY = range(5)

MAX_TREE = 1 << 20
MAX_BUFFER = 256 << 20
MAX_DEPTH = 32
MAX_NODES = 100_000
# Keys of one frame: a hostile sender can make them all collide, and building a dict is then quadratic.
MAX_KEYS = 10_000
MAX_INT_BITS = 4096
MAX_DIMENSIONS = 16
MAX_FLOAT_TEXT = 40

_TYPES = ("b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16")
DTYPES = {dtype.str: dtype for dtype in (np.dtype("<" + name) for name in _TYPES)}

# Their size differs from machine to machine, so they cross as the nearest dtype that does not.
_NARROWED = {np.dtype(np.longdouble).str: "<f8", np.dtype(np.clongdouble).str: "<c16"}

_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

Buffer = bytes | bytearray | memoryview


class WireError(Exception):
    """The other side sent bytes that are not a frame."""


class NotPlainDataError(Exception):
    """A value cannot cross; the message names what it is."""


class Reference(Protocol):
    """Encodes a value that is not plain data, usually as a handle; raises NotPlainDataError."""

    def __call__(self, encoder: Encoder, value: object, depth: int) -> Any:
        """The tree of ``value``, which the encoder has no form for."""


Resolve = Callable[[dict[str, Any], "Decoder"], object]


class Encoder:
    """Turns one value into a JSON tree and a list of buffers."""

    def __init__(self, reference: Reference | None = None) -> None:
        self.buffers: list[Buffer] = []
        self._reference = reference
        self._nodes = 0
        self._keys = 0

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
        if self._reference is not None:
            return self._reference(self, value, depth)
        raise NotPlainDataError(f"an object of type {type(value).__name__[:80]}")

    def array(self, array: np.ndarray[Any, Any], *, form: str = "array") -> dict[str, Any]:
        """An array or numpy scalar of one of the listed dtypes."""
        code = array.dtype.newbyteorder("<").str
        code = code if code in DTYPES else _NARROWED.get(code, "")
        if not code:
            raise NotPlainDataError(f"an array of dtype {str(array.dtype)[:80]}")
        flat = np.ascontiguousarray(array, dtype=DTYPES[code]).reshape(-1)
        self.buffers.append(flat.view(np.uint8).data if flat.size else b"")
        return {"$": form, "dtype": code, "shape": list(array.shape)}

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
    np.ndarray: Encoder._ndarray,
}


def is_plain(value: object) -> bool:
    """Whether there is a form for the value itself; its entries may still be none."""
    return type(value) in _FORMS or isinstance(value, np.generic)


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
        self._buffer = buffer
        self._taken = 0
        self._nodes = 0
        self._keys = 0
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

    def _take(self, size: Any) -> int:
        if type(size) is not int or size < 0 or self._taken + size > len(self._buffer):
            raise WireError("more bytes claimed than sent")
        start, self._taken = self._taken, self._taken + size
        return start

    def _array(self, node: dict[str, Any], _: int) -> np.ndarray[Any, Any]:
        dtype, shape = DTYPES[node["dtype"]], node["shape"]
        if type(shape) is not list or len(shape) > MAX_DIMENSIONS:
            raise WireError("bad shape")
        if any(type(length) is not int or not 0 <= length < 1 << 48 for length in shape):
            raise WireError("bad shape")
        count = math.prod(shape)
        start = self._take(count * dtype.itemsize)
        if count == 0:
            return np.empty(shape, dtype)
        sent = np.frombuffer(self._buffer, dtype, count, start).reshape(shape)
        if dtype.kind != "b":
            return sent.copy()
        # A byte that is neither 0 nor 1 would make a bool that is neither False nor True. Without a dimension
        # the comparison gives a scalar.
        return np.asarray(sent.view(np.uint8) != 0)

    def _scalar(self, node: dict[str, Any], depth: int) -> Any:
        array = self._array(node, depth)
        if array.ndim:
            raise WireError("a scalar with a shape")
        return array[()]

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
        start = self._take(node["length"])
        return bytes(self._buffer[start : start + node["length"]])

    def _int(self, node: dict[str, Any], _: int) -> int:
        digits = node["hex"]
        if type(digits) is not str or len(digits) > MAX_INT_BITS // 4 + 3:
            raise WireError("malformed int")
        return int(digits, 16)


_READERS: dict[str, Callable[[Decoder, dict[str, Any], int], Any]] = {
    "array": Decoder._array,
    "scalar": Decoder._scalar,
    "tuple": Decoder._tuple,
    "dict": Decoder._dict,
    "float": Decoder._float,
    "complex": Decoder._complex,
    "bytes": Decoder._bytes,
    "int": Decoder._int,
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


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each half of a pair that stands alone, which no file or page could hold."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


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
