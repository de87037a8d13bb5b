"""A right answer to each check of docs/cookbook.md."""

import matplotlib.pyplot as plt
import numpy as np


def standardize(X):
    return (X - X.mean(axis=0)) / X.std(axis=0)


def log_softmax(Z):
    Z = Z - Z.max(axis=1, keepdims=True)
    return Z - np.log(np.exp(Z).sum(axis=1, keepdims=True))


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def to_pixels(x):
    return (255 * np.clip(x, 0, 1)).astype(np.uint8)


def unit_rows(X):
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def nearest(X, centres):
    return ((X[:, None] - centres[None]) ** 2).sum(axis=-1).argmin(axis=1)


def leading_eigenvector(A):
    return -np.linalg.eigh(A)[1][:, -1]


def split(n, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[: n // 2], order[n // 2 :]


def he_weights(inputs, outputs):
    return np.random.normal(0, np.sqrt(2 / inputs), size=(inputs, outputs))


def dropout(x, keep, training):
    return x * (np.random.random(x.shape) < keep) / keep if training else x


def cross_entropy_gradient(Z, y):
    P = np.exp(log_softmax(Z))
    P[np.arange(len(y)), y] -= 1
    return P / len(y)


class Linear:
    def __init__(self, inputs, outputs):
        self.W = np.random.normal(size=(inputs, outputs))

    def forward(self, X):
        self.X = X
        return X @ self.W

    def backward(self, G):
        self.dW = self.X.T @ G
        return G @ self.W.T


class Momentum:
    def __init__(self, rate, momentum):
        self.rate, self.momentum, self.v = rate, momentum, 0.0

    def step(self, w, g):
        self.v = self.momentum * self.v - self.rate * g
        return w + self.v


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S[np.triu_indices(len(S), 1)] = -np.inf
    return np.exp(log_softmax(S)) @ V


class BatchNorm:
    def __init__(self, size, momentum):
        self.running_mean, self.running_var = np.zeros(size), np.ones(size)
        self.momentum, self.training = momentum, True

    def forward(self, X):
        if not self.training:
            return (X - self.running_mean) / np.sqrt(self.running_var + 1e-5)
        mean, var = X.mean(axis=0), X.var(axis=0)
        self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * mean
        self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var
        return (X - mean) / np.sqrt(var + 1e-5)


def forward_pass(layers, X):
    for layer in layers:
        X = layer.forward(X)
    return X


def train(X, y, steps):
    """The weights and the loss before each step and after the last."""
    w, losses = np.zeros(X.shape[1]), []
    for step in range(steps + 1):
        p = 1 / (1 + np.exp(-X @ w))
        losses.append(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)))
        if step < steps:
            w = w - X.T @ (p - y) / len(y)
    return w, losses


def predict(X, w):
    return (X @ w > 0).astype(int)


def mean_by_city(rides):
    return rides.groupby("city", sort=False, as_index=False)["km"].mean()


QUERY = "select city, max(km) from ride group by city"


def report_accuracy(accuracy):
    print(f"accuracy: {accuracy:.2%}")


def save_weights(W, path):
    np.savetxt(path, W, delimiter=",")


def plot_losses(losses):
    plt.figure()
    plt.plot(losses)
    plt.xlabel("step")
    plt.ylabel("loss")


def mse(y, target):
    if y.shape != target.shape:
        raise ValueError(f"{y.shape} and {target.shape}")
    return np.mean((y - target) ** 2)


def flatten(tree):
    return [leaf for part in tree for leaf in (flatten(part) if isinstance(part, list) else [part])]


class RunningMean:
    def __init__(self):
        self.sum = self.count = 0

    def add(self, x):
        self.sum, self.count = self.sum + x, self.count + 1

    def mean(self):
        return self.sum / self.count


def encode(text):
    runs = []
    for letter in text:
        if runs and runs[-1][0] == letter:
            runs[-1][1] += 1
        else:
            runs.append([letter, 1])
    return runs


def decode(runs):
    return "".join(letter * count for letter, count in runs)


def moving_average(x, window):
    return np.array([x[k : k + window].mean() for k in range(len(x) - window + 1)])


def integral(x, y):
    """Simpson's rule."""
    h = (x[-1] - x[0]) / (len(x) - 1)
    return h / 3 * (y[0] + 4 * sum(y[1:-1:2]) + 2 * sum(y[2:-1:2]) + y[-1])
