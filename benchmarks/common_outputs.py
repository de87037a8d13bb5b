"""What honest models have in common, which HW3's sketches leave out: `hidden_tests/likeness.npz`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.commands import ROOT
from benchmarks.hidden_module import hidden
from benchmarks.honest_runs import EARLY, Honest, Weights, as_recorded, weights_of
from reference.fast import network as fast_network
from reference.fast.settings import NetworkRun

KEPT = ROOT / "hidden_tests" / "likeness.npz"
PICTURES, PIECES, DRAWN_WITH = 256, 64, 20_240
BLOCKS = (2, 16, 32, 64)
SEEDS = 20
"""Honest runs whose mean is taken: further ones change it by less than a twentieth of a run's own part."""

OTHERS = (
    {"rate": 0.03, "epochs": 8},
    {"batch_size": 50, "epochs": 8},
    {"hidden": 32, "epochs": 6},
    {"alpha": 0.9, "epochs": 6},
)
"""Settings of the network that are not the question's: runs that share one would seem to be copies."""

Array = np.ndarray[Any, Any]
Load = Callable[[Honest], Mapping[int, Weights]]


def make(runs: Sequence[Honest], load: Load) -> None:
    """Draw the examples, compute what all have in common, and keep both beside the checks."""
    trusted, likeness = hidden("trusted"), hidden("likeness")
    draws = np.random.default_rng(DRAWN_WITH)
    images, labels = trusted.pictures()["test"]
    pictures = np.sort(draws.choice(len(labels), PICTURES, replace=False))
    starts = np.sort(draws.choice(len(trusted.corpus()["validation"]) - 64, PIECES, replace=False))
    kept = {"images": images[pictures], "labels": labels[pictures], "starts": starts}
    likeness.known.cache_clear()
    np.savez_compressed(KEPT, allow_pickle=False, **kept)
    kept["network"] = _halved([*_network_means(runs, load), *_other_means()])
    for block in BLOCKS:
        own = [run for run in runs if run.setting.startswith(f"4.1/{block}/")]
        kept[f"transformer_{block}"] = _halved(list(_transformer_means(own, load, block)))
    likeness.known.cache_clear()
    np.savez_compressed(KEPT, allow_pickle=False, **kept)


def _halved(rows: Sequence[Array]) -> Array:
    return np.stack(rows).astype(np.float16)


def _network_means(runs: Sequence[Honest], load: Load) -> Iterator[Array]:
    """The mean outputs of each setting after each kept number of epochs."""
    settings = dict.fromkeys(run.setting for run in runs if run.setting.startswith("3."))
    for setting in settings:
        own = [load(run) for run in runs if run.setting == setting][:SEEDS]
        last = max(own[0])
        for epoch in sorted({*EARLY, 15, last} & own[0].keys()):
            yield _mean(hidden("likeness").network_outputs(weights[epoch]) for weights in own)


def _other_means() -> Iterator[Array]:
    """The mean outputs of four runs in each other setting."""
    for other in OTHERS:
        found = []
        for seed in range(301, 305):
            values = {"batch_size": 5, "alpha": 0.0, "hidden": 128, "rate": 0.01, **other}
            epochs = int(values.pop("epochs"))
            run = NetworkRun(max_epochs=epochs, patience=None, seed=seed, **values)  # type: ignore[arg-type]
            sets, network = fast_network.prepare(run, "full")
            for _ in range(epochs):
                network.epoch(sets["train"])
            found.append(hidden("likeness").network_outputs(weights_of(network)))
        yield _mean(found)


def _transformer_means(runs: Sequence[Honest], load: Load, block: int) -> Iterator[Array]:
    """The mean outputs of all runs with this block size, after each kept number of steps."""
    outputs = hidden("likeness").transformer_outputs
    kept = [(load(run), run.heads) for run in runs]
    for step in runs[0].at if runs else ():
        yield _mean(outputs(as_recorded(weights[step], heads), block, heads) for weights, heads in kept)


def _mean(rows: Any) -> Array:
    return np.asarray(np.mean(list(rows), axis=0))
