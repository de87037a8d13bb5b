"""What counts as close: a right answer computed another way passes, a wrong one fails."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader.checks.arrays import as_array
from grader.checks.closeness import assert_close
from grader.checks.tolerance import Tolerance
from grader.model.errors import AuthorError, CheckFailed
from grader.model.values import Remote

seeds = st.integers(min_value=0, max_value=2**32 - 1)
sizes = st.integers(min_value=2, max_value=9)
floats = st.sampled_from([np.float64, np.float32])


def failure(actual, expected, **options):
    with pytest.raises(CheckFailed) as caught:
        assert_close(actual, expected, **options)
    return str(caught.value)


def product(seed, rows, inner, columns):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns)), rng


@given(seeds, sizes, st.integers(2, 200), sizes, floats, st.floats(1e-6, 1e6))
def test_sums_in_another_order_and_precision_pass_with_room_to_spare(
    seed, rows, inner, columns, dtype, scale
):
    X, W, rng = product(seed, rows, inner, columns)
    X *= scale
    order = rng.permutation(inner)
    actual = X[:, order].astype(dtype) @ W[order].astype(dtype)
    expected = X @ W
    assert_close(actual, expected)
    bar = Tolerance.between(actual, expected)
    assert np.all(np.abs(actual - expected) <= bar.allowed(expected) / 20)


@given(seeds, sizes, st.integers(3, 60), sizes, floats)
def test_wrong_sign_factor_missing_term_or_batch_mean_fails(seed, rows, inner, columns, dtype):
    X, W, _ = product(seed, rows, inner, columns)
    right = X @ W
    mistakes = (
        -right,
        right * 1.001,
        right / rows,
        right * 2,
        X[:, 1:] @ W[1:],
        right + 0.01 * np.abs(right).max(),
        np.abs(right) + 1e-3,
        np.zeros_like(right),
    )
    for wrong in mistakes:
        failure(wrong.astype(dtype), right)


@given(seeds, sizes, st.integers(2, 9))
def test_a_transpose_fails_square_or_not(seed, rows, columns):
    square = np.random.default_rng(seed).normal(size=(rows, rows))
    failure(square.T, square)
    wide = np.random.default_rng(seed).normal(size=(rows, columns))
    assume(rows != columns)
    failure(wide.T, wide)


@given(seeds, st.lists(st.integers(1, 4), max_size=3), st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_single_nan_or_infinity_fails_wherever_it_is(seed, shape, poison):
    expected = np.random.default_rng(seed).normal(size=shape)
    actual = np.array(expected)
    actual[np.unravel_index(seed % max(actual.size, 1), actual.shape)] = poison
    assert "in the result" in failure(actual, expected)


def test_nan_fails_under_any_tolerance():
    failure(np.nan, 1.0, atol=np.inf, rtol=0.0)
    failure([np.nan, 1], [1, 1], atol=1e300)


def test_an_expected_infinity_is_equal_to_itself_alone_and_loosens_nothing():
    assert_close([np.inf, 1.0], [np.inf, 1.0])
    failure([-np.inf, 1.0], [np.inf, 1.0])
    failure([1e300, 1.0], [np.inf, 1.0])
    failure([np.inf, 1.1], [np.inf, 1.0])


@pytest.mark.parametrize(
    ("actual", "expected"),
    [((1, 3), (3,)), ((3,), (1, 3)), ((3, 1), (3,)), ((3, 1), (1, 3)), ((1,), ()), ((), (1,)), ((1, 1), ())],
)
def test_broadcasting_never_hides_a_wrong_shape(actual, expected):
    message = failure(np.ones(actual), np.ones(expected))
    assert message.startswith("result has ")
    assert "expected" in message


@pytest.mark.parametrize(("actual", "expected"), [((3,), (1, 3)), ((1, 3), (3,)), ((1,), (1, 1)), ((), (1,))])
def test_squeeze_takes_a_leading_axis_more_or_less(actual, expected):
    assert_close(np.ones(actual), np.ones(expected), squeeze=True)
    failure(np.full(actual, 2.0), np.ones(expected), squeeze=True)


@pytest.mark.parametrize(
    ("actual", "expected"), [((3, 1), (3,)), ((3, 1), (1, 3)), ((3,), (3, 1)), ((3, 3), (1, 3))]
)
def test_squeeze_never_takes_a_column_for_a_row(actual, expected):
    failure(np.ones(actual), np.ones(expected), squeeze=True)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        ([[1, 2], [3, 4]], np.array([[1.0, 2.0], [3.0, 4.0]])),
        ((1.0, 2.0), np.array([1, 2])),
        (np.array([1, 2]), np.array([1.0, 2.0])),
        (np.array([True, False]), np.array([1, 0])),
        (np.float32(0.1), 0.1),
        (3, 3.0),
        (np.zeros((0, 3)), np.ones((0, 3))),
        (1 + 2j, np.complex64(1 + 2j)),
        (np.array([1 + 1e-12j]), np.array([1.0])),
        (np.array([2**64 - 1], dtype=np.uint64), np.array([2**64 - 1], dtype=np.uint64)),
        (np.array([1e-17, 0.0]), np.zeros(2)),
    ],
)
def test_harmless_differences_of_type_pass(actual, expected):
    assert_close(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (np.array([2**62 + 1]), np.array([2**62])),
        (np.array([2**64 - 1], dtype=np.uint64), np.array([-1])),
        (np.array([True]), np.array([False])),
        (np.array([3]), np.array([3.5])),
        (1 + 2j, 1 - 2j),
        (np.array([1 + 1j]), np.array([1.0])),
        (np.array([1e-9, 0.0]), np.zeros(2)),
        (np.array([1e-3], dtype=np.float32), np.zeros(1)),
        (np.array([1e308]), np.array([-1e308])),
    ],
)
def test_real_differences_fail_in_every_type(actual, expected):
    failure(actual, expected)


def test_given_tolerances_are_taken_as_given():
    assert_close(1.05, 1.0, atol=0.1)
    assert_close(np.array([10]), np.array([11]), atol=1)
    assert_close([1.0, 100.0], [1.001, 100.1], rtol=2e-3)
    failure([0.0, 100.0], [0.05, 100.0], rtol=1e-3, atol=0.0)


def test_a_message_says_shape_count_worst_entry_tolerance_and_cause():
    expected = np.arange(1.0, 7.0).reshape(2, 3)
    actual = expected.copy()
    actual[1, 2] = 9.0
    actual[0, 0] = 1.5
    message = failure(actual, expected, name="forward(X)")
    assert message == (
        "forward(X): shape (2, 3), dtype float64; 2 of 6 entries differ.\n"
        "  worst entry [1, 2]: got 9, expected 6 (difference 3, allowed 6e-06)"
    )
    assert failure(-expected, expected).endswith("\n  Likely cause: the sign is flipped.")
    assert "got 2, expected 3" in failure(2, 3)


@given(seeds, st.lists(st.integers(0, 6), max_size=5), st.lists(st.integers(0, 6), max_size=5))
def test_a_message_is_short_whatever_the_shapes(seed, shape, other):
    rng = np.random.default_rng(seed)
    message = failure(rng.normal(size=[*shape, 1]), rng.normal(size=[*other, 1, 2]))
    assert len(message) < 400
    assert message.count("\n") <= 2


def test_what_is_no_array_fails_for_the_student_and_a_senseless_expectation_for_the_author():
    assert "`return` missing" in failure(None, np.ones(3))

    class Proxy(Remote):
        value = 1.0

    for senseless in (None, "abc", [[1], [2, 3]], [np.nan], Proxy()):
        with pytest.raises(AuthorError):
            assert_close(np.ones(3), senseless)
    assert_close(Proxy(), as_array(Proxy()))


ANY_ARRAY = st.sampled_from(
    ["?", "i1", "u8", "f2", "f4", "f8", "c8", "c16", "U3", "M8[s]", "m8[D]", "O"]
).flatmap(lambda code: hnp.arrays(code, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)))
ANY_VALUE = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**200), 2**200),
        st.floats(),
        st.complex_numbers(),
        st.text(max_size=5),
        st.binary(max_size=5),
        ANY_ARRAY,
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=8,
)
EXPECTED = st.sampled_from(
    [
        np.zeros(3),
        np.arange(6.0).reshape(3, 2),
        np.float64(2),
        np.array([1, 2, 3]),
        np.array([True]),
        np.zeros((0, 3)),
        np.array([1 + 2j, 3]),
        np.array([np.inf, 1.0]),
        np.full((2, 2), 1e308),
        np.full(3, 5e-324),
        np.ones((4, 4), np.float16),
        np.full(3, 3e38, np.float32),
    ]
)


@settings(max_examples=400)
@given(ANY_VALUE, EXPECTED, st.sampled_from([1, -1, 2, 1e-3, 1e300, np.nan, np.inf]), st.booleans())
def test_whatever_a_student_returns_is_judged_and_breaks_nothing(value, expected, factor, squeeze):
    """An exception of ours would look like the author's; likely causes are looked for as well."""
    with np.errstate(all="ignore"):
        near = expected * factor
    for actual in (value, near, np.asarray(expected).T):
        with contextlib.suppress(CheckFailed):
            assert_close(actual, expected, squeeze=squeeze, batch=7)


