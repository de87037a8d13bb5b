"""2 Convolution."""

import numpy as np
import pytest

from grader import as_array, assert_close, check_gradients, item, points

WHOLE = {"stride": 1, "padding": 0}
CASES = [pytest.param(WHOLE, id="plain"), pytest.param({"stride": 2, "padding": 1}, id="stride and padding")]


def convolution(X, W, b, stride, padding):
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding))), W.shape[2:], axis=(2, 3)
    )
    return np.einsum("nchvkl,fckl->nfhv", windows[:, :, ::stride, ::stride], W) + b[:, None, None]


def some_pictures(rng):
    """Pictures that are not square, filters that are not, and a bias."""
    return rng.normal(size=(2, 3, 7, 5)), rng.normal(size=(4, 3, 3, 2)), rng.normal(size=4)


@item("2.1")
@points(1, hint="Draw a row of boxes. Where does the filter no longer fit?")
def test_output_size(student, rng):
    """the size is right for several strides and paddings"""
    for stride in (1, 2, 3):
        length, padding = int(rng.integers(8, 20)), int(rng.integers(3))
        places = len(range(0, length + 2 * padding - 4, stride))
        assert_close(student.output_size(length, 5, stride, padding), places, name="output_size")


@item("2.2")
@points(
    2, hint="Try a picture of 3 x 3 entries by hand, with a filter that is not symmetric.", tell_mistake=True
)
@pytest.mark.parametrize("how", CASES)
def test_convolve(student, rng, how):
    """convolve, and X is left alone"""
    X, W, b = some_pictures(rng)
    kept = student.put(X)
    assert_close(
        student.module("layers.convolution").convolve(kept, W, b, **how),
        convolution(X, W, b, **how),
        name="convolve(X, W, b)",
        suspects={
            "the filters were turned over": convolution(X, W[:, :, ::-1, ::-1], b, **how),
            "the bias is missing": convolution(X, W, 0 * b, **how),
        },
    )
    assert_close(kept, X, name="X after convolve(X, W, b)")


def gradients(student, X, W, G, how):
    """Yours of X, W and b, in the shapes of what they belong to."""
    found = student.module("layers.convolution").convolve_backward(X, W, G, **how)
    assert len(found) == 3, "convolve_backward returns three gradients"
    shapes = {"the gradient of X": X.shape, "the gradient of W": W.shape, "the gradient of b": (len(W),)}
    return [
        as_array(part, shape=shape, name=name)
        for part, (name, shape) in zip(found, shapes.items(), strict=True)
    ]


def some_upstream(rng, how):
    X, W, b = some_pictures(rng)
    return X, W, b, rng.normal(size=convolution(X, W, b, **how).shape)


@item("2.3")
@points(1, hint="Windows overlap: an entry of X gets something from each window it is in.")
@pytest.mark.parametrize("how", CASES)
def test_gradient_of_x(student, rng, how):
    """the gradient of X, against central differences"""
    X, W, b, G = some_upstream(rng, how)
    claimed = gradients(student, X, W, G, how)[0]
    check_gradients(lambda X: convolution(X, W, b, **how), X, claimed, upstream=G, name="the gradient of X")


@item("2.3")
@points(1, hint="A filter meets every window of every picture.")
@pytest.mark.parametrize("how", CASES)
def test_gradient_of_w(student, rng, how):
    """the gradient of W, against central differences"""
    X, W, b, G = some_upstream(rng, how)
    claimed = gradients(student, X, W, G, how)[1]
    check_gradients(lambda W: convolution(X, W, b, **how), W, claimed, upstream=G, name="the gradient of W")


@item("2.3")
@points(1, hint="The bias is added at every place of every picture.")
def test_gradient_of_b(student, rng):
    """the gradient of b"""
    X, W, _, G = some_upstream(rng, WHOLE)
    expected = G.sum(axis=(0, 2, 3))
    assert_close(
        gradients(student, X, W, G, WHOLE)[2],
        expected,
        name="the gradient of b",
        suspects={"a mean over the pictures in place of a sum": expected / len(X)},
    )
