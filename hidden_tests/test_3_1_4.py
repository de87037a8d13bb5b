"""3.1.4 Backpropagation. The layers are stand-ins that note what they are given.

The student's own layers play no part, so that a wrong one costs nothing here. With one exception: h1 is as
good for ReLU's backward as a1, both being positive in the same places, unless the student's ReLU passes
gradients on where its input is 0.
"""

import numpy as np

from grader import CheckFailed, Formulas, StudentError, UnsupportedValue, as_array, assert_close, item, points

pytestmark = item("3.1.4")

PASS = Formulas(
    x="N D", a1="N H", h1="N H", a2="N K", from_loss="N K", from_L2="N H", from_nonlinear1="N H", using="relu"
)

GIVEN = '''
import numpy as np


class Recorder:
    """A layer that computes nothing: it notes the arguments of backward and returns what it was told to."""

    def __init__(self, returned):
        self.returned = returned
        self.calls = []
        self.params = {"W": np.zeros((1, 1)), "b": np.zeros((1, 1))}
        self.gradient = {"W": np.zeros((1, 1)), "b": np.zeros((1, 1))}

    def backward(self, X, grad):
        self.calls.append([np.array(X), np.array(grad)])
        self.gradient["W"] = np.outer(np.sin(X), np.cos(grad))
        self.gradient["b"] = np.cos(grad)
        return self.returned.copy()


class RecorderOfLoss(Recorder):
    """The same for the loss, whose second argument is the labels."""

    def backward(self, X, Y):
        self.calls.append([np.array(X), np.array(Y)])
        return self.returned.copy()


def make_model(returned):
    kinds = {"L1": Recorder, "nonlinear1": Recorder, "L2": Recorder, "loss": RecorderOfLoss}
    return {name: kind(returned[name]) for name, kind in kinds.items()}
'''


class Pass:
    """One call of the student's backward_pass: what went in, and what every stand-in returned."""

    def __init__(self, student, rng, *, n=4, sizes=(6, 5, 3)):
        inputs, hidden, outputs = sizes
        self.x, self.a1, self.h1 = (rng.normal(size=(n, d)) for d in (inputs, hidden, hidden))
        self.a2, self.y = rng.normal(size=(n, outputs)), rng.integers(outputs, size=(n, 1))
        widths = {"loss": outputs, "L2": hidden, "nonlinear1": hidden, "L1": inputs}
        self.returned = {name: rng.normal(size=(n, width)) for name, width in widths.items()}
        given = student.provide(GIVEN)
        given.model = given.make_model(self.returned)
        self.model = given.model
        self.error = None
        try:
            student.backward_pass(self.model, self.x, self.a1, self.h1, self.a2, self.y)
        except StudentError as error:  # the calls before it count
            self.error = error

    def calls(self, layer):
        """The pairs of arguments that a layer's backward was given; at least one."""
        calls = self.model[layer].calls.value
        if not isinstance(calls, list) or not calls:
            raise self.error or CheckFailed(f"model['{layer}'].backward was never called.")
        if not all(isinstance(call, list) and len(call) == 2 for call in calls):
            raise CheckFailed(f"the notes of the stand-in for model['{layer}'] were changed.")
        return calls

    def was_given(self, layer, X):
        """Whether every call of a layer had this input."""
        calls = self.model[layer].calls.value
        return calls != [] and all(np.array_equal(got, X) for got, _ in self.calls(layer))

    def assert_given(self, layer, X, upstream, *, x_name, from_layer):
        """Every call of a layer had the right input and the right gradient from the layer above."""
        others = {"x": self.x, "a1": self.a1, "h1": self.h1, "a2": self.a2}
        wrong_inputs = {f"it is {name}": array for name, array in others.items() if name != x_name}
        wrong_upstream = {
            f"it is what model['{name}'].backward returned": array
            for name, array in self.returned.items()
            if name != from_layer
        }
        names = {f"from_{name}": array for name, array in self.returned.items() if name != "L1"}
        formulas = PASS(**others, **names)
        for got_X, got_grad in self.calls(layer):
            what = f"the first argument of model['{layer}'].backward (expected {x_name})"
            assert_close(got_X, X, name=what, suspects=wrong_inputs, formulas=formulas)
            what = f"the second argument of model['{layer}'].backward"
            assert_close(got_grad, upstream, name=what, suspects=wrong_upstream, formulas=formulas)


@points(
    1, hint="The second linear layer gets the input that it had in the forward pass, and the loss's gradient."
)
def test_second_linear_layer(student, rng):
    """L2's backward gets its forward input and the gradient of the loss"""
    run = Pass(student, rng)
    for scores, labels in run.calls("loss"):
        assert_close(scores, run.a2, name="the first argument of model['loss'].backward")
        assert_close(labels, run.y, name="the second argument of model['loss'].backward")
    run.assert_given("L2", run.h1, run.returned["loss"], x_name="h1", from_layer="loss")


@points(1, hint="ReLU's backward gets what ReLU's forward got, and the gradient that came out of L2.")
def test_relu(student, rng):
    """ReLU's backward gets its forward input and the gradient from L2"""
    run = Pass(student, rng)
    swapped = run.was_given("L2", run.a1)  # then h1 is here by mistake, not by insight
    if run.was_given("nonlinear1", run.h1) and not swapped and takes_h1(student, rng):
        run.assert_given("nonlinear1", run.h1, run.returned["L2"], x_name="a1 or h1", from_layer="L2")
    else:
        run.assert_given("nonlinear1", run.a1, run.returned["L2"], x_name="a1", from_layer="L2")


def takes_h1(student, rng):
    """Whether the student's own ReLU gives the same gradient for h1 as for a1; a broken one is no matter."""
    a1, grad = rng.normal(size=(6, 5)), rng.normal(size=(6, 5))
    try:
        module = student.relu()
        module.forward(a1)
        for_a1 = as_array(module.backward(a1, grad))
        for_h1 = as_array(module.backward(np.maximum(a1, 0), grad))
    except (StudentError, UnsupportedValue, CheckFailed):
        return True
    return np.array_equal(for_a1, for_h1)


@points(1, hint="The first linear layer gets the examples, and the gradient that came out of ReLU.")
def test_first_linear_layer(student, rng):
    """L1's backward gets the examples and the gradient from ReLU"""
    run = Pass(student, rng)
    run.assert_given("L1", run.x, run.returned["nonlinear1"], x_name="x", from_layer="nonlinear1")


@points(
    1,
    hint="After the pass the layers of the model itself hold the gradients, whatever the sizes.",
)
def test_gradients_land_in_the_model(student, rng):
    """after the pass the model's layers hold the gradients, for any sizes"""
    for n, sizes in ((1, (3, 2, 2)), (3, (4, 4, 4)), (5, (2, 7, 1))):
        run = Pass(student, rng, n=n, sizes=sizes)
        if run.error:
            raise run.error
        for layer, X, upstream in (("L1", run.x, "nonlinear1"), ("L2", run.h1, "loss")):
            expected = np.outer(np.sin(X), np.cos(run.returned[upstream]))
            actual = as_array(run.model[layer].gradient["W"], name=f"model['{layer}'].gradient['W']")
            assert_close(actual, expected, name=f"model['{layer}'].gradient['W'] of a stand-in layer")
