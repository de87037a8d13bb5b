"""The wire: plain data crosses unchanged, everything else is refused before it costs memory."""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
from collections import OrderedDict

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.inside import codec

PLAIN_DTYPES = st.sampled_from(sorted(codec.DTYPES))
ARRAYS = PLAIN_DTYPES.flatmap(
    lambda code: hnp.arrays(code, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
TEXT_ARRAYS = hnp.arrays(
    st.integers(1, 8).map(lambda length: f"<U{length}"),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
TIME_ARRAYS = st.sampled_from(sorted(codec.TIMES)).flatmap(
    lambda code: hnp.arrays("<i8", hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)).map(
        lambda numbers: np.asarray(numbers).view(code)
    )
)
OBJECT_ARRAYS = st.lists(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text(), max_size=6
).map(lambda entries: np.array([*entries, None], dtype=object)[:-1])
RANGES = st.builds(
    lambda start, count, step: range(start, start + count * step, step),
    st.integers(-(2**70), 2**70),
    st.integers(0, 100),
    st.integers(-(2**70), 2**70).filter(bool),
)
ATOMS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**200), 2**200),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(max_size=30),
)
KEYS = st.recursive(ATOMS, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)
VALUES = st.recursive(
    ATOMS | ARRAYS | TEXT_ARRAYS | TIME_ARRAYS | OBJECT_ARRAYS | RANGES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.sets(KEYS, max_size=4)
        | st.frozensets(KEYS, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)


def crossed(value: object) -> object:
    """The value after one journey."""
    header, tree, *buffers = codec.pack(codec.REPLY, 7, value)
    body = b"".join(buffers)
    assert codec.parse_header(header) == (len(tree), len(body), 7, codec.REPLY)
    return codec.unpack(tree, body)


def same(left: object, right: object) -> bool:  # noqa: PLR0911  # a case for each kind of value
    """Equal in type and bits; NaN equals NaN."""
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray) and left.dtype.kind in "OU":
        return (left.shape, left.dtype.kind) == (right.shape, right.dtype.kind) and same(
            *([without_halves(entry) for entry in array.ravel().tolist()] for array in (left, right))
        )
    if isinstance(left, np.ndarray | np.generic):
        little = np.asarray(left).astype(left.dtype.newbyteorder("<"))
        return (little.dtype, left.shape, little.tobytes()) == (right.dtype, right.shape, right.tobytes())
    if isinstance(left, dict):
        return same(list(left.items()), list(right.items()))
    if isinstance(left, set | frozenset):  # NaN is no member of a set that holds another one
        return sorted(map(repr, left)) == sorted(map(repr, right))
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float | complex):  # repr tells -0.0 from 0.0, and one NaN is as good as another
        return repr(left) == repr(right)
    return left == right


def without_halves(entry: object) -> object:
    return codec.without_surrogates(entry) if isinstance(entry, str) else entry


@given(VALUES)
@example(np.zeros((), dtype=bool))
@example(np.array("text"))
@example(np.array([], dtype="<U3").reshape(0, 2))
@example({(1, "a"): {float("nan")}, None: frozenset({b"x"})})
def test_plain_values_cross_unchanged_in_type_and_bits(value):
    assert same(value, crossed(value))


@given(ARRAYS.map(lambda array: array[()] if array.ndim == 0 else array.reshape(-1)[:1]))
def test_numpy_scalars_stay_scalars(value):
    assert same(value, crossed(value))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12.0)[::-2],
        np.arange(6).astype(">i4"),
        np.array([1.5, -0.0], ">f8"),
        np.broadcast_to(np.float32(2), (3, 5)),
        np.asfortranarray(np.eye(3)),
        np.empty((0, 5)),
        np.array(3 + 4j),
        np.array([True, False]),
        np.float16([np.inf, np.nan, 0.1]),
    ],
    ids=lambda array: f"{array.dtype.str}{array.shape}",
)
def test_any_layout_arrives_contiguous_little_endian_and_writable(array):
    got = crossed(array)
    np.testing.assert_array_equal(got, array)
    assert got.flags.c_contiguous
    assert got.flags.writeable
    assert got.flags.aligned
    assert got.flags.owndata
    assert got.dtype == array.dtype.newbyteorder("<")


def test_each_array_of_a_frame_is_its_own():
    first, second = crossed([np.zeros(3), np.zeros(3)])
    first += 1
    assert second.tolist() == [0, 0, 0]


