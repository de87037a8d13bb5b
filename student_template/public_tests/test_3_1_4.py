"""3.1.4 Backpropagation. The layers here only note what they are given, so your own need not work yet."""

from grader import assert_close, item
from grader.model.errors import CheckFailed

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
