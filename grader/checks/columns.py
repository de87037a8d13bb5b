"""A table's columns and index in one plain form, whoever made the table: pandas, or a dict of lists.

Tables are recognised by what they have, so that pandas is needed only by authors who use it. What a student
sent has crossed as plain data: none of its methods is theirs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.checks.arrays import Array
from grader.model.values import Remote

Labels = tuple[object, ...]

_NUMBERS = "biufc"
_TIMES = "mM"
_MISSING = ("NAType", "NaTType")


@dataclass(frozen=True)
class Column:
    """One column: ``entries`` are numbers, dates or an array of objects, in which None is missing.

    ``dtype`` is its type in words, "" where there is none to speak of, as of a list. ``categories`` are those
    of a categorical column, with whether they are ordered.
    """

    entries: Array
    dtype: str = ""
    categories: tuple[Labels, bool] | None = None

    @property
    def missing(self) -> Array:
        """Entry by entry, whether it is missing: NaN, NaT or None."""
        if self.entries.dtype.kind in "fc":
            return np.asarray(np.isnan(self.entries))
        if self.entries.dtype.kind in _TIMES:
            return np.asarray(np.isnat(self.entries))
        if self.entries.dtype.kind == "O":
            return np.array([entry is None for entry in self.entries], dtype=bool)
        return np.zeros(len(self.entries), dtype=bool)

    @property
    def as_numbers(self) -> Array | None:
        """The entries as numbers, NaN for what is missing; None if they are anything else."""
        if self.entries.dtype.kind in _NUMBERS:
            return self.entries
        if self.entries.dtype.kind != "O" or not all(_is_number(entry) for entry in self.entries):
            return None
        array = np.array([math.nan if entry is None else entry for entry in self.entries])
        return array if array.dtype.kind in _NUMBERS else None  # a whole number of more than 64 bits is none


@dataclass(frozen=True)
class Table:
    """Columns by name, in order; ``index`` is None where rows have no labels."""

    columns: tuple[tuple[object, Column], ...]
    rows: int
    index: Labels | None = None

    @property
    def names(self) -> Labels:
        """The columns' names."""
        return tuple(name for name, _ in self.columns)

    @property
    def counts_rows(self) -> bool:
        """Whether the index is no more than the rows' numbers."""
        return self.index is None or self.index == tuple(range(self.rows))


class NoTable(Exception):
    """A value is no table; the message says what it is."""


def table_of(value: object) -> Table:
    """A frame of pandas, or a dict of columns. Raises NoTable."""
    if _is_of_pandas(value, "DataFrame"):
        frame: Any = value
        columns = tuple(
            (_label(name), column_of(frame.iloc[:, place])) for place, name in enumerate(frame.columns)
        )
        return Table(columns, len(frame), _labels(frame.index))
    if isinstance(value, dict):
        columns = tuple((name, column_of(entries)) for name, entries in value.items())
        lengths = {len(column.entries) for _, column in columns}
        if len(lengths) > 1:
            raise NoTable("a dict of columns that differ in length")
        return Table(columns, lengths.pop() if lengths else 0)
    raise NoTable(_described(value))


def series_of(value: object) -> Table:
    """One column as a table: a series or index of pandas, an array or a list. Raises NoTable."""
    column = column_of(value)
    index = _labels(value.index) if _is_of_pandas(value, "Series") else None  # type: ignore[attr-defined]
    return Table(((None, column),), len(column.entries), index)


def column_of(value: object) -> Column:
    """One column. Raises NoTable for what has not one entry after the other."""
    if isinstance(value, Remote):
        value = value.value
    if _is_of_pandas(value, "Series", "Index", "Categorical"):
        return _of_pandas(value)
    if isinstance(value, np.ndarray):
        if value.ndim != 1:
            raise NoTable(f"an array of shape {value.shape}")
        dtype = "object" if value.dtype.kind in "OU" else str(value.dtype)
        return Column(_entries(value.tolist()) if value.dtype.kind in "OU" else value, dtype)
    if isinstance(value, list | tuple | range):
        return Column(_entries(list(value)))
    raise NoTable(_described(value))


def _of_pandas(value: Any) -> Column:
    dtype = str(value.dtype)
    if dtype == "category":
        held = value.cat if hasattr(value, "cat") else value
        labels = list(_labels(held.categories))
        return Column(
            _entries(list(value)),
            dtype,
            (tuple(labels if held.ordered else sorted(labels, key=repr)), held.ordered),
        )
    if isinstance(value.dtype, np.dtype) and value.dtype.kind in _NUMBERS + _TIMES:
        return Column(np.asarray(value), dtype)
    return Column(_entries(list(value)), dtype)


def _entries(values: Sequence[object]) -> Array:
    """An array of numbers where all are numbers, else of objects, in which what is missing is None."""
    plain = [_plain(value) for value in values]
    if plain and all(_is_number(entry) and entry is not None for entry in plain):
        array = np.array(plain)
        if array.dtype.kind in _NUMBERS:
            return array
    entries = np.empty(len(plain), dtype=object)
    entries[:] = [None if isinstance(entry, float) and math.isnan(entry) else entry for entry in plain]
    return entries


def _plain(value: object) -> object:
    if value is None or type(value).__name__ in _MISSING:
        return None
    return value.item() if isinstance(value, np.generic) else value


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, bool | int | float | complex)


def _labels(index: Any) -> Labels:
    return tuple(map(_label, list(index)))


def _label(value: object) -> object:
    if isinstance(value, tuple):
        return tuple(map(_label, value))
    plain = _plain(value)
    return None if isinstance(plain, float) and math.isnan(plain) else plain


def _is_of_pandas(value: object, *kinds: str) -> bool:
    of = type(value)
    if of.__module__.partition(".")[0] != "pandas":
        return False
    return of.__name__ in kinds or ("Index" in kinds and of.__name__.endswith("Index"))


def _described(value: object) -> str:
    if value is None:
        return "None (is a `return` missing?)"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"of type {type(value).__name__}"