def test_long_doubles_cross_as_doubles():
    scalar, array, pair = crossed([np.longdouble("1.5"), np.ones(2, np.longdouble), np.clongdouble(1j)])
    assert (type(scalar), array.dtype, type(pair)) == (np.float64, np.float64, np.complex128)
    assert scalar == 1.5


def test_numpy_strings_cross_as_strings():
    assert same(crossed([np.str_("a"), np.bytes_(b"b")]), ["a", b"b"])


def test_lone_surrogates_become_replacement_characters():
    assert crossed({"\ud800": "x\udc00y", "ok": "😀"}) == {"�": "x�y", "ok": "😀"}


class Float(float):
    pass


class List(list):
    pass


class Array(np.ndarray):
    pass


@pytest.mark.parametrize(
    "value",
    [
        Float(1),
        List(),
        OrderedDict(a=1),
        np.zeros(2).view(Array),
        np.ma.zeros(2),
        {frozenset()},
        object(),
        range(codec.MAX_STEPS + 1),
        range(2**62),
        range(-(2**90), 2**90),
        bytearray(b"x"),
        np.array([object()]),
        np.array([[1, 2], [3]], dtype=object),
        np.array([b"bytes"]),
        np.array(["x" * 5000]),
        np.zeros(2, "M8"),
        np.zeros(2, "M8[25s]"),
        np.zeros(2, [("x", int)]),
        1 << codec.MAX_INT_BITS,
        {frozenset(): 1},
        {(Float(1),): 1},
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_what_is_not_plain_data_by_exact_type_is_refused_wherever_it_stands(value):
    for placed in (value, [value], {"key": (value,)}):
        with pytest.raises(codec.NotPlainDataError):
            codec.pack(codec.REQUEST, 1, placed)


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [
        nested(codec.MAX_DEPTH + 1),
        [None] * codec.MAX_NODES,
        dict.fromkeys(range(codec.MAX_KEYS + 1)),
        "x" * (codec.MAX_TREE + 1),
        np.broadcast_to(np.uint8(0), (codec.MAX_BUFFER + 1,)),
    ],
    ids=["deep", "many", "keys", "text", "bytes"],
)
def test_what_is_too_large_is_refused_by_the_sender_in_words(value):
    with pytest.raises(codec.NotPlainDataError, match=r"more than|nested"):
        codec.pack(codec.REQUEST, 1, value)
    assert crossed(nested(codec.MAX_DEPTH)) == nested(codec.MAX_DEPTH)


@pytest.mark.parametrize("dtype", ["f8", "U3", "M8[s]", object])
def test_an_empty_array_with_long_axes_is_refused_by_the_sender_in_words(dtype):
    with pytest.raises(codec.NotPlainDataError, match=r"an empty array of shape \(268435456, 0\)"):
        codec.pack(codec.REQUEST, 1, np.empty((1 << 28, 0), dtype))
    assert crossed(np.empty((1 << 22, 0), dtype)).shape == (1 << 22, 0)


# -- what a hostile sender may try ---------------------------------------------------------------------


def refused(node: object, buffer: bytes = b"") -> str:
    """Why the node is refused."""
    tree = node if isinstance(node, bytes) else json.dumps(node).encode()
    with pytest.raises(codec.WireError) as caught:
        codec.unpack(tree, buffer)
    return str(caught.value)


def array(shape: object, dtype: object = "<f8") -> dict[str, object]:
    return {"$": "array", "dtype": dtype, "shape": shape}


@pytest.mark.parametrize(
    "shape",
    [
        [2**40],
        [2**47] * 16,
        [2**32, 2**32],
        [-1],
        [-1, -8],
        [True],
        [1.0],
        ["1"],
        [None],
        [2**64],
        [0, 2**47, 2**47, 2**47],
        [1] * 17,
        [2**28, 0],
        [0, 2**12, 2**11],
        8,
        None,
        {"$": "tuple", "of": [1]},
        [2],
    ],
    ids=repr,
)
def test_a_forged_shape_is_refused_without_taking_memory(shape):
    tracemalloc.start()
    refused(array(shape), bytes(8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("dtype", ["|O", "O", "<U4", ">f8", "<f16", "<M8[s]", "f8", "", None, ["<f8"], {}, 3])
def test_only_the_listed_dtypes_are_read(dtype):
    refused(array([0], dtype))


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"$": None},
        {"$": "pickle"},
        {"$": ["array"]},
        {"$": "ref", "id": 0, "type": "x"},
        {"$": "scalar", "dtype": "<f8", "shape": [1]},
        {"$": "tuple"},
        {"$": "tuple", "of": {}},
        {"$": "tuple", "of": "ab"},
        {"$": "dict", "of": [[1]]},
        {"$": "dict", "of": [[1, 2, 3]]},
        {"$": "dict", "of": [["ab"], "cd"]},
        {"$": "dict", "of": [[[], 1]]},
        {"$": "dict", "of": [[array([0]), 1]]},
        {"$": "dict", "of": None},
        {"$": "float", "is": "1"},
        {"$": "float", "is": []},
        {"$": "complex", "parts": ["1"]},
        {"$": "complex", "parts": [1, 2]},
        {"$": "complex", "parts": ["1", "9" * 50]},
        {"$": "complex", "parts": ["one", "two"]},
        {"$": "bytes", "length": -1},
        {"$": "bytes", "length": True},
        {"$": "bytes", "length": 2**62},
        {"$": "int", "hex": "f" * 2000},
        {"$": "int", "hex": 5},
        {"$": "int", "hex": "0xg"},
        {"$": "array", "shape": [0]},
    ],
    ids=json.dumps,
)
def test_malformed_forms_are_refused(node):
    refused(node)
    refused([node])


