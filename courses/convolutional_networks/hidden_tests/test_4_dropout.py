"""4 Dropout."""

import numpy as np

from grader import as_array, assert_close, item, points

N = 40_000


def dropped(student, X, keep, *, seed, training=True):
    """Your output and your mask."""
    rng = student.module("numpy").random.default_rng(seed)
    found = student.module("layers.dropout").dropout(X, keep, rng, training)
    assert len(found) == 2, "dropout returns two arrays: the output and the mask"
    return [
        as_array(part, shape=X.shape, name=name) for part, name in zip(found, ("output", "mask"), strict=True)
    ]


@item("4.1")
@points(1, hint="What is kept is divided by something, what is dropped is 0.", tell_mistake=True)
def test_entries(student, rng):
    """the mask has zeros and 1 / keep, and the output is X times the mask"""
    X = rng.normal(size=(30, 4)) + 3
    out, mask = dropped(student, X, 0.8, seed=int(rng.integers(1000)))
    assert_close(out, X * mask, name="the output")
    kept = mask[mask != 0]
    assert_close(
        kept,
        np.full(kept.shape, 1 / 0.8),
        name="the entries of the mask that are not 0",
        suspects={"what is kept is not divided by keep": np.ones(kept.shape)},
    )


@item("4.1")
@points(1, hint="Is keep the probability of staying, or of being dropped?")
def test_share(student, rng):
    """about the right share is kept, and a seed gives its own mask"""
    seed = int(rng.integers(1000))
    mask = dropped(student, np.ones((N, 1)), 0.3, seed=seed)[1] != 0
    off = 8 * np.sqrt(0.3 * 0.7 / N)  # standard errors: no right draw comes near
    assert_close(
        mask.mean(),
        0.3,
        rtol=0,
        atol=off,
        name="the share that is kept, with keep = 0.3",
        suspects={"keep was taken for the probability of being dropped": 1 - mask.mean()},
    )
    again, other = (dropped(student, np.ones((N, 1)), 0.3, seed=s)[1] != 0 for s in (seed, seed + 1))
    assert_close(again, mask, name="the mask of the same generator")
    assert not np.array_equal(other, mask), "another generator gives the same mask: is `rng` used?"


@item("4.1")
@points(1, hint="At test time nothing is dropped.")
def test_without_training(student, rng):
    """outside training X comes back, with a mask of ones"""
    X = rng.normal(size=(5, 4))
    out, mask = dropped(student, X, 0.4, seed=1, training=False)
    assert_close(out, X, name="the output")
    assert_close(mask, np.ones(X.shape), name="the mask")


@item("4.2")
@points(1, hint="The output is X times the mask.")
def test_backward(student, rng):
    """the gradient goes where the mask let something through"""
    G, mask = rng.normal(size=(6, 5)), (rng.random((6, 5)) < 0.6) / 0.6
    found = student.module("layers.dropout").dropout_backward(G, mask)
    assert_close(
        found,
        G * mask,
        name="dropout_backward(G, mask)",
        suspects={"what is kept is not scaled": G * (mask > 0)},
    )
