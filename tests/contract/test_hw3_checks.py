"""HW3's own checks, held against right answers of many styles and against the mistakes students make.

Every hidden check fails for some mistake here, and a mistake costs the checks named beside it, no others.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from grader.grading.assignment_folder import load
from grader.grading.check_plugin import CheckPlugin
from grader.grading.pytest_run import run_checks
from grader.model.errors import Fault
from grader.session.in_process import LocalNotebook

ROOT = Path(__file__).parents[2]

SOLUTION = """
import numpy as np

class linear_layer:
    def __init__(self, input_D, output_D):
        self.params = {"W": np.random.normal(0, 0.1, (input_D, output_D)),
                       "b": np.random.normal(0, 0.1, (1, output_D))}
        self.gradient = {"W": np.zeros((input_D, output_D)), "b": np.zeros((1, output_D))}
    def forward(self, X):
        return X @ self.params["W"] + self.params["b"]
    def backward(self, X, grad):
        self.gradient["W"] = X.T @ grad
        self.gradient["b"] = np.sum(grad, axis=0)
        return grad @ self.params["W"].T

class relu:
    def __init__(self):
        self.mask = None
    def forward(self, X):
        self.mask = (X > 0).astype(int)
        return X * self.mask
    def backward(self, X, grad):
        return grad * self.mask

def forward_pass(model, x, y):
    a1 = model["L1"].forward(x)
    h1 = model["nonlinear1"].forward(a1)
    a2 = model["L2"].forward(h1)
    return a1, h1, a2, model["loss"].forward(a2, y)

def backward_pass(model, x, a1, h1, a2, y):
    grad_a2 = model["loss"].backward(a2, y)
    grad_h1 = model["L2"].backward(h1, grad_a2)
    grad_a1 = model["nonlinear1"].backward(a1, grad_h1)
    grad_x = model["L1"].backward(x, grad_a1)

def gradient_checker(DataSet, model):
    x, y = DataSet.get_example([0])
    backward_pass(model, x, *forward_pass(model, x, y)[:3], y)
    h = 1e-3
    for layer in ("L1", "L2"):
        for name in ("W", "b"):
            grad = model[layer].gradient[name].ravel()[0]
            step = np.zeros_like(model[layer].params[name])
            step[0, 0] = h
            model[layer].params[name] += step
            above = forward_pass(model, x, y)[3]
            model[layer].params[name] -= 2 * step
            below = forward_pass(model, x, y)[3]
            slope = (above - below) / (2 * h)
            model[layer].params[name] += step
            print("Check the gradient of %s in the %s layer "
                  "from backpropagation: %f and from approximation: %f" % (name, layer, grad, slope))

def sgd_with_momentum(model, velocity, _learning_rate, alpha):
    for layer, module in model.items():
        if hasattr(module, "params"):
            for name in module.params:
                v = alpha * velocity[layer, name] + module.gradient[name]
                velocity[layer, name] = v
                module.params[name] = module.params[name] - _learning_rate * v
    return model
