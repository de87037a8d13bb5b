"""3.4 SGD with momentum. The layers are stand-ins that only hold arrays; only the parameters are compared."""

import numpy as np

from grader import Formulas, assert_close, is_proxy, item, points

pytestmark = item("3.4.momentum")

UPDATE = Formulas(w="...", v="...", g="...", rate="", alpha="")

GIVEN = '''
import numpy as np


class Layer:
    """Holds parameters and their gradients."""

    def __init__(self, params):
        self.params = params
        self.gradient = {name: np.zeros_like(array) for name, array in params.items()}


class Other:
    """A part of the model that has no parameters."""


def make_model(params):
    L1, L2 = (Layer(params[name]) for name in ("L1", "L2"))
    return {"L1": L1, "nonlinear1": Other(), "L2": L2, "loss": Other()}


def make_velocity(params):
    return {(layer, name): np.zeros_like(array) for layer in params for name, array in params[layer].items()}
'''

SHAPES = {"L1": {"W": (4, 3), "b": (1, 3)}, "L2": {"W": (3, 2), "b": (1, 2)}}


def like(rng, *, deviation=1.0):
    """Random arrays for every parameter of every layer."""
    return {
        layer: {name: rng.normal(0, deviation, size=shape) for name, shape in own.items()}
        for layer, own in SHAPES.items()
    }


def assert_steps(student, rng, *, steps, rate, alpha):
    """The student's parameters follow v <- alpha v + g, w <- w - rate v, step by step from rest.

    Either the returned model counts or, where none is returned, the one that was passed.
    """
    given = student.provide(GIVEN)
    student.linear_layer = given.Layer  # for code that asks isinstance(module, linear_layer)
    w = like(rng)
    v = {layer: {name: np.zeros(shape) for name, shape in own.items()} for layer, own in SHAPES.items()}
    given.model, given.velocity = given.make_model(w), given.make_velocity(w)
    model = given.model
    for step in range(1, steps + 1):
        g = like(rng, deviation=20)  # a step longer than 1 shows code that clips it
        plain = {layer: {name: w[layer][name] - rate * g[layer][name] for name in w[layer]} for layer in w}
        named = {
            layer: {
                name: UPDATE(w=w[layer][name], v=v[layer][name], g=g[layer][name], rate=rate, alpha=alpha)
                for name in w[layer]
            }
            for layer in w
        }
        for layer, own in g.items():
            for name, array in own.items():
                model[layer].gradient[name] = array
                v[layer][name] = alpha * v[layer][name] + array
                w[layer][name] = w[layer][name] - rate * v[layer][name]
        returned = student.sgd_with_momentum(model, given.velocity, rate, alpha)
        model = returned if is_model(returned) else model
        assert_parameters(model, w, plain, named, step)


def is_model(returned):
    """Whether what came back is a model: a dictionary that holds the layers."""
    return isinstance(returned, dict) and all(is_proxy(returned.get(layer)) for layer in SHAPES)


def assert_parameters(model, expected, plain, named, step):
    """Every parameter of every layer, after a step."""
    for layer, own in expected.items():
        for name, array in own.items():
            mistakes = {"the velocity of the steps before is lost": plain[layer][name]}
            what = f"{name} of layer {layer} after step {step}"
            told = {"suspects": mistakes, "formulas": named[layer][name]}
            assert_close(model[layer].params[name], array, name=what, **told)


@points(0.5, hint="From rest, the first step is a plain gradient step: against the gradient, times the rate.")
def test_first_step(student, rng):
    """the first step from rest is a plain gradient step"""
    assert_steps(student, rng, steps=1, rate=rng.uniform(0.05, 0.2), alpha=0.9)


@points(0.5, hint="With alpha = 0 the past has no say: every step is a plain gradient step.")
def test_without_momentum(student, rng):
    """with alpha = 0 every step is a plain gradient step"""
    assert_steps(student, rng, steps=3, rate=rng.uniform(0.05, 0.2), alpha=0.0)


@points(1, hint="The velocity of this step must be there in the next one: is it stored in the dictionary?")
def test_velocity_carries_over(student, rng):
    """the velocity carries over from step to step"""
    assert_steps(student, rng, steps=5, rate=rng.uniform(0.05, 0.2), alpha=rng.uniform(0.5, 0.9))
