"""1 Batch normalisation."""

import numpy as np

from grader import as_array, assert_close, check_gradients, item, points

SHAPE = (7, 4)


def normal(X, eps=1e-5):
    return (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + eps)


def some_rows(rng):
    """Columns that lie elsewhere than at 0 and have sizes of their own."""
    return rng.normal(size=SHAPE) * [0.1, 1, 3, 10] + [3, -2, 0.5, 20]


@item("1.1")
@points(2, hint="Mean and variance of each column, over the examples; eps stands under the root.")
def test_normalize(student, rng):
    """normalize gives gamma times the normalised columns, plus beta"""
    X, gamma, beta = some_rows(rng), rng.normal(size=4), rng.normal(size=4)
    sample = (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0, ddof=1) + 0.01)
    rows = normal(X.T, 0.01).T
    assert_close(
        student.module("layers.batch_norm").normalize(X, gamma, beta, 0.01),
        gamma * normal(X, 0.01) + beta,
        name="normalize(X, gamma, beta, eps)",
        suspects={
            "the variance was divided by N - 1, not N": gamma * sample + beta,
            "the rows were normalised, not the columns": gamma * rows + beta,
            "eps was added to the standard deviation, not to the variance": gamma
            * (X - X.mean(axis=0))
            / (X.std(axis=0) + 0.01)
            + beta,
            "eps is missing": gamma * normal(X, 0) + beta,
            "gamma and beta are missing": normal(X, 0.01),
        },
    )


@item("1.1")
@points(1, hint="What is divided by if all examples are equal? And does X stay as it is?")
def test_normalize_equal_rows(student, rng):
    """equal examples give beta, with eps as it is if nobody names it; X is left alone"""
    X, beta = np.tile(rng.integers(-4, 5, size=4) / 2, (4, 1)), rng.normal(size=4)
    batch_norm = student.module("layers.batch_norm")
    kept = student.put(X)
    assert_close(batch_norm.normalize(kept, np.ones(4), beta), np.tile(beta, (4, 1)), name="of equal rows")
    assert_close(kept, X, name="X after normalize(X)")
    near = rng.normal(size=SHAPE) / 300
    assert_close(
        batch_norm.normalize(near, np.ones(4), beta), normal(near) + beta, name="of nearly equal rows"
    )


@item("1.2")
@points(2, hint="momentum is the share of the old statistic. Both follow the batch's, the variance too.")
def test_running_statistics(student, rng):
    """two batches move the running mean and variance"""
    layer = student.module("layers.batch_norm").BatchNorm(4, momentum=0.7)
    mean, var = np.zeros(4), np.ones(4)
    for X in (some_rows(rng), some_rows(rng)):
        layer.forward(X, True)
        mean, var = 0.7 * mean + 0.3 * X.mean(axis=0), 0.7 * var + 0.3 * X.var(axis=0)
    swapped = 0.3 * (0.3 * 0 + 0.7 * 1) + 0.7
    assert_close(
        layer.running_mean,
        mean,
        name="running_mean",
        suspects={
            "the old and the new share are exchanged": mean / 0.3 * swapped,
            "it never changes": mean * 0,
        },
    )
    assert_close(layer.running_var, var, name="running_var")


@item("1.2")
@points(1, hint="At test time an example's output must not depend on its batch.")
def test_after_training(student, rng):
    """afterwards the running statistics normalise, and stay as they are"""
    layer = student.module("layers.batch_norm").BatchNorm(4, eps=0.1)
    X, gamma, beta = some_rows(rng), rng.normal(size=4), rng.normal(size=4)
    mean, var = rng.normal(size=4), rng.uniform(0.5, 2, size=4)
    layer.gamma, layer.beta, layer.running_mean, layer.running_var = gamma, beta, mean, var
    assert_close(
        layer.forward(X, False),
        gamma * (X - mean) / np.sqrt(var + 0.1) + beta,
        name="forward(X, training=False)",
        suspects={"the batch's own statistics were used": gamma * normal(X, 0.1) + beta},
    )
    assert_close(layer.running_mean, mean, name="running_mean after forward(X, training=False)")
    assert_close(layer.running_var, var, name="running_var after forward(X, training=False)")


def gradients(student, X, gamma, G, eps):
    """Yours of X, gamma and beta, in the shapes of what they belong to."""
    found = student.module("layers.batch_norm").normalize_backward(X, gamma, G, eps)
    assert len(found) == 3, "normalize_backward returns three gradients"
    shapes = {"of X": X.shape, "of gamma": gamma.shape, "of beta": gamma.shape}
    return [
        as_array(part, shape=shape, name=name)
        for part, (name, shape) in zip(found, shapes.items(), strict=True)
    ]


@item("1.3")
@points(
    2, hint="X also moves the mean and the variance: three ways lead from X to the output.", tell_mistake=True
)
def test_gradient_of_x(student, rng):
    """the gradient of X, against central differences"""
    X, gamma, G = some_rows(rng), rng.normal(size=4), rng.normal(size=SHAPE)
    deviation = np.sqrt(X.var(axis=0) + 0.1)
    part = gamma / deviation * G
    check_gradients(
        lambda X: gamma * normal(X, 0.1),
        X,
        gradients(student, X, gamma, G, 0.1)[0],
        upstream=G,
        name="the gradient of X",
        suspects={
            "the mean and the variance were taken for constants": part,
            "the variance was taken for a constant": part - part.mean(axis=0),
            "the mean was taken for a constant": part
            - gamma / deviation * normal(X, 0.1) * (G * normal(X, 0.1)).mean(axis=0),
        },
    )


@item("1.3")
@points(2, hint="gamma and beta serve all rows.")
def test_gradients_of_gamma_and_beta(student, rng):
    """the gradients of gamma and beta"""
    X, gamma, G = some_rows(rng), rng.normal(size=4), rng.normal(size=SHAPE)
    _, d_gamma, d_beta = gradients(student, X, gamma, G, 0.1)
    sums = (G * normal(X, 0.1)).sum(axis=0)
    means = {
        "a mean over the examples in place of a sum": sums / len(X),
        "X is not normalised": (G * X).sum(axis=0),
    }
    assert_close(d_gamma, sums, name="the gradient of gamma", suspects=means)
    assert_close(
        d_beta,
        G.sum(axis=0),
        name="the gradient of beta",
        suspects={"a mean over the examples in place of a sum": G.mean(axis=0)},
    )
