"""Which models a submission's recordings hold: sketches of each, to name copies in a class.

One is of the model's outputs, the other of its first layers' neurons: weights that were added to others and
healed have lost the function, and still have the neurons. ``likeness.npz`` holds 256 pictures and 64 pieces
of text, the same for everybody, directions along which neurons are seen, and what honest models give for
them: the means after several amounts of training and in several settings. `python -m
benchmarks.training_lines` made it. Two submissions' models are named from a likeness of LEAST on.
"""

import contextlib
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import run_ends
import trusted

from grader import (
    BadEvidence,
    Recording,
    Sketch,
    centred_scores,
    clock,
    neuron_products,
    sketch,
    unpack_weights,
    without_common,
)

Weights = Mapping[str, Any]

HERE = Path(__file__).parent
LEAST = 0.4
"""At most 0.27 was seen between honest runs of 60 seeds (README.md)."""
LEAST_OF_NEURONS = 0.35
"""... and 0.25 of the neurons'."""
LEAST_OF_FEW = 0.6
"""... of outputs, where what honest runs have in common is a mean of few: chance makes some alike."""
LEAST_CLOCK = 0.3
"""Honest runs end at 0.57 and more."""
FEW = (2, 16, 64)
"""Block sizes of which three runs are known."""

NETWORKS = {"3.3.i": ("",), "3.4.i": run_ends.ALPHAS}
"""The labels of the networks that each item records."""

TEXT_RUNS = {
    "4.1.ii": {"": run_ends.USUAL},
    "4.1.iii.curves": run_ends.BLOCKS,
    "4.1.iv.curves": run_ends.HEADS,
}
"""Block size and heads of each recorded run."""


@functools.cache
def known() -> dict[str, Any]:
    """The examples, and what honest models have in common."""
    with np.load(HERE / "likeness.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def sketches(recordings: Mapping[str, Recording]) -> dict[str, dict[str, Sketch]]:
    """Two sketches of each item's models. A recording without readable weights has none."""
    found: dict[str, dict[str, Sketch]] = {}
    for item, recording in recordings.items():
        for label, raw in models_in(item, recording):
            with contextlib.suppress(BadEvidence):
                found.setdefault(item, {}).update(of_model(item, label, raw, recording.parameters))
    return found


def models_in(item: str, recording: Recording) -> list[tuple[str, Any]]:
    """The recorded weights of each run of an item, unread."""
    labels = NETWORKS.get(item) or tuple(TEXT_RUNS.get(item, ()))
    if labels == ("",):
        return [("", recording.data.get("weights"))]
    runs = recording.data.get("runs")
    if not isinstance(runs, dict):
        return []
    return [(label, runs[label].get("weights")) for label in labels if isinstance(runs.get(label), dict)]


def of_model(item: str, label: str, raw: Any, parameters: Mapping[str, Any]) -> dict[str, Sketch]:
    """The sketches of a recorded model by their labels. Raises BadEvidence for weights of another model."""
    least, name = LEAST, label or "run"
    if item in NETWORKS:
        seed = parameters.get("SEED")
        weights = unpack_weights(raw, shapes=trusted.NETWORK)
        outputs, neurons = sketch_of_network(weights), neurons_of_network(weights, seed)
    else:
        seed, (block, heads) = parameters.get("TRANSFORMER_SEED"), TEXT_RUNS[item][label]
        weights = unpack_weights(raw, shapes=trusted.transformer_shapes(block, heads))
        outputs = sketch_of_transformer(weights, block, heads)
        neurons = neurons_of_transformer(weights, seed, block, heads)
        least = LEAST_OF_FEW if block in FEW else LEAST
    return {
        name: Sketch(outputs, least, seed),
        f"{name}.neurons": Sketch(neurons, LEAST_OF_NEURONS, seed),
    }


def sketch_of_network(weights: Weights) -> str:
    """The sketch of a network."""
    return sketch(network_outputs(weights), known()["network"])


def network_outputs(weights: Weights) -> Any:
    """The scores for the pictures, without what shifts a whole class: (2560,)."""
    w1, b1, w2, b2 = (np.asarray(weights[name], np.float64) for name in trusted.NETWORK)
    scores = np.maximum(known()["images"] / 255.0 @ w1 + b1, 0) @ w2 + b2
    return centred_scores(scores, known()["labels"])


def sketch_of_transformer(weights: Weights, block: int, heads: int) -> str:
    """The sketch of a transformer."""
    return sketch(transformer_outputs(weights, block, heads), known()[f"transformer_{block}"])


def transformer_outputs(weights: Weights, block: int, heads: int) -> Any:
    """The log-probabilities of the character after each piece of text, as far as the model looks back."""
    pieces = trusted.corpus()["validation"][known()["starts"][:, None] + np.arange(64)]
    scores = trusted.scores(weights, pieces[:, -block:], heads=heads)[:, -1]
    return centred_scores(scores, np.zeros(len(scores)))


# -- neurons -----------------------------------------------------------------------------------------------


def neurons_of_network(weights: Weights, seed: object) -> str:
    """The sketch of a network's first layer."""
    newborn = trusted.NetworkRun.of(seed, epochs=0).newborn if is_seed(seed) else None
    return sketch_of_neurons(network_neurons(weights, newborn), "network")


def neurons_of_transformer(weights: Weights, seed: object, block: int, heads: int) -> str:
    """The sketch of a transformer's layers that think."""
    newborn = trusted.newborn_transformer(trusted.TorchDraws(seed), block, heads) if is_seed(seed) else None
    return sketch_of_neurons(transformer_neurons(weights, newborn), "transformer")


def is_seed(seed: object) -> bool:
    """Whether newborn weights can be drawn from it."""
    return type(seed) is int and 0 <= seed < 2**32


def sketch_of_neurons(rows: Any, kind: str) -> str:
    """One sketch of both rows, so that weights are compared with what training added elsewhere as well."""
    return sketch(without_common(rows, known()[f"{kind}_neurons"]).sum(axis=0))


def network_neurons(weights: Weights, newborn: Weights | None) -> Any:
    """The products of a network's neurons: (1 or 2, 496)."""
    return products(weights, newborn, {"L1.W": 1}, known()["network_directions"])


def transformer_neurons(weights: Weights, newborn: Weights | None) -> Any:
    """The products of the neurons in each layer that thinks: (1 or 2, 480)."""
    layers = {f"blocks.{layer}.think.0.weight": 0 for layer in range(trusted.LAYERS)}
    return products(weights, newborn, layers, known()["transformer_directions"])


def products(weights: Weights, newborn: Weights | None, layers: Mapping[str, int], directions: Any) -> Any:
    """The products of the layers' neurons, and of what training has added to them.

    ``layers`` maps a name to the axis that counts its neurons. Nothing was added to newborn weights of which
    the trained ones have nothing: the run began elsewhere.
    """
    states = [weights]
    if newborn is not None and clock(weights, newborn, names=layers) > LEAST_CLOCK:
        states.append({name: weights[name] - newborn[name] for name in layers})
    return np.stack([_products_of(state, layers, directions) for state in states])


def _products_of(state: Weights, layers: Mapping[str, int], directions: Any) -> Any:
    neurons = (np.moveaxis(state[name], axis, 0) for name, axis in layers.items())
    return np.concatenate([neuron_products(some, directions) for some in neurons])
