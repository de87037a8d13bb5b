"""Mistakes in other courses' numpy homework, each as the formula that was computed.

From questions in forums (the thread is named), from public solutions, and of the same exercises where nothing
is named. They were written down before any was looked up; then formulas were added that reach them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from grader import Formulas
from grader.checks.arrays import Array


def sigmoid(z: Array) -> Array:
    """The logistic function."""
    return np.asarray(1 / (1 + np.exp(-z)))


ERRORS = Formulas(H="N K positive", Y="N K one-hot", using="sigmoid")
TWO_LAYERS = Formulas(W2="K H", dZ2="K M", A1="H M", X="D M", using="tanh")
LOGISTIC = Formulas(w="D 1", b="", X="D M", Y="1 M positive", A="1 M positive", using="sigmoid log")
AFFINE = Formulas(x="N D", w="D K", b="K", dout="N K")
LINEAR = Formulas(W="K D", dZ="K M", A="D M")
DECAY = Formulas(W="D K", X="N D", G="N K", lam="")
ADAM = Formulas(w="...", m="...", s="... positive", g="...", rate="", beta1="", beta2="", eps="")
LOSS = Formulas(P="N K positive", Y="N K one-hot", using="log")

Mistake = tuple[Formulas, str, Callable[..., Array]]
MISTAKES: tuple[Mistake, ...] = (
    (ERRORS, "datascience.stackexchange 20139", lambda H, Y: (H - Y) * (1 - (H - Y))),
    (
        TWO_LAYERS,
        "community.deeplearning.ai 63071, dZ1",
        lambda W2, dZ2, A1, **_: W2.T @ dZ2 * (1 - A1**2) / A1.shape[1],
    ),
    (
        TWO_LAYERS,
        "the same, dW1",
        lambda W2, dZ2, A1, X: (W2.T @ dZ2 * (1 - A1**2) / A1.shape[1]) @ X.T / A1.shape[1],
    ),
    (
        TWO_LAYERS,
        "community.deeplearning.ai 402919, dot for *",
        lambda W2, dZ2, A1, **_: (W2.T @ dZ2) @ (1 - A1.T @ A1),
    ),
    (
        TWO_LAYERS,
        "the same, dW2 for W2",
        lambda W2, dZ2, A1, **_: (dZ2 @ A1.T / A1.shape[1]).T @ dZ2 * (1 - A1**2),  # noqa: ARG005
    ),
    (LOGISTIC, "propagate, the sign of b", lambda w, b, X, **_: sigmoid(w.T @ X - b)),
    (LOGISTIC, "the same, dw", lambda X, A, Y, **_: X @ (A - Y).T),
    (LOGISTIC, "the same, db", lambda A, Y, **_: np.sum(A - Y)),
    (
        LOGISTIC,
        "community.deeplearning.ai 119220, entry by entry",
        lambda X, A, Y, **_: X * (A - Y) / X.shape[1],
    ),
    (
        LOGISTIC,
        "propagate, transposes in the cost",
        lambda A, Y, **_: -np.sum(Y * np.log(A).T + (1 - Y) * np.log(1 - A).T) / A.shape[1],
    ),
    (
        LOGISTIC,
        "the cost without its minus",
        lambda A, Y, **_: np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / A.shape[1],
    ),
    (
        LOGISTIC,
        "the cost is not summed",
        lambda A, Y, **_: -(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / A.shape[1],
    ),
    (LOGISTIC, "half of the cost", lambda A, Y, **_: -np.sum(Y * np.log(A)) / A.shape[1]),
    (AFFINE, "a public affine_backward, db", lambda dout, **_: dout.mean(0)),
    (AFFINE, "the same, dw", lambda x, dout, **_: x.T @ dout / len(x)),
    (AFFINE, "another, db", lambda dout, **_: dout.sum(0, keepdims=True)),
    (LINEAR, "dW without 1/m", lambda dZ, A, **_: dZ @ A.T),
    (LINEAR, "db over the wrong axis", lambda dZ, **_: dZ.sum(0, keepdims=True) / dZ.shape[1]),
    (LINEAR, "dA_prev turned", lambda W, dZ, **_: dZ.T @ W),
    (DECAY, "decay by the sum of W", lambda W, X, G, lam: X.T @ G + lam * W.sum()),
    (DECAY, "decay twice", lambda W, X, G, lam: X.T @ G + 2 * lam * W),
    (DECAY, "the mean, decay", lambda W, X, G, lam: X.T @ G / len(X) + lam * W),
    (ADAM, "the second moment is not squared", lambda s, g, beta2, **_: beta2 * s + (1 - beta2) * g),
    (ADAM, "beta1 for beta2", lambda s, g, beta1, **_: beta1 * s + (1 - beta1) * g**2),
    (ADAM, "no root", lambda w, m, s, rate, eps, **_: w - rate * m / (s + eps)),
    (ADAM, "eps within the root", lambda w, m, s, rate, eps, **_: w - rate * m / np.sqrt(s + eps)),
    (
        ADAM,
        "the gradient for its moment",
        lambda w, g, s, rate, eps, **_: w - rate * g / (np.sqrt(s) + eps),
    ),
    (ADAM, "up the slope", lambda w, m, s, rate, eps, **_: w + rate * m / (np.sqrt(s) + eps)),
    (LOSS, "the slope in P", lambda P, Y: -Y / P),
    (LOSS, "a sum", lambda P, Y: -(Y * np.log(P)).sum()),
    (LOSS, "a mean of all entries", lambda P, Y: -(Y * np.log(P)).mean()),
)
