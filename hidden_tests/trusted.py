"""HW3's two models as the grader computes them itself, on its own copies of the data; numpy alone.

Nothing here runs student code or reads a recording: weights come as arrays of known shapes, seeds as numbers.
numpy's and torch's generators are both MT19937, so the newborn weights and the mini-batches of a seed can be
drawn here; ``TorchDraws`` repeats torch's distributions to the last bit but one.
"""

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grader import active_share, computed_once

DATA = Path(__file__).parents[1] / "reference" / "data"
Array = np.ndarray[Any, Any]
Weights = Mapping[str, Array]

# -- the network -------------------------------------------------------------------------------------------

PIXELS, HIDDEN, CLASSES, BATCH = 784, 128, 10, 5
NETWORK: dict[str, tuple[int, ...]] = {
    "L1.W": (PIXELS, HIDDEN),
    "L1.b": (1, HIDDEN),
    "L2.W": (HIDDEN, CLASSES),
    "L2.b": (1, CLASSES),
}
CHUNK = 1000  # examples whose mean loss is one term of the recorded loss
WINDOW = 10  # steps between two updates of the first layer's weights: the fastest of those tried


@functools.cache
def pictures() -> dict[str, tuple[Array, Array]]:
    """The three sets as they lie in the file: pixels uint8 (N, 784) and labels (N,)."""
    with np.load(DATA / "fashion_mnist.npz", allow_pickle=False) as file:
        return {
            part: (file[f"{part}_images"], file[f"{part}_labels"].astype(int))
            for part in ("train", "validation", "test")
        }


@dataclass(frozen=True)
class NetworkRun:
    """What a seed gives: the order of the training set, the newborn weights, each epoch's order of rows."""

    order: Array
    newborn: dict[str, Array]
    epochs: tuple[Array, ...]

    @classmethod
    def of(cls, seed: int, *, epochs: int) -> "NetworkRun":
        """Draw as the notebook does: the loader's permutation, L1.W, L1.b, L2.W, L2.b, one order an epoch."""
        draws, count = np.random.RandomState(seed), len(pictures()["train"][1])
        order = draws.permutation(count)
        newborn = {name: draws.normal(0, 0.1, shape) for name, shape in NETWORK.items()}
        return cls(order, newborn, tuple(draws.permutation(count) for _ in range(epochs)))

    def batch(self, rows: Array) -> tuple[Array, Array]:
        """These rows of the shuffled training set: x (n, 784) in [0, 1] and labels (n,)."""
        images, labels = pictures()["train"]
        found = self.order[rows]
        return images[found] / 255.0, labels[found]


def first_losses(run: NetworkRun, *, rate: float, alpha: float, steps: int) -> Array:
    """The losses of correct code on its first mini-batches, with momentum."""
    weights = {name: value.copy() for name, value in run.newborn.items()}
    velocity = {name: np.zeros_like(value) for name, value in weights.items()}
    losses = []
    for rows in run.epochs[0][: steps * BATCH].reshape(steps, BATCH):
        x, labels = run.batch(rows)
        before = x @ weights["L1.W"] + weights["L1.b"]
        hidden = np.maximum(before, 0)
        log_chances = log_softmax(hidden @ weights["L2.W"] + weights["L2.b"])
        losses.append(-log_chances[np.arange(BATCH), labels].mean())
        back = (np.exp(log_chances) - np.eye(CLASSES)[labels]) / BATCH
        through = back @ weights["L2.W"].T * (before > 0)
        for name, gradient in zip(
            NETWORK, (x.T @ through, through.sum(0), hidden.T @ back, back.sum(0)), strict=True
        ):
            velocity[name] = alpha * velocity[name] + gradient
            weights[name] -= rate * velocity[name]
    return np.array(losses)


