"""3.1.5 Gradient checker. In the stand-in network the true slope and the stored gradients differ.

Every entry of a parameter bends the stand-in's loss with a large, constant curvature. Central differences of
such a loss are exact whatever the step, one-sided ones are visibly off, and both are told apart by the six
decimals that the homework prints.
"""

import re
from dataclasses import dataclass

import numpy as np
import pytest

from grader import CheckFailed, StudentError, assert_close, item, points

pytestmark = item("3.1.5")

GIVEN = '''
import numpy as np

MOVED = []


class Bowl:
    """Adds to its input a sum of parabolas in its parameters; its stored gradients are made up."""

    def __init__(self, params, lowest, bend, made_up):
        self.params, self.lowest, self.bend, self.made_up = params, lowest, bend, made_up
        self.start = {name: array.copy() for name, array in params.items()}
        self.gradient = {name: np.zeros_like(array) for name, array in made_up.items()}

    def forward(self, X):
        MOVED.append(any(np.abs(self.params[name] - self.start[name]).max() > 1e-9 for name in self.params))
        height = sum(
            np.sum(self.bend[name] * (self.params[name] - self.lowest[name]) ** 2) / 2 for name in self.params
        )
        return np.full((len(X), self.start["b"].size), np.mean(X) + height)

    def backward(self, X, grad):
        self.gradient = {name: array.copy() for name, array in self.made_up.items()}
        return np.zeros_like(X)


class Same:
    """Passes its input on."""

    def forward(self, X):
        return X

    def backward(self, X, grad):
        return grad


class MeanOfScores:
    """Stands where the loss stands."""

    def forward(self, X, Y):
        return float(np.mean(X))

    def backward(self, X, Y):
        return np.zeros_like(X)


class Examples:
    """Stands for the data set."""

    def __init__(self, X, Y):
        self.X, self.Y = X, Y
        self.N, self.d = X.shape

    def get_example(self, idx):
        return self.X[idx], self.Y[idx]


def forward_pass(model, x, y):
    a1 = model["L1"].forward(x)
    h1 = model["nonlinear1"].forward(a1)
    a2 = model["L2"].forward(h1)
    return a1, h1, a2, model["loss"].forward(a2, y)


def backward_pass(model, x, a1, h1, a2, y):
    for name in ("loss", "L2", "nonlinear1", "L1"):
        model[name].backward(a2, y)


def make_model(layers):
    L1, L2 = (Bowl(**layers[name]) for name in ("L1", "L2"))
    return {"L1": L1, "nonlinear1": Same(), "L2": L2, "loss": MeanOfScores()}
'''

NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?inf|nan)"
LINE = re.compile(
    r"^(?=.*(?<![a-z])(?P<name>[Wb])(?![a-z]))(?=.*(?<![a-z])(?P<layer>L[12])(?!\d))"
    rf".*?backprop[a-z]*[^-+.\d]*{NUMBER}.*?approx[a-z]*[^-+.\d]*{NUMBER}",
    re.IGNORECASE,
)
DRESS = re.compile(
    r"np\.float\d+\("  # how numpy shows a number inside a tuple or a list
    r"|\x1b\[[0-9;]*m"  # a terminal's colours
)
LONGEST_LINE = 400  # characters; nothing longer is searched, which keeps the search short
ENTRIES = (("L1", "W"), ("L1", "b"), ("L2", "W"), ("L2", "b"))
IN_THE_WORDS = (
    " Expected lines in the words of the homework: "
    "Check the gradient of W in the L1 layer from backpropagation: 0.1 and from approximation: 0.1"
)


@dataclass(frozen=True)
class Printed:
    """A number as it was printed, and one unit of its last digit (kept between 0.000001 and 0.001)."""

    value: float
    unit: float

    @classmethod
    def of(cls, text):
        """The number that a text shows."""
        digits, _, exponent = text.lower().partition("e")
        power = int(exponent or 0) - len(digits.partition(".")[2])
        return cls(float(text), 10.0 ** min(max(power, -6), -3))


def numbers_in(text):
    """((layer, parameter), the stored number, the approximation) of each line that has them."""
    for line in text.splitlines():
        found = LINE.search(DRESS.sub("", line)) if len(line) <= LONGEST_LINE else None
        if found:
            name, layer, stored, approximated = found.groups()
            key = layer.upper(), "W" if name in "Ww" else "b"
            yield key, Printed.of(stored), Printed.of(approximated)


