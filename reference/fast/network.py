"""The network of part 3, trained with the same draws as in the notebook, several steps at a time.

A step with a small batch spends its time on moving the first layer's 785 x 128 weights through the caches, to
read them once and to change each by a little. So they stay as they are for a *window* of steps. With rows X_t
of step t and the gradients G_t at the hidden layer's input (times the learning rate), what they would be is

    W_t = W_0 - sum of X_r' G_r over the window's steps r < t, so  X_t W_t = X_t W_0 - sum of (X_t X_r') G_r.

Two large products, X W_0 and X X', serve the whole window; a step then needs only rows of 128 numbers, and W
moves once at the window's end. With momentum the same holds with powers of alpha as weights (`_Window`).
Nothing is approximated: results differ from the notebook's in the last bits alone, the order of additions.

A column of ones at the end of the examples makes the bias the last row of the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from reference.fast.settings import NetworkRun
from reference.utils import data_loader_mnist

CLASSES = 10
CHUNK = 1000
"""Examples whose mean loss is one term of the notebook's printed loss."""
WINDOW = 50
"""Examples to a window: the products with themselves grow with its square. Found by trying."""

Array = np.ndarray[Any, np.dtype[np.float64]]


class Examples:
    """Pictures with a one at the end of each (N, 785), labels (N,), the same as rows of 0 and 1 (N, 10)."""

    def __init__(self, X: Array, Y: np.ndarray[Any, Any]) -> None:
        self.X = np.hstack([X, np.ones((len(X), 1))])
        self.labels = Y.reshape(-1)
        self.targets = np.eye(CLASSES)[self.labels]


class _Window:
    """What ``steps`` steps with ``batch`` examples each, and momentum alpha, add up to.

    The velocity after step s of the window is alpha^s V_0 plus each step's gradient times alpha to the power
    of its age; the weights lose every velocity so far. So a gradient counts ``1 + alpha + ... + alpha^age``.
    """

    def __init__(self, steps: int, batch: int, alpha: float) -> None:
        ages = np.arange(steps)[:, None] - np.arange(steps)[None, :]  # step t looks at step r: t - r
        sums = np.concatenate([[0.0], np.cumsum(alpha ** np.arange(steps))])  # terms -> 1 + alpha + ...
        self.rows = steps * batch
        self.before = np.kron(sums[np.maximum(ages, 0)], np.ones((batch, batch)))
        """How much each row's gradient has moved the weights that another row of the window meets."""
        self.start = np.repeat(alpha * sums[:-1], batch)[:, None]
        """How much the velocity at the start has moved them."""
        self.total = np.repeat(sums[:0:-1], batch)[:, None]
        self.total_start = alpha * sums[-1]
        self.last = np.repeat(alpha ** np.arange(steps)[::-1], batch)[:, None]
        self.last_start = alpha**steps


