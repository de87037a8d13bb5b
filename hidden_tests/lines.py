"""How far honest training has come: which losses and which weights go with so much of it.

A loss alone and a clock (the cosine of trained and newborn weights) alone are cheap to forge. Here they are
one statistic, with the weights' size and the share of relus that are on, which tell another learning rate or
another size of mini-batches: Hotelling's T^2 from honest runs of many seeds (``grader.TrainingLine``). An
honest run is off its line with a probability of at most 1e-4. `python -m benchmarks.training_lines` made
``lines.json``.
"""

import functools
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from grader import TrainingLine, clock, computed_once, log_size, neuron_clock

Weights = Mapping[str, Any]

NETWORK = ("log train", "clock L1.W", "size L1.W", "size L2.W", "active")
TRANSFORMER = ("validation", "clock blocks", "neurons think.0", "size blocks")

FILE = Path(__file__).parent / "lines.json"


@functools.cache
def lines() -> dict[str, TrainingLine]:
    """The line of each setting, such as "3.3.i" or "4.1/32/4" (block size and heads)."""
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    return {setting: TrainingLine.of_data(line) for setting, line in kept["lines"].items()}


def off_the_line(
    setting: str, measured: Mapping[str, float], weights: Weights, newborn: Weights, amount: int
) -> str:
    """Why these are not the numbers of so much honest training, with both sides; "" if they are.

    ``measured`` are losses and shares that the grader computed, ``amount`` the claimed epochs or steps.
    """
    line = lines()[setting]
    if amount != line.at[-1]:
        known = f"{line.at[-1]:,.0f}"
        return f"the run took {amount:,} epochs or steps; the grader knows honest runs of {known} only"
    found = numbers(line.names, measured, weights, newborn)
    if line.holds(found, amount):
        return ""
    spread = np.sqrt(np.diag(line.covariances[-1]))
    sides = ", ".join(
        f"{name} {value:.4g} (honest runs: {mean:.4g} +- {sd:.2g})"
        for name, value, mean, sd in zip(line.names, found, line.means[-1], spread, strict=True)
    )
    return f"weights and losses are not as after {amount:,} epochs or steps: {sides}"


@computed_once
def numbers(
    names: tuple[str, ...], measured: Mapping[str, float], weights: Weights, newborn: Weights
) -> list[float]:
    """The numbers of a line: "clock X", "neurons X" and "size X" of the matrices whose names hold X."""
    found = []
    for name in names:
        kind, _, which = name.partition(" ")
        chosen = [key for key in newborn if which in key and newborn[key].ndim == 2]
        match kind:
            case "clock":
                found.append(clock(weights, newborn, names=chosen))
            case "size":
                found.append(log_size(weights, names=chosen))
            case "neurons":
                found.append(neuron_clock(weights, newborn, neurons=dict.fromkeys(chosen, 0)))
            case "log":
                found.append(math.log(measured[which]) if measured[which] > 0 else -math.inf)
            case _:
                found.append(float(measured[name]))
    return found