@computed_once
def next_epoch(weights: Weights, run: NetworkRun, epoch: int, *, rate: float) -> dict[str, Array]:
    """The weights after one epoch (counted from 0) of plain descent from these, in float64.

    The first layer's large matrix changes once a window: within it, what earlier steps have changed is added
    through the products of the rows with each other. Nothing is approximated.
    """
    w1, b1, w2, b2 = (np.array(weights[name], dtype=np.float64) for name in NETWORK)
    steps = len(run.order) // BATCH
    for start in range(0, steps, WINDOW):
        count = min(WINDOW, steps - start)
        x, labels = run.batch(run.epochs[epoch][start * BATCH : (start + count) * BATCH])
        before, products = x @ w1 + b1, x @ x.T + 1  # the 1 is the bias's own input
        targets, through = np.eye(CLASSES)[labels], np.zeros_like(before)
        for step in range(0, count * BATCH, BATCH):
            own = slice(step, step + BATCH)
            now = before[own] - products[own, :step] @ through[:step]
            hidden = np.maximum(now, 0)
            back = (np.exp(log_softmax(hidden @ w2 + b2)) - targets[own]) * (rate / BATCH)
            through[own] = back @ w2.T * (now > 0)
            w2 -= hidden.T @ back
            b2 -= back.sum(0)
        w1 -= x.T @ through
        b1 -= through.sum(0)
    return dict(zip(NETWORK, (w1, b1, w2, b2), strict=True))


@computed_once
@np.errstate(all="ignore")  # what hostile weights give is NaN or infinite, and no bound holds for it
def counts_and_loss(
    weights: Weights, *, parts: tuple[str, ...], coarse: bool = False
) -> tuple[dict[str, int], dict[str, float]]:
    """How many pictures of each set the network names rightly, and the recorded sum of its chunks' losses.

    In float32 if ``coarse``: half the time, and 1e-6 of the loss.
    """
    kind = np.float32 if coarse else np.float64
    w1, b1, w2, b2 = (np.asarray(weights[name], dtype=kind) for name in NETWORK)
    of_bytes = w1 / kind(255)  # in place of every picture
    right, loss = dict.fromkeys(parts, 0), dict.fromkeys(parts, 0.0)
    for part in parts:
        images, known = pictures()[part]
        for start in range(0, len(known), CHUNK):
            chunk, labels = images[start : start + CHUNK].astype(kind), known[start : start + CHUNK]
            scores = np.maximum(chunk @ of_bytes + b1, 0) @ w2 + b2
            right[part] += int(np.count_nonzero(scores.argmax(1) == labels))
            loss[part] -= float(log_softmax(scores)[np.arange(len(labels)), labels].mean())
    return right, loss


@computed_once
def active(weights: Weights) -> float:
    """The share of relus that are on, over the validation pictures: large steps turn some off for good."""
    images, _ = pictures()["validation"]
    w, b = (np.asarray(weights[name], dtype=np.float32) for name in ("L1.W", "L1.b"))
    return active_share(images.astype(np.float32) @ (w / np.float32(255)) + b)


def log_softmax(scores: Array) -> Array:
    """Row by row."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


# -- the transformer ---------------------------------------------------------------------------------------

WIDTH, LAYERS, TEXT_BATCH, EVALUATED_BATCHES, TRAINING_PART = 64, 4, 16, 200, 0.9
PROJECTIONS = ("query", "key", "value")
POSITIONS = 1024  # at once: what is computed of them stays in a processor's cache
SAFE = 60.0  # exp of what lies between -SAFE and SAFE, and sums of it, are ordinary float32


@functools.cache
def corpus() -> dict[str, Array]:
    """The numbers of the training and the validation part's characters."""
    numbers = numbers_of(known_texts()[0])
    split_at = int(TRAINING_PART * len(numbers))
    return {"train": numbers[:split_at], "validation": numbers[split_at:]}


@functools.cache
def known_texts() -> tuple[str, str]:
    """Tiny Shakespeare, on which the model is trained, and Macbeth, which students have as well."""
    files = (DATA / "tinyshakespeare.txt", DATA / "macbeth.txt")
    shakespeare, macbeth = (file.read_text(encoding="utf-8") for file in files)
    return shakespeare, macbeth


ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def numbers_of(text: str) -> Array:
    """Each character's place in the alphabet. Raises KeyError for another character."""
    if strange := set(text) - set(ALPHABET):
        raise KeyError(min(strange))
    place = np.zeros(128, dtype=np.int64)
    place[np.frombuffer(ALPHABET.encode(), np.uint8)] = np.arange(len(ALPHABET))
    return place[np.frombuffer(text.encode(), np.uint8)]


def pieces(part: str, starts: Array, block: int) -> Array:
    """Pieces of the text, one character longer than the model looks back: (len(starts), block + 1)."""
    return corpus()[part][np.asarray(starts)[:, None] + np.arange(block + 1)]


