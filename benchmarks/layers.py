"""Layers with their right gradients, and ways to get a gradient wrong: what `check_gradients` is measured on.

Each layer is a function of one array, its other inputs drawn. The right gradient is torch's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  # its usual name

from grader.checks.arrays import Array

Draw = Callable[[np.random.Generator], tuple[Array, Callable[[Tensor], Tensor]]]
"""The point, and the layer as a function of it."""


@dataclass(frozen=True)
class Case:
    """A layer at a point, under a random upstream gradient."""

    point: Array
    layer: Callable[[Tensor], Tensor]
    upstream: Array

    def loss(self, point: Array) -> float:
        """The sum of the layer's output times ``upstream``, in float64."""
        with torch.no_grad():
            return float((self.layer(torch.from_numpy(point)) * torch.from_numpy(self.upstream)).sum())

    def losses(self, points: Array) -> Array:
        """The loss at each of many points, computed together."""
        with torch.no_grad():
            outputs = torch.vmap(self.layer)(torch.from_numpy(points))
            return np.asarray((outputs * torch.from_numpy(self.upstream)).reshape(len(points), -1).sum(1))

    def gradient(self, *, single: bool = False, upstream: Array | None = None) -> Array:
        """The right gradient; with ``single`` as float32 code computes it."""
        kind = torch.float32 if single else torch.float64
        point = torch.tensor(self.point, dtype=kind, requires_grad=True)
        output = self.layer(point)
        weights = torch.from_numpy(self.upstream if upstream is None else upstream).to(output)
        [gradient] = torch.autograd.grad((output * weights).sum(), point)
        return np.asarray(gradient)


def draw(name: str, rng: np.random.Generator, *, scale: float = 1.0) -> Case:
    """A case of the layer of this name, at a point of this size."""
    point, layer = LAYERS[name](rng)
    point = _as_single(point * scale)
    output = layer(torch.from_numpy(point))
    return Case(point, layer, _normal(rng, *output.shape))


def _normal(rng: np.random.Generator, *shape: int) -> Array:
    return _as_single(rng.normal(size=shape))


def _as_single(array: Array) -> Array:
    """float64 numbers that float32 holds exactly, so that both types begin from the same ones."""
    return array.astype(np.float32).astype(np.float64)


def _with(shape: tuple[int, ...], make: Callable[..., Tensor], *others: tuple[int, ...]) -> Draw:
    """A layer of one input and further arrays of these shapes."""

    def drawn(rng: np.random.Generator) -> tuple[Array, Callable[[Tensor], Tensor]]:
        further = [torch.from_numpy(_normal(rng, *other)) for other in others]
        return _normal(rng, *shape), lambda x: make(x, *(each.to(x) for each in further))

    return drawn


def _labelled(make: Callable[[Tensor, Tensor], Tensor], rows: int = 6, classes: int = 5) -> Draw:
    def drawn(rng: np.random.Generator) -> tuple[Array, Callable[[Tensor], Tensor]]:
        labels = torch.from_numpy(rng.integers(classes, size=rows))
        return _normal(rng, rows, classes), lambda x: make(x, labels)

    return drawn


def _attention(q: Tensor, k: Tensor, v: Tensor, *, causal: bool = False) -> Tensor:
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if causal:
        scores = scores.masked_fill(torch.ones_like(scores).triu(1).bool(), -torch.inf)
    return scores.softmax(-1) @ v


