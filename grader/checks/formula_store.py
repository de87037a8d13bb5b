"""Tables of formulas in this person's cache: making one takes a second, reading it milliseconds.

A table says where to look. What is found is computed anew on a check's own arrays, so a table that is wrong
can hide a name and make none up.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from grader.checks.formula_table import Table
from grader.digests import digest_of_texts
from grader.files import cache_folder, read_own, write_own

MOST_KEPT = 16
"""Tables in the cache: 2 to 9 MB each; those that were read or made last stay."""

_LARGEST = 64 << 20
_SOURCES = ("formula_growth", "formula_store", "formula_table", "formula_values", "formulas", "operations")


def kept_table(vocabulary: Iterable[str], make: Callable[[], Table]) -> Table:
    """The table of a vocabulary as it was kept; made, and kept if that is possible, if there is none."""
    folder = cache_folder(os.environ)
    if folder is None:
        return make()
    place = folder / f"formulas-{_name(vocabulary)}.npz"
    with suppress(OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        with np.load(io.BytesIO(read_own(place, limit=_LARGEST)), allow_pickle=False) as columns:
            table = Table.read(columns)
        os.utime(place)
        return table
    table, data = make(), io.BytesIO()
    np.savez(data, **table.columns())  # type: ignore[arg-type]  # of names that none of its options has
    with suppress(OSError):
        write_own(place, data.getvalue())
        for old in sorted(folder.glob("formulas-*.npz"), key=lambda one: -one.stat().st_mtime)[MOST_KEPT:]:
            old.unlink()
    return table


def _name(vocabulary: Iterable[str]) -> str:
    """Another one for other code, and for a numpy that may compute other digits."""
    here = Path(__file__)
    code = [here.with_name(f"{name}.py").read_text(encoding="utf-8") for name in _SOURCES]
    return digest_of_texts([np.__version__, *code, *vocabulary])[:24]