"""

FORWARD = 'return X @ self.params["W"] + self.params["b"]'
GRADIENT_W, GRADIENT_B = 'self.gradient["W"] = X.T @ grad', 'self.gradient["b"] = np.sum(grad, axis=0)'
GRADIENT_X = 'return grad @ self.params["W"].T'
RELU = "self.mask = (X > 0).astype(int)\n        return X * self.mask"
RELU_BACK = "return grad * self.mask"
TO_L2, TO_RELU, TO_L1 = "backward(h1, grad_a2)", "backward(a1, grad_h1)", "backward(x, grad_a1)"
SLOPE = "(above - below) / (2 * h)"
PUT_BACK = "            model[layer].params[name] += step\n            print("
WHERE, NUMBERS = (
    '"Check the gradient of %s in the %s layer "',
    "from backpropagation: %f and from approximation: %f",
)
VELOCITY = "v = alpha * velocity[layer, name] + module.gradient[name]\n"
STORE = "velocity[layer, name] = v"
STEP = "module.params[name] = module.params[name] - _learning_rate * v"

RIGHT = {
    "as the seed writes it": {},
    "bias gradients as rows": {GRADIENT_B: 'self.gradient["b"] = grad.sum(0, keepdims=True)'},
    "the checker reads flat bias gradients": {".ravel()[0]": '[(0, 0) if name == "W" else 0]'},
    "the checker reads bias gradients as rows": {".ravel()[0]": "[0][0]"},
    "a flat bias": {"(1, output_D)": "output_D"},
    "loops": {
        FORWARD: "out = np.zeros((len(X), self.params['W'].shape[1]))\n"
        "        for n in range(len(X)): out[n] = np.dot(X[n], self.params['W']) + self.params['b'].ravel()\n"
        "        return out",
        GRADIENT_W: 'self.gradient["W"] = sum(np.outer(x, g) for x, g in zip(X, grad))',
    },
    "lists": {FORWARD: 'return (X @ self.params["W"] + self.params["b"]).tolist()'},
    "float32": {
        FORWARD: 'return (X @ self.params["W"] + self.params["b"]).astype(np.float32)',
        GRADIENT_X: 'return (grad @ self.params["W"].T).astype(np.float32)',
    },
    "slope 1 at 0": {"X > 0": "X >= 0"},
    "the mask computed anew": {RELU_BACK: "return np.where(X > 0, grad, 0.0)"},
    "h1 where a1 belongs, whose positive entries are the same": {TO_RELU: "backward(h1, grad_h1)"},
    "h1 where a1 belongs, and the mask of the forward pass": {
        TO_RELU: "backward(h1, grad_h1)",
        "X > 0": "X >= 0",
    },
    "a flat bias, unit by unit": {
        "(1, output_D)": "output_D",
        FORWARD: "out = X @ self.params['W']\n"
        "        for j in range(len(self.params['b'])): out[:, j] = out[:, j] + float(self.params['b'][j])\n"
        "        return out",
    },
    "a bias of one row, unit by unit": {
        FORWARD: "out = X @ self.params['W']\n"
        "        for j in range(out.shape[1]): out[:, j] += self.params['b'][0][j]\n"
        "        return out",
    },
    "nested backward calls": {
        "grad_a2 = model": "g = model",
        "grad_h1 = model": "g = model",
        "grad_a1 = model": "g = model",
        TO_L2: "backward(h1, grad=g)",
        TO_RELU: "backward(X=a1, grad=g)",
        TO_L1: "backward(x, g)",
    },
    "a step of 1e-6": {"h = 1e-3": "h = 1e-6"},
    "a step of 1e-2": {"h = 1e-3": "h = 1e-2"},
    "another entry, on a copy": {
        "    h = 1e-3": "    import copy; model = copy.deepcopy(model); h = 1e-3",
        "step[0, 0]": "step[0, 1]",
        ".ravel()[0]": ".ravel()[1]",
    },
    "a random entry": {
        "step[0, 0]": "step.flat[entry]",
        ".ravel()[0]": ".ravel()[entry := np.random.randint(model[layer].params[name].size)]",
    },
    "every entry, set one by one": {
        "            grad = model[layer].gradient[name].ravel()[0]": """
            params, stored = model[layer].params[name], model[layer].gradient[name].ravel()
            for number, entry in enumerate(np.ndindex(params.shape)):
                kept = params[entry]
                params[entry] = kept + 1e-5
                above = forward_pass(model, x, y)[3]
                params[entry] = kept - 1e-5
                below = forward_pass(model, x, y)[3]
                params[entry] = kept
                print(name, layer, "backprop", stored[number], "approx", (above - below) / 2e-5)
            grad = model[layer].gradient[name].ravel()[0]"""
    },
    "a function of one number": {
        SLOPE: """0
            def loss_at(value):
                kept, model[layer].params[name] = model[layer].params[name], model[layer].params[name].copy()
                model[layer].params[name][0, 0] = value
                found = forward_pass(model, x, y)[-1]
                model[layer].params[name] = kept
                return found
            model[layer].params[name] += step
            slope = (lambda f, a: (f(a + h) - f(a - h)) / (2 * h))(loss_at, model[layer].params[name][0, 0])
            model[layer].params[name] -= step"""
    },
    "the approximation first": {
        NUMBERS: "from approximation: %f and from backpropagation: %f",
        "(name, layer, grad, slope)": "(name, layer, slope, grad)",
    },
    "indices, layers and dashes after the words": {
        '"Check the gradient of %s in the %s layer "': '"%s %s "',
        NUMBERS: "backpropagation at [0][0] - %f, approximation at [0, 0] - %f",
    },
    "layers one by one": {
        "above = forward_pass(model, x, y)[3]": "h1 = model['nonlinear1'].forward(model['L1'].forward(x))\n"
        "            above = model['loss'].forward(model['L2'].forward(h1), y)",
    },
    "other words and digits": {WHERE: '"%s of %s: "', NUMBERS: "Backprop = %.4f; approximated %r"},
    "momentum of the older convention": {
        VELOCITY: "v = alpha * velocity[layer, name] - _learning_rate * module.gradient[name]\n",
        STEP: "module.params[name] += v",
    },
    "momentum in place, nothing returned": {
        VELOCITY: "v = velocity[layer, name]; v *= alpha; v += module.gradient[name]\n",
        STORE: "pass",
        "    return model": "",
    },
    "momentum on a copy": {
        "    for layer, module in": "    import copy; model = copy.deepcopy(model)\n    for layer, module in"
    },
    "momentum returns something else": {"    return model": "    return velocity"},
    "momentum asks for the class": {'hasattr(module, "params")': "isinstance(module, linear_layer)"},
}

OTHER_WORDS = {
    "other words and digits",
    "the approximation first",
    "indices, layers and dashes after the words",
}
"""Styles that the public check of 3.1.5 does not read."""

BACKWARD = {
    "test_backward_stores_the_gradient_of_the_weights",
    "test_backward_stores_the_gradient_of_the_bias",
    "test_backward_returns_the_gradient_of_the_input",
    "test_backward_overwrites",
}
RELU_FORWARD = {"test_forward", "test_forward_of_any_shape", "test_forward_leaves_its_input_alone"}
RELU_BACKWARD = {"test_backward", "test_backward_of_any_shape", "test_backward_uses_the_mask_of_this_input"}
INIT = {
    "test_init_draws_the_weights",
    "test_init_draws_the_bias",
    "test_init_sets_the_gradients_to_zero",
    "test_layers_share_nothing",
}
FORWARDS = {
    "test_forward_multiplies_by_the_weights",
    "test_forward_adds_the_bias",
    "test_forward_of_any_size",
}
PASS = {
    "test_second_linear_layer",
    "test_relu",
    "test_first_linear_layer",
    "test_gradients_land_in_the_model",
}
CHECKER = {"test_approximates_the_slope", "test_differences_are_central", "test_puts_the_parameters_back"}
MOMENTUM = {"test_first_step", "test_without_momentum", "test_velocity_carries_over"}
EVERYTHING = INIT | FORWARDS | BACKWARD | RELU_FORWARD | RELU_BACKWARD | PASS | CHECKER | MOMENTUM

LEAKY = "return np.where(X > 0, X, 0.01 * X)"
MISTAKES = {
    "W is drawn too wide": ({"(0, 0.1, (input_D": "(0, 1, (input_D"}, {"test_init_draws_the_weights"}),
    "b starts at zero": (
        {"np.random.normal(0, 0.1, (1, output_D))": "np.zeros((1, output_D))"},
        {"test_init_draws_the_bias"},
    ),
    "no gradients at the start": (
        {'{"W": np.zeros((input_D, output_D)), "b": np.zeros((1, output_D))}': "{}"},
        {"test_init_sets_the_gradients_to_zero", "test_layers_share_nothing"},
    ),
    "layers share their gradients": (
        {
            "self.gradient = {": "self.gradient |= {",
            "class linear_layer:": "class linear_layer:\n    gradient = {}",
        },
        {"test_layers_share_nothing"},
    ),
    "__init__ raises": (
        {'        self.params = {"W"': '        raise ValueError\n        self.params = {"W"'},
        INIT,
    ),
    "b is not added": (
        {FORWARD: 'return X @ self.params["W"]'},
        {"test_forward_adds_the_bias", "test_forward_of_any_size"},
    ),
    "one number of a flat bias is added to all units": (
        {"(1, output_D)": "output_D", FORWARD: 'return X @ self.params["W"] + self.params["b"][0]'},
        {"test_forward_adds_the_bias", "test_forward_of_any_size"},
    ),
    "one number of a row is added to all units": (
        {FORWARD: 'return X @ self.params["W"] + self.params["b"][0][0]'},
        {"test_forward_adds_the_bias", "test_forward_of_any_size"},
    ),
    "forward changes X": (
        {FORWARD: f"X *= 1.5; X /= 1.5; X += 1e-3; X = X - 1e-3; {FORWARD}"},
        {"test_forward_of_any_size"},
    ),
    "forward gives NaN": ({FORWARD: f"{FORWARD} + np.nan"}, FORWARDS),
    "forward raises": ({FORWARD: "raise ValueError"}, FORWARDS),
    "the sign of W's gradient": (
        {GRADIENT_W: 'self.gradient["W"] = -X.T @ grad'},
        {"test_backward_stores_the_gradient_of_the_weights"},
    ),
    "W's gradient divided by N": (
        {GRADIENT_W: 'self.gradient["W"] = X.T @ grad / len(X)'},
        {"test_backward_stores_the_gradient_of_the_weights"},
    ),
    "a random gradient of W": (
        {GRADIENT_W: 'self.gradient["W"] = np.random.normal(size=self.params["W"].shape)'},
        {"test_backward_stores_the_gradient_of_the_weights", "test_backward_overwrites"},
    ),
    "an upstream gradient of ones": (
        {GRADIENT_W: 'self.gradient["W"] = X.T @ np.ones_like(grad)'},
        {"test_backward_stores_the_gradient_of_the_weights"},
    ),
    "the mean for the sum": (
        {GRADIENT_B: 'self.gradient["b"] = np.mean(grad, axis=0)'},
        {"test_backward_stores_the_gradient_of_the_bias"},
    ),
    "no sum at all": (
        {GRADIENT_B: 'self.gradient["b"] = grad'},
        {"test_backward_stores_the_gradient_of_the_bias"},
    ),
    "b's gradient is not stored": (
        {GRADIENT_B: "pass"},
        {"test_backward_stores_the_gradient_of_the_bias"},
    ),
    "b's gradient is always one": (
        {GRADIENT_B: 'self.gradient["b"] = np.ones((1, grad.shape[1]))'},
        {"test_backward_stores_the_gradient_of_the_bias"},
    ),
    "NaN gradients": (
        {
            GRADIENT_W: 'self.gradient["W"] = X.T @ grad + np.nan',
            GRADIENT_B: 'self.gradient["b"] = np.nan * grad.sum(0)',
        },
        BACKWARD - {"test_backward_returns_the_gradient_of_the_input"},
    ),
    "a NaN in b's gradient": (
        {GRADIENT_B: 'self.gradient["b"] = np.nan * grad.sum(0)'},
        {"test_backward_stores_the_gradient_of_the_bias"},
    ),
    "a reshape for the transpose": (
        {GRADIENT_X: 'return grad @ self.params["W"].reshape(grad.shape[1], -1)'},
        {"test_backward_returns_the_gradient_of_the_input"},
    ),
    "backward returns nothing": (
        {GRADIENT_X: "pass"},
        {"test_backward_returns_the_gradient_of_the_input"},
    ),
    "gradients are added up": (
        {
            GRADIENT_W: 'self.gradient["W"] = self.gradient["W"] + X.T @ grad',
            GRADIENT_B: 'self.gradient["b"] = self.gradient["b"] + np.sum(grad, axis=0)',
        },
        {"test_backward_overwrites"},
    ),
    "backward stores nothing": (
        {GRADIENT_W: "pass", GRADIENT_B: "pass"},
        BACKWARD - {"test_backward_returns_the_gradient_of_the_input"},
    ),
    "leaky forward and backward": (
        {RELU: LEAKY, RELU_BACK: "return np.where(X > 0, grad, 0.01 * grad)"},
        RELU_FORWARD | RELU_BACKWARD,
    ),
    "no mask": ({RELU_BACK: "return grad"}, RELU_BACKWARD),
    "backward is forward": ({RELU_BACK: "return np.maximum(X, 0)"}, RELU_BACKWARD),
    "relu takes two axes only": ({RELU: f"N, D = X.shape; {RELU}"}, {"test_forward_of_any_shape"}),
    "relu works in place": (
        {RELU: "self.mask = X > 0; X[X < 0] = 0; return X"},
        {"test_forward_leaves_its_input_alone"},
    ),
    "a stale mask": (
        {RELU: "if self.mask is None: self.mask = X > 0\n        return np.maximum(X, 0)"},
        {"test_backward_uses_the_mask_of_this_input"},
    ),
    "a mask the wrong way round, which backward uses as it should": (
        {RELU: "self.mask = X < 0; return X * self.mask", RELU_BACK: "return grad * self.mask"},
        RELU_FORWARD,
    ),
    "relu is a function": (
        {"class relu:": "def relu(): return 0\nclass other:"},
        RELU_FORWARD | RELU_BACKWARD,
    ),
    "a1 where h1 belongs": (
        {TO_L2: "backward(a1, grad_a2)"},
        {"test_second_linear_layer", "test_gradients_land_in_the_model"},
    ),
    "h1 where a1 belongs, and a slope of 1 at 0": (
        {TO_RELU: "backward(h1, grad_h1)", RELU_BACK: "return grad * (X >= 0)"},
        {"test_relu"},
    ),
    "x where a1 belongs": ({TO_RELU: "backward(x[:, :1] + 0 * a1, grad_h1)"}, {"test_relu"}),
    "h1 and a1 swapped": (
        {TO_L2: "backward(a1, grad_a2)", TO_RELU: "backward(h1, grad_h1)"},
        {"test_second_linear_layer", "test_relu", "test_gradients_land_in_the_model"},
    ),
    "relu is skipped": (
        {'model["nonlinear1"].backward(a1, grad_h1)': "grad_h1"},
        PASS - {"test_second_linear_layer"},
    ),
    "the pass ends early": (
        {'grad_x = model["L1"].backward(x, grad_a1)': "raise ValueError"},
        {"test_first_linear_layer", "test_gradients_land_in_the_model"},
    ),
    "a forward difference": (
        {
            "model[layer].params[name] -= 2 * step": "model[layer].params[name] -= step",
            SLOPE: "(above - below) / h",
        }
        | {PUT_BACK: "            print("},
        {"test_differences_are_central"},
    ),
    "divided by 2, multiplied by h": (
        {SLOPE: "(above - below) / 2*h"},
        CHECKER - {"test_puts_the_parameters_back"},
    ),
    "divided by h, not 2 h": ({SLOPE: "(above - below) / h"}, CHECKER - {"test_puts_the_parameters_back"}),
    "parameters not put back": ({PUT_BACK: "            print("}, {"test_puts_the_parameters_back"}),
    "the stored gradient printed twice": ({SLOPE: "grad"}, CHECKER - {"test_puts_the_parameters_back"}),
    "numbers made up": (
        {
            "    h = 1e-3": "    for n in 'Wb':\n        for l in 'L1', 'L2':\n"
            "            print('Check the gradient of', n, 'in the', l, 'layer from backpropagation: 0.1"
            " and from approximation: 0.1')\n    return"
        },
        CHECKER,
    ),
    "nothing printed": ({"print(": "str("}, CHECKER - {"test_puts_the_parameters_back"}),
    "the velocity is not stored": ({STORE: "pass"}, {"test_velocity_carries_over"}),
    "no momentum": ({VELOCITY: "v = module.gradient[name]\n"}, {"test_velocity_carries_over"}),
    "up the slope": ({STEP: STEP.replace("- _l", "+ _l")}, MOMENTUM),
    "a damped velocity": (
        {VELOCITY: VELOCITY.replace("+ mod", "+ (1 - alpha) * mod")},
        MOMENTUM - {"test_without_momentum"},
    ),
    "only W moves": ({"for name in module.params:": "for name in ['W']:"}, MOMENTUM),
    "nothing is done": (
        {
            FORWARD: "raise NotImplementedError",
            GRADIENT_W: "raise NotImplementedError",
            RELU: "raise NotImplementedError",
            RELU_BACK: "raise NotImplementedError",
            'grad_h1 = model["L2"]': 'raise NotImplementedError; grad_h1 = model["L2"]',
            "model[layer].params[name] -= 2 * step": "raise NotImplementedError",
            VELOCITY: "raise NotImplementedError\n",
            '        self.params = {"W"': '        raise NotImplementedError; self.params = {"W"',
        },
        EVERYTHING,
    ),
}


CODE = {item.id for item in load(ROOT).assignment.of_kind("code")}


def results_of(changes, *, seed=1, folder="hidden_tests"):
    """The results of all checks of a folder on the solution with some of its text replaced."""
    source = SOLUTION
    for old, new in changes.items():
        assert old in source, old
        source = source.replace(old, new)
    names: dict[str, object] = {}
    exec(source, names)
    hidden = folder == "hidden_tests"
    plugin = CheckPlugin(LocalNotebook(names), seed=seed, seconds=5, hidden=hidden, only=CODE)
    run_checks(ROOT / folder, plugin)
    assert not plugin.errors
    return plugin.results


def not_passed(results):
    """The names of the checks that did not pass, each through the student's fault."""
    failed = [result for result in results if result.fault is not None]
    assert all(result.fault is Fault.STUDENT for result in failed), [result.detail for result in failed]
    return {result.check for result in failed}


