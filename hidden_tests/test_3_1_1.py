"""3.1.1 Linear layer."""

import contextlib

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

pytestmark = item("3.1.1")

LAYER = Formulas(X="N D", W="D K", b="1 K", G="N K", using="relu")

WITHOUT_INIT = '''
def bare(layer_class):
    """A layer whose __init__ did not run."""
    layer = layer_class.__new__(layer_class)
    layer.params, layer.gradient = {}, {}
    return layer
'''


def new_layer(student, inputs, outputs):
    """A layer as the student's __init__ makes it."""
    layer = student.linear_layer(inputs, outputs)
    if not is_proxy(layer):
        raise CheckFailed(
            f"linear_layer({inputs}, {outputs}) gave {type(layer).__name__}, expected a layer object."
        )
    return layer


def layer_with(student, W, b):
    """The student's layer holding W, and b in the shape that its own bias has: (1, D) or (D,).

    An __init__ that raises is judged by its own checks alone.
    """
    try:
        layer = new_layer(student, *W.shape)
        layer.params["W"], layer.params["b"] = W, in_own_shape(layer, b)
    except StudentError:
        layer = student.provide(WITHOUT_INIT).bare(student.linear_layer)
        layer.params["W"], layer.params["b"] = W, b
    return layer


def in_own_shape(layer, b):
    """b as the student's own layers hold it: of shape (D,) if that is what __init__ makes, else (1, D)."""
    try:
        own = as_array(layer.params["b"], name="params['b']")
    except (StudentError, UnsupportedValue, CheckFailed):
        return b
    return b.ravel() if own.shape == (b.size,) else b


def case(rng, n=7, inputs=5, outputs=3):
    """Random X, W, b and an upstream gradient G (never ones: many mistakes hide behind those)."""
    shapes = (n, inputs), (inputs, outputs), (1, outputs), (n, outputs)
    return [rng.normal(size=shape) for shape in shapes]


def after_backward(student, X, W, b, G):
    """The layer and what its backward returned, called after forward in case it keeps something there."""
    layer = layer_with(student, W, b)
    with contextlib.suppress(StudentError, UnsupportedValue):  # a wrong forward costs nothing here
        layer.forward(X)
    return layer, layer.backward(X, G)


def assert_drawn_from_normal(values, name):
    """Mean 0, deviation 0.1, and 68 % within one deviation; a right draw misses once in 10**15 gradings.

    float32 will do; in half precision, training loses what its small steps add.
    """
    if values.dtype.itemsize < np.dtype(np.float32).itemsize:
        raise CheckFailed(f"{name} has type {values.dtype}, expected float64 as it is drawn, or float32.")
    mean_bar = 8 * 0.1 / np.sqrt(values.size)
    spread_bar = 8 * 0.1 / np.sqrt(2 * values.size)
    assert_close(values.mean(), 0.0, rtol=0, atol=mean_bar, name=f"the mean of {name}")
    assert_close(values.std(), 0.1, rtol=0, atol=spread_bar, name=f"the standard deviation of {name}")
    near, share_bar = 0.6827, 8 * np.sqrt(0.6827 * 0.3173 / values.size)  # a uniform draw has 0.577
    within = np.mean(np.abs(values) < 0.1)
    assert_close(within, near, rtol=0, atol=share_bar, name=f"the share within 0.1 of 0 in {name}")


# -- __init__: 2 points ----------------------------------------------------------------------------------


@points(
    0.5, hint="params['W'] is input_D by output_D, drawn from a normal distribution: mean 0, deviation 0.1."
)
def test_init_draws_the_weights(student):
    """__init__ draws W from N(0, 0.1)"""
    W = as_array(new_layer(student, 20, 2000).params["W"], shape=(20, 2000), name="params['W']")
    assert_drawn_from_normal(W, "params['W']")


@points(0.5, hint="params['b'] is 1 by output_D and is drawn like W, not set to zero.")
def test_init_draws_the_bias(student):
    """__init__ draws b from N(0, 0.1)"""
    b = as_array(new_layer(student, 3, 2000).params["b"], name="params['b']")
    assert_close(np.zeros_like(b), np.zeros((1, 2000)), squeeze=True, name="params['b'] (shape only)")
    assert_drawn_from_normal(b, "params['b']")


@points(0.75, hint="gradient['W'] and gradient['b'] start as arrays of zeros, shaped like the parameters.")
def test_init_sets_the_gradients_to_zero(student):
    """__init__ sets both gradients to zero"""
    layer = new_layer(student, 6, 4)
    assert_close(layer.gradient["W"], np.zeros((6, 4)), atol=0, name="gradient['W']")
    assert_close(layer.gradient["b"], np.zeros((1, 4)), atol=0, squeeze=True, name="gradient['b']")


@points(
    0.25,
    hint="Each layer needs arrays and draws of its own: one layer must neither change nor repeat another.",
)
def test_layers_share_nothing(student):
    """two layers share no parameters, no gradients and no draws"""
    first, second = new_layer(student, 4, 3), new_layer(student, 4, 3)
    for name in ("W", "b"):
        one, other = (as_array(layer.params[name], name=f"params['{name}']") for layer in (first, second))
        if one.std() > 0 and np.array_equal(one, other):  # one that is constant is judged above
            raise CheckFailed(f"two layers drew the same params['{name}']: is a seed set in __init__?")
    for kept in ("params", "gradient"):
        before = as_array(getattr(first, kept)["W"], shape=(4, 3), name=f"{kept}['W']").copy()
        getattr(second, kept)["W"][0] = np.full(3, 9.0)
        assert_close(getattr(first, kept)["W"], before, name=f"{kept}['W'] of the other layer")


# -- forward: 2 points -----------------------------------------------------------------------------------