class Run:
    """One call of the student's gradient_checker: the numbers it printed, and where the parameters ended."""

    def __init__(self, student, layers, rng):
        given = student.provide(GIVEN)
        student.forward_pass, student.backward_pass = given.forward_pass, given.backward_pass
        given.model = given.make_model(layers)
        data = given.Examples(rng.uniform(size=(8, 4)), rng.integers(3, size=(8, 1)))
        before = len(student.printed())
        student.gradient_checker(data, given.model)
        self.lines = list(numbers_in(student.printed()[before:]))
        self.model, self.layers, self.moved = given.model, layers, given.MOVED.value

    def true_slopes(self, key):
        """The slope of the loss in every entry of a parameter."""
        layer, name = key
        about = self.layers[layer]
        return (about["bend"][name] * (about["params"][name] - about["lowest"][name])).ravel()

    def pairs(self):
        """(what, printed approximation, true slope) for each line, whichever entry it is about."""
        for key in ENTRIES:
            what = f"{key[1]} of layer {key[0]}"
            lines = [line for line in self.lines if line[0] == key]
            if not lines:
                raise CheckFailed(f"no line was printed for {what}.{IN_THE_WORDS}")
            for _, stored, approximated in lines:
                yield what, approximated, self.true_slopes(key)[self.entry_of(key, stored)]

    def entry_of(self, key, stored):
        """The entry whose stored gradient was printed; [0][0] in the homework, any other is as good."""
        made_up = self.layers[key[0]]["made_up"][key[1]].ravel()
        nearest = int(np.argmin(np.abs(made_up - stored.value))) if np.isfinite(stored.value) else 0
        name = f"the number from backpropagation for {key[1]} of layer {key[0]}"
        assert_close(stored.value, made_up[nearest], rtol=0, atol=stored.unit, name=name)
        return nearest


def random_layers(rng, *, flat_bias):
    """Parameters, bowls and made-up gradients for L1 (4 to 3) and L2 (3 to 2)."""
    layers = {}
    for layer, shape in (("L1", (4, 3)), ("L2", (3, 2))):
        params = {"W": rng.normal(0, 0.1, size=shape), "b": rng.normal(0, 0.1, size=(1, shape[1]))}
        bend = {name: rng.uniform(400, 600, size=array.shape) for name, array in params.items()}
        slope = {
            name: rng.uniform(15, 30, size=array.shape) * rng.choice([-1, 1], size=array.shape)
            for name, array in params.items()
        }
        made_up = {name: rng.uniform(-9, 9, size=array.shape) for name, array in params.items()}
        if flat_bias:
            made_up["b"] = made_up["b"].ravel()
        lowest = {name: params[name] - slope[name] / bend[name] for name in params}
        layers[layer] = {"params": params, "lowest": lowest, "bend": bend, "made_up": made_up}
    return layers


@pytest.fixture
def run(student, rng):
    """The student's checker on the stand-in; a bias gradient stored as (D,) or as (1, D) is as good."""
    try:
        return Run(student, random_layers(rng, flat_bias=True), rng)
    except StudentError:
        return Run(student, random_layers(rng, flat_bias=False), rng)


@points(
    2, hint="Compare F(w + eps) with F(w - eps) and divide by the distance between them. Mind the brackets."
)
def test_approximates_the_slope(run):
    """the printed approximation is near the true slope"""
    for what, approximated, slope in run.pairs():
        wrong = {"the sign is flipped": -slope, "it is divided by eps, not by 2 eps": 2 * slope}
        name = f"the approximation for {what} (coarse check)"
        assert_close(approximated.value, slope, rtol=0.3, atol=0, name=name, suspects=wrong)


@points(1, hint="The approximation looks both ways: one forward pass with w + eps and one with w - eps.")
def test_differences_are_central(run):
    """the approximation uses central differences"""
    for what, approximated, slope in run.pairs():
        name = f"the approximation for {what}"
        assert_close(approximated.value, slope, rtol=1e-6, atol=2 * approximated.unit, name=name)


@points(1, hint="When gradient_checker is done, every parameter has the value that it had before.")
def test_puts_the_parameters_back(run):
    """every parameter ends as it began"""
    if not isinstance(run.moved, list) or not any(entry is True for entry in run.moved):
        raise CheckFailed("no parameter was ever moved before a forward pass.")
    for layer, name in ENTRIES:
        before = run.layers[layer]["params"][name]
        after = run.model[layer].params[name]
        assert_close(after, before, rtol=0, atol=1e-9, name=f"{name} of layer {layer} afterwards")