@pytest.mark.parametrize("style", RIGHT)
def test_a_right_answer_loses_nothing_however_it_is_written(style):
    assert not_passed(results_of(RIGHT[style])) == set()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_costs_the_checks_it_touches_and_no_others(mistake):
    changes, expected = MISTAKES[mistake]
    assert not_passed(results_of(changes)) == expected


def test_every_hidden_check_fails_for_some_mistake_other_than_doing_nothing():
    found = {check for name, (_, checks) in MISTAKES.items() if name != "nothing is done" for check in checks}
    assert found == EVERYTHING == {result.check for result in results_of({})}


def test_every_check_has_a_hint_a_title_and_points_that_add_up():
    worth = defaultdict(int)
    for result in results_of(MISTAKES["nothing is done"][0]):
        assert result.title != result.check
        assert "Your code raised NotImplementedError. " in result.message  # the hint follows
        worth[result.item] += result.possible.hundredths
    assert worth == {"3.1.1": 600, "3.1.2": 400, "3.1.4": 400, "3.1.5": 400, "3.4.momentum": 200}


FORWARD_DIFFERENCE = {
    "model[layer].params[name] -= 2 * step": "model[layer].params[name] -= step",
    SLOPE: "(above - below) / h",
    PUT_BACK: "            print(",
}
BACKWARD_DIFFERENCE = {
    "model[layer].params[name] += step\n            above": "above",
    "model[layer].params[name] -= 2 * step": "model[layer].params[name] -= step",
    SLOPE: "(above - below) / h",
}
BOTH_SIDES_ONE_USED = FORWARD_DIFFERENCE | {
    SLOPE: """(above - below) / h
            model[layer].params[name] -= step
            forward_pass(model, x, y)
            model[layer].params[name] += step"""
}
FIVE_POINTS = {
    SLOPE: """0
            for times, weight in ((-1, 1), (0, -8), (2, 8), (3, -1)):
                model[layer].params[name] += times * step
                slope += weight * forward_pass(model, x, y)[3] / (12 * h)
                model[layer].params[name] -= times * step"""
}


