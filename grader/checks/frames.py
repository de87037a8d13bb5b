"""Is a table or a series what it should be: names, rows, types, entries, each as far as the author asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grader.checks.arrays import Array
from grader.checks.columns import Column, Labels, NoTable, Table, series_of, table_of
from grader.checks.formatting import numbers
from grader.checks.tolerance import Tolerance
from grader.model.errors import AuthorError, CheckFailed
from grader.model.text import snippet
from grader.model.values import Remote

MAX_NAMED = 5
"""Columns or labels that a message names."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What counts besides the entries."""

    index: bool
    column_order: bool
    dtype: bool
    categorical: bool
    equal_nan: bool
    rtol: float | None
    atol: float | None


def assert_frame(  # noqa: PLR0913  # each is the author's to choose, all but two by keyword
    actual: object,
    expected: object,
    *,
    index: bool = True,
    column_order: bool = False,
    dtype: bool = False,
    categorical: bool = False,
    equal_nan: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    name: str = "the table",
) -> None:
    """Pass when a table has the columns, rows and entries of ``expected``: a DataFrame or a dict of columns.

    Rows are compared in their order. With ``index`` their labels must be equal too, if ``expected`` has an
    index other than 0, 1, 2, ...; with ``column_order`` the columns must stand in the same order, with
    ``dtype`` be of the same types, with ``categorical`` have the same categories. NaN, NaT and None are
    missing and equal one another, unless ``equal_nan`` is false. Numbers are compared as ``assert_close``
    does. Raises CheckFailed; AuthorError if ``expected`` is no table.
    """
    options = Options(
        index=index,
        column_order=column_order,
        dtype=dtype,
        categorical=categorical,
        equal_nan=equal_nan,
        rtol=rtol,
        atol=atol,
    )
    want = _expected(expected, name, table_of)
    try:
        have = table_of(_fetched(actual))
    except NoTable as what:
        raise CheckFailed(f"{name} is {snippet(str(what))}, expected a table.") from None
    _compare_names(have, want, options, name)
    _compare(have, want, options, name)


def assert_series(  # noqa: PLR0913  # likewise
    actual: object,
    expected: object,
    *,
    index: bool = True,
    dtype: bool = False,
    categorical: bool = False,
    equal_nan: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    name: str = "the series",
) -> None:
    """Pass when a series, array or list has the entries of ``expected``, in their order.

    The options are those of ``assert_frame``. A series' name does not count. Raises CheckFailed; AuthorError
    if ``expected`` is no series, array or list.
    """
    options = Options(
        index=index,
        column_order=False,
        dtype=dtype,
        categorical=categorical,
        equal_nan=equal_nan,
        rtol=rtol,
        atol=atol,
    )
    want = _expected(expected, name, series_of)
    try:
        have = series_of(_fetched(actual))
    except NoTable as what:
        raise CheckFailed(f"{name} is {snippet(str(what))}, expected a series.") from None
    _compare(have, want, options, name)


def _expected(value: object, name: str, read: Callable[[object], Table]) -> Table:
    if isinstance(value, Remote):
        raise AuthorError(f"{name}: the expected value is a student's object; fetch it with `.value` first")
    try:
        return read(value)
    except NoTable as what:
        raise AuthorError(f"{name}: the expected value is {what}") from None


def _fetched(value: object) -> object:
    return value.value if isinstance(value, Remote) else value


def _compare_names(have: Table, want: Table, options: Options, name: str) -> None:
    """The columns of both, whatever they hold."""
    missing = [column for column in want.names if column not in have.names]
    extra = [column for column in have.names if column not in want.names]
    if missing or extra:
        said = [f"lacks {_named(missing)}"] if missing else []
        said += [f"has {_named(extra)} besides"] if extra else []
        raise CheckFailed(f"{name} {' and '.join(said)}; its columns should be {_named(want.names)}.")
    if len(have.names) != len(want.names):
        raise CheckFailed(
            f"{name} has {len(have.names)} columns, expected {len(want.names)}: a name comes twice."
        )
    if options.column_order and have.names != want.names:
        raise CheckFailed(f"{name} has the columns {_named(have.names)}, expected {_named(want.names)}.")


