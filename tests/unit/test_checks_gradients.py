"""A right gradient passes in every precision, a wrong one is named, a bad loss is the author's fault."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.gradients import check_gradients
from grader.checks.slopes import slopes
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


def test_the_loss_is_called_four_times_an_entry_and_cannot_move_the_point():
    calls = []
    at = np.ones((2, 3))

    def loss(w):
        calls.append(w.copy())
        value = float(np.sum(w))
        w[:] = 99.0
        return value

    check_gradients(loss, at, np.ones((2, 3)))
    assert len(calls) == 25
    assert np.array_equal(at, np.ones((2, 3)))
    assert [np.count_nonzero(point != 1.0) for point in calls] == [0] + [1] * 24


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


@given(seeds, st.floats(1e-3, 1e3), st.floats(1e-6, 1e6))
def test_slopes_reach_ten_digits_at_any_scale(seed, scale, size):
    _, W, _, loss, right = layer(seed)
    found = slopes(lambda w: scale * loss(w / size), W * size, np.arange(W.size))
    error = np.abs(found.value - scale * right.ravel() / size)
    assert error.max() <= 1e-10 * scale / size * max(1.0, np.abs(right).max())
    assert not found.rough.any()
    assert np.all(error <= found.error + 1e-15 * scale / size)


def saturated(seed, size=100.0):
    """tanh far from 0: the point, the upstream gradient, the loss, and float32 code's gradient."""
    rng = np.random.default_rng(seed)
    x, G = (size * rng.normal(size=(6, 4))).astype(np.float32), rng.normal(size=(6, 4)).astype(np.float32)
    y = np.tanh(x)
    return x.astype(float), G.astype(float), np.tanh, G * (1 - y * y)


@pytest.mark.parametrize("seed", range(26, 34))
def test_a_right_float32_gradient_passes_where_only_its_rounding_is_left(seed):
    x, G, tanh, mine = saturated(seed)
    assert mine.dtype == np.float32
    check_gradients(tanh, x, mine, upstream=G)
    check_gradients(tanh, x, G / np.cosh(x) ** 2, upstream=G)


@pytest.mark.parametrize("seed", range(5))
def test_saturation_excuses_no_wrong_gradient(seed):
    x, G, tanh, _ = saturated(seed)
    right = G / np.cosh(x) ** 2
    for wrong in (right * 1.01, -right, np.zeros_like(right), (right + 1e-4).astype(np.float32)):
        failure(tanh, x, wrong, upstream=G)


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda x: x / np.sqrt(np.mean(x**2) + 1e-5), None),
        (lambda x: np.log(x**2), lambda x: 2 / x),
        (lambda x: 1 / (x**2 + 1e-6), lambda x: -2 * x / (x**2 + 1e-6) ** 2),
        (lambda x: np.exp(x / 50), lambda x: np.exp(x / 50) / 50),
    ],
)
def test_what_is_steeper_near_0_is_not_saturated_for_that(function, slope):
    x, G, _, _ = saturated(3)
    right = slope(x) * G if slope else slopes(lambda a: np.sum(G * function(a)), x, np.arange(x.size)).value
    right = np.reshape(right, x.shape).astype(np.float32)
    check_gradients(function, x, right, upstream=G)
    failure(function, x, right * np.float32(1.01), upstream=G)
    failure(function, x, 0 * right, upstream=G)


def relu(seed):
    """relu of a relu's output: about half of the entries are 0."""
    rng = np.random.default_rng(seed)
    return np.maximum(0, rng.normal(size=(3, 4))), rng.normal(size=(3, 4))


@given(seeds, st.sampled_from([0.0, 0.5, 1.0]))
def test_at_a_kink_every_slope_between_those_of_the_sides_passes(seed, at_zero):
    x, G = relu(seed)
    x.flat[:7] = np.abs(x.flat[:7]) + 0.1
    check_gradients(lambda a: np.sum(G * np.maximum(0, a)), x, G * np.where(x > 0, 1, at_zero))
    check_gradients(lambda a: np.maximum(0, a), x, G * np.where(x > 0, 1, at_zero), upstream=G)


@given(seeds)
def test_a_slope_beyond_those_of_the_sides_fails_at_a_kink(seed):
    x, G = relu(seed)
    x.flat[0] = 0.0
    wrong = G * (x > 0)
    for factor in (-1, 1.5, 2):
        wrong.flat[0] = factor * G.flat[0]
        failure(lambda a: np.sum(G * np.maximum(0, a)), x, wrong)


@given(seeds, st.floats(-6, -1), st.sampled_from([-1, 1]))
def test_a_kink_beside_the_point_costs_nothing_and_gives_nothing(seed, distance, side):
    x, G = relu(seed)
    x += 0.1
    x.flat[0] = side * 10**distance
    right = G * (x > 0)
    check_gradients(lambda a: np.sum(G * np.maximum(0, a)), x, right)
    wrong = right.copy()
    wrong.flat[0] = -G.flat[0]
    failure(lambda a: np.sum(G * np.maximum(0, a)), x, wrong)


def test_ties_of_a_largest_entry_may_be_given_to_any():
    x = np.array([[1.0, 1.0, 0.5, 1.0], [3.0, 2.0, 1.0, 0.0]])
    shared = np.array([[1, 1, 0, 1], [3, 0, 0, 0]]) / 3.0
    first = np.array([[1.0, 0, 0, 0], [1, 0, 0, 0]])
    for right in (shared, first):
        check_gradients(lambda a: np.sum(a.max(axis=1)), x, right)
    failure(lambda a: np.sum(a.max(axis=1)), x, [[0, 0, 1.0, 0], [1, 0, 0, 0]])
    failure(lambda a: np.sum(a.max(axis=1)), x, [[1, 0, 0, 0], [0, 1.0, 0, 0]])


def test_kinks_almost_everywhere_are_the_authors():
    with pytest.raises(AuthorError, match="kink at 3 of 4 entries"):
        check_gradients(lambda a: np.sum(np.abs(a)), [0.0, 0, 0, 1], [0.0, 0, 0, 1])
    failure(lambda a: np.sum(np.abs(a)), [0.0, 0, 0, 1], [0.0, 0, 0, 2])


def test_a_saturated_softmax_has_zeros():
    z = np.array([[0.0, 400.0]])

    def loss(a):
        s = a - a.max(1, keepdims=True)
        return float(np.mean(np.log(np.exp(s).sum(1)) - s[0, 1]))

    check_gradients(loss, z, [[1.9e-174, 0.0]])
    failure(loss, z, [[1e-6, 0.0]])


def test_that_upstream_is_ignored_is_named():
    X, W, upstream, _, _ = layer(4)
    right, ignored = X.T @ upstream, X.T @ np.ones_like(upstream)
    check_gradients(lambda w: X @ w, W, right, upstream=upstream)
    assert "as if it were ones" in failure(lambda w: X @ w, W, ignored, upstream=upstream)
    with pytest.raises(AuthorError, match="upstream has shape"):
        check_gradients(lambda w: X @ w, W, right, upstream=upstream.T)


def test_a_sample_of_a_large_array():
    rng = np.random.default_rng(0)
    W, calls = rng.normal(size=(100, 100)), []

    def loss(w):
        calls.append(1)
        return np.sum(np.tanh(w))

    right = 1 / np.cosh(W) ** 2
    check_gradients(loss, W, right, sample=200)
    assert len(calls) == 801
    assert "200 entries were looked at" in failure(loss, W, right * 1.001, sample=200)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_coarse_type_hides_no_mistake(dtype):
    _, W, _, loss, right = layer(3)
    failure(loss, W, (1.01 * right).astype(dtype))
