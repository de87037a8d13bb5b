"""Each common mistake is named, and no other: a random wrong array accuses nobody."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.diagnosis import likely_cause
from grader.checks.tolerance import Tolerance

rng = np.random.default_rng(7)
RIGHT = rng.normal(size=(5, 4))
SQUARE = rng.normal(size=(4, 4))
GRAD = rng.normal(size=(6, 4))


def diagnose(actual, expected, **context):
    tolerance = Tolerance.between(np.asarray(actual), np.asarray(expected))
    return likely_cause(np.asarray(actual), np.asarray(expected), tolerance=tolerance, **context).sentence


@pytest.mark.parametrize(
    ("actual", "expected", "words"),
    [
        (np.full((5, 4), np.nan), RIGHT, "NaN in the result"),
        (RIGHT * np.inf, RIGHT, "infinity in the result"),
        (np.zeros((5, 4)), RIGHT, "never computed"),
        (-RIGHT, RIGHT, "the sign is flipped"),
        (-RIGHT.astype(np.float32), RIGHT, "the sign is flipped"),
        (RIGHT.T, RIGHT, "the transpose of what is expected."),
        (SQUARE.T, SQUARE, "the transpose of what is expected."),
        (-SQUARE.T, SQUARE, "with the sign flipped"),
        (RIGHT.T.reshape(5, 4), RIGHT, "a reshape where a transpose belongs"),
        (RIGHT.ravel(), RIGHT, "only the shape differs"),
        (RIGHT[:1].T, RIGHT[:1], "only the shape differs"),
        (GRAD, GRAD.sum(axis=0, keepdims=True), "the sum over axis 0 is missing"),
        (GRAD, GRAD.sum(axis=0), "the sum over axis 0 is missing"),
        (GRAD.sum(axis=1), GRAD, "summed over axis 1, which should stay"),
        (2 * RIGHT, RIGHT, "every entry is 2 times"),
        (RIGHT[0, 0] / 2, RIGHT[0, 0], "every entry is 0.5 times"),
        (0.3 * RIGHT, RIGHT, "every entry is 0.3 times"),
        (RIGHT + 0.25, RIGHT, "off by the same 0.25"),
        (np.array([1, 2, 3, 4]) * 3, np.array([1, 2, 3, 4]), "every entry is 3 times"),
        (np.array([[1, 2], [3, 4]]).T, np.array([[1, 2], [3, 4]]), "transpose"),
    ],
)
def test_a_mistake_is_named(actual, expected, words):
    assert words in diagnose(actual, expected)


def test_a_factor_of_the_batch_is_named_as_such():
    assert "every entry is 1/7 of what is expected: a mean for a sum" in diagnose(RIGHT / 7, RIGHT, batch=7)
    assert "every entry is 7 times what is expected: a sum for a mean" in diagnose(RIGHT * 7, RIGHT, batch=7)
    assert "0.1429 times" in diagnose(RIGHT / 7, RIGHT, batch=5)
    assert "sign" in diagnose(-RIGHT, RIGHT, batch=1)


def test_a_suspect_comes_before_generic_causes_and_in_the_order_given():
    suspects = {"relu is missing": -RIGHT, "upstream of ones": 2 * RIGHT, "also upstream": 2 * RIGHT}
    assert diagnose(-RIGHT, RIGHT, suspects=suspects) == "Likely cause: relu is missing."
    assert diagnose(2 * RIGHT, RIGHT, suspects=suspects) == "Likely cause: upstream of ones."


def test_a_suspect_that_equals_the_right_answer_is_never_named():
    assert diagnose(RIGHT + GRAD[:5], RIGHT, suspects={"a mistake": RIGHT}) == ""


def test_pairs_of_numbers_have_no_pattern():
    assert diagnose([2.0, 6.0], [1.0, 3.0 + 1e-3]) == ""
    assert diagnose([1.5, 2.5], [1.0, 2.0]) == ""
    assert diagnose(3.3, 1.0) == ""


@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(1, 5), max_size=3),
    st.lists(st.integers(1, 5), max_size=3),
    st.booleans(),
)
def test_a_random_wrong_array_accuses_nobody(seed, shape, other, same):
    draw = np.random.default_rng(seed)
    expected = draw.normal(size=shape)
    actual = draw.normal(size=shape if same else other)
    suspects = {"one": draw.normal(size=shape), "two": draw.normal(size=other)}
    assert diagnose(actual, expected, suspects=suspects, batch=4) == ""


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(2, 5))
def test_one_wrong_entry_is_no_pattern(seed, rows, columns):
    expected = np.random.default_rng(seed).normal(size=(rows, columns))
    actual = expected.copy()
    actual[0, 0] += 1.0
    assert diagnose(actual, expected, batch=4) == ""


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (np.zeros((1 << 22, 0)), np.ones((3, 4))),
        (np.broadcast_to(np.float64(1), (1 << 10, 1 << 10)), np.ones((1 << 10, 2))),
        (np.full((1 << 10, 513), 2.0), np.ones((1 << 10, 513))),
    ],
    ids=["nothing beside a long axis", "another shape", "large"],
)
def test_no_cause_is_looked_for_where_it_would_take_much_memory(actual, expected):
    tolerance = Tolerance(rtol=1e-6, atol=1e-6)
    tracemalloc.start()
    assert likely_cause(actual, expected, tolerance=tolerance, batch=4).sentence == ""
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_cause_is_named_up_to_a_few_megabytes():
    expected = np.ones((1 << 10, 512))
    assert "2 times" in diagnose(2 * expected, expected)
