"""A right gradient passes in every precision, a wrong one is named, a bad loss is the author's fault."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.gradients import central_differences, check_gradients
from grader.model.errors import AuthorError, CheckFailed, StudentError

seeds = st.integers(0, 2**32 - 1)


def layer(seed, rows=7, inner=5, columns=3):
    """A linear layer under a random upstream gradient: data, loss of W, and the gradient of W."""
    rng = np.random.default_rng(seed)
    X, W = rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))
    upstream = rng.normal(size=(rows, columns))
    return X, W, upstream, lambda w: np.sum(upstream * np.tanh(X @ w)), X.T @ (upstream / np.cosh(X @ W) ** 2)


def failure(*args, **options):
    with pytest.raises(CheckFailed) as caught:
        check_gradients(*args, **options)
    return str(caught.value)


@given(seeds, st.integers(1, 8), st.integers(1, 6), st.integers(1, 4))
def test_a_right_gradient_passes_in_float64_and_float32(seed, rows, inner, columns):
    _, W, _, loss, right = layer(seed, rows, inner, columns)
    check_gradients(loss, W, right)
    check_gradients(loss, W, right.astype(np.float32))
    check_gradients(loss, W, right.tolist())


@given(seeds)
def test_each_wrong_gradient_fails(seed):
    _, W, _, loss, right = layer(seed)
    nearly = right.copy()
    nearly[np.unravel_index(np.argmax(np.abs(right)), right.shape)] *= 1 + 1e-5
    for wrong in (
        -right,
        right / 7,
        right * 7,
        np.zeros_like(right),
        right * (1 + 1e-5),
        nearly,
        right + 1e-4,
    ):
        failure(loss, W, wrong)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_never_passes(poison):
    _, W, _, loss, right = layer(1)
    right[2, 1] = poison
    message = failure(loss, W, right)
    assert "worst entry [2, 1]" in message
    assert "1 of 15 entries" in message


def test_zeros_in_the_gradient_divide_nothing_and_still_count():
    def loss(w):
        return 3.0 * w[0] ** 2

    at = np.array([1.0, 2.0, 3.0])
    check_gradients(loss, at, [6.0, 0.0, 0.0])
    assert "worst entry [1]" in failure(loss, at, [6.0, 1e-3, 0.0])
    check_gradients(lambda _: 4.0, at, np.zeros(3))
    failure(lambda _: 4.0, at, np.full(3, 1e-6))


def test_the_rounding_of_a_large_loss_costs_nothing():
    check_gradients(lambda w: 1e9 + np.sum(w**2), np.array([1.0, 2.0]), [2.0, 4.0])


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda g: -g, "the sign is flipped"),
        (lambda g: g / 7, "every entry is 1/7 of what is expected"),
        (lambda g: g * 7, "every entry is 7 times"),
        (lambda g: g.T, "transpose"),
        (lambda g: g.ravel(), "only the shape differs"),
        (np.zeros_like, "never computed"),
    ],
)
def test_the_message_names_the_mistake(mistake, words):
    _, W, _, loss, right = layer(3)
    assert words in failure(loss, W, mistake(right), batch=7)


def test_an_upstream_gradient_of_ones_is_named_when_it_is_a_suspect():
    X, W, upstream, _, _ = layer(4)
    ones = X.T @ np.ones_like(upstream)
    suspects = {"the upstream gradient is ignored, as if it were ones": ones}
    message = failure(lambda w: np.sum(upstream * (X @ w)), W, ones, suspects=suspects)
    assert "as if it were ones" in message


def test_the_message_has_shape_count_worst_entry_and_bar():
    message = failure(
        lambda w: np.sum(w**2), np.array([1.0, 2.0, 3.0]), [2.0, 4.0, 5.0], name="gradient['W']"
    )
    assert message == (
        "gradient['W']: shape (3,), dtype float64; 1 of 3 entries differ.\n"
        "  worst entry [2]: got 5, expected 6 (central differences; relative error 0.17, allowed 1e-06)"
    )


def test_a_bias_row_may_be_flat_only_when_asked():
    at = np.ones((1, 3))
    flat = np.full(3, 2.0)

    def loss(b):
        return np.sum(b**2)

    check_gradients(loss, at, flat, squeeze=True)
    check_gradients(loss, flat / 2, 2 * at, squeeze=True)
    assert "shape (3,)" in failure(loss, at, flat)
    failure(loss, at, flat.reshape(3, 1), squeeze=True)


def test_the_loss_is_called_twice_an_entry_and_cannot_move_the_point():
    calls = []
    at = np.ones((2, 3))

    def loss(w):
        calls.append(w.copy())
        value = float(np.sum(w))
        w[:] = 99.0
        return value

    check_gradients(loss, at, np.ones((2, 3)))
    assert len(calls) == 12
    assert np.array_equal(at, np.ones((2, 3)))
    assert all(np.count_nonzero(point != 1.0) == 1 for point in calls)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda w: w, "sum it up"),
        (lambda _: np.nan, "nan near"),
        (lambda _: np.inf, "inf near"),
        (lambda _: None, "NaN|not NoneType|nan"),
        (lambda _: "x", "not str"),
    ],
)
def test_a_loss_that_gives_no_finite_number_is_the_authors(loss, words):
    with pytest.raises(AuthorError, match=words):
        check_gradients(loss, np.ones(3), np.ones(3))


def test_an_error_in_the_students_code_stays_theirs():
    def loss(_):
        raise StudentError("ValueError", "shapes")

    with pytest.raises(StudentError):
        check_gradients(loss, np.ones(3), np.ones(3))


def test_claimed_nothing_is_the_students():
    assert "`return` missing" in failure(np.sum, np.ones(3), None)


@given(seeds, st.floats(1e-3, 1e3))
def test_central_differences_reach_nine_digits(seed, scale):
    _, W, _, loss, right = layer(seed)
    numeric = central_differences(lambda w: scale * loss(w), W)
    assert np.abs(numeric.gradient - scale * right).max() <= 1e-8 * scale * max(1.0, np.abs(right).max())
