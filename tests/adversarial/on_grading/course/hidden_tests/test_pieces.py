"""What attacks on the grading go for: each item checked well, and as carelessly as graders often do."""

import unicodedata

import numpy as np

from grader import StudentError, as_array, assert_close, item, points

PUBLIC = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, -1.0]])
"""The input that students know from the public tests."""


def softmax(X):
    E = np.exp(X - X.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


def call(student, X):
    return np.asarray(student.softmax(X))


# -- softmax ---------------------------------------------------------------------------------------------


@item("softmax")
@points(1)
def test_softmax(student, rng):
    """softmax of several inputs, large numbers among them"""
    for rows in (2, 2, 5):
        X = rng.normal(size=(rows, 3))
        assert_close(student.softmax(X + 800 * (rows == 5)), softmax(X), name="softmax(X)")


@item("softmax, public input")
@points(1)
def test_softmax_public(student):
    assert_close(student.softmax(PUBLIC), softmax(PUBLIC), name="softmax(X)")


@item("softmax, known seed")
@points(1)
def test_softmax_known_seed(student):
    X = np.random.default_rng(7).normal(size=(2, 3))
    assert_close(student.softmax(X), softmax(X), name="softmax(X)")


@item("softmax, second call")
@points(1)
def test_softmax_second_call(student, rng):
    X = rng.normal(size=(2, 3))
    student.softmax(X)
    assert_close(student.softmax(X), softmax(X), name="softmax(X)")


@item("softmax, sums")
@points(1)
def test_softmax_sums(student, rng):
    P = call(student, rng.normal(size=(4, 3)))
    assert np.allclose(P.sum(axis=1), 1)


@item("softmax, small numbers")
@points(1)
def test_softmax_small_numbers(student, rng):
    X = rng.normal(size=(2, 3))
    assert_close(student.softmax(X), softmax(X), name="softmax(X)")


@item("softmax, loosely")
@points(1)
def test_softmax_loosely(student, rng):
    X = rng.normal(size=(2, 3))
    assert np.allclose(call(student, X), softmax(X), rtol=0.05)


@item("softmax, no difference")
@points(1)
def test_softmax_no_difference(student, rng):
    X = rng.normal(size=(2, 3))
    assert not (np.abs(call(student, X) - softmax(X)) > 1e-6).any()


@item("softmax, real part")
@points(1)
def test_softmax_real_part(student, rng):
    X = rng.normal(size=(2, 3))
    assert np.allclose(call(student, X).real, softmax(X))


@item("softmax, what is there")
@points(1)
def test_softmax_what_is_there(student, rng):
    X = rng.normal(size=(2, 3))
    assert all(np.allclose(got, want) for got, want in zip(call(student, X), softmax(X), strict=False))


# -- layers ----------------------------------------------------------------------------------------------


def planted(student, rng, inputs=4, outputs=3):
    layer = student.Linear(inputs, outputs)
    W, b = rng.normal(size=(inputs, outputs)), rng.normal(size=(1, outputs))
    layer.params["W"], layer.params["b"] = W, b
    return layer, W, b


@item("layer")
@points(1)
def test_layer(student, rng):
    """a layer with planted parameters, forwards and twice backwards"""
    layer, W, b = planted(student, rng)
    for rows in (5, 3):
        X, G = rng.normal(size=(rows, 4)), rng.normal(size=(rows, 3))
        assert_close(layer.forward(X), X @ W + b, name="forward(X)")
        assert_close(layer.backward(X, G), G @ W.T, name="backward(X, G)")
        assert_close(layer.gradient["W"], X.T @ G, name="gradient['W']")
        assert_close(layer.gradient["b"], G.sum(axis=0, keepdims=True), name="gradient['b']")


@item("layer, by itself")
@points(1)
def test_layer_by_itself(student, rng):
    layer, X = student.Linear(4, 3), rng.normal(size=(5, 4))
    out = layer.forward(X)
    W, b = as_array(layer.params["W"], name="W"), as_array(layer.params["b"], name="b")
    assert_close(out, X @ W + b, name="forward(X)")


@item("layer, one row")
@points(1)
def test_layer_one_row(student, rng):
    layer, W, _ = planted(student, rng)
    X, G = rng.normal(size=(1, 4)), rng.normal(size=(1, 3))
    assert_close(layer.backward(X, G), G @ W.T, name="backward(X, G)")
    assert_close(layer.gradient["W"], X.T @ G, name="gradient['W']")


@item("layer, backward once")
@points(1)
def test_layer_backward_once(student, rng):
    layer, _, _ = planted(student, rng)
    X, G = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    layer.backward(X, G)
    assert_close(layer.gradient["W"], X.T @ G, name="gradient['W']")


@item("cube")
@points(1)
def test_cube(student, rng):
    """the gradient of a curve, twice, for any gradient from above"""
    layer = student.Cube()
    for _ in range(2):
        X, G = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
        layer.forward(X)
        assert_close(layer.backward(X, G), 3 * X**2 * G, name="backward(X, G)")


@item("cube, loosely")
@points(1)
def test_cube_loosely(student, rng):
    X, G = rng.uniform(1, 2, size=(4, 3)), rng.normal(size=(4, 3))
    assert np.allclose(np.asarray(student.Cube().backward(X, G)), 3 * X**2 * G, rtol=0.01)


@item("cube, public input")
@points(1)
def test_cube_public(student):
    G = np.ones((2, 3))
    assert_close(student.Cube().backward(PUBLIC, G), 3 * PUBLIC**2, name="backward(X, G)")


# -- training --------------------------------------------------------------------------------------------


def two(rng):
    return {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=(1, 2))}


