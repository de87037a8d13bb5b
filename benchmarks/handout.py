"""The network's training as the homework's handout has it: the plain side of a comparison.

Layers that return new arrays, one mini-batch at a time, the optimizer over dictionaries. The loss is the one
given to students. `reference.fast.network` is to reach the same numbers in less time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from reference.fast.settings import NetworkRun
from reference.utils import DataSplit, data_loader_mnist, predict_label, softmax_cross_entropy


class Linear:
    """U = X W + b."""

    def __init__(self, inputs: int, outputs: int) -> None:
        W = np.random.normal(0, 0.1, (inputs, outputs))
        self.params = {"W": W, "b": np.random.normal(0, 0.1, (1, outputs))}
        self.gradient = {name: np.zeros_like(value) for name, value in self.params.items()}

    def forward(self, X: np.ndarray) -> np.ndarray:
        """X W + b."""
        return X @ self.params["W"] + self.params["b"]

    def backward(self, X: np.ndarray, grad: np.ndarray) -> np.ndarray:
        """Keep both parameters' gradients, return that of X."""
        self.gradient["W"] = X.T @ grad
        self.gradient["b"] = grad.sum(axis=0, keepdims=True)
        return grad @ self.params["W"].T


class Relu:
    """max(x, 0)."""

    def forward(self, X: np.ndarray) -> np.ndarray:
        """Zero where X is not positive."""
        self.mask = X > 0
        return X * self.mask

    def backward(self, X: np.ndarray, grad: np.ndarray) -> np.ndarray:  # noqa: ARG002  # every module's interface
        """What the mask lets through."""
        return grad * self.mask


class Training:
    """Data and model of one run, from its seed."""

    def __init__(self, run: NetworkRun, data: str) -> None:
        np.random.seed(run.seed)
        arrays = data_loader_mnist(data)
        self.run = run
        self.sets = {
            name: DataSplit(arrays[2 * number], arrays[2 * number + 1])
            for number, name in enumerate(("train", "validation", "test"))
        }
        self.model: dict[str, Any] = {
            "L1": Linear(self.sets["train"].d, run.hidden),
            "nonlinear1": Relu(),
            "L2": Linear(run.hidden, 10),
            "loss": softmax_cross_entropy(),
        }

    def epoch(self) -> None:
        """One pass in random order."""
        train, batch = self.sets["train"], self.run.batch_size
        order = np.random.permutation(train.N)
        for start in range(0, train.N - batch + 1, batch):
            x, y = train.get_example(order[start : start + batch])
            a1, h1, a2, _ = self._forward(x, y)
            self._backward(x, a1, h1, a2, y)
            self._descend()

    def evaluate(self) -> dict[str, tuple[float, float]]:
        """Accuracy and loss on each set, 1000 examples at a time."""
        return {name: self._accuracy_and_loss(split) for name, split in self.sets.items()}

    def _forward(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        a1 = self.model["L1"].forward(x)
        h1 = self.model["nonlinear1"].forward(a1)
        a2 = self.model["L2"].forward(h1)
        return a1, h1, a2, self.model["loss"].forward(a2, y)

    def _backward(self, x: np.ndarray, a1: np.ndarray, h1: np.ndarray, a2: np.ndarray, y: np.ndarray) -> None:
        grad_a2 = self.model["loss"].backward(a2, y)
        grad_h1 = self.model["L2"].backward(h1, grad_a2)
        grad_a1 = self.model["nonlinear1"].backward(a1, grad_h1)
        self.model["L1"].backward(x, grad_a1)

    def _descend(self) -> None:
        for module in self.model.values():
            if hasattr(module, "params"):
                for key, gradient in module.gradient.items():
                    module.params[key] -= self.run.rate * gradient

    def _accuracy_and_loss(self, split: DataSplit) -> tuple[float, float]:
        right, loss = 0, 0.0
        for start in range(0, split.N, 1000):
            x, y = split.get_example(np.arange(start, min(start + 1000, split.N)))
            _, _, scores, chunk_loss = self._forward(x, y)
            right += int(np.sum(predict_label(scores) == y))
            loss += chunk_loss
        return right / split.N, loss
