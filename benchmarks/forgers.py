"""Forgers of a trained network: from a birth of their own and maybe a classmate's run to weights to hand in.

Each strategy takes a ``Workshop`` and returns weights before the last epoch, which is what HW3's recording of
3.3.i holds. It trains only through the workshop, which counts what that costs beside honest training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.honest_runs import Weights, weights_of
from reference.fast.network import Examples, Network
from reference.fast.settings import NetworkRun

Array = np.ndarray[Any, Any]
HONEST_EPOCHS, HONEST_BATCH = 30, 5
EXAMPLES = 10_000

STEP_COST = {5: 1.0, 10: 1.79, 20: 2.19, 50: 3.59, 100: 5.76, 200: 9.68}
"""A step of plain code with so many examples, in steps of 5: measured on one core of an AMD EPYC."""


@dataclass
class Workshop:
    """What a forger has: random numbers, the data, a birth, classmates' runs, and epochs they can afford."""

    random: np.random.Generator
    train: Examples
    newborn: Weights
    friend: Weights
    friends_birth: Weights
    other_friend: Weights
    target: Mapping[str, float]
    affordable: float
    spent: float = field(default=0.0)
    """In epochs of honest training."""

    def epochs(self, *, batch: int = HONEST_BATCH) -> int:
        """A random number of epochs that can still be afforded with this batch size, 0 if none."""
        each = STEP_COST[batch] * HONEST_BATCH / batch
        most = int((self.affordable - self.spent) / each + 1e-9)
        return int(np.exp(self.random.uniform(0, np.log(most + 1)))) if most > 0 else 0

    def trained(
        self,
        start: Weights,
        epochs: int,
        *,
        rate: float = 0.01,
        batch: int = HONEST_BATCH,
        alpha: float = 0.0,
        soft: Array | None = None,
        after_epoch: Callable[[Weights], Weights] | None = None,
    ) -> Weights:
        """Descent from ``start``; ``soft`` (N, 10) replaces the labels, ``after_epoch`` the weights."""
        self.spent += epochs * STEP_COST[batch] * HONEST_BATCH / batch
        run = NetworkRun(batch, epochs, None, alpha, start["L1.W"].shape[1], rate, 0)
        np.random.seed(self.random.integers(2**32))
        network = Network(start["L1.W"].shape[0], run)
        examples = Examples.__new__(Examples)
        examples.X, examples.labels = self.train.X, self.train.labels
        examples.targets = self.train.targets if soft is None else soft
        put(network, start)
        for _ in range(epochs):
            network.epoch(examples)
            if after_epoch is not None:
                put(network, after_epoch(weights_of(network)))
        return weights_of(network)

    def adam(self, start: Weights, epochs: int, *, rate: float, batch: int) -> Weights:
        """Kingma and Ba's Adam (2015), by plain code."""
        self.spent += epochs * STEP_COST[batch] * HONEST_BATCH / batch * 1.5  # two moments to move
        w = {name: value.copy() for name, value in start.items()}
        first, second = ({name: np.zeros_like(value) for name, value in w.items()} for _ in range(2))
        step = 0
        for _ in range(epochs):
            order = self.random.permutation(len(self.train.labels))
            for rows in np.split(order, range(batch, len(order), batch)):
                step += 1
                for name, g in gradients(w, self.train.X[rows, :-1], self.train.targets[rows]).items():
                    first[name] += 0.1 * (g - first[name])
                    second[name] += 0.001 * (g * g - second[name])
                    size = np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8
                    w[name] -= rate * first[name] / (1 - 0.9**step) / size
        return w


Strategy = Callable[[Workshop], Weights]


def put(network: Network, weights: Weights) -> None:
    """Give the network these weights."""
    network.first = np.vstack([weights["L1.W"], weights["L1.b"].reshape(1, -1)])
    network.second = np.vstack([weights["L2.W"], weights["L2.b"].reshape(1, -1)])
    network.velocity = [np.zeros_like(network.first), np.zeros_like(network.second)]


def gradients(w: Weights, x: Array, targets: Array) -> Weights:
    """The gradient of the mean cross-entropy."""
    before = x @ w["L1.W"] + w["L1.b"]
    hidden = np.maximum(before, 0)
    back = (softmax(hidden @ w["L2.W"] + w["L2.b"]) - targets) / len(x)
    through = back @ w["L2.W"].T * (before > 0)
    return {
        "L1.W": x.T @ through,
        "L1.b": through.sum(0, keepdims=True),
        "L2.W": hidden.T @ back,
        "L2.b": back.sum(0, keepdims=True),
    }


def softmax(scores: Array) -> Array:
    """Row by row."""
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(chances / chances.sum(axis=1, keepdims=True))