class Network:
    """Both layers' weights with the bias as last row, drawn as the notebook draws them."""

    def __init__(self, inputs: int, run: NetworkRun) -> None:
        self.run = run
        self.first = np.vstack(
            [np.random.normal(0, 0.1, (inputs, run.hidden)), np.random.normal(0, 0.1, (1, run.hidden))]
        )
        self.second = np.vstack(
            [np.random.normal(0, 0.1, (run.hidden, CLASSES)), np.random.normal(0, 0.1, (1, CLASSES))]
        )
        self.velocity = [np.zeros_like(self.first), np.zeros_like(self.second)]
        self._hidden = np.ones((run.batch_size, run.hidden + 1))
        self._windows: dict[int, _Window] = {}

    def epoch(self, examples: Examples) -> None:
        """One pass in random order; what does not fill a batch is left out."""
        batch = self.run.batch_size
        order = np.random.permutation(len(examples.X))
        steps = len(order) // batch
        most = max(1, WINDOW // batch)
        for start in range(0, steps, most):
            count = min(most, steps - start)
            self._window(examples, order[start * batch : (start + count) * batch], self._window_of(count))

    def _window_of(self, steps: int) -> _Window:
        if steps not in self._windows:
            self._windows[steps] = _Window(steps, self.run.batch_size, self.run.alpha)
        return self._windows[steps]

    def _window(self, examples: Examples, rows: np.ndarray[Any, Any], window: _Window) -> None:
        """As many steps as fit into ``rows``, one mini-batch after another."""
        batch, alpha = self.run.batch_size, self.run.alpha
        X, targets = examples.X[rows], examples.targets[rows]
        before = X @ self.first
        if alpha:
            before -= window.start * (X @ self.velocity[0])
        products = X @ X.T * window.before if len(rows) > batch else np.empty((0, 0))
        gradients = np.empty_like(before)
        for start in range(0, len(rows), batch):
            end = start + batch
            if start:
                before[start:end] -= products[start:end, :start] @ gradients[:start]
            self._step(before[start:end], targets[start:end], gradients[start:end])
        self._move(X, gradients, window)

    def _step(self, before: Array, targets: Array, gradients: Array) -> None:
        """One mini-batch from the hidden layer on: moves the second layer and fills in ``gradients``."""
        hidden = self._hidden
        np.maximum(before, 0.0, out=hidden[:, :-1])
        scores = hidden @ self.second
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        scores -= targets
        scores *= self.run.rate / len(targets)
        np.matmul(scores, self.second[:-1].T, out=gradients)
        gradients *= before > 0
        change = hidden.T @ scores
        if self.run.alpha:
            self.velocity[1] *= self.run.alpha
            self.velocity[1] += change
            change = self.velocity[1]
        self.second -= change

    def _move(self, X: Array, gradients: Array, window: _Window) -> None:
        """The first layer after the window."""
        if not self.run.alpha:
            self.first -= X.T @ gradients
            return
        self.first -= window.total_start * self.velocity[0]
        self.first -= X.T @ (window.total * gradients)
        self.velocity[0] *= window.last_start
        self.velocity[0] += X.T @ (window.last * gradients)

    def accuracy_and_loss(self, examples: Examples) -> tuple[float, float]:
        """The share of right answers, and the sum over chunks of their mean loss."""
        right, loss = 0, 0.0
        for start in range(0, len(examples.X), CHUNK):
            chunk = slice(start, start + CHUNK)
            labels = examples.labels[chunk]
            hidden = examples.X[chunk] @ self.first
            np.maximum(hidden, 0.0, out=hidden)
            scores = hidden @ self.second[:-1]
            scores += self.second[-1]
            right += int(np.count_nonzero(scores.argmax(axis=1) == labels))
            scores -= scores.max(axis=1, keepdims=True)
            own = scores[np.arange(len(labels)), labels]
            loss += float(np.mean(np.log(np.exp(scores, out=scores).sum(axis=1)) - own))
        return right / len(examples.X), loss


def best_epoch(accuracies: list[float]) -> int:
    """The epoch (counted from 1) of the highest accuracy; of equal ones the last."""
    return len(accuracies) - accuracies[::-1].index(max(accuracies))


def stops_at(accuracies: list[float], patience: int) -> int | None:
    """The epoch after which early stopping ends training, or None."""
    for epoch in range(1, len(accuracies) + 1):
        if epoch - best_epoch(accuracies[:epoch]) >= patience:
            return epoch
    return None


def prepare(run: NetworkRun, data: str | Path) -> tuple[dict[str, Examples], Network]:
    """The training, validation and test set and a new network, drawn as in the notebook's `fresh_start`.

    Seeds numpy's global generator, because the loader shuffles with it.
    """
    np.random.seed(run.seed)
    loaded = data_loader_mnist(data)
    sets = {
        name: Examples(loaded[2 * number], loaded[2 * number + 1])
        for number, name in enumerate(("train", "validation", "test"))
    }
    return sets, Network(loaded[0].shape[1], run)


def train(run: NetworkRun, data: str | Path, report: Callable[[int, int], None]) -> dict[str, Any]:
    """The notebook's history of this run; ``report`` hears epochs done and epochs at most."""
    sets, network = prepare(run, data)
    history: dict[str, Any] = {"loss": [], "train": [], "validation": [], "test": []}
    for epoch in range(1, run.max_epochs + 1):
        network.epoch(sets["train"])
        for name, examples in sets.items():
            accuracy, loss = network.accuracy_and_loss(examples)
            history[name].append(accuracy)
            if name == "train":
                history["loss"].append(loss)
        report(epoch, run.max_epochs)
        best = best_epoch(history["validation"])
        if run.patience is not None and epoch - best >= run.patience:
            break
    history["best_epoch"] = best
    history["updates"] = best * (len(sets["train"].X) // run.batch_size)
    history["test_at_best"] = history["test"][best - 1]
    return history
