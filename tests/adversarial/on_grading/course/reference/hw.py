# %%
import numpy as np

from kit import scale


# %%
### BEGIN SOLUTION
def softmax(X):
    E = np.exp(X - X.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True)


class Linear:
    def __init__(self, inputs, outputs):
        self.params = {
            "W": np.random.normal(0, 0.1, (inputs, outputs)),
            "b": np.random.normal(0, 0.1, (1, outputs)),
        }
        self.gradient = {}

    def forward(self, X):
        return X @ self.params["W"] + self.params["b"]

    def backward(self, X, G):
        self.gradient = {"W": X.T @ G, "b": G.sum(axis=0, keepdims=True)}
        return G @ self.params["W"].T


class Cube:
    def forward(self, X):
        return X**3

    def backward(self, X, G):
        return 3 * X**2 * G


class SGD:
    def __init__(self, rate, momentum):
        self.rate, self.momentum, self.velocity = rate, momentum, {}

    def step(self, params, gradients):
        moved = {}
        for name, gradient in gradients.items():
            velocity = self.momentum * self.velocity.get(name, 0.0) - self.rate * gradient
            self.velocity[name] = velocity
            moved[name] = params[name] + velocity
        return moved


def fit(X, y, steps):
    w, losses = np.zeros(X.shape[1]), []
    rate = 0.9 / np.linalg.norm(X.T @ X / len(X), 2)
    for _ in range(steps):
        wrong = X @ w - y
        losses.append(float(np.mean(wrong**2)))
        w = w - rate * X.T @ wrong / len(X)
    return w, losses


def labels(scores):
    return scores.argmax(axis=1)


def describe(count):
    return f"{count} layers"


def summary(x):
    return {"mean": float(np.mean(x)), "deviation": float(np.std(x))}


def size(number):
    if number <= 0:
        raise ValueError("a size is at least 1")
    return number


def scaled(x):
    return [1 + entry for entry in scale(x, 2)]


### END SOLUTION