@given(seeds, st.floats(1e-3, 0.5))
def test_a_type_of_the_students_own_opens_no_bar(seed, error):
    right = np.random.default_rng(seed).normal(size=8)
    wrong = right * (1 + error)
    for dtype in (np.float16, np.float32, np.float64):
        failure(wrong.astype(dtype), right)
    right[0] = 1 + 2**-11  # halfway between two of float16
    assert "dtype float16" in failure(right.astype(np.float16), right)
    assert_close(right.astype(np.float16), right.astype(np.float16))
    assert_close(right.astype(np.float32).astype(np.float64), right.astype(np.float32))


def test_a_large_entry_hides_no_wrong_one():
    failure([130000.0, 0.75], [130000.0, 0.8482])
    failure([1e7, 5.0, 0.1], [1e7, 3.0, 0.01])
    assert_close([1e7 * (1 + 1e-13), 1e-7], [1e7, 2e-7])  # what a sum's rounding may do


# -- NaN where it is right --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["float64", "float32", "complex128"])
def test_nan_is_equal_where_the_author_expects_it(kind):
    want = np.array([np.nan, 1.5, 2.5], dtype=kind)
    assert_close(want.copy(), want, equal_nan=True)
    assert_close([math.nan, 1.5, 2.5], want, equal_nan=True)
    for wrong in ([1.0, 1.5, 2.5], [math.nan, math.nan, 2.5], [math.nan, 1.5, 2.6], [1.5, 2.5]):
        with pytest.raises(CheckFailed):
            assert_close(wrong, want, equal_nan=True)


def test_without_the_argument_nan_is_nobodys_answer_and_the_message_names_it():
    with pytest.raises(AuthorError, match=r"equal_nan=True"):
        assert_close([math.nan], [math.nan])
    with pytest.raises(CheckFailed):
        assert_close([math.nan], [1.0], equal_nan=True)