def _compare(have: Table, want: Table, options: Options, name: str) -> None:
    if have.rows != want.rows:
        raise CheckFailed(f"{name} has {have.rows} rows, expected {want.rows}.")
    if options.index and not (want.counts_rows and have.index is None):
        _compare_index(have, want, name)
    # By place where names are equal: a name may come twice.
    in_order = have.names == want.names
    known = dict(have.columns)
    for place, (column, should) in enumerate(want.columns):
        got = have.columns[place][1] if in_order or len(want.columns) == 1 else known[column]
        called = name if column is None else f"column {_name(column)} of {name}"
        _compare_column(got, should, options, called, want.index)


def _compare_index(have: Table, want: Table, name: str) -> None:
    if have.index is None:
        raise CheckFailed(f"{name} has no index, expected the labels {_named(want.index or ())}.")
    labels = want.index if want.index is not None else tuple(range(want.rows))
    wrong = [place for place in range(want.rows) if not _is_same(have.index[place], labels[place])]
    if wrong:
        place = wrong[0]
        raise CheckFailed(
            f"{name}: {len(wrong)} of {want.rows} labels of the index differ.\n  row {place}: got "
            f"{_name(have.index[place])}, expected {_name(labels[place])}"
        )


def _compare_column(have: Column, want: Column, options: Options, name: str, index: Labels | None) -> None:
    if options.dtype and want.dtype and have.dtype != want.dtype:
        raise CheckFailed(
            f"{name} is of type {snippet(have.dtype or 'list', limit=30)}, expected {want.dtype}."
        )
    if options.categorical and have.categories != want.categories:
        raise CheckFailed(f"{name} has {_categories(have)}, expected {_categories(want)}.")
    passes = _equal(have, want, options)
    if bool(passes.all()):
        return
    place = int(np.argmin(passes))
    label = f" (index {_name(index[place])})" if index is not None and index[place] != place else ""
    got, should = _shown(have, want, place)
    wrong = int(passes.size - np.count_nonzero(passes))
    raise CheckFailed(
        f"{name}: {wrong} of {passes.size} entries differ.\n"
        f"  row {place}{label}: got {got}, expected {should}"
    )


def _equal(have: Column, want: Column, options: Options) -> Array:
    """Entry by entry, whether they are equal."""
    ours, theirs = want.as_numbers, have.as_numbers
    both = have.missing & want.missing
    either = have.missing | want.missing
    if ours is not None and theirs is not None:
        tolerance = Tolerance.between(theirs, ours, rtol=options.rtol, atol=options.atol)
        same = tolerance.close(theirs, ours)
    elif have.entries.dtype.kind == want.entries.dtype.kind != "O":
        same = np.asarray(have.entries == want.entries)
    else:
        pairs = zip(have.entries.tolist(), want.entries.tolist(), strict=True)
        same = np.array([_is_same(one, other) for one, other in pairs], dtype=bool)
    return np.asarray(np.where(either, both & options.equal_nan, same))


def _is_same(one: object, other: object) -> bool:
    """Equal, and both texts or both numbers or of one type."""
    numeric = bool | int | float | complex
    if not (isinstance(one, numeric) and isinstance(other, numeric)) and type(one) is not type(other):
        return False
    return bool(one == other)


def _shown(have: Column, want: Column, place: int) -> tuple[str, str]:
    ours, theirs = want.as_numbers, have.as_numbers
    if ours is not None and theirs is not None:
        got, should = numbers(theirs[place], ours[place])
        return got, should
    return _name(have.entries[place]), _name(want.entries[place])


def _categories(column: Column) -> str:
    if column.categories is None:
        return "no categories"
    labels, ordered = column.categories
    return f"the {'ordered ' if ordered else ''}categories {_named(labels)}"


def _named(labels: Labels | list[object]) -> str:
    more = len(labels) - MAX_NAMED
    return ", ".join(map(_name, labels[:MAX_NAMED])) + (f" and {more} more" if more > 0 else "")


def _name(label: object) -> str:
    return snippet(label, limit=60) if isinstance(label, str) else snippet(repr(label), limit=60)