@pytest.mark.parametrize("step", [f"1e-{power}" for power in range(1, 11)])
@pytest.mark.parametrize("changes", [{}, FIVE_POINTS], ids=["central", "five points"])
def test_central_differences_pass_with_any_step(step, changes):
    assert not_passed(results_of(changes | {"h = 1e-3": f"h = {step}"})) == set()


@pytest.mark.parametrize("step", [f"1e-{power}" for power in range(1, 11)])
@pytest.mark.parametrize(
    "changes",
    [FORWARD_DIFFERENCE, BACKWARD_DIFFERENCE, BOTH_SIDES_ONE_USED],
    ids=["forward", "backward", "both sides evaluated, one used"],
)
def test_one_sided_differences_cost_one_check_with_any_step(step, changes):
    failed = not_passed(results_of(changes | {"h = 1e-3": f"h = {step}"}))
    assert failed == {"test_differences_are_central"}


@pytest.mark.parametrize("step", [f"1e-{power}" for power in range(1, 11)])
def test_parameters_left_moved_are_seen_with_any_step(step):
    changes = {PUT_BACK: "            print(", "h = 1e-3": f"h = {step}"}
    assert not_passed(results_of(changes)) == {"test_puts_the_parameters_back"}


CHECKER_HEAD = "def gradient_checker(DataSet, model):"
NOTHING_TO_READ = {
    "what the stand-in holds": """
    for layer in ("L1", "L2"):
        own = vars(model[layer])
        for value in type(model[layer]).forward.__globals__.values():
            if type(value) is list:
                value.append(True)
        for name in ("W", "b"):
            numbers = [np.ravel(v[name])[0] for v in own.values() if isinstance(v, dict) and name in v]
            print("Check the gradient of", name, "in the", layer, "layer from backpropagation:", numbers[-1],
                  "and from approximation:", numbers[0])
    return""",
    "frames and objects of the process": """
    import gc, sys
    frame, seen = sys._getframe(), []
    while frame:
        seen += [v for v in list(frame.f_locals.values()) if isinstance(v, dict)]
        frame = frame.f_back
    seen += [o for o in gc.get_objects() if isinstance(o, dict) and set(o) == {"W", "b"}]
    for layer in ("L1", "L2"):
        for name in ("W", "b"):
            numbers = [np.ravel(v[name])[0] for v in seen if isinstance(v.get(name), np.ndarray)] + [0.0, 0.0]
            print("Check the gradient of", name, "in the", layer, "layer from backpropagation:", numbers[0],
                  "and from approximation:", numbers[1])
    return""",
    "answers before questions": """
    given = type(model["L1"]).forward.__globals__
    given["QUESTIONS"].put(None)
    given["QUESTIONS"].put(["backward", "L1"])
    return""",
    "a question of complex numbers": """
    given = type(model["L1"]).forward.__globals__
    given["ask"]("forward", "L1", {"W": model["L1"].params["W"] + 1j, "b": model["L1"].params["b"]})
    return""",
    "a question of infinities": """
    given = type(model["L1"]).forward.__globals__
    given["ask"]("forward", "L1", {"W": model["L1"].params["W"] / 0, "b": model["L1"].params["b"]})
    return""",
    "questions without end": """
    while True:
        forward_pass(model, np.ones((1, 4)), np.ones((1, 1)))
    return""",
}