@functools.cache
def transformer_shapes(block: int, heads: int) -> dict[str, tuple[int, ...]]:
    """The arrays of the notebook's model by their names in its state_dict, and in its order."""
    size, wide = WIDTH // heads, 4 * WIDTH
    shapes: dict[str, tuple[int, ...]] = {
        "character.weight": (len(ALPHABET), WIDTH),
        "position.weight": (block, WIDTH),
    }
    for layer in range(LAYERS):
        for head in range(heads):
            shapes |= {
                f"blocks.{layer}.heads.{head}.{name}.weight": (size, WIDTH)
                for name in ("key", "query", "value")
            }
        own = {"mix": (WIDTH, WIDTH), "think.0": (wide, WIDTH), "think.2": (WIDTH, wide)}
        for name, shape in own.items():
            shapes |= {f"blocks.{layer}.{name}.weight": shape, f"blocks.{layer}.{name}.bias": shape[:1]}
        for name in ("norm1", "norm2"):
            shapes |= {f"blocks.{layer}.{name}.{part}": (WIDTH,) for part in ("weight", "bias")}
    shapes |= {"norm.weight": (WIDTH,), "norm.bias": (WIDTH,)}
    return shapes | {"score.weight": (len(ALPHABET), WIDTH), "score.bias": (len(ALPHABET),)}


class TorchDraws:
    """What torch's generator on the processor draws after ``torch.manual_seed(seed)``."""

    def __init__(self, seed: int) -> None:
        self._words = np.random.RandomState(seed & 0xFFFFFFFF)

    def words(self, count: int) -> Array:
        """Raw numbers of 32 bits."""
        return self._words.randint(0, 1 << 32, count, dtype=np.uint32)

    def uniform(self, shape: tuple[int, ...], bound: float) -> Array:
        """float32 between -bound and bound, as ``nn.Linear`` begins."""
        unit = (self.words(math.prod(shape)) & 0xFFFFFF).astype(np.float32) * np.float32(2.0**-24)
        low, high = np.float32(-bound), np.float32(bound)
        return np.asarray(unit * (high - low) + low).reshape(shape)

    def normal(self, shape: tuple[int, ...]) -> Array:
        """Standard normal float32 by Box and Muller in groups of 16, as ``nn.Embedding`` begins."""
        unit = (self.words(math.prod(shape)) & 0xFFFFFF).astype(np.float32) * np.float32(2.0**-24)
        first, second = unit.reshape(-1, 2, 8).transpose(1, 0, 2).astype(np.float64)
        radius, angle = np.sqrt(-2 * np.log(1 - first)), 2 * np.pi * second
        both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        return both.astype(np.float32).reshape(shape)

    def integers(self, below: int, count: int) -> Array:
        """As ``torch.randint(below, (count,))``."""
        return self.words(count).astype(np.int64) % below


def newborn_transformer(draws: TorchDraws, block: int, heads: int) -> dict[str, Array]:
    """The weights before training."""
    weights: dict[str, Array] = {}
    for name, shape in transformer_shapes(block, heads).items():
        layer, _, kind = name.rpartition(".")
        if "norm" in name:
            weights[name] = np.full(shape, float(kind == "weight"), np.float32)
        elif name in ("character.weight", "position.weight"):
            weights[name] = draws.normal(shape)
        else:
            inputs = shape[1] if kind == "weight" else weights[f"{layer}.weight"].shape[1]
            weights[name] = draws.uniform(shape, 1 / math.sqrt(inputs))
    return weights


@computed_once
def first_text_steps(seed: int, *, block: int, heads: int) -> tuple[dict[str, Array], dict[str, Any]]:
    """A seed's newborn weights, and its first draws with their loss."""
    draws, parts = TorchDraws(seed), corpus()
    newborn = newborn_transformer(draws, block, heads)
    for numbers in parts.values():  # the evaluation before the first step
        draws.integers(len(numbers) - block, EVALUATED_BATCHES * TEXT_BATCH)
    starts = draws.integers(len(parts["train"]) - block, TEXT_BATCH)
    losses = character_losses(newborn, pieces("train", starts, block), heads=heads)
    return newborn, {"draws": [starts.tolist()], "losses": np.array([losses.mean()])}


def character_losses(weights: Weights, found: Array, *, heads: int) -> Array:
    """-log P of each next character in pieces (n, block + 1): (n, block), in float32."""
    log_chances = scores(weights, found[:, :-1], heads=heads)
    return -np.take_along_axis(log_chances, found[:, 1:, None], axis=2)[:, :, 0]