@pytest.mark.parametrize(
    "tree",
    [
        b"",
        b"[",
        b"\xff",
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b"[" + b"[]," * 300_000 + b"[]]",
        b"1" * 5000,
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"null null",
        json.dumps(nested(codec.MAX_DEPTH + 1)).encode(),
    ],
    ids=lambda tree: repr(tree[:12]),
)
def test_trees_that_are_no_frames_are_refused(tree):
    refused(tree)


def test_bytes_must_all_be_asked_for_and_no_more():
    assert "left over" in refused(None, b"x")
    assert "left over" in refused(array([1]), bytes(9))
    assert "more bytes" in refused([array([1]), array([1])], bytes(8))


def test_colliding_keys_are_limited():
    """Keys with one hash make a dict quadratic; the limit keeps that short of a second."""
    colliding = [
        [{"$": "int", "hex": hex(number * (2**61 - 1))}, 0] for number in range(1, codec.MAX_KEYS + 2)
    ]
    start = time.process_time()
    assert refused({"$": "dict", "of": colliding}) == "too many keys"
    assert refused([{"$": "dict", "of": colliding[:6000]}, {"$": "dict", "of": colliding[:6000]}])
    assert time.process_time() - start < 20


def test_colliding_members_are_limited_too():
    colliding = [{"$": "int", "hex": hex(number * (2**61 - 1))} for number in range(1, codec.MAX_KEYS + 2)]
    for form in ("set", "frozenset"):
        assert refused({"$": form, "of": colliding}) == "too many members"
        assert refused([{"$": form, "of": colliding[:6000]}, {"$": "dict", "of": [[1, 2]] * 6000}])


