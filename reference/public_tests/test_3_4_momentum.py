"""3.4 SGD with momentum. The layer here only holds arrays, so your own need not work yet."""

import numpy as np

from grader import assert_close, is_proxy, item

pytestmark = item("3.4.momentum")

GIVEN = '''
import numpy as np


class Layer:
    """Holds parameters and their gradients."""

    def __init__(self, W):
        self.params, self.gradient = {"W": W}, {"W": np.zeros_like(W)}


class Other:
    """A part of the model that has no parameters."""


model = {"L1": Layer(np.array([[1.0, 2.0]])), "nonlinear1": Other()}
velocity = {("L1", "W"): np.zeros((1, 2))}
'''


def test_two_steps(student):
    """two steps with alpha = 0.5 and learning rate 0.1, as you can compute them by hand"""
    given = student.provide(GIVEN)
    student.linear_layer = given.Layer
    expected = np.array([[0.9, 2.1]]), np.array([[0.65, 2.05]])
    gradients = np.array([[1.0, -1.0]]), np.array([[2.0, 1.0]])
    for step, (gradient, after) in enumerate(zip(gradients, expected, strict=True), start=1):
        given.model["L1"].gradient["W"] = gradient
        returned = student.sgd_with_momentum(given.model, given.velocity, 0.1, 0.5)
        if isinstance(returned, dict) and is_proxy(returned.get("L1")):
            given.model = returned
        mistakes = {"the velocity of the first step is lost": np.array([[0.7, 2.0]])}
        assert_close(given.model["L1"].params["W"], after, name=f"W after step {step}", suspects=mistakes)
