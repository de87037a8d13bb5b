"""Bounds keep their promise on distributions whose tails are known, and are refused where they could not."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.tails import NoBoundError, at_least, least_rate, unseen_rate, upper_bound

RISK = 1e-4
REPETITIONS = 300

# The exponential law is the hardest that the assumption allows, the others are lighter or count something.
LAWS = {
    "exponential": (lambda rng, n: rng.exponential(size=n), lambda x: math.exp(-x), 0),
    "normal": (lambda rng, n: rng.normal(size=n), lambda x: math.erfc(x / math.sqrt(2)) / 2, 0),
    "mirrored accuracy of 0.97": (
        lambda rng, n: rng.binomial(50, 0.03, size=n) / 50,
        lambda x: at_least(math.floor(x * 50 + 1e-9) + 1, 50, 0.03) if x < 1 else 0.0,
        1 / 50,
    ),
    "one rare failure": (
        lambda rng, n: rng.poisson(0.005, size=n),
        lambda x: 1 - math.exp(-0.005) * sum(0.005**k / math.factorial(k) for k in range(math.floor(x) + 1)),
        1,
    ),
}


@pytest.mark.parametrize("law", LAWS)
def test_a_bound_is_exceeded_no_more_often_than_it_says(law):
    """In at least 95 of 100 calibrations; three standard deviations of chance are allowed for."""
    draw, beyond, resolution = LAWS[law]
    rng, kept, given = np.random.default_rng(5), 0, 0
    for _ in range(REPETITIONS):
        try:
            bound = upper_bound(draw(rng, 100), risk=RISK, resolution=resolution)
        except NoBoundError:
            continue
        given, kept = given + 1, kept + (beyond(bound.value) <= RISK)
    assert given >= 0.95 * REPETITIONS
    assert kept >= given * 0.95 - 3 * math.sqrt(given * 0.95 * 0.05)


def test_more_seeds_give_a_tighter_bound():
    values = np.random.default_rng(2).normal(size=3000)
    few, many = (upper_bound(values[:n], risk=RISK).value for n in (100, 3000))
    assert 3.72 < many < 6 < few < 10


def test_ties_count_as_steps_even_when_nobody_says_so():
    values = np.random.default_rng(3).integers(90, 100, size=200) / 100
    known, seen = (upper_bound(values, risk=RISK, resolution=step).value for step in (0.01, 0))
    assert seen == pytest.approx(known)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.arange(99.0), "99 values are too few"),
        (np.ones(100), "the same value"),
        ([*np.arange(99.0), math.nan], "NaN"),
        ([*np.random.default_rng(1).normal(size=197), 300, 310, 320], "far outside"),
    ],
)
def test_what_supports_no_bound(values, why):
    with pytest.raises(NoBoundError, match=why):
        upper_bound(values, risk=RISK)


@settings(max_examples=40)
@given(trials=st.integers(1, 30), wins=st.integers(0, 30), percent=st.integers(1, 99))
def test_binomial_tails_are_exact(trials, wins, percent):
    wins, rate = min(wins, trials), Fraction(percent, 100)
    exact = sum(math.comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(wins, trials + 1))
    assert at_least(wins, trials, percent / 100) == pytest.approx(float(exact), rel=1e-9)


@settings(max_examples=30)
@given(trials=st.integers(1, 300), wins=st.integers(0, 300))
def test_the_lower_limit_of_a_rate_is_that_of_clopper_and_pearson(trials, wins):
    wins = min(wins, trials)
    limit = least_rate(wins, trials)
    assert 0 <= limit <= wins / trials
    if wins:
        assert at_least(wins, trials, limit) == pytest.approx(0.05, rel=1e-6)


def test_what_was_not_seen_may_happen_three_times_in_as_many_trials():
    assert unseen_rate(1000) == pytest.approx(3 / 1000, rel=0.01)
