"""Checks about training: what passes, what fails, and in which words."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grader.checks.measures import measure_named
from grader.checks.thresholds import Limit, Stored
from grader.checks.training import (
    assert_beats_baseline,
    assert_loss_falls,
    assert_overfits,
    assert_parameter_count,
    assert_repeatable,
)
from grader.model.calibration import Calibration, Side
from grader.model.errors import AuthorError, CheckFailed
from grader.model.values import Remote

LABELS = np.array([0, 1, 1, 2, 1, 0])
RIGHT = np.eye(3)[LABELS] * 9


class Kept(Remote):
    def __init__(self, value):
        self._value = value

    @property
    def value(self):
        return self._value


def stored(side, bound):
    return Stored(
        Calibration(
            check="test_c",
            statistic="s",
            side=side,
            bound=bound,
            risk=1e-4,
            confidence=0.95,
            assumption="",
            values=200,
            mean=0.8,
            sd=0.01,
            quantiles={},
            unseen=0.01,
        )
    )


def test_a_loss_falls_by_a_share_or_an_amount():
    losses = [2.0, 1.5, 0.9, 5.0]
    assert_loss_falls(losses, steps=2, share=0.5)
    assert_loss_falls(Kept(np.array(losses, np.float32)), steps=2, by=1.0)
    with pytest.raises(CheckFailed, match=r"from 2 to 1.5 in 1 steps: .* is 0.25, expected at least 0.5"):
        assert_loss_falls(losses, steps=1, share=0.5)
    with pytest.raises(CheckFailed, match=r"the fall is -3, expected at least 0.1"):
        assert_loss_falls(losses, steps=3, by=0.1)


@pytest.mark.parametrize(
    ("losses", "why"),
    [
        ([1.0, 0.5], "has 2 values, expected 3"),
        ([1.0, math.nan, 0.1], "not finite"),
        ([0.0, 0.0, 0.0], "starts at 0, expected more"),
        (None, "is None"),
        ([[1.0, 0.5, 0.1]], "shape"),
    ],
)
def test_a_curve_that_cannot_be_read_is_the_students(losses, why):
    with pytest.raises(CheckFailed, match=why):
        assert_loss_falls(losses, steps=2, share=0.5)


def test_bounds_that_make_no_sense_are_the_authors():
    for wrong in ({}, {"share": 0.5, "by": 1.0}, {"share": "much"}, {"share": math.nan}):
        with pytest.raises(AuthorError):
            assert_loss_falls([2.0, 1.0], steps=1, **wrong)
    with pytest.raises(AuthorError, match="calibrated as `most`, but the check uses it as `least`"):
        assert_loss_falls([2.0, 1.0], steps=1, share=stored(Side.MOST, 0.5))
    with pytest.raises(AuthorError, match="no measure 'f1'"):
        assert_overfits(RIGHT, LABELS, at_most=1.0, measure="f1")
    with pytest.raises(AuthorError, match="must be a loss"):
        assert_overfits(RIGHT, LABELS, at_most=1.0, measure="accuracy")


def test_a_calibrated_bound_states_its_risk():
    with pytest.raises(CheckFailed) as error:
        assert_loss_falls([2.0, 1.0], steps=1, share=stored(Side.LEAST, 0.7))
    assert "expected at least 0.7" in str(error.value)
    assert "a correct solution fails with probability at most 0.0001" in str(error.value)
    assert "200 values of the reference: 0.8 ± 0.01" in str(error.value)


def test_overfitting_is_measured_on_our_side():
    assert_overfits(RIGHT, LABELS, at_most=0.001)
    assert_overfits(RIGHT + 1e300, LABELS, at_most=2.0)  # large logits do not overflow
    probabilities = np.full((6, 3), 0.05) + 0.85 * np.eye(3)[LABELS]
    assert_overfits(probabilities, LABELS, at_most=-math.log(0.9) + 1e-9, measure="log_loss")
    assert_overfits([0.1, 0.9], np.array([0, 1]), at_most=0.11, measure="log_loss")
    assert_overfits([1.0, 2.0], np.array([1.0, 2.0]), at_most=0.0, measure="squared_error")
    with pytest.raises(CheckFailed, match=r"expected at most 0.5"):
        assert_overfits(np.zeros((6, 3)), LABELS, at_most=0.5)
    with pytest.raises(CheckFailed, match="no probabilities"):
        assert_overfits(RIGHT, LABELS, at_most=0.5, measure="log_loss")
    with pytest.raises(CheckFailed, match="expected a finite number"):
        assert_overfits(np.full((6, 3), np.nan), LABELS, at_most=0.5)
    with pytest.raises(CheckFailed, match="one row for each of the 6 examples"):
        assert_overfits(RIGHT[:, :2], LABELS, at_most=0.5)


def test_an_advantage_is_over_the_best_constant_or_a_given_baseline():
    assert_beats_baseline(RIGHT, LABELS, by=0.5)
    assert_beats_baseline(LABELS, LABELS, by=0.5)
    with pytest.raises(CheckFailed, match=r"accuracy 0.5 against the baseline's 0.5; the advantage is 0"):
        assert_beats_baseline(np.ones(6), LABELS, by=0.01)
    y = np.array([1.0, 2.0, 4.0])
    assert_beats_baseline(y, y, by=0.5, baseline=y + 1, measure="squared_error")
    with pytest.raises(CheckFailed, match=r"has shape \(2,\), expected shape \(3,\)"):
        assert_beats_baseline(y[:2], y, by=0.5, measure="squared_error")


def test_two_runs_from_one_seed_agree_and_others_differ():
    def run(seed):
        return {"W": np.random.default_rng(seed).normal(size=3), "b": [Kept(np.zeros(2)), 1.5]}

    assert_repeatable(run)
    draws = np.random.default_rng(0)
    with pytest.raises(CheckFailed, match=r"a run\['W'\], run twice from seed 1"):
        assert_repeatable(lambda _seed: {"W": draws.normal(size=3)})
    with pytest.raises(CheckFailed, match="the same numbers from seeds 1 and 2"):
        assert_repeatable(lambda _seed: run(7))
    with pytest.raises(CheckFailed, match="NaN or infinity"):
        assert_repeatable(lambda _seed: np.array([np.nan]))
    runs = iter(({"a": 1.0}, {"b": 1.0}, {"a": 2.0}))
    with pytest.raises(CheckFailed, match="there after one run"):
        assert_repeatable(lambda _seed: next(runs))


def test_parameters_are_counted_in_arrays():
    model = {"L1": {"W": np.zeros((4, 3)), "b": Kept(np.zeros((1, 3)))}, "L2": [np.zeros(5), 2.0]}
    assert_parameter_count(model, 21)
    with pytest.raises(CheckFailed, match=r"21 parameters, expected 20: \['L1'\]\['W'\] \(4, 3\)"):
        assert_parameter_count(model, 20)
    with pytest.raises(CheckFailed, match=r"the text 'many'"):
        assert_parameter_count({"W": "many"}, 20)
    endless = []
    endless.append(endless)
    with pytest.raises(CheckFailed, match="nested more than"):
        assert_parameter_count(endless, 20)


class Noting(Limit):
    """Notes what it is held against, as a calibration does."""

    def bar(self, side):
        del side

    def note(self, seen):
        self.seen = seen

    def origin(self):
        return ""


def weaker(**arguments):
    limit = Noting()
    arguments["check"](limit)
    return dict(limit.seen.weaker)


def test_a_raw_history_of_mini_batches_is_compared_in_means():
    rng = np.random.default_rng(3)
    history = 2 * 0.99 ** np.arange(200) + rng.normal(0, 0.5, 200)
    assert_loss_falls(history, steps=200, window=50, share=0.5)
    with pytest.raises(CheckFailed, match=r"in 200 steps \(means of 50 mini-batches\): the share"):
        assert_loss_falls(rng.normal(2, 0.5, 200), steps=200, window=50, share=0.5)
    with pytest.raises(CheckFailed, match="has 199 values, expected 200: one for each step"):
        assert_loss_falls(history[:199], steps=200, window=50, share=0.5)
    with pytest.raises(AuthorError, match="at least 400, twice the `window`, not 200"):
        assert_loss_falls(history, steps=200, window=200, share=0.5)


def test_a_step_that_is_too_small_is_read_off_the_curve_of_the_right_one():
    curve = 3 * np.exp(-0.05 * np.arange(101))
    found = weaker(check=lambda limit: assert_loss_falls(curve, steps=100, share=limit))
    slow = {f"a step {n} times too small": 1 - math.exp(-0.05 * 100 / n) for n in (2, 10, 100)}
    assert found == pytest.approx(slow, rel=0.01)

    def train(rate):  # gradient descent on a quadratic: what a step 10 times too small really does
        x, losses = np.array([1.0, 2.0]), []
        for _ in range(101):
            losses.append(float((x**2 * [1, 0.3]).sum()))
            x = x - rate * 2 * x * [1, 0.3]
        return losses

    found = weaker(check=lambda limit: assert_loss_falls(train(0.02), steps=100, by=limit))
    slowly = train(0.002)
    assert found["a step 10 times too small"] == pytest.approx(slowly[0] - slowly[100], rel=0.02)


def test_what_learns_a_part_of_it_lies_between_nothing_and_the_reference():
    y = np.array([1.0, 3.0])
    found = weaker(check=lambda limit: assert_overfits(y, y, at_most=limit, measure="squared_error"))
    assert found == pytest.approx(
        {
            "half of what the reference learns": 0.5,
            "a tenth of what the reference learns": 0.9,
            "a hundredth of what the reference learns": 0.99,
        }
    )
    found = weaker(check=lambda limit: assert_beats_baseline(LABELS, LABELS, by=limit))
    assert found["half of what the reference learns"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("predicted", "targets", "measure", "words"),
    [
        (np.zeros((4, 3)), np.eye(3)[[0, 1, 2, 0]], "accuracy", r"one-hot: pass targets.argmax\(axis=1\)"),
        (np.zeros((4, 2)), np.full((4, 2), 0.5), "accuracy", 'These shapes fit measure="squared_error"'),
        (np.zeros(4), np.array([0.5, 1.5, 2.0, 3.0]), "accuracy", 'numbers such as 0.5.*"squared_error"'),
        (np.full(4, 0.3), np.array([0, 1, 1, 0]), "cross_entropy", 'measure="log_loss"'),
        (
            np.zeros((4, 3)),
            np.array([0, 1, 1, 2]),
            "squared_error",
            'measure="accuracy" or measure="cross_entropy"',
        ),
        (np.zeros((5, 7)), np.array([0, 1, 1, 2]), "cross_entropy", "a column for each class.$"),
    ],
)
def test_shapes_that_do_not_fit_suggest_the_measure(predicted, targets, measure, words):
    with pytest.raises((CheckFailed, AuthorError), match=words):
        measure_named(measure).score(predicted, targets, name="the predictions")
