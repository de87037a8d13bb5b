"""3.1.5 Gradient checker. The network is a stand-in that asks the trusted side for every number.

The stand-in holds no slope, no loss and no stored gradient: each forward and each backward pass is a
question that this file answers, while the student's function waits in a thread. So nothing can be read off
the stand-in, and the questions tell which parameters were moved.

The loss has a kink in every entry, at its starting value: it rises by `slope + kink` on one side and falls by
`slope - kink` on the other. Central differences give the slope exactly, whatever their step; one-sided ones
are off by the kink, whatever theirs.
"""

import re
from dataclasses import dataclass

import numpy as np
import pytest

from grader import CheckFailed, StudentError, as_array, assert_close, item, points

pytestmark = item("3.1.5")

GIVEN = '''
import queue
import threading

import numpy as np

QUESTIONS, ANSWERS, TURN = queue.SimpleQueue(), queue.SimpleQueue(), threading.Lock()


def ask(*question):
    """What the other side answers."""
    with TURN:
        QUESTIONS.put(list(question))
        return ANSWERS.get()


def next_question():
    """The next question; None when the work is done. Raises what the work raised."""
    question = QUESTIONS.get()
    if isinstance(question, BaseException):
        raise question
    return question


def answer(value):
    ANSWERS.put(value)
    return next_question()


def begin(work, *arguments):
    """Start the work in a thread, which waits for each answer."""

    def run():
        try:
            work(*arguments)
            QUESTIONS.put(None)
        except BaseException as error:
            QUESTIONS.put(error)

    threading.Thread(target=run, daemon=True).start()
    return next_question()


class Layer:
    """Adds a number that depends on its parameters to its input."""

    def __init__(self, name, params, gradient):
        self.name, self.params, self.gradient = name, params, gradient
        self.width = params["b"].size

    def forward(self, X):
        params = {name: np.array(array, dtype=float) for name, array in self.params.items()}
        return np.full((len(X), self.width), np.mean(X) + ask("forward", self.name, params))

    def backward(self, X, grad):
        self.gradient = ask("backward", self.name)
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


def make_model(params, gradient):
    L1, L2 = (Layer(name, params[name], gradient[name]) for name in ("L1", "L2"))
    return {"L1": L1, "nonlinear1": Same(), "L2": L2, "loss": MeanOfScores()}
'''

TOKEN = re.compile(  # each is found in one step per character: no part can give back what it took
    r"\x1b\[[0-9;]*m"  # a terminal's colours
    r"|\[[0-9, ]*\]"  # an index, such as W[0][0]
    r"|(?P<word>[a-z]+\d*)"
    r"|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]inf)",
    re.IGNORECASE,
)
PARAMETER = re.compile(r"[wb]\d*")
LONGEST_LINE = 400  # characters
MOST_QUESTIONS = 4_000  # two for each forward pass; all 23 entries take about 100
MOVED = 1e-14  # more than adding a step and taking it away again leaves
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
        found = parts_of(line) if len(line) <= LONGEST_LINE else {}
        if found.keys() >= {"layer", "name", "backprop", "approx"}:
            yield (found["layer"], found["name"]), Printed.of(found["backprop"]), Printed.of(found["approx"])


def parts_of(line):
    """The layer and the parameter that a line is about, and the first number after each of its two words."""
    found, wanted = {}, None
    for token in TOKEN.finditer(line):
        word, number = (token["word"] or "").lower(), token["number"]
        if word in ("nan", "inf"):
            word, number = "", word
        if number and wanted:
            found.setdefault(wanted, number)
            wanted = None
        elif PARAMETER.fullmatch(word):
            found["name"] = "W" if word.startswith("w") else "b"
        elif word in ("l1", "l2"):
            found["layer"] = word.upper()
        elif "backprop" in word or "approx" in word:
            wanted = "backprop" if "backprop" in word else "approx"
    return found


class Run:
    """One call of the student's gradient_checker: what it asked and printed, where the parameters ended."""

    def __init__(self, student, network, rng, *, flat_bias):
        self.network = network
        self.largest_move = 0.0  # of any entry, seen in a forward pass
        given = student.provide(GIVEN)
        student.forward_pass, student.backward_pass = given.forward_pass, given.backward_pass
        given.model = given.make_model(network.params, network.no_gradients(flat_bias=flat_bias))
        data = given.Examples(rng.uniform(-3, 3, size=(8, 4)), rng.integers(3, size=(8, 1)))
        before = len(student.printed())
        question = given.begin(student.gradient_checker, data, given.model)
        for _ in range(MOST_QUESTIONS):
            if question is None:
                break
            question = given.answer(self.reply(question, flat_bias=flat_bias))
        else:
            raise CheckFailed(f"gradient_checker makes more than {MOST_QUESTIONS // 2:,} forward passes.")
        self.lines = list(numbers_in(student.printed()[before:]))
        self.model = given.model

    def reply(self, question, *, flat_bias):
        """The answer to one question of the stand-in; what it says about the parameters is the student's."""
        match question:
            case ["backward", "L1" | "L2" as layer]:
                return self.network.gradients(flat_bias=flat_bias)[layer]
            case ["forward", "L1" | "L2" as layer, {"W": W, "b": b}]:
                moves = self.network.moves(layer, {"W": W, "b": b})
                self.largest_move = max(self.largest_move, *(np.abs(move).max() for move in moves.values()))
                return self.network.height(layer, moves)
        raise CheckFailed("the stand-in network's parameters W and b were replaced by something else.")

    def pairs(self):
        """(what, printed approximation, true slope, kink) for each line, whichever entry it is about."""
        for key in ENTRIES:
            what = f"{key[1]} of layer {key[0]}"
            lines = [line for line in self.lines if line[0] == key]
            if not lines:
                raise CheckFailed(f"no line was printed for {what}.{IN_THE_WORDS}")
            layer, name = key
            slopes, kinks = (about[layer][name].ravel() for about in (self.network.slope, self.network.kink))
            for _, stored, approximated in lines:
                entry = self.entry_of(key, stored)
                yield what, approximated, slopes[entry], kinks[entry]

    def entry_of(self, key, stored):
        """The entry whose stored gradient was printed; [0][0] in the homework, any other is as good."""
        layer, parameter = key
        made_up = self.network.made_up[layer][parameter].ravel()
        nearest = int(np.argmin(np.abs(made_up - stored.value))) if np.isfinite(stored.value) else 0
        name = f"the number from backpropagation for {parameter} of layer {layer}"
        assert_close(stored.value, made_up[nearest], rtol=0, atol=stored.unit, name=name)
        return nearest