@points(1, hint="forward multiplies X (N by input_D) with params['W']. Try it by hand with b = 0.")
def test_forward_multiplies_by_the_weights(student, rng):
    """forward gives X W where b is 0"""
    X, W, b, _ = case(rng)
    layer = layer_with(student, W, np.zeros_like(b))
    assert_close(layer.forward(X), X @ W, name="forward(X)", formulas=LAYER(X=X, W=W))


@points(0.5, hint="forward adds params['b'] to every row of X W.")
def test_forward_adds_the_bias(student, rng):
    """forward adds b to every row"""
    X, W, b, _ = case(rng)
    mistakes = {"b is not added": X @ W, "b is subtracted": X @ W - b}
    told = {"name": "forward(X)", "suspects": mistakes, "formulas": LAYER(X=X, W=W, b=b)}
    assert_close(layer_with(student, W, b).forward(X), X @ W + b, **told)


@points(0.5, hint="forward works for one example, one feature and one output too, and leaves X as it was.")
def test_forward_of_any_size(student, rng):
    """forward works for any sizes and changes neither X nor the parameters"""
    for n, inputs, outputs in ((1, 5, 3), (4, 1, 3), (4, 5, 1), (4, 4, 4)):
        X, W, b, _ = case(rng, n, inputs, outputs)
        layer, kept = layer_with(student, W, b), student.put(X)
        size = f"{n} examples, {inputs} inputs, {outputs} outputs"
        told = {"name": f"forward(X) for {size}", "formulas": LAYER(X=X, W=W, b=b)}
        assert_close(layer.forward(kept), X @ W + b, **told)
        assert_close(kept, X, name="X after forward")
        assert_close(layer.params["W"], W, name="params['W'] after forward")


# -- backward: 2 points ----------------------------------------------------------------------------------


@points(0.5, hint="gradient['W'] collects x_ni * grad_nj over the examples n; grad already holds the 1/N.")
def test_backward_stores_the_gradient_of_the_weights(student, rng):
    """backward stores the gradient of the loss with respect to W"""
    X, W, b, G = case(rng)
    layer, _ = after_backward(student, X, W, b, G)
    claimed = as_array(layer.gradient["W"], name="gradient['W']")
    mistakes = {"the upstream gradient is ignored": X.T @ np.ones_like(G)}
    told = {"name": "gradient['W']", "suspects": mistakes, "formulas": LAYER(X=X, W=W, b=b, G=G)}
    assert_close(claimed, X.T @ G, batch=len(X), **told)
    check_gradients(lambda w: np.sum(G * (X @ w + b)), W, claimed, batch=len(X), **told)


@points(
    0.5, hint="Every row of the output holds b once, so gradient['b'] collects over all examples; no mean."
)
def test_backward_stores_the_gradient_of_the_bias(student, rng):
    """backward stores the gradient of the loss with respect to b"""
    X, W, b, G = case(rng)
    layer, _ = after_backward(student, X, W, b, G)
    claimed = as_array(layer.gradient["b"], name="gradient['b']")
    mistakes = {"the upstream gradient is ignored": np.full((1, 3), len(X))}
    told = {"name": "gradient['b']", "squeeze": True, "suspects": mistakes}
    told["formulas"] = LAYER(X=X, W=W, b=b, G=G)
    assert_close(claimed, G.sum(axis=0, keepdims=True), batch=len(X), **told)
    check_gradients(lambda shift: np.sum(G * (X @ W + shift)), b, claimed, batch=len(X), **told)


@points(0.5, hint="backward returns the gradient with respect to X: same shape as X, built from grad and W.")
def test_backward_returns_the_gradient_of_the_input(student, rng):
    """backward returns the gradient of the loss with respect to X"""
    X, W, b, G = case(rng)
    _, returned = after_backward(student, X, W, b, G)
    mistakes = {
        "it returns the gradient of W": X.T @ G,
        "the upstream gradient is ignored": np.ones_like(G) @ W.T,
    }
    told = {"name": "backward(X, grad)", "suspects": mistakes, "formulas": LAYER(X=X, W=W, b=b, G=G)}
    assert_close(returned, G @ W.T, batch=len(X), **told)
    check_gradients(lambda x: np.sum(G * (x @ W + b)), X, returned, batch=len(X), **told)


@points(0.5, hint="Each call of backward replaces the stored gradients; it must not add to the last ones.")
def test_backward_overwrites(student, rng):
    """backward overwrites the gradients of the call before"""
    X, W, b, G = case(rng)
    once, _ = after_backward(student, X, W, b, G)
    X_before, _, _, G_before = case(rng)
    twice, _ = after_backward(student, X_before, W, b, G_before)
    before = {name: as_array(twice.gradient[name], name=f"gradient['{name}']") for name in ("W", "b")}
    with contextlib.suppress(StudentError, UnsupportedValue):
        twice.forward(X)
    twice.backward(X, G)
    seen = [name for name in ("W", "b") if shows_a_second_call(once, before, name)]
    if not seen:
        raise CheckFailed("gradient['W'] and gradient['b'] do not depend on what backward is given.")
    for name in seen:
        expected = as_array(once.gradient[name], name=f"gradient['{name}']")
        is_alike = expected.shape == before[name].shape
        mistakes = {"the second call adds to the first": before[name] + expected} if is_alike else {}
        what = f"gradient['{name}'] after a second call"
        assert_close(twice.gradient[name], expected, name=what, suspects=mistakes)


def shows_a_second_call(once, before, name):
    """Whether a gradient shows a second call; one that is 0, NaN or always the same is judged above."""
    now = as_array(once.gradient[name], name=f"gradient['{name}']")
    return bool(now.any()) and bool(np.isfinite(now).all()) and not np.array_equal(now, before[name])