@item("sgd")
@points(1)
def test_sgd(student, rng):
    """several steps with momentum, of several parameters"""
    optimizer, mine, theirs = student.SGD(0.1, 0.9), two(rng), None
    theirs, velocity = mine, dict.fromkeys(mine, 0.0)
    for _ in range(4):
        gradients = two(rng)
        velocity = {name: 0.9 * velocity[name] - 0.1 * gradients[name] for name in mine}
        mine = {name: mine[name] + velocity[name] for name in mine}
        moved = optimizer.step(theirs, gradients)
        theirs = {name: as_array(moved[name], shape=mine[name].shape, name=name) for name in mine}
        for name in mine:
            assert_close(theirs[name], mine[name], name=f"{name} after a step")


@item("sgd, one step")
@points(1)
def test_sgd_one_step(student, rng):
    params, gradients = two(rng), two(rng)
    moved = student.SGD(0.1, 0.9).step(params, gradients)
    for name in params:
        assert_close(moved[name], params[name] - 0.1 * gradients[name], name=name)


@item("sgd, falls")
@points(1)
def test_sgd_falls(student, rng):
    params = {"w": rng.normal(size=3) + 5}
    optimizer, before = student.SGD(0.01, 0.9), float((params["w"] ** 2).sum())
    for _ in range(5):
        params = {"w": as_array(optimizer.step(params, {"w": 2 * params["w"]})["w"], name="w")}
    assert float((params["w"] ** 2).sum()) < before


@item("sgd, first parameter")
@points(1)
def test_sgd_first_parameter(student, rng):
    params, gradients = two(rng), two(rng)
    moved = student.SGD(0.1, 0.9).step(params, gradients)
    assert_close(moved["W"], params["W"] - 0.1 * gradients["W"], name="W")


def examples(rng, true):
    X = rng.normal(size=(40, 3))
    return X, X @ true


@item("fit")
@points(1)
def test_fit(student, rng):
    """weights that predict what they have not seen"""
    true = rng.normal(size=3)
    w = as_array(student.fit(*examples(rng, true), 300)[0], shape=(3,), name="w")
    X, y = examples(rng, true)
    loss = float(np.mean((X @ w - y) ** 2))
    assert loss < 1e-4, f"a loss of {loss:.3g} on new examples"


@item("fit, as told")
@points(1)
def test_fit_as_told(student, rng):
    losses = as_array(student.fit(*examples(rng, rng.normal(size=3)), 50)[1], name="losses")
    assert losses[-1] < 0.1 * losses[0]


@item("fit, public data")
@points(1)
def test_fit_public(student):
    X = np.arange(12.0).reshape(4, 3) % 5
    w = as_array(student.fit(X, X @ [1.0, 2.0, 3.0], 2000)[0], name="w")
    assert np.allclose(w, [1, 2, 3], atol=0.05)


# -- plain values ----------------------------------------------------------------------------------------


@item("labels")
@points(1)
def test_labels(student, rng):
    """the likeliest class of each row, as a whole number"""
    scores = rng.normal(size=(30, 4))
    assert_close(student.labels(scores), scores.argmax(axis=1), name="labels(scores)")


@item("labels, rounded")
@points(1)
def test_labels_rounded(student, rng):
    scores = rng.normal(size=(30, 4))
    assert (np.round(np.asarray(student.labels(scores))) == scores.argmax(axis=1)).all()


@item("labels, occur")
@points(1)
def test_labels_occur(student, rng):
    scores = rng.normal(size=(30, 4))
    assert np.isin(np.asarray(student.labels(scores)), scores.argmax(axis=1)).all()


@item("describe")
@points(1)
def test_describe(student, rng):
    """a text, letter by letter"""
    count = int(rng.integers(3, 90))
    text = student.describe(count)
    assert type(text) is str
    assert text == f"{count} layers"


@item("describe, folded")
@points(1)
def test_describe_folded(student, rng):
    count = int(rng.integers(3, 90))
    text = str(student.describe(count))
    seen = "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c)[0] != "C")
    assert seen.strip().casefold() == f"{count} layers"


@item("summary")
@points(1)
def test_summary(student, rng):
    """mean and deviation"""
    x = rng.normal(size=9)
    found = student.summary(x)
    assert_close(found["mean"], x.mean(), name="mean")
    assert_close(found["deviation"], x.std(), name="deviation")


def raised_by(student, number):
    try:
        student.size(number)
    except StudentError as error:
        return error.kind
    return ""


@item("size")
@points(1)
def test_size(student, rng):
    """a ValueError for what is no size, and only then"""
    assert raised_by(student, -3) == raised_by(student, 0) == "ValueError"
    number = int(rng.integers(1, 100))
    assert_close(student.size(number), number, name="size(number)")


@item("size, negative")
@points(1)
def test_size_negative(student):
    assert raised_by(student, -3) == "ValueError"


@item("scaled")
@points(1)
def test_scaled(student, rng):
    """what the course gives is used as it was given"""
    x = rng.normal(size=4).tolist()
    assert_close(student.scaled(x), 2 * np.array(x) + 1, name="scaled(x)")


@item("scaled, by theirs")
@points(1)
def test_scaled_by_theirs(student, rng):
    x = rng.normal(size=4).tolist()
    expected = as_array(student.module("kit").scale(x, 2), name="scale(x, 2)") + 1
    assert_close(student.scaled(x), expected, name="scaled(x)")


# -- evidence --------------------------------------------------------------------------------------------


@item("curve")
@points(1)
def test_curve(evidence):
    """a recorded curve of ten losses"""
    assert_close(evidence.recorded.curve("loss", length=10).size, 10, name="the number of losses")
