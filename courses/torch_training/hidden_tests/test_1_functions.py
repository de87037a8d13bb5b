"""1 and 2: a loss and a function, with their gradients."""

import numpy as np
from rings import smoothed, swish

from grader import as_array, assert_close, check_gradients, item, points

AUTOGRAD = """
import torch


def tensors(values):
    return [torch.tensor(value) if hasattr(value, "shape") else value for value in values]


def call(function, *values):
    return function(*tensors(values)).detach()


def gradient(function, upstream, x, *others):
    x = torch.tensor(x, requires_grad=True)
    function(x, *tensors(others)).backward(torch.as_tensor(upstream, dtype=torch.float64))
    return x.grad
"""


def some_logits(rng):
    return 3 * rng.normal(size=(6, 4)), rng.integers(4, size=6)


@item("1")
@points(
    1,
    hint="How much do all classes get, and how much more the right one? A mean over the examples.",
    tell_mistake=True,
)
def test_loss(student, rng):
    """the smoothed loss"""
    logits, y = some_logits(rng)
    others = 0.3 * 4 / 3  # smoothing / (K - 1) for the wrong classes alone
    assert_close(
        student.provide(AUTOGRAD).call(student.smoothed_loss, logits, y, 0.3),
        smoothed(logits, y, 0.3),
        name="smoothed_loss(logits, y, 0.3)",
        rtol=1e-5,
        suspects={
            "the targets are not smoothed": smoothed(logits, y, 0),
            "a sum over the examples in place of a mean": 6 * smoothed(logits, y, 0.3),
            "only the wrong classes share the smoothing": smoothed(logits, y, others),
        },
    )


@item("1")
@points(
    1, hint="Does your loss stay a tensor from the logits to its end, without .item(), .detach() or numpy?"
)
def test_loss_gradient(student, rng):
    """its gradient by autograd, against central differences"""
    logits, y = some_logits(rng)
    found = student.provide(AUTOGRAD).gradient(student.smoothed_loss, 1.0, logits, y, 0.3)
    check_gradients(
        lambda logits: smoothed(logits, y, 0.3), logits, found, batch=6, name="the gradient", rtol=1e-4
    )


@item("2")
@points(1, hint="x times the sigmoid of x.")
def test_swish(student, rng):
    """the values of swish"""
    x = 4 * rng.normal(size=(3, 5))
    found = student.provide(AUTOGRAD).call(student.swish, x)
    assert_close(found, swish(x), name="swish(x)", rtol=1e-5)


@item("2")
@points(
    2,
    hint="The product rule: x also stands in front of the sigmoid. And grad comes from above.",
    tell_mistake=True,
)
def test_swish_gradient(student, rng):
    """the gradient of swish that backward gives"""
    x, upstream = 2 * rng.normal(size=(3, 5)), rng.normal(size=(3, 5))
    s = 1 / (1 + np.exp(-x))
    check_gradients(
        swish,
        x,
        as_array(
            student.provide(AUTOGRAD).gradient(student.swish, upstream, x), shape=x.shape, name="x.grad"
        ),
        upstream=upstream,
        name="the gradient of swish",
        rtol=1e-4,
        suspects={
            "x in front of the sigmoid was taken for a constant": upstream * x * s * (1 - s),
            "the sigmoid was taken for a constant": upstream * s,
        },
    )
