"""3.1.1 Linear layer."""

import numpy as np

from grader import as_array, assert_close, check_gradients, item

pytestmark = item("3.1.1")


def test_shapes(student):
    """a new layer has parameters and zero gradients of the right shapes"""
    layer = student.linear_layer(4, 3)
    as_array(layer.params["W"], shape=(4, 3), name="params['W']")
    b = as_array(layer.params["b"], name="params['b']")
    assert_close(np.zeros(b.shape), np.zeros((1, 3)), squeeze=True, name="params['b'] (shape only)")
    assert_close(layer.gradient["W"], np.zeros((4, 3)), name="gradient['W']")
    assert_close(layer.gradient["b"], np.zeros((1, 3)), squeeze=True, name="gradient['b']")


def layer_with(student, W, b):
    """Your layer holding W and b; b keeps the shape that your own __init__ gives it."""
    layer = student.linear_layer(*W.shape)
    own = as_array(layer.params["b"], name="params['b']")
    layer.params["W"], layer.params["b"] = W, b.reshape(own.shape) if own.size == b.size else b
    return layer


def test_forward(student):
    """forward returns X W + b, here with small numbers"""
    layer = layer_with(student, np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[10.0, 20.0]]))
    X = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    expected = np.array([[11.0, 22.0], [13.0, 24.0], [14.0, 26.0]])
    assert_close(
        layer.forward(X), expected, name="forward(X)", suspects={"b is not added": expected - [[10, 20]]}
    )


def test_backward(student, rng):
    """backward stores the gradients of W and b and returns the one of X, by central differences"""
    X, W, b, grad = (rng.normal(size=shape) for shape in ((6, 4), (4, 3), (1, 3), (6, 3)))
    layer = layer_with(student, W, b)
    layer.forward(X)
    returned = layer.backward(X, grad)
    gradient_W = as_array(layer.gradient["W"], name="gradient['W']")
    gradient_b = as_array(layer.gradient["b"], name="gradient['b']")
    # A loss whose gradient with respect to the layer's output is exactly `grad`:
    mistakes = {"grad is ignored, as if it were all ones": X.T @ np.ones_like(grad)}
    told = {"name": "gradient['W']", "batch": 6, "suspects": mistakes}
    check_gradients(lambda w: np.sum(grad * (X @ w + b)), W, gradient_W, **told)
    check_gradients(
        lambda c: np.sum(grad * (X @ W + c)), b, gradient_b, name="gradient['b']", batch=6, squeeze=True
    )
    check_gradients(lambda x: np.sum(grad * (x @ W + b)), X, returned, name="backward(X, grad)", batch=6)
