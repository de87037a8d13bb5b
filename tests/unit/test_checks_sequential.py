"""The sequential test errs as rarely as it says, and stops early when the case is clear."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from grader.checks.sequential import SequentialTest, assert_mostly
from grader.checks.thresholds import Stored
from grader.model.calibration import Calibration, Side
from grader.model.errors import AuthorError, CheckFailed

TEST = SequentialTest(right=0.9, wrong=0.5, limit=70)


def simulated(test, rate, runs, seed=1):
    """The share of runs that fail, and the mean number of trials."""
    rng, failed, trials = np.random.default_rng(seed), 0, 0
    for _ in range(runs):
        wins = losses = 0
        while (verdict := test.verdict(wins, losses)) is None:
            won = rng.random() < rate
            wins, losses = wins + won, losses + (not won)
        failed, trials = failed + (not verdict), trials + wins + losses
    return failed / runs, trials / runs


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.7])
def test_the_exact_probability_is_what_simulation_gives(rate):
    runs = 2000
    share, _ = simulated(TEST, rate, runs)
    exact = TEST.failing(rate)
    assert abs(share - exact) <= 4 * np.sqrt(max(exact * (1 - exact), 1e-3) / runs)


@settings(max_examples=40)
@given(
    right=st.floats(0.6, 0.999), wrong=st.floats(0.05, 0.6), limit=st.integers(10, 80), better=st.floats(0, 1)
)
def test_both_errors_are_as_rare_as_promised(right, wrong, limit, better):
    try:
        test = SequentialTest(right=right, wrong=wrong, limit=limit)
    except AuthorError:
        reject()
    assert test.failing(right + better * (1 - right)) <= 1e-4
    assert 1 - test.failing(wrong * better) <= 0.01


def test_a_clear_case_stops_early():
    assert simulated(TEST, 0.99, 300)[1] < 15
    assert simulated(TEST, 0.1, 300)[1] < 10


def test_too_few_trials_are_the_authors_mistake():
    with pytest.raises(AuthorError, match=r"10 trials cannot tell a rate of 0.9 from 0.8"):
        SequentialTest(right=0.9, wrong=0.8, limit=10)
    with pytest.raises(AuthorError, match="0 < against < at_least < 1"):
        SequentialTest(right=0.5, wrong=0.8)


def test_trials_are_numbered_and_a_failure_says_what_happened():
    asked = []

    def always_fails(k):
        asked.append(k)
        return np.False_

    with pytest.raises(CheckFailed, match=r"succeeded in 0 of \d trials, expected in 0.9 of them .* 0.0001"):
        assert_mostly(always_fails, at_least=0.9, against=0.4)
    assert asked == list(range(len(asked)))
    assert_mostly(lambda _k: True, at_least=0.9, against=0.4)
    with pytest.raises(AuthorError, match="True or False, not float"):
        assert_mostly(lambda _k: 0.7, at_least=0.9, against=0.4)


def test_a_calibrated_rate_brings_its_share_of_the_risk():
    """With two statistics in a check each has a part of it: more failures are needed."""
    trials = []
    for risk in (1e-4, 1e-12):
        found = Calibration(
            check="c", statistic="s", side=Side.RATE, bound=0.9, risk=risk, confidence=0.95, assumption="",
            values=1, mean=1, sd=0, quantiles={}, unseen=1,
        )  # fmt: skip
        with pytest.raises(CheckFailed) as error:
            assert_mostly(lambda _k: False, at_least=Stored(found), against=0.1)
        trials.append(int(str(error.value).split(" of ")[1].split()[0]))
    assert trials == [5, 13]
