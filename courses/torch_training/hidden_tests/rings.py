"""Points of two rings that nobody has seen, and the network in numpy."""

import numpy as np


def draw(rng, n):
    """n points (n, 2) and the rings that they lie on (n,)."""
    y = rng.integers(2, size=n)
    y[:2] = 0, 1
    angle, radius = rng.uniform(0, 2 * np.pi, size=n), 1.0 + y + 0.15 * rng.normal(size=n)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), y


def swish(x):
    return x / (1 + np.exp(-x))


def smoothed(logits, y, smoothing):
    """The mean cross-entropy of logits with smoothed targets."""
    top = logits.max(axis=1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    right = logs[np.arange(len(y)), y]
    return -np.mean((1 - smoothing) * right + smoothing * logs.mean(axis=1))


def network(weights, X):
    """The logits of weights by the names W1, b1, W2 and b2, as torch lays them."""
    return swish(X @ weights["W1"].T + weights["b1"]) @ weights["W2"].T + weights["b2"]