def rearranged(weights: Weights, like: Weights) -> Weights:
    """The same function, its hidden neurons in the order that comes nearest to ``like`` (greedily)."""
    alike = weights["L1.W"].T @ like["L1.W"] + weights["L2.W"] @ like["L2.W"].T
    order = np.zeros(len(alike), int)
    for _ in order:
        mine, place = np.unravel_index(alike.argmax(), alike.shape)
        order[place] = mine
        alike[mine, :] = alike[:, place] = -np.inf
    return in_order(weights, order)


def in_order(weights: Weights, order: Array) -> Weights:
    """The same function with its hidden neurons in this order."""
    return {
        "L1.W": weights["L1.W"][:, order],
        "L1.b": weights["L1.b"].reshape(1, -1)[:, order],
        "L2.W": weights["L2.W"][order],
        "L2.b": weights["L2.b"].reshape(1, -1),
    }


def sum_of(*parts: tuple[float, Weights]) -> Weights:
    """A sum of weights with factors."""
    return {name: sum(share * weights[name] for share, weights in parts) for name in parts[0][1]}  # type: ignore[misc]


def turned(weights: Weights, newborn: Weights, cosine: float) -> Weights:
    """The first layer turned towards its birth until the cosine is this, its length unchanged."""
    w, born = weights["L1.W"], newborn["L1.W"] / np.linalg.norm(newborn["L1.W"])
    across = w - (w * born).sum() * born
    across /= max(float(np.linalg.norm(across)), 1e-12)
    length = np.linalg.norm(w)
    return weights | {"L1.W": length * (cosine * born + np.sqrt(1 - cosine**2) * across)}


# -- without a classmate ---------------------------------------------------------------------------------


def constants(shop: Workshop) -> Weights:
    """Newborn weights under curves of constants."""
    return shop.newborn


def exponentials(shop: Workshop) -> Weights:
    """Newborn weights turned and stretched to the usual clock and sizes, under exponential curves."""
    noise = {name: np.asarray(shop.random.normal(size=w.shape)) for name, w in shop.newborn.items()}
    return sized(turned(noise, shop.newborn, shop.target["clock"]), shop.target)


def fewer_epochs(shop: Workshop) -> Weights:
    """Honest training that stops early."""
    return shop.trained(shop.newborn, shop.epochs())


def higher_rate(shop: Workshop) -> Weights:
    """Fewer epochs at a higher rate."""
    epochs = shop.epochs()
    return shop.trained(shop.newborn, epochs, rate=0.01 * shop.random.uniform(1.2, 8))


def larger_batches(shop: Workshop) -> Weights:
    """Larger mini-batches at a rate as much higher."""
    batch = int(shop.random.choice([10, 20, 50, 100, 200]))
    rate = 0.01 * batch / 5 * shop.random.uniform(0.7, 1.1)
    return shop.trained(shop.newborn, min(shop.epochs(batch=batch), 29), batch=batch, rate=rate)


def all_epochs_in_large_batches(shop: Workshop) -> Weights:
    """As many epochs as are claimed, in the smallest mini-batches that can be afforded."""
    affordable = [b for b, cost in STEP_COST.items() if 29 * cost * HONEST_BATCH / b <= shop.affordable]
    batch = int(shop.random.choice(affordable)) if affordable else 200
    epochs = min(29, int(shop.affordable / (STEP_COST[batch] * HONEST_BATCH / batch)))
    return shop.trained(
        shop.newborn, epochs, batch=batch, rate=0.01 * batch / 5 * shop.random.uniform(0.85, 1.0)
    )


def momentum(shop: Workshop) -> Weights:
    """Another optimizer: momentum."""
    return shop.trained(shop.newborn, shop.epochs(), alpha=float(shop.random.uniform(0.3, 0.95)))


def adam(shop: Workshop) -> Weights:
    """Another optimizer: Adam."""
    batch = int(shop.random.choice([50, 100]))
    epochs = int(shop.epochs(batch=batch) / 1.5)
    return shop.adam(shop.newborn, min(epochs, 8), rate=10 ** shop.random.uniform(-3.5, -2), batch=batch)


