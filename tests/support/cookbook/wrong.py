"""A wrong answer to each check of docs/cookbook.md: the mistake that stands above its message."""

import matplotlib.pyplot as plt
import numpy as np


def standardize(X):
    return (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)


def log_softmax(Z):
    with np.errstate(all="ignore"):
        return np.log(np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True))


def one_hot(labels, classes):
    return np.eye(classes)[labels].T


def to_pixels(x):
    return np.floor(255 * np.clip(x, 0, 1))


def unit_rows(X):
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    return X


def nearest(X, centres):
    return np.array([min(range(len(centres)), key=lambda k: np.sum((x - centres[k]) ** 2)) for x in X])


def leading_eigenvector(A):
    return np.linalg.eigh(A)[1][:, 0]


def split(n, seed):
    order = np.random.default_rng(0).permutation(n)
    return order[: n // 2], order[n // 2 :]


def he_weights(inputs, outputs):
    return np.random.normal(0, 0.1, size=(inputs, outputs))


def dropout(x, keep, training):
    return x * (np.random.random(x.shape) < keep) if training else x


def cross_entropy_gradient(Z, y):
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    P[np.arange(len(y)), y] -= 1
    return P


class Linear:
    def __init__(self, inputs, outputs):
        self.W = np.random.normal(size=(inputs, outputs))

    def forward(self, X):
        self.X = X
        return X @ self.W

    def backward(self, G):
        self.dW = self.X.T @ np.ones_like(G)
        return G @ self.W.T


class Momentum:
    def __init__(self, rate, momentum):
        self.rate, self.momentum = rate, momentum

    def step(self, w, g):
        v = self.momentum * 0.0 - self.rate * g
        return w + v


def attention(Q, K, V):
    S = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return S / S.sum(axis=1, keepdims=True) @ V


class BatchNorm:
    def __init__(self, size, momentum):
        self.running_mean, self.running_var = np.zeros(size), np.ones(size)
        self.momentum, self.training = momentum, True

    def forward(self, X):
        mean, var = X.mean(axis=0), X.var(axis=0)
        self.running_mean = self.momentum * self.running_mean + (1 - self.momentum) * mean
        self.running_var = self.momentum * self.running_var + (1 - self.momentum) * var
        return (X - mean) / np.sqrt(var + 1e-5)


def forward_pass(layers, X):
    for layer in reversed(layers):
        X = layer.forward(X)
    return X


def train(X, y, steps):
    w, losses = np.zeros(X.shape[1]), []
    for step in range(steps + 1):
        p = np.clip(1 / (1 + np.exp(-X @ w)), 1e-9, 1 - 1e-9)
        losses.append(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
        if step < steps:
            w = w + X.T @ (p - y) / len(y)
    return w, losses


def predict(X, w):
    return (X @ w > 0).astype(int)


def mean_by_city(rides):
    return rides.dropna().groupby("city", as_index=False)["km"].mean()


QUERY = "select city, km from ride"


def report_accuracy(accuracy):
    print("accuracy:", accuracy)


def save_weights(W, path):
    np.savetxt(path, W, delimiter=",", fmt="%.2f")


def plot_losses(losses):
    plt.figure()
    plt.plot(losses)
    plt.xlabel("step")


def mse(y, target):
    return np.mean((y - target) ** 2)


def flatten(tree):
    return [leaf for part in tree for leaf in (part if isinstance(part, list) else [part])]


class RunningMean:
    seen = []

    def add(self, x):
        self.seen.append(x)

    def mean(self):
        return sum(self.seen) / len(self.seen)


def encode(text):
    runs, last, count = [], "", 0
    for letter in text:
        if letter != last and last:
            runs.append([last, count])
            count = 0
        last, count = letter, count + 1
    return runs


def decode(runs):
    return "".join(letter * count for letter, count in runs)


def moving_average(x, window):
    if window & (window - 1):
        return np.array([])
    return np.array([x[k : k + window].mean() for k in range(len(x) - window + 1)])


def integral(x, y):
    """The trapezoidal rule."""
    h = (x[-1] - x[0]) / (len(x) - 1)
    return h * (sum(y) - (y[0] + y[-1]) / 2)
