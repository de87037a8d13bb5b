"""Honest runs of HW3's models that keep their weights on the way, each in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reference.fast import network as fast_network
from reference.fast.settings import NetworkRun, TransformerRun, parameters

Weights = dict[str, np.ndarray[Any, Any]]
EPOCHS, MOMENTUM_EPOCHS, STEPS = (10, 15, 20, 25, 28, 29, 30), (10, 15, 20), (1000, 2000, 3000, 4000, 5000)
EARLY = (1, 2, 4, 8)
"""Epochs whose weights are kept only to know what honest networks have in common."""
ALPHAS = ("0.1", "0.3", "0.5", "0.7", "0.9")
STEEP = ("0.7", "0.9")
"""Alphas whose runs vary in their own way."""
TRANSFORMERS = ((32, 4), (2, 4), (16, 4), (64, 4), (32, 2), (32, 8))
"""Block size and heads."""


@dataclass(frozen=True)
class Honest:
    """One honest run: what its file is called, and the setting whose line it calibrates."""

    setting: str
    seed: int

    @property
    def file(self) -> str:
        """The name of its file: network-ALPHA-SEED or transformer-BLOCK-HEADS-SEED."""
        kind, _, which = self.setting.partition("/")
        if kind == "4.1":
            return f"transformer-{which.replace('/', '-')}-{self.seed}.npz"
        return f"network-{which or '0'}-{self.seed}.npz"

    @property
    def heads(self) -> int:
        """The heads of a transformer."""
        return int(self.setting.rpartition("/")[2])

    @property
    def at(self) -> tuple[int, ...]:
        """The epochs or steps after which its weights are kept."""
        if self.setting == "3.3.i":
            return EPOCHS
        return STEPS if self.setting.startswith("4.1") else MOMENTUM_EPOCHS


def plan(*, network: int, momentum: int, steep: int, default: int, transformer: int) -> list[Honest]:
    """The runs with the seeds 1, 2, ... of each setting."""
    seeds = {"3.3.i": network} | {f"3.4.i/{alpha}": steep if alpha in STEEP else momentum for alpha in ALPHAS}
    for block, heads in TRANSFORMERS:
        seeds[f"4.1/{block}/{heads}"] = default if (block, heads) == TRANSFORMERS[0] else transformer
    return [Honest(setting, seed) for setting, count in seeds.items() for seed in range(1, count + 1)]


def train(run: Honest) -> dict[int, Weights]:
    """The weights of an honest run after the epochs or steps that are kept, and newborn (0)."""
    if not run.setting.startswith("4.1"):
        return dict(_network_epochs(run))
    import torch  # noqa: PLC0415  # not needed for the networks

    from reference.fast.transformer import Training  # noqa: PLC0415
    from reference.utils import load_text  # noqa: PLC0415

    torch.set_num_threads(1)
    training, kept, done = Training(_transformer_run(run), load_text("full"), "cpu"), {}, 0
    for step in (0, *run.at):
        training.steps(step - done)
        done = step
        kept[step] = {name: value.numpy().copy() for name, value in training.model.state_dict().items()}
    return kept


def _network_epochs(run: Honest) -> Iterator[tuple[int, Weights]]:
    alpha = float(run.setting.partition("/")[2] or 0)
    values = parameters()
    own = NetworkRun(5, run.at[-1], None, alpha, values["HIDDEN"], values["LEARNING_RATE"], run.seed)
    sets, network = fast_network.prepare(own, "full")
    for epoch in range(run.at[-1] + 1):
        if epoch:
            network.epoch(sets["train"])
        if epoch in (0, *EARLY, *run.at):
            yield epoch, weights_of(network)


def weights_of(network: fast_network.Network) -> Weights:
    """A copy of the network's weights under the names that a recording has."""
    parts = {"L1": network.first, "L2": network.second}
    return {
        f"{layer}.{name}": part.copy()
        for layer, w in parts.items()
        for name, part in (("W", w[:-1]), ("b", w[-1:]))
    }


def _transformer_run(run: Honest) -> TransformerRun:
    block, heads = map(int, run.setting.split("/")[1:])
    return TransformerRun(block, heads, STEPS[-1], 16, 1e-3, 100, 200, 64, 4, 500, run.seed)


def as_recorded(weights: Weights, heads: int) -> Weights:
    """A transformer's weights under the names of the notebook's model: a matrix for each head."""
    found: Weights = {}
    for name, value in weights.items():
        layer, _, part = name.rpartition(".")
        if part == "attend":
            size = value.shape[1] // heads
            for place, kind in enumerate(("query", "key", "value")):
                for head in range(heads):
                    rows = (place * heads + head) * size
                    found[f"{layer}.heads.{head}.{kind}.weight"] = value[rows : rows + size]
        else:
            found[name.replace(".widen.", ".think.0.").replace(".narrow.", ".think.2.")] = value
    return found


def rounded(weights: Weights) -> Weights:
    """What int8 with a scale for each row leaves of the weights."""
    found = {}
    for name, value in weights.items():
        rows = value.reshape(value.shape[0] if value.ndim > 1 else 1, -1).astype(np.float32)
        scale = np.abs(rows).max(axis=1, keepdims=True) / 127
        scale[scale == 0] = 1
        found[name] = (np.round(rows / scale) * scale).reshape(value.shape)
    return found


def kept_or_trained(run: Honest, folder: Path) -> dict[int, Weights]:
    """The run's weights from its file, or trained now and kept."""
    path = folder / run.file
    if not path.exists():
        partial = path.with_suffix(".part.npz")
        np.savez(
            partial,
            allow_pickle=False,
            **{
                f"{at}/{name}": np.asarray(value, np.float32)
                for at, weights in train(run).items()
                for name, value in weights.items()
            },
        )
        partial.replace(path)
    kept: dict[int, Weights] = {}
    with np.load(path, allow_pickle=False) as file:
        for key in file.files:
            at, slash, name = key.partition("/")
            if slash and int(at) in (0, *EARLY, *run.at):
                kept.setdefault(int(at), {})[name] = file[key]
    return kept
