"""3.1.2 ReLU."""

import numpy as np

from grader import assert_close, item

pytestmark = item("3.1.2")

X = np.array([[-2.0, -0.5, 0.5], [1.0, -1.0, 3.0]])


def test_forward(student):
    """forward keeps positive entries and sets negative ones to 0"""
    assert_close(student.relu().forward(X), [[0.0, 0.0, 0.5], [1.0, 0.0, 3.0]], name="forward(X)")


def test_forward_of_other_shapes(student):
    """forward works for one axis and for three"""
    for shape in ((6,), (1, 2, 3)):
        actual = student.relu().forward(X.reshape(shape))
        assert_close(
            actual, np.reshape([0.0, 0.0, 0.5, 1.0, 0.0, 3.0], shape), name=f"forward(X), X of shape {shape}"
        )


def test_forward_leaves_its_input_alone(student):
    """forward does not change X"""
    kept = student.put(X)
    student.relu().forward(kept)
    assert_close(kept, X, name="X after forward")


def test_backward(student, rng):
    """backward passes the upstream gradient on where X is positive"""
    grad = rng.normal(size=X.shape)
    layer = student.relu()
    layer.forward(X)
    expected = np.array([[0.0, 0.0, grad[0, 2]], [grad[1, 0], 0.0, grad[1, 2]]])
    mistakes = {"negative entries pass the gradient on": grad, "grad is ignored": (X > 0).astype(float)}
    assert_close(layer.backward(X, grad), expected, name="backward(X, grad)", suspects=mistakes)