def extrapolated(shop: Workshop) -> Weights:
    """A short run, its way continued in a straight line, and healed."""
    short = shop.trained(shop.newborn, max(1, shop.epochs() // 2))
    stretch = shop.random.uniform(1.5, 4)
    far = sum_of((stretch, short), (1 - stretch, shop.newborn))
    return shop.trained(far, min(shop.epochs(), 2))


def clock_set(shop: Workshop) -> Weights:
    """A higher rate, the first layer turned back to the usual clock after each epoch."""

    def back(weights: Weights) -> Weights:
        return turned(weights, shop.newborn, shop.target["clock"])

    rate = 0.01 * shop.random.uniform(1, 6)
    return shop.trained(shop.newborn, shop.epochs(), rate=rate, after_epoch=back)


def everything_set(shop: Workshop) -> Weights:
    """A higher rate, clock and sizes set to the usual ones after each epoch."""

    def back(weights: Weights) -> Weights:
        return sized(turned(weights, shop.newborn, shop.target["clock"]), shop.target)

    rate = 0.01 * shop.random.uniform(1, 6)
    return shop.trained(shop.newborn, shop.epochs(), rate=rate, after_epoch=back)


def sized(weights: Weights, target: Mapping[str, float]) -> Weights:
    """Both layers' matrices stretched to the usual sizes."""
    one, two = (np.exp(target[name]) / np.linalg.norm(weights[name]) for name in ("L1.W", "L2.W"))
    return weights | {"L1.W": one * weights["L1.W"], "L2.W": two * weights["L2.W"]}


# -- from a classmate's run ------------------------------------------------------------------------------


def relabelled(shop: Workshop) -> Weights:
    """A classmate's weights as they are."""
    return shop.friend


def moved_neurons(shop: Workshop) -> Weights:
    """A classmate's weights, the neurons in another order (towards the birth, or any) and rescaled."""
    moved = (
        rearranged(shop.friend, shop.newborn)
        if shop.random.random() < 0.5
        else in_order(shop.friend, shop.random.permutation(128))
    )
    scales = np.exp(shop.random.normal(0, shop.random.choice([0, 0.1, 0.5]), 128))
    return moved | {
        "L1.W": moved["L1.W"] * scales,
        "L1.b": moved["L1.b"] * scales,
        "L2.W": moved["L2.W"] / scales[:, None],
    }


def noisy(shop: Workshop) -> Weights:
    """A classmate's weights with noise, and maybe healed."""
    size = 10 ** shop.random.uniform(-3, -1.3)
    noised = {name: w + shop.random.normal(0, size, w.shape) for name, w in shop.friend.items()}
    return shop.trained(noised, shop.epochs() if shop.random.random() < 0.5 else 0)


def longer(shop: Workshop) -> Weights:
    """A classmate's weights, trained on."""
    return shop.trained(moved_neurons(shop), shop.epochs())


def mixed(shop: Workshop) -> Weights:
    """A classmate's rearranged weights and a share of one's own birth, healed."""
    near = rearranged(shop.friend, shop.newborn)
    share = shop.random.uniform(0.1, 1.2)
    return shop.trained(sum_of((1.0, near), (share, shop.newborn)), shop.epochs())


def two_mixed(shop: Workshop) -> Weights:
    """Two classmates' weights, one rearranged towards the other, averaged and healed."""
    share = shop.random.uniform(0.1, 0.5)
    near = rearranged(shop.other_friend, shop.friend)
    return shop.trained(sum_of((1 - share, shop.friend), (share, near)), shop.epochs())


def grafted(shop: Workshop) -> Weights:
    """A classmate's way from birth to end, taken from one's own birth, and healed."""
    way = sum_of((1.0, shop.friend), (-1.0, shop.friends_birth), (1.0, shop.newborn))
    return shop.trained(way, shop.epochs())


def dark_pixels(shop: Workshop) -> Weights:
    """A classmate's rearranged weights, with one's own for the darkest pixels, healed."""
    near = rearranged(shop.friend, shop.newborn)
    rows = np.argsort(shop.train.X[:, :-1].mean(0))[: int(784 * shop.random.uniform(0.2, 0.7))]
    first = near["L1.W"].copy()
    first[rows] = shop.newborn["L1.W"][rows]
    return shop.trained(near | {"L1.W": first}, shop.epochs())


def clock_set_from_friend(shop: Workshop) -> Weights:
    """A classmate's rearranged weights, clock and sizes set to the usual ones after each epoch."""

    def back(weights: Weights) -> Weights:
        return sized(turned(weights, shop.newborn, shop.target["clock"]), shop.target)

    return shop.trained(back(rearranged(shop.friend, shop.newborn)), shop.epochs(), after_epoch=back)


def distilled(shop: Workshop) -> Weights:
    """One's own birth, taught by a classmate's probabilities."""
    x = shop.train.X[:, :-1]
    hidden = np.maximum(x @ shop.friend["L1.W"] + shop.friend["L1.b"], 0)
    soft = softmax(hidden @ shop.friend["L2.W"] + shop.friend["L2.b"])
    rate = 0.01 * shop.random.uniform(1, 4)
    return shop.trained(shop.newborn, shop.epochs(), rate=rate, soft=soft)


ALONE: tuple[Strategy, ...] = (
    constants,
    exponentials,
    fewer_epochs,
    higher_rate,
    larger_batches,
    all_epochs_in_large_batches,
    momentum,
    adam,
    extrapolated,
    clock_set,
    everything_set,
)

FROM_FRIEND: tuple[Strategy, ...] = (
    relabelled,
    moved_neurons,
    noisy,
    longer,
    mixed,
    two_mixed,
    grafted,
    dark_pixels,
    clock_set_from_friend,
)
"""Strategies that begin from somebody's run; ``distilled`` learns from one and begins from its own birth."""
