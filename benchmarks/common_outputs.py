"""What honest models have in common, which HW3's sketches leave out: `hidden_tests/likeness.npz`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

NEURONS = {"network": 32, "transformer": 16}
"""Directions along which neurons are seen: their products then fit into a sketch as they are."""
PIXELS = 60
"""A network's directions are random ones of the plane in which pictures vary most: training moves those."""

Array = np.ndarray[Any, Any]
Load = Callable[[Honest], Mapping[int, Weights]]
Group = Sequence[tuple[Weights, Weights]]
"""Runs of one setting after equal training: their weights, now and newborn."""


def make(runs: Sequence[Honest], load: Load) -> None:
    """Draw the examples and directions, compute what all have in common, and keep it beside the checks."""
    trusted, likeness = hidden("trusted"), hidden("likeness")
    draws = np.random.default_rng(DRAWN_WITH)
    images, labels = trusted.pictures()["test"]
    pictures = np.sort(draws.choice(len(labels), PICTURES, replace=False))
    starts = np.sort(draws.choice(len(trusted.corpus()["validation"]) - 64, PIECES, replace=False))
    kept = {"images": images[pictures], "labels": labels[pictures], "starts": starts}
    for kind, space in (("network", _varying_pixels()), ("transformer", np.eye(trusted.WIDTH))):
        mixed, _ = np.linalg.qr(draws.normal(size=(space.shape[1], NEURONS[kind])))
        kept[f"{kind}_directions"] = (space @ mixed).astype(np.float16)
    _keep(kept)
    networks = [*_network_groups(runs, load), *_other_groups()]
    kept["network"] = _halved([_mean(likeness.network_outputs(w) for w, _ in group) for group in networks])
    rows = [_mean(likeness.network_neurons(*pair) for pair in group) for group in networks]
    kept["network_neurons"] = _halved(np.concatenate(rows))
    for block in BLOCKS:
        own = [run for run in runs if run.setting.startswith(f"4.1/{block}/")]
        kept[f"transformer_{block}"] = _halved(list(_transformer_means(own, load, block)))
    kept["transformer_neurons"] = _halved(np.concatenate(list(_transformer_neurons(runs, load))))
    _keep(kept)


def _keep(found: Mapping[str, Array]) -> None:
    """Write the file, and have the checks read it anew."""
    np.savez_compressed(KEPT, allow_pickle=False, **found)
    hidden("likeness").known.cache_clear()


def _halved(rows: Sequence[Array] | Array) -> Array:
    return np.stack(list(rows)).astype(np.float16)


def _varying_pixels() -> Array:
    """An orthonormal basis (784, PIXELS) of what varies most between pictures."""
    images, _ = hidden("trusted").pictures()["train"]
    _, vectors = np.linalg.eigh(np.cov(images.T / 255.0))
    return np.asarray(vectors[:, -PIXELS:])


def _network_groups(runs: Sequence[Honest], load: Load) -> Iterator[Group]:
    """Networks of each setting after each kept number of epochs."""
    settings = dict.fromkeys(run.setting for run in runs if run.setting.startswith("3."))
    for setting in settings:
        chosen = [run for run in runs if run.setting == setting][:SEEDS]
        own = [(load(run), hidden("trusted").NetworkRun.of(run.seed, epochs=0).newborn) for run in chosen]
        first, _ = own[0]
        for epoch in sorted({*EARLY, 15, max(first)} & first.keys()):
            yield [(kept[epoch], newborn) for kept, newborn in own]


def _other_groups() -> Iterator[Group]:
    """Four runs in each other setting."""
    for other in OTHERS:
        found = []
        for seed in range(301, 305):
            values = {"batch_size": 5, "alpha": 0.0, "hidden": 128, "rate": 0.01, **other}
            epochs = int(values.pop("epochs"))
            run = NetworkRun(max_epochs=epochs, patience=None, seed=seed, **values)  # type: ignore[arg-type]
            sets, network = fast_network.prepare(run, "full")
            newborn = weights_of(network)
            for _ in range(epochs):
                network.epoch(sets["train"])
            found.append((weights_of(network), newborn))
        yield found


def _transformer_means(runs: Sequence[Honest], load: Load, block: int) -> Iterator[Array]:
    """The mean outputs of all runs with this block size, after each kept number of steps."""
    outputs = hidden("likeness").transformer_outputs
    kept = [(load(run), run.heads) for run in runs]
    for step in runs[0].at if runs else ():
        yield _mean(outputs(as_recorded(weights[step], heads), block, heads) for weights, heads in kept)


def _transformer_neurons(runs: Sequence[Honest], load: Load) -> Iterator[Array]:
    """The mean products of neurons of all transformers, whose layers have one shape, after each kept step."""
    kept = [(load(run), run) for run in runs if run.setting.startswith("4.1/")]
    for step in kept[0][1].at if kept else ():
        yield _mean(
            hidden("likeness").transformer_neurons(
                as_recorded(weights[step], run.heads), as_recorded(weights[0], run.heads)
            )
            for weights, run in kept
        )


def _mean(rows: Iterable[Array]) -> Array:
    return np.asarray(np.mean(list(rows), axis=0))
