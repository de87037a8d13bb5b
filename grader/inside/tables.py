"""Series, frames and indexes of pandas as plain data, and back.

A frame crosses as its columns, a column as an array or a list of plain values, with the name of its type
where numpy has none. Where pandas is missing a series arrives as an array, a frame as a dict of columns. Only
what is listed here crosses; anything else (time zones, intervals, columns of objects) raises NotPlain.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import numpy as np

# Types of columns that numpy lacks, by pandas' own names.
EXTENSIONS = frozenset(
    {"Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64"}
    | {"boolean", "string", "str"}
)
_KINDS = ("Series", "DataFrame", "Categorical")
_INDEXES = ("Index", "RangeIndex", "MultiIndex", "CategoricalIndex", "DatetimeIndex", "TimedeltaIndex")
_PLAIN_KINDS = "biufcMmU"
MAX_COLUMNS = 2_000  # each becomes a series of its own on the way


class NotPlain(Exception):
    """A table holds what has no plain form; the message names it."""


def is_table(value: object) -> bool:
    """Whether a value is one of the tables that cross."""
    return type(value).__module__.partition(".")[0] == "pandas" and (
        type(value).__name__ in (*_KINDS, *_INDEXES)
    )


def as_tree(value: Any) -> tuple[str, dict[str, Any]] | None:
    """The form of a table and its plain content; None for what is no table of pandas.

    Raises NotPlain for a table that does not cross.
    """
    pandas = sys.modules.get("pandas")
    kind = type(value)
    if pandas is None or kind.__module__.partition(".")[0] != "pandas":
        return None
    if kind is pandas.DataFrame:
        if value.shape[1] > MAX_COLUMNS:
            raise NotPlain(f"a table of more than {MAX_COLUMNS:,} columns")
        columns = [_column(value.iloc[:, place]) for place in range(value.shape[1])]
        return "frame", {"columns": _index(value.columns), "index": _index(value.index), "data": columns}
    if kind is pandas.Series:
        return "series", {"name": _name(value.name), "index": _index(value.index), "data": _column(value)}
    if kind is pandas.Categorical:
        return "categorical", _categorical(value)
    if kind.__name__ in _INDEXES and isinstance(value, pandas.Index):
        return "index", _index(value)
    return None


def from_tree(form: str, tree: dict[str, Any]) -> Any:
    """The table that ``as_tree`` took apart; arrays and dicts where there is no pandas.

    Raises ValueError, TypeError or KeyError for any other content.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        return _without_pandas(form, tree)
    if form == "categorical":
        return _made_categorical(pandas, tree)
    if form == "index":
        return _made_index(pandas, tree)
    index = _made_index(pandas, tree["index"])
    if form == "series":
        return _made_series(pandas, tree["data"], index=index, name=_name(tree["name"]))
    columns = _made_index(pandas, tree["columns"])
    if len(columns) > MAX_COLUMNS or len(tree["data"]) != len(columns):
        raise ValueError("as many columns as names are wanted")
    series = [_made_series(pandas, column, index=index) for column in tree["data"]]
    frame = pandas.concat(series, axis=1) if series else pandas.DataFrame(index=index)
    frame.columns = columns
    return frame


def _name(name: Any) -> Any:
    if name is None or type(name) in (str, int, float, bool):
        return name
    if isinstance(name, np.generic):
        return name.item()
    if type(name) is tuple:
        return tuple(map(_name, name))
    raise NotPlain(f"a name of type {type(name).__name__[:80]}")


def _column(column: Any) -> dict[str, Any]:
    dtype = column.dtype
    if str(dtype) == "category":
        return {"category": _categorical(column.array)}
    if isinstance(dtype, np.dtype) and dtype.kind in _PLAIN_KINDS:
        return {"values": np.asarray(column)}
    if isinstance(dtype, np.dtype) or str(dtype) in EXTENSIONS:
        kind = "object" if isinstance(dtype, np.dtype) else str(dtype)
        return {"values": [_entry(entry) for entry in column.tolist()], "dtype": kind}
    raise NotPlain(f"a column of type {str(dtype)[:80]}")


