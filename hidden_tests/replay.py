"""How HW3's long runs are replayed: a few steps on the full data, from the recorded seed and sizes."""

import functools
import math
from collections.abc import Mapping
from typing import Any

import run_ends

from grader import BadEvidence, Recording, Replay

Recordings = Mapping[str, tuple[Mapping[str, Any], ...]]
"""The raw recordings of each item."""

# The parameters that decide which random numbers are drawn and how far a step goes, with their ranges: a
# hostile number must not cost the whole run. One out of range is left as it is in the notebook.
IMAGES: dict[str, tuple[float, float]] = {
    "SEED": (0, 2**32 - 1),
    "LEARNING_RATE": (1e-9, 10.0),
    "BATCH_SIZE": (1, 1_000),
}
TEXTS: dict[str, tuple[float, float]] = {
    "TRANSFORMER_SEED": (0, 2**53),
    "TRANSFORMER_RATE": (1e-9, 10.0),
    "TRANSFORMER_BATCH": (1, 64),
    "EVAL_EVERY": (1, 100_000),
    "EVAL_BATCHES": (1, 1_000),
}
FRACTIONS = {"LEARNING_RATE", "TRANSFORMER_RATE"}


def prepare(recordings: Recordings) -> Replay:
    """The budget with which the recorded runs begin again; an empty replay if nothing was recorded."""
    budget: dict[str, Any] = {}
    for start, ranges in (("3.", IMAGES), ("4.", TEXTS)):
        budget |= recorded([found for item, found in recordings.items() if item.startswith(start)], ranges)
    return Replay(budget=budget, meanwhile=functools.partial(run_ends.compute, recordings))


def recorded(
    found: list[tuple[Mapping[str, Any], ...]], ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    """These parameters from the first readable recording, as far as they are usable."""
    for recording in (recording for several in found for recording in several):
        try:
            parameters = Recording.of(recording).parameters
        except BadEvidence:
            continue
        return {name: parameters[name] for name in ranges if usable(name, parameters.get(name), ranges[name])}
    return {}


def usable(name: str, value: object, within: tuple[float, float]) -> bool:
    """Whether a value is a number of the right kind, within its range."""
    kinds = (int, float) if name in FRACTIONS else (int,)
    return type(value) in kinds and math.isfinite(value) and within[0] <= value <= within[1]  # type: ignore[arg-type,operator]  # a number by now
