"""3.1.4 Backpropagation. The layers here only note what they are given, so your own need not work yet."""

import numpy as np

from grader import CheckFailed, StudentError, assert_close, item

pytestmark = item("3.1.4")

GIVEN = '''
class Noting:
    """Notes the arguments of backward and returns what it was told to return."""

    def __init__(self, returned):
        self.returned = returned
        self.params, self.gradient = {}, {}
        self.calls = []

    def backward(self, X, grad):
        self.calls.append([X.copy(), grad.copy()])
        return self.returned


class NotingLoss(Noting):
    def backward(self, X, Y):
        return self.returned


def make_model(returned):
    return {name: (NotingLoss if name == "loss" else Noting)(array) for name, array in returned.items()}
'''


def test_backward_pass(student, rng):
    """every layer gets the input of its forward pass, and what the layer after it returned"""
    x, a1, h1, a2 = (rng.normal(size=(4, width)) for width in (6, 5, 5, 3))
    y = rng.integers(3, size=(4, 1))
    widths = {"L1": 6, "nonlinear1": 5, "L2": 5, "loss": 3}
    returned = {name: rng.normal(size=(4, width)) for name, width in widths.items()}
    given = student.provide(GIVEN)
    given.model = given.make_model(returned)
    student.backward_pass(given.model, x, a1, h1, a2, y)
    inputs = {"x": x, "a1": a1, "h1": h1, "a2": a2}
    for layer, own, above in (("L2", "h1", "loss"), ("nonlinear1", "a1", "L2"), ("L1", "x", "nonlinear1")):
        calls = given.model[layer].calls.value
        if not calls:
            raise CheckFailed(f"model['{layer}'].backward was never called.")
        X, upstream = calls[-1]
        if layer == "nonlinear1" and np.array_equal(X, h1) and takes_h1(student, rng):
            X = a1  # h1 is as good: it is positive in the same places
        others = {f"it is {name}": array for name, array in inputs.items() if name != own}
        assert_close(X, inputs[own], name=f"the first argument of model['{layer}'].backward", suspects=others)
        others = {
            f"it is what model['{name}'] returned": returned[name] for name in returned if name != above
        }
        assert_close(
            upstream,
            returned[above],
            name=f"the second argument of model['{layer}'].backward",
            suspects=others,
        )


def takes_h1(student, rng):
    """Whether your ReLU gives the same gradient for h1 as for a1: it does if a 0 lets nothing pass."""
    a1, grad = rng.normal(size=(6, 5)), rng.normal(size=(6, 5))
    try:
        module = student.relu()
        module.forward(a1)
        for_a1, for_h1 = (module.backward(X, grad) for X in (a1, np.maximum(a1, 0)))
    except StudentError:  # your ReLU need not work yet
        return True
    return np.array_equal(for_a1, for_h1)