def _lstm(x: Tensor, w: Tensor, u: Tensor) -> Tensor:
    h = c = torch.zeros(x.shape[1], u.shape[0], dtype=x.dtype)
    for step in x:
        i, f, o, g = (step @ w + h @ u).chunk(4, dim=-1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    return h


def _rms(x: Tensor, gain: Tensor) -> Tensor:
    return gain * x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt()


def _hinge(x: Tensor, labels: Tensor) -> Tensor:
    margins = (x - x.gather(1, labels[:, None]) + 1).clamp(min=0)
    return margins.sum(1) - 1


def _dropout(x: Tensor, mask: Tensor) -> Tensor:
    return x * (mask > 0) * 2


def _embedding(table: Tensor) -> Tensor:
    return F.embedding(torch.tensor([1, 3, 3, 0, 5]), table)


LAYERS: dict[str, Draw] = {
    "linear, x": _with((6, 4), lambda x, w, b: x @ w + b, (4, 3), (3,)),
    "linear, W": _with((4, 3), lambda w, x, b: x @ w + b, (6, 4), (3,)),
    "linear, b": _with((3,), lambda b, x, w: x @ w + b, (6, 4), (4, 3)),
    "relu": _with((6, 4), torch.relu),
    "leaky relu": _with((6, 4), lambda x: F.leaky_relu(x, 0.1)),
    "elu": _with((6, 4), F.elu),
    "gelu": _with((6, 4), F.gelu),
    "silu": _with((6, 4), F.silu),
    "sigmoid": _with((6, 4), torch.sigmoid),
    "tanh": _with((6, 4), torch.tanh),
    "softplus": _with((6, 4), F.softplus),
    "softmax": _with((6, 4), lambda x: x.softmax(-1)),
    "log softmax": _with((6, 4), lambda x: x.log_softmax(-1)),
    "cross-entropy": _labelled(lambda x, y: F.cross_entropy(x, y, reduction="none")),
    "mean cross-entropy": _labelled(F.cross_entropy),
    "hinge": _labelled(_hinge),
    "squared error": _with((6, 4), lambda x, y: (x - y).square().mean(), (6, 4)),
    "absolute error": _with((6, 4), lambda x, y: (x - y).abs().mean(), (6, 4)),
    "binary cross-entropy": _with(
        (6,), lambda x, y: F.binary_cross_entropy_with_logits(x, (y > 0).to(x)), (6,)
    ),
    "batch norm": _with((8, 4), lambda x: F.batch_norm(x, None, None, training=True)),
    "layer norm": _with((6, 8), lambda x: F.layer_norm(x, (8,))),
    "group norm": _with((3, 6, 4), lambda x: F.group_norm(x, 2)),
    "instance norm": _with((2, 3, 8), F.instance_norm),
    "RMS norm": _with((6, 8), _rms, (8,)),
    "convolution, x": _with((2, 3, 6, 6), lambda x, w: F.conv2d(x, w, padding=1), (4, 3, 3, 3)),
    "convolution, W": _with((4, 3, 3, 3), lambda w, x: F.conv2d(x, w, stride=2), (2, 3, 7, 7)),
    "max-pool": _with((2, 2, 6, 6), lambda x: F.max_pool2d(x, 2)),
    "average pool": _with((2, 2, 6, 6), lambda x: F.avg_pool2d(x, 3)),
    "dropout": _with((6, 4), _dropout, (6, 4)),
    "embedding": _with((6, 3), _embedding),
    "attention, q": _with((5, 4), _attention, (5, 4), (5, 4)),
    "attention, k": _with((5, 4), lambda k, q, v: _attention(q, k, v), (5, 4), (5, 4)),
    "causal attention": _with((5, 4), lambda x, v: _attention(x, x, v, causal=True), (5, 4)),
    "LSTM": _with((4, 2, 3), _lstm, (3, 16), (4, 16)),
    "SwiGLU": _with((5, 4), lambda x, w, v: F.silu(x @ w) * (x @ v), (4, 3), (4, 3)),
    "two layers": _with((5, 4), lambda x, w, v: (x @ w).tanh() @ v, (4, 6), (6, 2)),
    "cosine similarity": _with((5, 4), F.cosine_similarity, (5, 4)),
}


def wrong(case: Case, rng: np.random.Generator) -> Iterator[tuple[str, Array]]:
    """Gradients that are wrong, with what is wrong with them; some may equal the right one by chance."""
    right = case.gradient()
    yield "sign", -right
    yield "1 % too large", right * 1.01
    yield "1 % too large, as float16", (right * 1.01).astype(np.float16)
    yield "mean for sum", right / case.upstream.shape[0] if case.upstream.ndim else right / 2
    yield "upstream ignored", case.gradient(upstream=np.ones_like(case.upstream))
    yield "rows in another order", np.roll(right, 1, axis=0)
    yield "the largest entry missing", np.where(np.abs(right) == np.abs(right).max(), 0, right)
    yield "zeros", np.zeros_like(right)
    yield "noise", right + 1e-3 * np.abs(right).max() * rng.normal(size=right.shape)
