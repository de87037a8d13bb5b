"""A student's saved weights, as bytes: safetensors or npz, parsed here and strictly; never a pickle.

Hostile bytes are at most a wrong answer. Every stated size is compared with the bytes that are really there
before memory is allocated, nothing is executed, no file is opened and no path is followed. (numpy.load would
allocate whatever an array's header states.)
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy as np
from numpy.lib import format as npy

from grader.checks.arrays import Array, Shape, as_array
from grader.checks.closeness import assert_close
from grader.checks.thresholds import Bound, Seen, assert_within
from grader.model.calibration import Side
from grader.model.errors import CheckFailed
from grader.model.text import snippet

MAX_BYTES = 64 << 20
MAX_HEADER = 1 << 20
MAX_TENSORS = 1000
MAX_AXES = 8
MAX_ITEM = 8
MAX_NPY_HEADER = 1000

_SAFE_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2",
    "I8": "|i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|u1",
}  # fmt: skip
_PREFIX = struct.Struct("<Q")
_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_ADVICE = "save it with safetensors.numpy.save or numpy.savez"

# An array's header is a Python literal, which numpy parses: that can fail in any way that a parser can.
_PARSING = (
    ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError, tokenize.TokenError
)  # fmt: skip


class _Unfit(Exception):  # never leaves this module
    """Why the bytes are not a checkpoint."""


def read_checkpoint(
    data: object,
    *,
    shapes: Mapping[str, Shape] | None = None,
    max_bytes: int = MAX_BYTES,
    name: str = "the checkpoint",
) -> dict[str, Array]:
    """The arrays in a safetensors or npz file, by name; bfloat16 becomes float32.

    ``data`` is bytes that student code returned, at most ``max_bytes`` of them, packed and unpacked.
    ``shapes``, if given, must match exactly, names included; None stands for any length. Raises CheckFailed,
    in words, for everything else, above all for pickles, which are programs and are never loaded.
    """
    if not isinstance(data, bytes):
        raise CheckFailed(f"{name} is of type {snippet(type(data).__name__)}, expected bytes; {_ADVICE}.")
    try:
        arrays = _arrays(data, max_bytes)
    except _Unfit as why:
        raise CheckFailed(f"{name} {why}; {_ADVICE}.") from None
    if shapes is not None:
        _assert_fits(arrays, shapes, name)
    return arrays


def assert_checkpoint(
    data: object,
    *,
    loss: Callable[[dict[str, Array]], object],
    claimed: object,
    shapes: Mapping[str, Shape],
    at_most: Bound | None = None,
    rtol: float = 1e-4,
    name: str = "the checkpoint",
) -> None:
    """Pass when the saved weights give the loss that is claimed for them and, if asked, at most a bound.

    ``loss`` is the check's own function of the arrays, which have the names and ``shapes`` that it needs; it
    returns one number. The claimed loss may differ by a relative ``rtol``. Raises CheckFailed.
    """
    arrays = read_checkpoint(data, shapes=shapes, name=name)
    if not all(bool(np.isfinite(array).all()) for array in arrays.values()):
        raise CheckFailed(f"{name} holds NaN or infinity.")
    value = float(as_array(loss(arrays), shape=(), name=f"the loss of {name}"))
    if not math.isfinite(value):
        raise CheckFailed(f"the loss of {name} is {value}.")
    stated = as_array(claimed, name=f"the loss claimed for {name}").astype(np.float64)
    assert_close(stated, np.float64(value), rtol=rtol, name=f"the loss claimed for {name}")
    if at_most is not None:
        assert_within(at_most, Seen(value=value, side=Side.MOST), words=f"the loss of {name}")


def _arrays(data: bytes, max_bytes: int) -> dict[str, Array]:
    if len(data) > max_bytes:
        raise _Unfit(f"has {len(data):,} bytes, more than the {max_bytes:,} allowed")
    if data.startswith(_ZIP):
        return _from_npz(data, max_bytes)
    if data.startswith(_PICKLE) and not _is_safetensors(data):
        raise _Unfit("is a pickle, which is a program and is never loaded")
    return _from_safetensors(data)


def _assert_fits(arrays: Mapping[str, Array], shapes: Mapping[str, Shape], name: str) -> None:
    if arrays.keys() != shapes.keys():
        have, want = (snippet(", ".join(sorted(names)), limit=200) for names in (arrays, shapes))
        raise CheckFailed(f"{name} holds the arrays {have or 'none'}; expected {want}.")
    for key, shape in shapes.items():
        as_array(arrays[key], shape=shape, name=f"{name}[{key!r}]")


# -- safetensors: 8 bytes with the header's length, a JSON header, the tensors' bytes ----------------------


def _is_safetensors(data: bytes) -> bool:
    """Whether a JSON header follows its length.

    Some lengths, 128 for one, begin with the same byte as a pickle; only the brace distinguishes the two.
    """
    return data[_PREFIX.size : _PREFIX.size + 1] == b"{"


def _from_safetensors(data: bytes) -> dict[str, Array]:
    if len(data) < _PREFIX.size or not _is_safetensors(data):
        raise _Unfit("is neither safetensors nor npz")
    (length,) = _PREFIX.unpack_from(data)
    if length > MAX_HEADER or length > len(data) - _PREFIX.size:
        raise _Unfit(f"claims a header of {length:,} bytes, more than there are or than {MAX_HEADER:,}")
    header = _header(data[_PREFIX.size : _PREFIX.size + length])
    body = memoryview(data)[_PREFIX.size + length :]
    # In the order of their bytes the tensors must fill the body without gap or overlap, as the format says:
    # else one byte could be used twice, or something hidden between them.
    arrays, end = {}, 0
    for key, (dtype, shape, first, last) in sorted(header.items(), key=lambda entry: entry[1][2:]):
        if first != end:
            raise _Unfit("has tensors that overlap, or bytes between them that belong to none")
        if last > len(body):
            raise _Unfit("ends before its tensors do")
        arrays[key] = _tensor(body[first:last], dtype, shape)
        end = last
    if end != len(body):
        raise _Unfit("has bytes behind its tensors that belong to none")
    return arrays


def _header(text: bytes) -> dict[str, tuple[str, tuple[int, ...], int, int]]:
    try:
        tree = json.loads(text.decode("utf-8"), object_pairs_hook=_no_twins, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise _Unfit("has a header that is not valid JSON") from None
    notes = tree.pop("__metadata__", {})
    if not isinstance(notes, dict) or not all(type(note) is str for note in notes.values()):
        raise _Unfit("has notes (__metadata__) that are not text")
    if len(tree) > MAX_TENSORS:
        raise _Unfit(f"holds more than {MAX_TENSORS:,} tensors")
    return {key: _entry(key, entry) for key, entry in tree.items()}


def _entry(key: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
    """(dtype, shape, first byte, byte after the last), which are consistent with each other."""
    told = f"describes the tensor {snippet(key, limit=60)!r} wrongly"
    if type(entry) is not dict or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _Unfit(told)
    shape, offsets = entry["shape"], entry["data_offsets"]
    if type(entry["dtype"]) is not str or entry["dtype"] not in _SAFE_DTYPES:
        raise _Unfit(f"{told}: its dtype is not one of {', '.join(_SAFE_DTYPES)}")
    if not _is_whole(shape) or not _is_whole(offsets) or len(offsets) != 2:  # noqa: PLR2004  # begin and end
        raise _Unfit(f"{told}: its shape and its offsets are lists of whole numbers")
    if len(shape) > MAX_AXES:
        raise _Unfit(f"{told}: it has more than {MAX_AXES} axes")
    size = math.prod(shape) * np.dtype(_SAFE_DTYPES[entry["dtype"]]).itemsize
    if offsets[1] - offsets[0] != size:
        raise _Unfit(f"{told}: {offsets[1] - offsets[0]:,} bytes for a shape of {size:,}")
    return entry["dtype"], _reasonable(shape, told), offsets[0], offsets[1]


def _tensor(data: memoryview, dtype: str, shape: tuple[int, ...]) -> Array:
    array = np.frombuffer(data, dtype=_SAFE_DTYPES[dtype]).reshape(shape)
    if dtype == "BF16":  # numpy has no bfloat16; its 16 bits are the upper half of a float32
        return np.asarray((array.astype(np.uint32) << 16).view(np.float32))
    if dtype == "BOOL":
        return np.asarray(array != 0)
    return array.copy()


def _is_whole(value: object) -> bool:
    return type(value) is list and all(type(entry) is int and 0 <= entry < 1 << 48 for entry in value)


def _reasonable(shape: tuple[int, ...] | list[int], told: str) -> tuple[int, ...]:
    """The shape, unless numpy could not build it: (0, 2**47, 2**47) takes no bytes and still overflows."""
    if math.prod(length or 1 for length in shape) > MAX_BYTES:
        raise _Unfit(f"{told}: its shape is too large")
    return tuple(shape)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise ValueError("a key twice")
    return tree


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(text)


# -- npz: a zip archive of npy files -----------------------------------------------------------------------


def _from_npz(data: bytes, max_bytes: int) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _assert_members(members, max_bytes)
            return {member.filename.removesuffix(".npy"): _member(archive, member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        raise _Unfit("is a damaged archive, or packed in a way that numpy does not use") from None


def _assert_members(members: list[zipfile.ZipInfo], max_bytes: int) -> None:
    names = [member.filename for member in members]
    if any(name.endswith(("data.pkl", ".pkl", ".pickle")) for name in names):
        raise _Unfit("is a file of torch.save, which holds a pickle: a program, and never loaded")
    if len(names) > MAX_TENSORS:
        raise _Unfit(f"holds more than {MAX_TENSORS:,} arrays")
    if len(set(names)) != len(names) or not all(name.endswith(".npy") for name in names):
        raise _Unfit("holds something that is not an array, or one twice")
    if sum(member.file_size for member in members) > max_bytes:
        raise _Unfit(f"unpacks to more than {max_bytes:,} bytes")
    kinds = {member.compress_type for member in members}
    if not kinds <= {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise _Unfit("is packed in a way that numpy does not use")


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Array:
    with archive.open(member) as packed:
        # The stated sizes were summed up and bounded; one byte more shows a member that lies about its own.
        content = packed.read(member.file_size + 1)
    if len(content) != member.file_size:
        raise _Unfit("holds an array whose size is not the one that is stated")
    return _npy(content, f"describes the array {snippet(member.filename, limit=60)!r} wrongly")


def _npy(content: bytes, told: str) -> Array:
    stream = io.BytesIO(content)
    parse = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    shape: tuple[int, ...] = ()
    by_columns, dtype = False, None
    with contextlib.suppress(*_PARSING):
        version = npy.read_magic(stream)
        if version in parse:
            shape, by_columns, dtype = parse[version](stream, max_header_size=MAX_NPY_HEADER)
    if dtype is None:
        raise _Unfit(told)
    if dtype.kind not in "biuf" or dtype.itemsize > MAX_ITEM:
        raise _Unfit(f"{told}: its dtype is {snippet(str(dtype), limit=40)}, not numbers")
    if len(shape) > MAX_AXES or any(type(length) is not int or length < 0 for length in shape):
        raise _Unfit(f"{told}: its shape is not one of an array")
    body = memoryview(content)[stream.tell() :]
    if len(body) != math.prod(shape) * dtype.itemsize:
        raise _Unfit(f"{told}: {len(body):,} bytes for a shape of {math.prod(shape) * dtype.itemsize:,}")
    flat = np.frombuffer(body, dtype=dtype)
    array = flat.reshape(_reasonable(shape, told), order="F" if by_columns else "C")
    whole: Array = np.array(array, dtype=dtype.newbyteorder("="), order="C")
    return whole
