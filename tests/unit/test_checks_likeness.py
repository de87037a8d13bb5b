"""A copy is found by what it computes, whatever was done to its weights; honest runs are not."""

from __future__ import annotations

import base64
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from grader.checks.likeness import (
    MOST_OUTPUTS,
    alike,
    centred_scores,
    connected,
    likeness,
    neuron_products,
    sketch,
    unsketch,
    without_common,
)
from grader.model.errors import AuthorError

seeds = st.integers(0, 2**32 - 1)


def scores_of(w: list[np.ndarray], x: np.ndarray) -> np.ndarray:
    return np.maximum(x @ w[0] + w[1], 0) @ w[2] + w[3]


def network(seed: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    shapes = ((5, 7), (1, 7), (7, 3), (1, 3))
    return [random.normal(size=s) for s in shapes], random.normal(size=(40, 5)), random.integers(0, 3, 40)


@given(seeds, st.permutations(range(7)), arrays(np.float64, 7, elements=st.floats(0.1, 10)))
def test_rearranged_and_rescaled_neurons_do_not_change_the_outputs(
    seed: int, order: list[int], scales: np.ndarray
) -> None:
    w, x, _ = network(seed)
    other = [w[0][:, order] * scales, w[1][:, order] * scales, w[2][order] / scales[:, None], w[3]]
    own, copied = (scores_of(some, x) for some in (w, other))
    np.testing.assert_allclose(copied, own, rtol=1e-9, atol=1e-9)
    assert likeness(own, copied) == pytest.approx(1)


@given(seeds, st.permutations(range(7)), arrays(np.float64, 7, elements=st.floats(0.1, 10)))
def test_rearranged_and_rescaled_neurons_have_the_same_products(
    seed: int, order: list[int], scales: np.ndarray
) -> None:
    random = np.random.default_rng(seed)
    weights, directions = random.normal(size=(7, 5)), random.normal(size=(5, 4))
    own = neuron_products(weights, directions)
    assert own.shape == (6,)
    np.testing.assert_allclose(
        neuron_products((scales[:, None] * weights)[order], directions), own, atol=1e-9
    )
    assert not neuron_products(np.zeros((7, 5)), directions).any()


@given(seeds, st.floats(-5, 5))
def test_a_shifted_class_changes_no_centred_score(seed: int, shift: float) -> None:
    w, x, y = network(seed)
    scores = scores_of(w, x)
    moved = scores + shift * np.arange(40)[:, None]  # no probability changes
    moved = moved + np.where(y[:, None] == 1, [[shift, 0, -shift]], 0)
    np.testing.assert_allclose(centred_scores(moved, y), centred_scores(scores, y), atol=1e-9)


def test_what_all_have_in_common_is_no_likeness() -> None:
    random = np.random.default_rng(1)
    task, later = random.normal(size=(2, 2000))
    own = random.normal(size=(6, 2000))
    rows = 5 * task + random.normal(size=(6, 1)) * later + own
    assert likeness(rows[0], rows[1]) > 0.9
    left = without_common(rows, np.stack([task, later]))
    assert abs(float(left[0] @ left[1])) < 0.1
    copied = without_common((rows[0] + 0.1 * own[5])[None], np.stack([task, later]))[0]
    assert float(copied @ left[0]) > 0.95


def test_a_sketch_says_the_same_as_the_outputs() -> None:
    random = np.random.default_rng(2)
    common = random.normal(size=(1, 2560))
    rows = common + random.normal(size=(4, 2560))
    rows[3] = rows[0] + 0.3 * random.normal(size=2560)
    exact = without_common(rows, common)
    texts = [sketch(row, common) for row in rows]
    found = np.stack([read for text in texts if (read := unsketch(text)) is not None])
    assert len(texts[0]) < 700
    np.testing.assert_allclose(np.corrcoef(found), exact @ exact.T, atol=4 / math.sqrt(512))
    [(first, second, value)] = alike(found, least=0.5)
    assert (first, second) == (0, 3)
    assert value > 0.9


@pytest.mark.parametrize("odd", [math.nan, math.inf, 1e308, 0.0])
def test_outputs_without_anything_of_their_own_have_no_sketch(odd: float) -> None:
    values = np.full(100, odd)
    assert sketch(values) == ""
    values[3] = 1.0
    if not math.isfinite(odd):
        assert sketch(values) == ""


def test_outputs_that_are_the_background_have_no_sketch() -> None:
    common = np.random.default_rng(3).normal(size=(1, 500))
    assert sketch(3 * common[0] + 7, common) == ""


def test_a_sketch_has_a_largest_size() -> None:
    with pytest.raises(AuthorError, match="draw at most 8,192"):
        sketch(np.zeros(MOST_OUTPUTS + 1))


@pytest.mark.parametrize("text", ["", "!", "äöü", "AAA", "A" * 20_000, "AAAA\n"])
def test_what_is_no_sketch_is_none(text: str) -> None:
    assert unsketch(text) is None


def test_a_sketch_of_equal_numbers_is_like_nothing() -> None:
    read = unsketch(base64.b64encode(bytes(30)).decode())
    assert read is not None
    assert not read.any()


@pytest.mark.parametrize("count", [2, 255, 256, 257, 700])
def test_all_pairs_of_a_class_are_compared_once(count: int) -> None:
    rows = np.random.default_rng(4).normal(size=(count, 64)).astype(np.float32)
    rows[-1] = rows[0]
    found = list(alike(rows, least=0.35))
    whole = np.triu(np.corrcoef(rows) >= 0.35, 1)
    assert {pair[:2] for pair in found} == set(map(tuple, np.argwhere(whole).tolist()))
    assert len(found) == whole.sum()
    assert (0, count - 1) in {pair[:2] for pair in found}


def test_a_chain_of_pairs_is_one_group() -> None:
    assert connected([(3, 9), (1, 2), (5, 9), (2, 4)]) == ((1, 2, 4), (3, 5, 9))
    assert connected(pairwise(range(4))) == ((0, 1, 2, 3),)
    assert connected([]) == ()