def test_ranges_that_would_not_fit_as_lists_are_refused_however_many_share_them():
    assert refused({"$": "range", "of": [0, 2**62, 1]}) == "too many numbers in ranges"
    assert refused({"$": "range", "of": [0, {"$": "int", "hex": hex(2**4000)}, 1]})
    many = {"$": "range", "of": [0, codec.MAX_STEPS // 2, 1]}
    assert codec.unpack(json.dumps([many, many]).encode(), b"")
    assert refused([many, many, {"$": "range", "of": [5, 0, -1]}]) == "too many numbers in ranges"


def text_array(codes: list[int], length: int, shape: list[int]) -> np.ndarray:
    node = {"$": "text array", "length": length, "shape": shape}
    return codec.unpack(json.dumps(node).encode(), np.array(codes, "<u4").tobytes())


def test_text_arrays_hold_text_whatever_was_sent():
    assert text_array([0x61, 0xD800, 0xDFFF, 0x62], 2, [2]).tolist() == ["a\ufffd", "\ufffdb"]
    assert text_array([0x61, 0, 0, 0x10FFFF], 1, [2, 2]).tolist() == [["a", ""], ["", "\U0010ffff"]]
    for bad in (0x110000, 2**32 - 1):
        with pytest.raises(codec.WireError, match="not text"):
            text_array([bad], 1, [1])


@pytest.mark.parametrize(
    "node",
    [
        {"$": "text array", "length": 4096, "shape": [2**40]},
        {"$": "text array", "length": 2**40, "shape": [1]},
        {"$": "text array", "length": 0, "shape": [1]},
        {"$": "text array", "length": True, "shape": [1]},
        {"$": "text array", "length": 1, "shape": [0, 2**47, 2**47, 2**47]},
        {"$": "text scalar", "length": 1, "shape": [2]},
        {"$": "time array", "dtype": "<M8[s]", "shape": [2**40]},
        {"$": "time array", "dtype": "<M8[25s]", "shape": [1]},
        {"$": "time array", "dtype": "|O", "shape": [1]},
        {"$": "time array", "dtype": ["<M8[s]"], "shape": [1]},
        {"$": "time scalar", "dtype": "<M8[s]", "shape": [1]},
        {"$": "objects", "of": [1, 2], "shape": [3]},
        {"$": "objects", "of": [[1]], "shape": [1]},
        {"$": "objects", "of": {"$": "dict", "of": []}, "shape": [0]},
        {"$": "objects", "of": [], "shape": [2**47, 2**47, 2**47, 0]},
        {"$": "range", "of": [0, 1]},
        {"$": "range", "of": [0, 1, 0]},
        {"$": "range", "of": [0, 1, 1.0]},
        {"$": "range", "of": [0, True, 1]},
        {"$": "range", "of": "abc"},
        {"$": "set", "of": [[]]},
        {"$": "set", "of": [{"$": "set", "of": []}]},
        {"$": "set", "of": {}},
        {"$": "frozenset"},
        {"$": "series"},
        {"$": "frame", "of": {"$": "dict", "of": []}},
        {"$": "index", "of": [1]},
        {"$": "categorical", "of": None},
    ],
    ids=json.dumps,
)
def test_malformed_newer_forms_are_refused_without_taking_memory(node):
    tracemalloc.start()
    refused(node, bytes(8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_bool_is_false_or_true_whatever_its_byte():
    got = codec.unpack(json.dumps(array([4], "|b1")).encode(), bytes([0, 1, 2, 255]))
    assert got.view(np.uint8).tolist() == [0, 1, 1, 1]


def test_a_header_is_judged_before_anything_is_allocated():
    header = codec.HEADER.pack(2**32 - 1, 2**32 - 1, 1, codec.REPLY)
    with pytest.raises(codec.WireError):
        codec.parse_header(header)
    with pytest.raises(codec.WireError):
        codec.parse_header(codec.HEADER.pack(4, codec.MAX_BUFFER + 1, 1, codec.REPLY))


FORM_NAMES = st.sampled_from([*sorted(codec._READERS), "ref"])
FIELDS = st.sampled_from(["of", "dtype", "shape", "length", "hex", "is", "parts", "id"])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["<f8", "|b1", "nan", "<M8[ns]", "values", "index", "columns", "data", "names"]),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(lambda name, rest: {"$": name, **rest}, FORM_NAMES, st.dictionaries(FIELDS, inner))
    ),
    max_leaves=20,
)


def read(tree: bytes, buffer: bytes) -> None:
    """Decode; only WireError may come out, and what comes in again goes out again."""
    try:
        value = codec.unpack(tree, buffer)
    except codec.WireError:
        return
    codec.pack(codec.REPLY, 1, value)


@given(st.binary(max_size=200), st.binary(max_size=64))
def test_arbitrary_bytes_give_a_value_or_a_wire_error(tree, buffer):
    read(tree, buffer)


@settings(max_examples=300)
@given(TREES, st.binary(max_size=64))
def test_arbitrary_trees_give_a_value_or_a_wire_error(tree, buffer):
    read(json.dumps(tree).encode(), buffer)


@settings(max_examples=300)
@given(VALUES, st.data())
def test_a_damaged_frame_gives_a_value_or_a_wire_error(value, data):
    _, tree, *buffers = codec.pack(codec.REPLY, 1, value)
    damaged = bytearray(tree)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(
            st.sampled_from(b'0129-[]{}",:$a \xff')
        )
    body = b"".join(buffers)
    read(bytes(damaged), body[: data.draw(st.integers(0, len(body)))] if data.draw(st.booleans()) else body)


# -- tables ------------------------------------------------------------------------------------------------

TABLES = [
    pd.Series([1.5, None], name="x"),
    pd.Series(["a", None], index=["p", "q"], name=3),
    pd.Series([1, None], dtype="Int64"),
    pd.Series([True, None], dtype="boolean"),
    pd.Series(["a", "b", "a"], dtype="category"),
    pd.Series(pd.to_datetime(["2024-02-29", None])),
    pd.Series([], dtype=float),
    pd.DataFrame({"a": [1.0, np.nan], "b": ["x", "y"], "c": pd.Categorical(["u", "v"], ordered=True)}),
    pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2024-01-01", periods=2)),
    pd.DataFrame(np.eye(2), columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None])),
    pd.DataFrame({"a": [1, 2], "b": [3, 4]}).set_index(["a", "b"]),
    pd.DataFrame([[1, 2]], columns=["same", "same"]),
    pd.DataFrame(index=[1, 2]),
    pd.Index([1, 2], name="i"),
    pd.RangeIndex(2, 8, 3),
    pd.Categorical(["a", None, "b"], categories=["b", "a"]),
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: type(table).__name__)
def test_tables_of_pandas_cross_unchanged(table):
    got = crossed(table)
    assert type(got) is type(table) or isinstance(table, pd.DatetimeIndex)
    if isinstance(table, pd.Series):
        pd.testing.assert_series_equal(got, table, check_freq=False)
    elif isinstance(table, pd.DataFrame):
        pd.testing.assert_frame_equal(got, table, check_freq=False)
    elif isinstance(table, pd.Index):
        pd.testing.assert_index_equal(got, table)
    else:
        assert list(map(repr, got)) == list(map(repr, table))
        assert list(got.categories) == list(table.categories)
    assert len(crossed([table, {"t": table}])) == 2


