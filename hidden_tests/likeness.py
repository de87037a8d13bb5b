"""Which functions a submission's recordings hold: sketches of the trained models, to name copies in a class.

``likeness.npz`` holds 256 pictures and 64 pieces of text, the same for everybody, and what honest models give
for them: the means after several amounts of training and in several settings. `python -m
benchmarks.training_lines` made it. Two submissions' models are named from a likeness of LEAST on.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import trusted

from grader import BadEvidence, Recording, Sketch, centred_scores, sketch, unpack_weights

HERE = Path(__file__).parent
LEAST = 0.4
"""At most 0.27 was seen between honest runs of 60 seeds (README.md)."""
LEAST_OF_FEW = 0.6
"""... where what honest runs have in common is the mean of three: its own chance makes them alike by 0.25."""
FEW = (2, 16, 64)
"""Block sizes of which three runs are known."""

NETWORKS = {"3.3.i": ("",), "3.4.i": ("0.1", "0.3", "0.5", "0.7", "0.9")}
"""The labels of the networks that each item records."""

TEXT_RUNS = {
    "4.1.ii": {"": (32, 4)},
    "4.1.iii.curves": {"2": (2, 4), "16": (16, 4), "64": (64, 4)},
    "4.1.iv.curves": {"2": (32, 2), "4": (32, 4), "8": (32, 8)},
}
"""Block size and heads of each recorded run."""


@functools.cache
def known() -> dict[str, Any]:
    """The examples, and what honest models have in common."""
    with np.load(HERE / "likeness.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def sketches(recordings: Mapping[str, Recording]) -> dict[str, dict[str, Sketch]]:
    """The models of each item. A recording without readable weights has none."""
    found: dict[str, dict[str, Sketch]] = {}
    for item, recording in recordings.items():
        for label, raw in models_in(item, recording):
            try:
                text = (
                    of_network(raw) if item.startswith("3.") else of_transformer(raw, *TEXT_RUNS[item][label])
                )
            except BadEvidence:
                continue
            seed = recording.parameters.get("SEED" if item in NETWORKS else "TRANSFORMER_SEED")
            few = item not in NETWORKS and TEXT_RUNS[item][label][0] in FEW
            found.setdefault(item, {})[label or "run"] = Sketch(text, LEAST_OF_FEW if few else LEAST, seed)
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


def of_network(raw: Any) -> str:
    """The sketch of a recorded network. Raises BadEvidence for anything else."""
    return sketch_of_network(unpack_weights(raw, shapes=trusted.NETWORK))


def sketch_of_network(weights: Mapping[str, Any]) -> str:
    """The sketch of a network."""
    return sketch(network_outputs(weights), known()["network"])


def network_outputs(weights: Mapping[str, Any]) -> Any:
    """The scores for the pictures, without what shifts a whole class: (2560,)."""
    w1, b1, w2, b2 = (np.asarray(weights[name], np.float64) for name in trusted.NETWORK)
    scores = np.maximum(known()["images"] / 255.0 @ w1 + b1, 0) @ w2 + b2
    return centred_scores(scores, known()["labels"])


def of_transformer(raw: Any, block: int, heads: int) -> str:
    """The sketch of a recorded transformer. Raises BadEvidence for anything else."""
    weights = unpack_weights(raw, shapes=trusted.transformer_shapes(block, heads))
    return sketch_of_transformer(weights, block, heads)


def sketch_of_transformer(weights: Mapping[str, Any], block: int, heads: int) -> str:
    """The sketch of a transformer."""
    return sketch(transformer_outputs(weights, block, heads), known()[f"transformer_{block}"])


def transformer_outputs(weights: Mapping[str, Any], block: int, heads: int) -> Any:
    """The log-probabilities of the character after each piece of text, as far as the model looks back."""
    pieces = trusted.corpus()["validation"][known()["starts"][:, None] + np.arange(64)]
    scores = trusted.scores(weights, pieces[:, -block:], heads=heads)[:, -1]
    return centred_scores(scores, np.zeros(len(scores)))
