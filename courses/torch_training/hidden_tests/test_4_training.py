"""4 Training, judged by what the trained weights give in numpy."""

import numpy as np
from rings import draw, network, smoothed

from grader import (
    as_array,
    assert_beats_baseline,
    assert_close,
    assert_loss_falls,
    assert_repeatable,
    item,
    points,
)

ARRAYS = """
import torch


def trained(function, *arguments):
    torch.manual_seed(5)  # so that two runs begin alike, whatever becomes of the seed
    return arrays(function(*arguments)[0])


def arrays(model):
    return [value.detach().numpy() for value in model.parameters()]


def weights(model):
    return dict(zip(("W1", "b1", "W2", "b2"), arrays(model)))
"""


@item("4")
@points(
    1,
    hint="How many losses are there, and is each the loss of all examples before its step?",
    tell_mistake=True,
)
def test_losses(student, rng):
    """the loss falls, and the last one is that of the model that is returned"""
    X, y = draw(rng, 120)
    model, losses = student.train(X, y, 60, 1)
    assert_loss_falls(losses, steps=60, share=0.3)
    weights = {name: as_array(part) for name, part in student.provide(ARRAYS).weights(model).items()}
    last = as_array(losses, shape=(61,), name="the losses")[-1]
    logits = network(weights, X)
    assert_close(
        last,
        smoothed(logits, y, 0.1),
        name="the loss after the last step",
        rtol=1e-3,
        suspects={"the targets are not smoothed": smoothed(logits, y, 0)},
    )


@item("4")
@points(1, hint="Adam's first step moves each weight by the rate, against the sign of its gradient.")
def test_first_step(student, rng):
    """the first step is Adam's, with a rate of 0.02"""
    X, y = draw(rng, 60)
    beside = student.provide(ARRAYS)
    start, moved = (beside.trained(student.train, X, y, steps, 3) for steps in (0, 1))
    for before, after in zip(start, moved, strict=True):
        step = np.abs(as_array(after) - as_array(before)).ravel()
        assert_close(np.median(step), 0.02, name="the median of a parameter's first moves", rtol=0.05)


@item("4")
@points(1, hint="How does it do on points that it has not seen?")
def test_unseen(student, rng):
    """unseen points are told apart"""
    X, y = draw(rng, 500)
    model, _ = student.train(X[:200], y[:200], 100, 2)
    weights = {name: as_array(part) for name, part in student.provide(ARRAYS).weights(model).items()}
    assert_beats_baseline(
        network(weights, X[200:]), y[200:], by=0.3, name="the predictions for unseen points"
    )


@item("4")
@points(1, hint="Which generator draws the first weights, and when is it seeded?", tell_mistake=True)
def test_repeatable(student, rng):
    """the same seed gives the same model, another seed another one"""
    X, y = draw(rng, 40)
    beside = student.provide(ARRAYS)
    assert_repeatable(
        lambda seed: beside.arrays(student.train(X, y, 4, seed)[0]), name="the model", rtol=1e-4
    )