@pytest.mark.parametrize(
    "table",
    [
        pd.Series([object()]),
        pd.Series([{1: 2}]),
        pd.Series(pd.date_range("2024-01-01", periods=2, tz="UTC")),
        pd.Series(pd.interval_range(0, 2)),
        pd.Series([1], name=frozenset()),
        pd.DataFrame(np.zeros((1, 2001))),
        pd.RangeIndex(2**40),
    ],
    ids=lambda table: str(type(table).__name__),
)
def test_tables_with_what_has_no_plain_form_are_refused(table):
    with pytest.raises(codec.NotPlainDataError):
        codec.pack(codec.REPLY, 1, table)


def tabled(form: str, content: object) -> tuple[bytes, bytes]:
    """A frame that claims to hold a table with this content."""
    _, tree, *buffers = codec.pack(codec.REPLY, 1, content)
    return json.dumps({"$": form, "of": json.loads(bytes(tree))}).encode(), b"".join(buffers)


COLUMN = {"names": [None], "values": np.zeros(2)}
HOSTILE = [
    ("index", {"names": [None], "range": [0, 2**62, 1]}),
    ("index", {"names": [None], "values": np.zeros((2, 2))}),
    ("index", {"names": [None], "values": [1], "dtype": "object; import os"}),
    ("index", {"names": [None], "values": [1], "dtype": "Sparse[int]"}),
    ("index", {"names": [], "values": np.zeros(1)}),
    ("index", {"names": [None], "tuples": [1, 2]}),
    ("series", {"name": None, "index": COLUMN, "data": {"values": np.zeros(3)}}),
    ("series", {"name": [], "index": COLUMN, "data": {"values": np.zeros(2)}}),
    ("series", {"name": None, "index": COLUMN, "data": {"values": [[1], [2]], "dtype": "object"}}),
    ("frame", {"index": COLUMN, "columns": COLUMN, "data": [{"values": np.zeros(2)}]}),
    ("frame", {"index": COLUMN, "columns": COLUMN, "data": "ab"}),
    ("frame", {"index": COLUMN, "columns": {"names": [None], "range": range(3000)}, "data": [0] * 3000}),
    ("categorical", {"codes": np.array([5]), "categories": COLUMN, "ordered": False}),
    ("categorical", {"codes": np.array([-2]), "categories": COLUMN, "ordered": False}),
    ("categorical", {"codes": "ab", "categories": COLUMN, "ordered": 1}),
]


@pytest.mark.parametrize(("form", "content"), HOSTILE)
def test_hostile_tables_are_refused(form, content):
    with pytest.raises(codec.WireError):
        codec.unpack(*tabled(form, content))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: type(table).__name__)
def test_without_pandas_a_table_arrives_as_arrays_and_dicts(table, monkeypatch):
    _, tree, *buffers = codec.pack(codec.REPLY, 1, table)
    monkeypatch.setitem(sys.modules, "pandas", None)
    got = codec.unpack(tree, b"".join(buffers))
    if isinstance(table, pd.DataFrame):
        assert type(got) is dict
        assert [len(column) for column in got.values()] == [len(table)] * len(got)
    else:
        assert isinstance(got, list | np.ndarray)
        assert len(got) == len(table)
