"""Any table of pandas that has a plain form crosses unchanged; what has none is refused in words."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.inside import codec

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
NUMBERS = st.floats(allow_nan=True)
WHOLE = st.integers(-(2**63), 2**63 - 1)
UNITS = ("s", "ms", "us", "ns")
WHOLE_SMALL, STEPS = st.integers(-1000, 1000), st.integers(1, 5)
LENGTHS = st.integers(0, 5)
NAMES = st.one_of(st.none(), TEXT, WHOLE, st.booleans(), st.tuples(TEXT, WHOLE))


def of_kind(kind: str, entries: st.SearchStrategy[Any], length: int) -> st.SearchStrategy[Any]:
    """Columns of one of numpy's types."""
    return st.lists(entries, min_size=length, max_size=length).map(lambda row: np.array(row, dtype=kind))


def times(kind: str, length: int) -> st.SearchStrategy[Any]:
    """Columns of dates or of times between two, NaT among them."""
    moments = st.one_of(st.just(np.iinfo(np.int64).min), st.integers(-(2**40), 2**40))
    return st.sampled_from(UNITS).flatmap(
        lambda unit: of_kind("int64", moments, length).map(lambda row: row.view(f"{kind}[{unit}]"))
    )


def extended(kind: str, entries: st.SearchStrategy[Any], length: int) -> st.SearchStrategy[Any]:
    """Columns of pandas' own types, with what is missing."""
    maybe = st.one_of(st.none(), entries)
    return st.lists(maybe, min_size=length, max_size=length).map(lambda row: pd.array(row, dtype=kind))


def categories(length: int) -> st.SearchStrategy[Any]:
    """Columns of few values, some of them missing, ordered or not."""
    return st.lists(st.one_of(TEXT, st.just("u")), min_size=1, max_size=3, unique=True).flatmap(
        lambda known: st.builds(
            lambda codes, ordered: pd.Categorical.from_codes(codes, categories=known, ordered=ordered),
            st.lists(st.integers(-1, len(known) - 1), min_size=length, max_size=length).map(
                lambda codes: np.array(codes, dtype=np.int64)
            ),
            st.booleans(),
        )
    )


def columns(length: int) -> st.SearchStrategy[Any]:
    """A column of any type that crosses."""
    small = st.integers(-100, 100)
    return st.one_of(
        of_kind("float64", NUMBERS, length),
        of_kind("float32", st.floats(width=32), length),
        of_kind("int64", WHOLE, length),
        of_kind("uint8", st.integers(0, 255), length),
        of_kind("bool", st.booleans(), length),
        of_kind("complex128", st.complex_numbers(), length),
        times("M8", length),
        times("m8", length),
        extended("Int64", WHOLE, length),
        extended("Int8", small, length),
        extended("Float64", st.floats(allow_nan=False), length),
        extended("boolean", st.booleans(), length),
        extended("string", TEXT, length),
        categories(length),
        st.lists(st.one_of(TEXT, small, st.booleans(), st.none()), min_size=length, max_size=length).map(
            lambda row: pd.Series(row, dtype=object)
        ),
    )


def indexes(length: int) -> st.SearchStrategy[Any]:
    """An index of any kind that crosses."""
    rows = st.lists(st.tuples(TEXT, WHOLE), min_size=length, max_size=length)
    made = [
        st.builds(lambda start, step: pd.RangeIndex(start, start + step * length, step), WHOLE_SMALL, STEPS),
        columns(length).filter(lambda column: not isinstance(column, pd.Categorical)).map(pd.Index),
        categories(length).map(pd.CategoricalIndex),
    ]
    if length:
        made.append(rows.map(lambda pairs: pd.MultiIndex.from_tuples(pairs, names=["a", None])))
    return st.one_of(made)


@st.composite
def series(draw: st.DrawFn) -> Any:
    length = draw(LENGTHS)
    index = draw(indexes(length))
    return pd.Series(pd.Series(draw(columns(length))).array, index=index, name=draw(NAMES))


@st.composite
def frames(draw: st.DrawFn) -> Any:
    length = draw(LENGTHS)
    names = draw(st.lists(st.one_of(TEXT, WHOLE), max_size=4))
    index = draw(indexes(length))
    made = [pd.Series(pd.Series(draw(columns(length))).array, index=index) for _ in names]
    frame = pd.concat(made, axis=1) if made else pd.DataFrame(index=index)
    frame.columns = pd.Index(names, dtype=object) if names else frame.columns
    return frame


def crossed(value: object) -> Any:
    _, tree, *buffers = codec.pack(codec.REPLY, 1, value)
    return codec.unpack(tree, b"".join(buffers))


@settings(max_examples=120)
@given(series())
def test_any_series_crosses_unchanged(value: Any) -> None:
    pd.testing.assert_series_equal(crossed(value), value, check_freq=False, check_exact=True)


@settings(max_examples=60)
@given(frames())
def test_any_frame_crosses_unchanged(value: Any) -> None:
    pd.testing.assert_frame_equal(crossed(value), value, check_freq=False, check_exact=True)


@settings(max_examples=80)
@given(LENGTHS.flatmap(indexes))
def test_any_index_crosses_unchanged(value: Any) -> None:
    pd.testing.assert_index_equal(crossed(value), value, exact=True)


@settings(max_examples=120)
@given(st.one_of(series(), frames(), LENGTHS.flatmap(indexes)), st.data())
def test_a_damaged_table_is_a_value_or_a_wire_error(value: Any, data: st.DataObject) -> None:
    """Whatever byte of it was changed: no other exception leaves the codec."""
    _, tree, *buffers = codec.pack(codec.REPLY, 1, value)
    changed = [bytearray(tree), bytearray(b"".join(buffers))]
    for part in changed:
        for _ in range(data.draw(st.integers(0, 2))) if part else ():
            part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(codec.WireError):
        codec.unpack(bytes(changed[0]), bytes(changed[1]))


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_no_time_stays_none(unit: str) -> None:
    column = np.array(["NaT", "2026-11-28"], dtype=f"M8[{unit}]")
    assert np.isnat(crossed(pd.Series(column)).to_numpy()).tolist() == [True, False]
