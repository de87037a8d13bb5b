"""3 Max-pooling."""

import numpy as np

from grader import assert_close, check_gradients, item, points


def pooled(X, size):
    return np.max([X[:, :, i::size, j::size] for i in range(size) for j in range(size)], axis=0)


@item("3.1")
@points(2, hint="Are negative numbers right as well? And squares of three?")
def test_max_pool(student, rng):
    """the largest entry of each square, also where all are negative"""
    X = rng.normal(size=(2, 3, 6, 12))
    layers = student.module("layers.convolution")
    assert_close(layers.max_pool(X, 2), pooled(X, 2), name="max_pool(X, 2)")
    assert_close(layers.max_pool(X - 9, 3), pooled(X - 9, 3), name="max_pool(X, 3) of negative X")


@item("3.2")
@points(2, hint="Where was the largest entry? Only there does the gradient go.")
def test_gradient(student, rng):
    """the gradient, against central differences"""
    X, G = rng.normal(size=(2, 3, 6, 3)), rng.normal(size=(2, 3, 2, 1))
    spread = np.repeat(np.repeat(G, 3, axis=2), 3, axis=3)
    check_gradients(
        lambda X: pooled(X, 3),
        X,
        student.module("layers.convolution").max_pool_backward(X, 3, G),
        upstream=G,
        name="max_pool_backward(X, 3, G)",
        suspects={
            "every entry of the square gets the gradient": spread,
            "the gradient is shared among the square": spread / 9,
        },
    )


@item("3.2")
@points(1, hint="What if the largest entry is there twice?")
def test_ties(student, rng):
    """a tie: the gradient goes to the largest entries alone"""
    X = np.array([[[[7.0, 7.0, 0.0, 1.0], [2.0, 3.0, 1.0, 0.5]]]])
    G = rng.uniform(1, 2, size=(1, 1, 1, 2))
    found = student.module("layers.convolution").max_pool_backward(X, 2, G)
    check_gradients(lambda X: pooled(X, 2), X, found, upstream=G, name="max_pool_backward(X, 2, G) with ties")
