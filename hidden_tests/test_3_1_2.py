"""3.1.2 ReLU. The slope at exactly 0 is a matter of taste: no input of these checks is near it."""

import numpy as np

from grader import (
    CheckFailed,
    Formulas,
    StudentError,
    UnsupportedValue,
    as_array,
    assert_close,
    check_gradients,
    is_proxy,
    item,
    points,
)

pytestmark = item("3.1.2")

RELU = Formulas(X="...", G="...", using="relu sigmoid tanh")

SHAPES = ((6,), (1, 5), (4, 1), (2, 3, 4), (2, 3, 2, 3))


def away_from_zero(rng, shape):
    """Random numbers of both signs, none closer to the kink than 0.1; the first two differ in sign."""
    X = rng.uniform(0.1, 2.0, size=shape) * rng.choice([-1.0, 1.0], size=shape)
    X.flat[0], X.flat[1] = -abs(X.flat[0]), abs(X.flat[1])
    return X


def new_relu(student):
    """A fresh module of the student's."""
    module = student.relu()
    if not is_proxy(module):
        raise CheckFailed(f"relu() gave {type(module).__name__}, expected a module object.")
    return module


def backward_of(student, layer, X, G):
    """backward right after forward, which may keep a mask; what is wrong with forward costs nothing here."""
    try:
        layer.forward(X)
        found = layer.backward(X, G)
        if is_right(found, G * (X > 0)) or forward_is_right(student, X):
            return found
    except (StudentError, UnsupportedValue):
        if forward_is_right(student, X):
            raise
    layer.mask = X > 0
    return layer.backward(X, G)


def forward_is_right(student, X):
    """Whether forward of a fresh module passes its own checks."""
    try:
        return is_right(new_relu(student).forward(X), np.maximum(X, 0))
    except (StudentError, UnsupportedValue, CheckFailed):
        return False


def is_right(found, expected):
    """Whether a check would accept it."""
    try:
        assert_close(found, expected)
    except CheckFailed:
        return False
    return True


def mistakes(X, G):
    """Wrong gradients by their likely causes."""
    return {
        "the mask is missing: negative inputs pass the gradient on": G,
        "the upstream gradient is ignored": (X > 0).astype(float),
        "the mask is the wrong way round": G * (X < 0),
        "the mask is applied to X, not to the upstream gradient": np.maximum(X, 0),
        "the mask looks at the sign of the upstream gradient": np.maximum(G, 0),
    }


# -- forward: 2 points -----------------------------------------------------------------------------------


@points(1, hint="Positive entries stay as they are, negative ones become exactly 0.")
def test_forward(student, rng):
    """forward keeps positive entries and sets negative ones to 0"""
    X = away_from_zero(rng, (6, 5))
    wrong = {"only a mask is returned": (X > 0).astype(float), "it is the absolute value": np.abs(X)}
    told = {"name": "forward(X)", "suspects": wrong, "formulas": RELU(X=X)}
    assert_close(new_relu(student).forward(X), np.maximum(X, 0), atol=0, **told)


@points(
    0.5, hint="X may have any number of axes: work on the whole array, without loops over rows and columns."
)
def test_forward_of_any_shape(student, rng):
    """forward works for arrays of any shape"""
    for shape in SHAPES:
        X = away_from_zero(rng, shape)
        actual = new_relu(student).forward(X)
        told = {"name": f"forward(X) for X of shape {shape}", "formulas": RELU(X=X)}
        assert_close(actual, np.maximum(X, 0), atol=0, **told)


@points(0.5, hint="forward gives a new array; the caller still needs X as it was.")
def test_forward_leaves_its_input_alone(student, rng):
    """forward does not change X in place"""
    X = away_from_zero(rng, (4, 3))
    kept = student.put(X)
    told = {"name": "forward(X)", "formulas": RELU(X=X)}
    assert_close(new_relu(student).forward(kept), np.maximum(X, 0), atol=0, **told)
    assert_close(kept, X, name="X after forward", suspects={"forward works in place": np.maximum(X, 0)})


# -- backward: 2 points ----------------------------------------------------------------------------------


@points(1, hint="backward passes the upstream gradient on where X is positive, and 0 where X is negative.")
def test_backward(student, rng):
    """backward passes the upstream gradient on where X is positive"""
    X = away_from_zero(rng, (6, 5))
    G = rng.normal(size=X.shape)
    actual = as_array(backward_of(student, new_relu(student), X, G), name="backward(X, grad)")
    told = {"name": "backward(X, grad)", "suspects": mistakes(X, G), "batch": len(X)}
    told["formulas"] = RELU(X=X, G=G)
    assert_close(actual, G * (X > 0), **told)
    check_gradients(lambda x: np.sum(G * np.maximum(x, 0)), X, actual, **told)


@points(0.5, hint="X and grad may have any number of axes; the result has the same shape.")
def test_backward_of_any_shape(student, rng):
    """backward works for arrays of any shape"""
    for shape in SHAPES:
        X, G = away_from_zero(rng, shape), rng.normal(size=shape)
        actual = backward_of(student, new_relu(student), X, G)
        told = {"name": f"backward(X, grad) for X of shape {shape}", "suspects": mistakes(X, G)}
        assert_close(actual, G * (X > 0), formulas=RELU(X=X, G=G), **told)


@points(0.5, hint="The mask belongs to the X of this call: a mask from an earlier batch is of no use.")
def test_backward_uses_the_mask_of_this_input(student, rng):
    """backward uses the mask of this X, not of an earlier one"""
    layer = new_relu(student)
    X = away_from_zero(rng, (4, 3))
    for batch in (X, -X, X[:2]):
        G = rng.normal(size=batch.shape)
        stale = {"the mask is that of an earlier X": G * (X[: len(batch)] > 0)}
        told = {"suspects": stale | mistakes(batch, G), "formulas": RELU(X=batch, G=G)}
        assert_close(backward_of(student, layer, batch, G), G * (batch > 0), name="backward(X, grad)", **told)
