"""3 and 5: the model, and what it predicts."""

import numpy as np
from rings import network

from grader import as_array, assert_close, assert_parameter_count, item, points

BESIDE = """
import torch


def arrays(model):
    return [value.detach().numpy() for value in model.parameters()]


def outputs(model, X):
    return model(torch.tensor(X, dtype=torch.float32)).detach()


class Noisy(torch.nn.Module):
    # With dropout that must be off, and a record of what it went through.
    def __init__(self):
        super().__init__()
        self.modes, self.gradients = [], []

    def forward(self, X):
        self.modes.append(self.training)
        self.gradients.append(torch.is_grad_enabled())
        return torch.nn.functional.dropout(torch.cat([X, 0 * X[:, :1]], dim=1), 0.5, self.training)
"""


@item("3")
@points(1, hint="Two linear layers with biases, nothing else that is learned.")
def test_parameters(student):
    """the parameters are those of two linear layers"""
    model = student.make_model(3, 7, 4)
    assert_parameter_count(student.provide(BESIDE).arrays(model), 3 * 7 + 7 + 7 * 4 + 4)


@item("3")
@points(1, hint="Linear, swish, linear: nothing after the second layer.")
def test_outputs(student, rng):
    """the outputs are the logits of linear, swish, linear"""
    beside = student.provide(BESIDE)
    model = student.make_model(3, 7, 4)
    parts = [as_array(part, name="a parameter") for part in beside.arrays(model)]
    shapes = {"W1": (7, 3), "b1": (7,), "W2": (4, 7), "b2": (4,)}
    weights = {
        name: next((part for part in parts if part.shape == shape), None) for name, shape in shapes.items()
    }
    assert all(part is not None for part in weights.values()), (
        f"the parameters should have the shapes {shapes}"
    )
    X = rng.normal(size=(5, 3))
    assert_close(beside.outputs(model, X), network(weights, X), name="model(X)", rtol=1e-4)


@item("5")
@points(1, hint="Probabilities are positive and add up to 1 in each row.", tell_mistake=True)
def test_probabilities(student, rng):
    """probabilities, from a model with dropout"""
    X = rng.normal(size=(6, 2))
    logits = np.concatenate([X, 0 * X[:, :1]], axis=1)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert_close(
        student.predict(student.provide(BESIDE).Noisy(), X),
        expected,
        name="predict(model, X)",
        rtol=1e-4,
        suspects={"logits, not probabilities": logits},
    )


@item("5")
@points(
    1,
    hint="model.eval() and torch.no_grad(). And who called predict in the middle of training?",
    tell_mistake=True,
)
def test_modes(student, rng):
    """it predicts in evaluation mode without gradients, and leaves the model as it was"""
    for training in (True, False):
        model = student.provide(BESIDE).Noisy()
        model.train(training)
        student.predict(model, rng.normal(size=(2, 2)))
        assert not any(model.modes.value), "the model predicted in training mode"
        assert not any(model.gradients.value), "the model predicted with gradients"
        assert model.training.value is training, "the model is not in the mode that it was in before"
