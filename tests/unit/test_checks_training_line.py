"""The line of honest training: it keeps its risk, and few runs make it wide."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.training_line import TrainingLine, fisher_quantile, fisher_tail, pooled
from grader.model.errors import AuthorError


def line(*, runs: int = 60, numbers: int = 2, seed: int = 0) -> TrainingLine:
    drawn = np.random.default_rng(seed).normal(size=(runs, 3, numbers))
    return TrainingLine.of_runs(
        [f"n{k}" for k in range(numbers)], [10, 20, 30], drawn + np.arange(3)[:, None]
    )


@pytest.mark.parametrize(
    ("above", "below", "expected"),
    [
        (1, 59, 17.418703407656405),
        (2, 8, 36.0),
        (2, 30, 12.71774696133457),
        (3, 37, 9.329699553078282),
        (4, 56, 7.154946267009445),
    ],
)
def test_quantiles_are_those_of_the_tables(above: int, below: int, expected: float) -> None:
    """Computed by scipy 1.16: stats.f.isf(1e-4, above, below)."""
    assert fisher_quantile(above, below, 1e-4) == pytest.approx(expected, rel=1e-10)


@given(st.floats(0.01, 50), st.integers(1, 30), st.integers(1, 200))
def test_the_tail_of_f_turned_round_is_the_rest(value: float, above: int, below: int) -> None:
    """F(a, b) > x is the same event as F(b, a) < 1/x."""
    assert fisher_tail(value, above, below) == pytest.approx(
        1 - fisher_tail(1 / value, below, above), abs=1e-9
    )


@pytest.mark.parametrize(("runs", "numbers"), [(10, 2), (60, 4)])
def test_a_further_honest_run_is_refused_as_often_as_stated(runs: int, numbers: int) -> None:
    random, refused, tried = np.random.default_rng(3), 0, 300
    for _ in range(tried):
        drawn = random.normal(size=(runs, 1, numbers))
        own = TrainingLine.of_runs(["x"] * numbers, [1], drawn)
        bound = own.bound(0.05)
        refused += sum(own.distance(run, 1) > bound for run in random.normal(size=(20, numbers)))
    assert 0.035 < refused / (20 * tried) < 0.065


def test_each_number_may_be_usual_while_both_together_are_not() -> None:
    random = np.random.default_rng(4)
    common = random.normal(size=(60, 1, 1))
    honest = np.concatenate([common, common + 0.1 * random.normal(size=common.shape)], axis=2)
    own = TrainingLine.of_runs(["loss", "clock"], [1], honest)
    assert own.holds([1.5, 1.5], 1)
    assert not own.holds([1.5, -1.5], 1)


def test_between_steps_the_line_is_straight_and_beyond_it_says_nothing() -> None:
    own = line()
    assert own.distance((own.means[0] + own.means[1]) / 2, 15) == pytest.approx(0)
    assert own.covers(10)
    assert own.covers(30)
    assert not own.covers(31)
    with pytest.raises(AuthorError, match="from 10 to 30 steps"):
        own.distance([0, 0], 9)


def test_a_line_of_fewer_runs_is_wider_and_too_few_make_none() -> None:
    assert line(runs=6).bound() > line(runs=20).bound() > line(runs=200).bound()
    few = [line(runs=3, seed=seed) for seed in range(4)]
    for ask in (few[0].bound, lambda: few[0].holds([0.0, 0.0], 10)):
        with pytest.raises(AuthorError, match="3 runs are too few for a line of 2"):
            ask()
    assert pooled(few)[0].holds([0.0, 0.0], 10)


def test_what_is_not_finite_is_off_the_line() -> None:
    own = line()
    for odd in (math.nan, math.inf, -math.inf):
        assert own.distance([odd, 0.0], 20) == math.inf
        assert not own.holds([odd, 0.0], 20)


def test_a_few_runs_of_each_setting_share_their_covariance() -> None:
    several = [line(runs=8, seed=seed) for seed in range(5)]
    shared = pooled(several)
    assert [one.freedom for one in shared] == [35] * 5
    assert shared[0].bound() < several[0].bound()
    np.testing.assert_allclose(shared[0].covariances, np.mean([one.covariances for one in several], axis=0))
    np.testing.assert_array_equal(shared[2].means, several[2].means)


def test_a_line_is_plain_data() -> None:
    own = line()
    again = TrainingLine.of_data(own.as_data())
    assert again.distance([0.3, 0.7], 17) == own.distance([0.3, 0.7], 17)
    assert again.bound() == own.bound()
    with pytest.raises(AuthorError, match="means"):
        TrainingLine.of_data(own.as_data() | {"at": [1.0, 2.0]})
