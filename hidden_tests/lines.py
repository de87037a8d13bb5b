"""How far honest training has come: which losses and which weights go with so much of it.

``loss`` alone and ``clock`` (the cosine of trained and newborn weights) alone are cheap to forge; both
together took a quarter of honest training with somebody else's run, and most of it without one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

Weights = Mapping[str, Any]

LINES: dict[str, tuple[int, dict[str, tuple[float, float]]]] = {
    "3.3.i": (30, {"train": (1.2, 2.6), "L1.W": (0.92, 0.96), "L2.W": (0.5, 0.8)}),
    "3.4.i/0.1": (20, {"train": (1.7, 2.9), "L1.W": (0.94, 0.97), "L2.W": (0.5, 0.8)}),
    "3.4.i/0.3": (20, {"train": (1.5, 2.8), "L1.W": (0.92, 0.96), "L2.W": (0.45, 0.8)}),
    "3.4.i/0.5": (20, {"train": (1.3, 2.8), "L1.W": (0.89, 0.94), "L2.W": (0.4, 0.8)}),
    "3.4.i/0.7": (20, {"train": (1.2, 3.0), "L1.W": (0.84, 0.89), "L2.W": (0.35, 0.8)}),
    "3.4.i/0.9": (20, {"train": (1.4, 4.5), "L1.W": (0.62, 0.73), "L2.W": (0.25, 0.7)}),
    "4.1/32/4": (5_000, {"validation": (1.73, 1.94), "think": (0.55, 0.63)}),
    "4.1/2/4": (5_000, {"validation": (2.28, 2.50), "think": (0.65, 0.74)}),
    "4.1/16/4": (5_000, {"validation": (1.80, 2.02), "think": (0.57, 0.66)}),
    "4.1/64/4": (5_000, {"validation": (1.66, 1.89), "think": (0.52, 0.61)}),
    "4.1/32/2": (5_000, {"validation": (1.72, 1.94), "think": (0.55, 0.63)}),
    "4.1/32/8": (5_000, {"validation": (1.74, 1.95), "think": (0.55, 0.63)}),
}
"""By setting: the epochs or steps, and between which numbers honest runs of so many end."""


def off_the_line(
    setting: str, losses: Mapping[str, float], weights: Weights, newborn: Weights, amount: int
) -> str:
    """What is not as after so much honest training, with both sides; "" if all is.

    ``losses`` are those that the grader computed, ``amount`` the epochs or steps that are claimed.
    """
    known, bounds = LINES[setting]
    if amount != known:
        return f"the run took {amount:,} epochs or steps; the grader knows honest runs of {known:,} only"
    clocks = {name: cosine(weights, newborn, name) for name in bounds if name not in ("train", "validation")}
    numbers = {**losses, **clocks}
    off = [
        f"{name} is {numbers[name]:.4g} (honest runs: {low:g} to {high:g})"
        for name, (low, high) in bounds.items()
        if name in numbers and not low <= numbers[name] <= high
    ]
    return f"not as after {amount:,} epochs or steps of training: {'; '.join(off)}" if off else ""


def cosine(weights: Weights, newborn: Weights, name: str) -> float:
    """The cosine between the trained and the newborn arrays whose names hold ``name``."""
    a, b = (
        np.concatenate([np.ravel(some[key]) for key in some if name in key]).astype(np.float64)
        for some in (weights, newborn)
    )
    return float(a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-300))