@pytest.mark.parametrize("attack", NOTHING_TO_READ)
def test_the_stand_in_of_the_gradient_checker_holds_no_answer(attack):
    failed = not_passed(results_of({CHECKER_HEAD: f"{CHECKER_HEAD}{NOTHING_TO_READ[attack]}"}))
    assert failed - {"test_puts_the_parameters_back"} == CHECKER - {"test_puts_the_parameters_back"}


@pytest.mark.parametrize("seed", range(10, 15))
def test_the_seed_decides_nothing(seed):
    assert not_passed(results_of({}, seed=seed)) == set()
    changes, expected = MISTAKES["a1 where h1 belongs"]
    assert not_passed(results_of(changes, seed=seed)) == expected


@pytest.mark.parametrize("style", sorted(set(RIGHT) - OTHER_WORDS))
def test_public_checks_pass_for_right_answers(style):
    assert not_passed(results_of(RIGHT[style], folder="reference/public_tests")) == set()


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("the sign of W's gradient", "the sign is flipped"),
        ("W's gradient divided by N", "every entry is 1/6 of what is expected"),
        ("an upstream gradient of ones", "as if it were all ones"),
        ("the mean for the sum", "every entry is 1/6 of what is expected"),
        ("no sum at all", "the sum over axis 0 is missing"),
        ("backward returns nothing", "Is a `return` missing?"),
        ("b is not added", "b is not added"),
        ("no mask", "negative entries pass the gradient on"),
        ("a1 where h1 belongs", "it is a1"),
        ("divided by 2, multiplied by h", "divides by 2 and multiplies by e"),
        ("the velocity is not stored", "the velocity of the first step is lost"),
    ],
)
def test_public_checks_name_the_mistake(mistake, words):
    results = results_of(MISTAKES[mistake][0], folder="reference/public_tests")
    assert any(words in result.message for result in results)


def test_public_checks_all_fail_where_nothing_is_done():
    results = results_of(MISTAKES["nothing is done"][0], folder="reference/public_tests")
    assert not_passed(results) == {result.check for result in results}