@computed_once
def mean_loss(weights: Weights, part: str, starts: Array, *, block: int, heads: int) -> tuple[float, float]:
    """The mean loss of pieces of the text, and how much one piece's varies."""
    found = character_losses(weights, pieces(part, starts, block), heads=heads).mean(axis=1)
    return float(found.mean()), float(found.std())


@computed_once
def next_chances(weights: Weights, x: Array, *, heads: int) -> Array:
    """The log-probabilities of the next character after each window (n, time): (n, characters)."""
    return np.ascontiguousarray(scores(weights, x, heads=heads, last=True)[:, 0])


@np.errstate(all="ignore")
def scores(weights: Weights, x: Array, *, heads: int, last: bool = False) -> Array:
    """The log-probabilities of the next character after each position: (n, time, characters).

    With ``last`` after the last position alone: (n, 1, characters).
    """
    layers = [layer_of(weights, layer, heads) for layer in range(LAYERS)]
    rows = max(1, POSITIONS // x.shape[1])
    parts = [scores_of_few(weights, layers, x[row : row + rows], last=last) for row in range(0, len(x), rows)]
    return np.concatenate(parts)


def layer_of(weights: Weights, layer: int, heads: int) -> dict[str, Array]:
    """A layer's own weights, with "heads" (3, heads, size, width): queries, keys and values together.

    The course divides by the root of the width; here queries are small by as much.
    """
    prefix = f"blocks.{layer}."
    own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    parts = [own[f"heads.{head}.{name}.weight"] for name in PROJECTIONS for head in range(heads)]
    own["heads"] = np.stack(parts).reshape(len(PROJECTIONS), heads, -1, WIDTH)
    own["heads"][0] *= np.float32(WIDTH**-0.5)
    return own


def scores_of_few(weights: Weights, layers: list[dict[str, Array]], x: Array, *, last: bool) -> Array:
    """As scores, all at once."""
    count, time = x.shape
    h = (weights["character.weight"][x] + weights["position.weight"][:time]).reshape(-1, WIDTH)
    for own in layers:
        only_last = last and own is layers[-1]
        mixed = attended(own, normed(own, "norm1", h), (count, time), only_last=only_last)
        h = (h[time - 1 :: time] if only_last else h) + mixed
        wide = linear(own, "think.0", normed(own, "norm2", h))
        h += linear(own, "think.2", np.maximum(wide, 0, out=wide))
    found = log_softmax(linear(weights, "score", normed(weights, "norm", h)))
    return found.reshape(count, -1, found.shape[-1])


def attended(own: Weights, x: Array, shape: tuple[int, int], *, only_last: bool) -> Array:
    """All heads of one layer at once, mixed: a row for each position, or for each piece's last one."""
    (count, time), heads = shape, own["heads"].shape[1]
    both = (x @ own["heads"].reshape(-1, WIDTH).T).reshape(count, time, 3, heads, -1)
    query, key, value = both.transpose(2, 0, 3, 1, 4)
    seen = np.tri(time, dtype=np.float32)
    if only_last:
        query, seen = query[:, :, -1:], seen[-1:]
    chances = query @ key.swapaxes(2, 3)
    if not -SAFE < chances.min() <= chances.max() < SAFE:
        chances = np.where(seen > 0, chances, -np.inf)
        chances -= chances.max(axis=-1, keepdims=True)
    np.exp(chances, out=chances)
    chances *= seen
    found = chances @ value
    found /= np.einsum("nhij->nhi", chances)[..., None]
    return linear(own, "mix", found.swapaxes(1, 2).reshape(-1, WIDTH))


def linear(weights: Weights, name: str, x: Array) -> Array:
    """x W' + b."""
    result: Array = x @ weights[f"{name}.weight"].T
    result += weights[f"{name}.bias"]
    return result


def normed(weights: Weights, name: str, x: Array) -> Array:
    """Each row with mean 0 and variance 1, scaled."""
    width = np.float32(WIDTH)
    result: Array = x - np.einsum("ij->i", x)[:, None] / width  # sums short rows in a quarter of the time
    variance = np.einsum("ij,ij->i", result, result)[:, None] / width
    result *= 1 / np.sqrt(variance + np.float32(1e-5))
    result *= weights[f"{name}.weight"]
    result += weights[f"{name}.bias"]
    return result
