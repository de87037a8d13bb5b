"""5 The parts of a network."""

import numpy as np

from grader import as_array, assert_close, check_gradients, item, points

LAYER = """
import numpy as np


class Layer:
    def __init__(self):
        self.seen, self.training = None, None

    def forward(self, X, training):
        self.seen, self.training = np.array(X), training
        return np.array(X) * np.arange(1, X.shape[1] + 1)
"""


def cross_entropy(scores, y):
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y])


@item("5.1")
@points(1, hint="The mean of -log(probability of the right class); subtract the largest score first.")
def test_loss(student, rng):
    """the loss, also of large scores"""
    scores, y = rng.normal(size=(6, 4)), rng.integers(4, size=6)
    expected = cross_entropy(scores, y)
    assert_close(
        student.softmax_loss(scores + 900, y)[0],
        expected,
        name="the loss",
        suspects={"a sum over the examples in place of a mean": expected * 6},
    )


@item("5.1")
@points(2, hint="The loss is a mean: is the gradient one too?")
def test_gradient(student, rng):
    """the gradient, against central differences; the scores are left alone"""
    scores, y = rng.normal(size=(6, 4)), rng.integers(4, size=6)
    kept = student.put(scores)
    found = student.softmax_loss(kept, y)[1]
    check_gradients(lambda scores: cross_entropy(scores, y), scores, found, batch=6, name="the gradient")
    assert_close(kept, scores, name="the scores after softmax_loss(scores, y)")


@item("5.2")
@points(2, hint="Which axis must be the last one before you reshape? And how do you come back?")
def test_spatial(student, rng):
    """the layer sees a column for each channel, once, and its rows come back to their places"""
    X = rng.normal(size=(2, 3, 4, 5))
    layer = student.provide(LAYER).Layer()
    found = student.spatial(layer, X, True)
    factors = np.arange(1, 4)[:, None, None]
    seen = as_array(layer.seen, shape=(40, 3), name="what layer.forward was called with")
    columns = X.transpose(1, 0, 2, 3).reshape(3, -1)
    assert_close(
        np.sort(seen, axis=0),
        np.sort(columns.T, axis=0),
        name="its columns, sorted",
        suspects={"the channels are not the columns": np.sort(X.reshape(-1, 3), axis=0)},
    )
    assert_close(found, X * factors, name="spatial(layer, X, training)")
    assert layer.training.value is True, "`training` is not passed on"
    student.spatial(layer, X, False)
    assert layer.training.value is False, "`training` is not passed on"
