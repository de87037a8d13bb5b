"""The evidence checks' numbers: what many seeds support, and the same looks at curves as the checks'."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.uninstalled import importing

from grader.model.calibration import RISK, decode

ROOT = Path(__file__).parents[2]
HIDDEN = ROOT / "hidden_tests"


@pytest.fixture
def bounds() -> Iterator[Any]:
    """The module benchmarks.evidence_bounds."""
    with importing("benchmarks", "reference") as load:
        yield load("benchmarks.evidence_bounds")


@pytest.fixture
def pinned() -> Any:
    """The curves of the reference's own run."""
    return json.loads((HIDDEN / "reference_curves.json").read_text(encoding="utf-8"))


def runs(pinned: Any, item: str) -> dict[tuple[str, ...], Any]:
    """The pinned curves as the fast reference names its runs."""
    if item.startswith("4.1"):
        run = pinned[item].get("2", pinned[item])
        return {(item,): {"train": run["train_loss"], "validation": run["val_loss"]}}
    if item == "3.3.i":
        return {("early_run",): dict(pinned[item])}
    return {("momentum_runs", alpha): dict(run) for alpha, run in pinned[item].items()}


def refused(bounds: Any, item: str, found: Any) -> Any:
    """The numbers in the checks that this recording misses."""
    _, look = bounds.LOOKS[item]
    return bounds.missed(item, look(found))


@pytest.mark.parametrize(
    ("item", "smoothed"),
    [
        ("3.3.i", {"ROUGH_TOGETHER"}),
        ("3.4.i", {"ROUGH_LOSS", "ROUGH_TOGETHER"}),
        ("4.1.ii", {"ROUGH"}),
        ("4.1.iii.curves", {"ROUGH"}),
    ],
)
def test_the_references_curves_keep_every_bound_and_smoothed_ones_do_not(
    bounds: Any, pinned: Any, item: str, smoothed: set[str]
) -> None:
    honest = runs(pinned, item)
    assert refused(bounds, item, honest) == set()
    assert refused(bounds, item, bounds.smoothed(honest)) == smoothed


def test_no_number_in_the_checks_is_stricter_than_many_seeds_support(bounds: Any) -> None:
    kept = decode((HIDDEN / "evidence.calibration.json").read_bytes())
    assert {bound.check for bound in kept.bounds} == set(bounds.LOOKS)
    assert kept.checks == bounds.numbers_digest(), "the numbers have changed: calibrate again"
    assert kept.reference == bounds.digest_of_file(HIDDEN / "reference_curves.json")
    for bound in kept.bounds:
        assert bound.values >= sys.modules["benchmarks.tolerance"].FEWEST
        assert bound.risk <= RISK
        assert bounds.keeps(bound), bound


def test_a_run_is_one_students_own(bounds: Any) -> None:
    [early] = bounds.runs_of("3.3.i", 7, examples=10_000).values()
    assert (early.seed, early.patience, early.max_epochs) == (7, None, 30)
    assert len(bounds.runs_of("3.4.i", 7, examples=10_000)) == 5
    [block] = bounds.runs_of("4.1.iii.curves", 9, examples=10_000).values()
    assert block.block_size == 2
    assert {run.seed for run in bounds.runs_of("4.1.ii", 9, examples=10_000).values()} == {9}


@pytest.mark.parametrize(("count", "k"), [(30, 3.064), (50, 2.862), (100, 2.684)])
def test_limits_are_those_of_the_printed_tables(bounds: Any, count: int, k: float) -> None:
    tolerance = sys.modules["benchmarks.tolerance"]
    assert tolerance.factor(count, risk=0.01) == pytest.approx(k, rel=5e-3)


def test_a_limit_keeps_its_promise_for_normal_values(bounds: Any) -> None:
    tolerance = sys.modules["benchmarks.tolerance"]
    random, kept, without = np.random.default_rng(1), [], 0
    for values in random.normal(size=(2000, 60)):
        try:
            kept.append(tolerance.lower_limit(values, risk=1e-3) <= -3.0902)
        except tolerance.NoLimitError:
            without += 1
    assert 0.93 <= np.mean(kept) <= 0.97
    assert without <= 40


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.arange(29.0), "29 values are too few"),
        (np.zeros(50), "nothing varies"),
        (np.append(np.random.default_rng(2).normal(size=59), -6.0), "too far below"),
    ],
)
def test_what_supports_no_limit_says_why(bounds: Any, values: Any, why: str) -> None:
    tolerance = sys.modules["benchmarks.tolerance"]
    with pytest.raises(tolerance.NoLimitError, match=why):
        tolerance.lower_limit(values, risk=1e-4)
