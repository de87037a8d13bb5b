"""What runs in Jupyter runs here: small notebooks by a real kernel and by the sandbox, with the same outcome.

Where it differs, docs/what-runs-here.md says so, and the student reads what the page promises. No difference
is without a row, and no row without a difference or something to read.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from importlib.metadata import version

import pytest
from support.boxes import mode_here
from support.fidelity import (
    PRELOAD,
    Came,
    Row,
    Small,
    by_kernel,
    by_sandbox,
    documented,
    modes_for,
    notebooks,
)
from support.measured import start_zygote

from grader.model.errors import InfrastructureError
from grader.model.isolation import Mode
from grader.sandbox.zygote import Zygote

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

ALL = notebooks()
MODES = [mode for mode in Mode if mode.isolates]
ROWS = documented()


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    with start_zygote(*PRELOAD) as warm:
        yield warm


@pytest.fixture(scope="session")
def other_modes(zygote: Zygote) -> list[Mode]:
    """The modes beside the usual one that start here, as root too those that root should not use."""
    return [mode for mode in MODES if mode is not mode_here() and starts(zygote, mode)]


def starts(zygote: Zygote, mode: Mode) -> bool:
    try:
        by_sandbox(zygote, (), mode)
    except InfrastructureError:
        return False
    return True


def kernels(small: Small, cache: pytest.Cache) -> Came:
    """What the kernel makes of a notebook; known from an earlier run as long as nothing has changed."""
    text = "\0".join((*small.cells, sys.version, *map(version, ("ipykernel", "ipython", "numpy", "torch"))))
    key = f"fidelity/{hashlib.sha256(text.encode()).hexdigest()}"
    known = cache.get(key, None)
    if known is None:
        came = by_kernel(small.cells)
        known = [list(came.errors), came.answer]
        cache.set(key, known)
    return Came(tuple(known[0]), known[1])


def row_of(small: Small, mode: Mode) -> Row | None:
    return next((row for row in ROWS if str(small) in row.titles and row.applies_in(mode)), None)


@pytest.mark.parametrize("small", ALL, ids=str)
def test_a_notebook_runs_as_in_jupyter(
    small: Small, zygote: Zygote, other_modes: list[Mode], request: pytest.FixtureRequest
) -> None:
    cache = request.config.cache
    assert cache is not None
    wanted = kernels(small, cache)
    for mode in modes_for(small, mode_here(), other_modes):
        came = by_sandbox(zygote, small.cells, mode)
        row = row_of(small, mode)
        if row is None:
            assert came == wanted, (mode, came.said)
        else:
            assert came != wanted or row.told, f"the page says that this differs in {mode}: {row}"
            assert all(told in came.said for told in row.told), (mode, row.told, came.said)


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    assert len(ALL) >= 120
    assert len({str(small) for small in ALL}) == len(ALL)
    assert all(small.cells for small in ALL)


def test_every_row_of_the_page_is_of_a_notebook() -> None:
    named = [title for row in ROWS for title in row.titles]
    assert set(named) <= {str(small) for small in ALL}
    assert all(set(row.where) <= {"every mode", *MODES} for row in ROWS)
