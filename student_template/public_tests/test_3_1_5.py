"""3.1.5 Gradient checker. The network here is a stand-in, so your own need not work yet.

Its loss is 50 times the sum of all squared parameters, so that its slope in a parameter w is 100 w.
"""

import re

import numpy as np

from grader import CheckFailed, StudentError, assert_close, item

pytestmark = item("3.1.5")

GIVEN = '''
import numpy as np


class Layer:
    """Adds 50 times the sum of its squared parameters to its input; its gradients are made up."""

    def __init__(self, params, gradient):
        self.params, self.gradient = params, gradient

    def forward(self, X):
        return X + 50 * sum(np.sum(array**2) for array in self.params.values())

    def backward(self, X, grad):
        return grad


class Same(Layer):
    """Passes its input on."""

    def __init__(self):
        pass

    def forward(self, X):
        return X


class Mean:
    """Stands where the loss stands."""

    def forward(self, X, Y):
        return float(np.mean(X))

    def backward(self, X, Y):
        return X


class Examples:
    """A tiny data set."""

    X, Y, N, d = np.ones((5, 2)), np.zeros((5, 1), dtype=int), 5, 2

    def get_example(self, idx):
        return self.X[idx], self.Y[idx]


def forward_pass(model, x, y):
    a1 = model["L1"].forward(x)
    h1 = model["nonlinear1"].forward(a1)
    a2 = model["L2"].forward(h1)
    return a1, h1, a2, model["loss"].forward(a2, y)


def backward_pass(model, x, a1, h1, a2, y):
    """The gradients are stored already."""


def make_model(params, gradient):
    L1, L2 = (Layer(params[name], gradient[name]) for name in ("L1", "L2"))
    return {"L1": L1, "nonlinear1": Same(), "L2": L2, "loss": Mean()}
'''

LINE = re.compile(r"of (W|b) in the (L1|L2) layer from backpropagation: \S+ and from approximation: (\S+)")


def checked(student, params, gradient):
    """The stand-in model after gradient_checker, and the lines that were printed."""
    given = student.provide(GIVEN)
    student.forward_pass, student.backward_pass = given.forward_pass, given.backward_pass
    given.model = given.make_model(params, gradient)
    before = len(student.printed())
    student.gradient_checker(given.Examples(), given.model)
    return given.model, [LINE.search(line[:300]) for line in student.printed()[before:].splitlines()]


def arrays(rng, bias_shape):
    """Arrays for W and b of two layers; all entries of one are equal, so any may be checked."""
    shapes = {"W": (2, 3), "b": bias_shape}
    return {
        layer: {name: np.full(shape, rng.uniform(0.1, 1)) for name, shape in shapes.items()}
        for layer in ("L1", "L2")
    }


def test_gradient_checker(student, rng):
    """it prints the slope beside the stored gradient, and puts the parameters back"""
    params = arrays(rng, (1, 3))
    try:
        model, lines = checked(student, params, arrays(rng, (3,)))
    except StudentError:  # code for gradients of b stored as (1, D) is as good
        model, lines = checked(student, params, arrays(rng, (1, 3)))
    found = [line.groups() for line in lines if line]
    if {(layer, name) for name, layer, _ in found} != {("L1", "W"), ("L1", "b"), ("L2", "W"), ("L2", "b")}:
        raise CheckFailed("expected one printed line for each of W and b of the layers L1 and L2.")
    for name, layer, approximation in found:
        slope = 100 * params[layer][name].flat[0]
        mistakes = {
            "it is divided by epsilon, not by 2 epsilon": 2 * slope,
            "`a / 2 * e` divides by 2 and multiplies by e": slope * 1e-6,
        }
        what = f"the approximation for {name} of layer {layer}"
        assert_close(number(approximation), slope, rtol=0, atol=1e-3, name=what, suspects=mistakes)
    for layer in ("L1", "L2"):
        for name, before in params[layer].items():
            after = model[layer].params[name]
            assert_close(after, before, rtol=0, atol=1e-9, name=f"{name} of layer {layer} afterwards")


def number(text):
    """What a printed text says, NaN where it is no number."""
    try:
        return float(text.removeprefix("np.float64(").rstrip(").,"))
    except ValueError:
        return np.nan