def _entry(entry: Any) -> Any:
    if entry is None or type(entry) in (str, int, float, bool):
        return entry
    if isinstance(entry, np.generic):
        return entry.item()
    if type(entry).__name__ in ("NAType", "NaTType"):
        return None
    raise NotPlain(f"a column with an object of type {type(entry).__name__[:80]}")


def _categorical(values: Any) -> dict[str, Any]:
    return {
        "codes": np.asarray(values.codes, dtype=np.int64),
        "categories": _index(values.categories),
        "ordered": bool(values.ordered),
    }


def _index(index: Any) -> dict[str, Any]:
    names = [_name(name) for name in index.names]
    if index.nlevels > 1:
        return {"names": names, "tuples": [tuple(map(_entry, row)) for row in index.tolist()]}
    if type(index).__name__ == "RangeIndex":
        return {"names": names, "range": range(index.start, index.stop, index.step)}
    return {"names": names, **_column(index)}


def _made_index(pandas: Any, tree: dict[str, Any]) -> Any:
    names = list(map(_name, tree["names"]))
    if "tuples" in tree:
        return pandas.MultiIndex.from_tuples([tuple(row) for row in tree["tuples"]], names=names)
    if "range" in tree:
        steps = _range(tree)
        return pandas.RangeIndex(steps.start, steps.stop, steps.step, name=names[0])
    column = _made_column(pandas, tree)
    return pandas.Index(column, name=names[0], dtype=_kept(column))


def _range(tree: dict[str, Any]) -> range:
    """The numbers of an index, as one of the codec's own ranges, whose length it has checked."""
    steps = tree["range"]
    if type(steps) is not range:
        raise ValueError("not a range")
    return steps


def _made_column(pandas: Any, tree: dict[str, Any]) -> Any:
    if "category" in tree:
        return _made_categorical(pandas, tree["category"])
    values, dtype = tree["values"], tree.get("dtype")
    if dtype is None:
        if type(values) is not np.ndarray or values.ndim != 1:
            raise ValueError("a column is an array of one dimension")
        return values
    if type(values) is not list or (dtype != "object" and dtype not in EXTENSIONS):
        raise ValueError("not a type of column that crosses")
    entries = [_entry(entry) for entry in values]
    if dtype == "object":
        column = np.empty(len(entries), dtype=object)
        column[:] = entries
        return column
    return pandas.array(entries, dtype=dtype)


def _made_series(pandas: Any, tree: dict[str, Any], *, index: Any, name: Any = None) -> Any:
    column = _made_column(pandas, tree)
    return pandas.Series(column, index=index, name=name, dtype=_kept(column))


def _kept(column: Any) -> type | None:
    """The type to insist on: pandas makes a column of text of objects that are all text."""
    return object if str(column.dtype) == "object" else None


def _made_categorical(pandas: Any, tree: dict[str, Any]) -> Any:
    categories = _made_index(pandas, tree["categories"])
    return pandas.Categorical.from_codes(
        tree["codes"], categories=categories, ordered=tree["ordered"] is True
    )


def _without_pandas(form: str, tree: dict[str, Any]) -> Any:
    if form == "frame":
        names = _without_pandas("index", tree["columns"])
        return dict(zip(map(_name, names), map(_array, tree["data"]), strict=True))
    return _array(tree["data"] if form == "series" else tree)


def _array(tree: dict[str, Any]) -> Any:
    if "range" in tree:
        return list(_range(tree))
    if "tuples" in tree:
        return [tuple(row) for row in tree["tuples"]]
    category = tree.get("category", tree)
    if "codes" in category:
        known = list(_array(category["categories"]))
        return [known[code] if code >= 0 else None for code in category["codes"].tolist()]
    return tree["values"]