class Network:
    """Parameters of L1 (4 to 3) and L2 (3 to 2), slope and kink of the loss in them, made-up gradients."""

    def __init__(self, rng):
        shapes = {"L1": {"W": (4, 3), "b": (1, 3)}, "L2": {"W": (3, 2), "b": (1, 2)}}

        def drawn(draw):
            return {
                layer: {name: draw(shape) for name, shape in own.items()} for layer, own in shapes.items()
            }

        def of_either_sign(low, high):
            return drawn(lambda shape: rng.uniform(low, high, size=shape) * rng.choice([-1, 1], size=shape))

        self.params = drawn(lambda shape: rng.normal(0, 0.1, size=shape))
        self.slope, self.kink = (
            of_either_sign(15, 30),
            of_either_sign(3, 4.4),
        )  # a kink is 10 to 30 % of a slope
        self.made_up = drawn(lambda shape: rng.uniform(-9, 9, size=shape))
        self.at_the_start = {layer: rng.uniform(0.5, 1) for layer in shapes}

    def gradients(self, *, flat_bias):
        """The made-up gradients; those of b have shape (D,) or (1, D)."""
        return {
            layer: {"W": own["W"], "b": own["b"].ravel() if flat_bias else own["b"]}
            for layer, own in self.made_up.items()
        }

    def no_gradients(self, *, flat_bias):
        """Zeros in their shapes."""
        return {
            layer: {name: np.zeros_like(array) for name, array in own.items()}
            for layer, own in self.gradients(flat_bias=flat_bias).items()
        }

    def moves(self, layer, params):
        """How far each entry is from where it started."""
        moves = {}
        for name, start in self.params[layer].items():
            now = as_array(params[name], name=f"{name} of layer {layer}")
            if now.size != start.size or now.dtype.kind == "c":
                raise CheckFailed(
                    f"{name} of layer {layer} became {now.size} numbers of type {now.dtype}, "
                    f"expected {start.size} real ones."
                )
            moves[name] = now.reshape(start.shape) - start
        return moves

    def height(self, layer, moves):
        """What a layer adds to the loss."""
        return self.at_the_start[layer] + float(
            sum(
                np.sum(self.slope[layer][name] * move + self.kink[layer][name] * np.abs(move))
                for name, move in moves.items()
            )
        )


@pytest.fixture
def run(student, rng):
    """The student's checker on the stand-in; a bias gradient stored as (D,) or as (1, D) is as good."""
    try:
        return Run(student, Network(rng), rng, flat_bias=True)
    except StudentError:
        return Run(student, Network(rng), rng, flat_bias=False)


@points(
    2, hint="Compare F(w + eps) with F(w - eps) and divide by the distance between them. Mind the brackets."
)
def test_approximates_the_slope(run):
    """the printed approximation is near the true slope"""
    for what, approximated, slope, _ in run.pairs():
        wrong = {"the sign is flipped": -slope, "it is divided by eps, not by 2 eps": 2 * slope}
        name = f"the approximation for {what} (coarse check)"
        assert_close(approximated.value, slope, rtol=0.3, atol=0, name=name, suspects=wrong)


@points(1, hint="The approximation looks both ways: one forward pass with w + eps and one with w - eps.")
def test_differences_are_central(run):
    """the approximation uses central differences"""
    for what, approximated, slope, kink in run.pairs():
        name = f"the approximation for {what}"
        wrong = {"it looks ahead only": slope + kink, "it looks back only": slope - kink}
        # A step of 1e-12, or float32, costs 1e-4 of the slope at worst; looking one way costs 0.1 of it.
        assert_close(
            approximated.value, slope, rtol=1e-3, atol=2 * approximated.unit, name=name, suspects=wrong
        )


@points(1, hint="When gradient_checker is done, every parameter has the value that it had before.")
def test_puts_the_parameters_back(run):
    """every parameter ends as it began"""
    if not run.largest_move > MOVED:
        raise CheckFailed("no parameter was ever moved before a forward pass.")
    room = min(1e-9, run.largest_move / 1000)
    for layer, name in ENTRIES:
        before = run.network.params[layer][name]
        after = run.model[layer].params[name]
        assert_close(after, before, rtol=0, atol=room, name=f"{name} of layer {layer} afterwards")
