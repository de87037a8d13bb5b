"""What HW3's evidence checks look at in a recording, as one number for each bound in their `conftest.py`."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.commands import ROOT
from benchmarks.hidden_module import hidden
from grader.checks.curves import roughness
from grader.model.calibration import Side

HIDDEN = ROOT / "hidden_tests"
Name = tuple[str, ...]
Histories = Mapping[Name, dict[str, Any]]


@dataclass(frozen=True)
class Seen:
    """One value of a statistic, and which values pass.

    ``scale``: it is a size, as noise has one: its logarithm varies alike around large and small ones.
    """

    value: float
    side: Side = Side.LEAST
    scale: bool = False

    @property
    def as_law(self) -> float:
        """The number to which a normal law is fitted; the lower, the nearer to failing."""
        number = math.log(self.value) if self.scale else self.value
        return number if self.side is Side.LEAST else -number

    def back(self, number: float) -> float:
        """From ``as_law`` to the statistic itself."""
        number = number if self.side is Side.LEAST else -number
        return math.exp(number) if self.scale else number


Statistics = dict[str, Seen]
"""What one seed gave, by the name of the bound."""


def checks() -> ModuleType:
    """The bounds, from the file where the checks find them."""
    return hidden("conftest")


def of_the_network(runs: Histories, *, accuracies: Sequence[str]) -> Statistics:
    """What the curves of an item say, each time on the worst of them."""
    part_of = checks().noisy_part
    losses = [run["loss"] for run in runs.values()]
    shares = [roughness(part_of(run[part], loss=False)) for run in runs.values() for part in accuracies]
    jumps = [roughness(part_of(loss, loss=True)) for loss in losses]
    return {
        "ROUGH_ACCURACY": Seen(min(shares), scale=True),
        "ROUGH_LOSS": Seen(min(jumps), scale=True),
        "ROUGH_TOGETHER": Seen(float(np.exp(np.mean(np.log(shares + jumps)))), scale=True),
    }


def of_the_early_run(runs: Histories) -> Statistics:
    """What 3.3.i looks at: 30 epochs, three accuracies and the loss."""
    return of_the_network(runs, accuracies=("train", "validation", "test"))


def of_the_momentum_runs(runs: Histories) -> Statistics:
    """What 3.4.i looks at: five runs of 20 epochs, validation accuracy and loss."""
    return of_the_network(runs, accuracies=("validation",))


def of_the_losses(runs: Histories, *, key: Name) -> Statistics:
    """What 4.1.ii looks at, and 4.1.iii for each block size: a transformer's two curves.

    ``key`` says where the reference's own curves are.
    """
    [run], own, pinned = runs.values(), checks(), reference()
    for part in key:
        pinned = pinned[part]
    train, validation = np.array(run["train"]), np.array(run["validation"])
    usual = min(roughness(np.array(pinned[part])[own.FALLING :]) for part in ("train_loss", "val_loss"))
    rough = min(roughness(curve[own.FALLING :]) for curve in (train, validation))
    return {"ROUGH": Seen(rough / usual, scale=True)}


def smoothed(runs: Histories) -> Histories:
    """The same runs with each value of a curve replaced by its mean with both neighbours."""

    def smooth(curve: Sequence[float]) -> list[float]:
        inner = np.convolve(curve, np.ones(3) / 3, mode="valid")
        return [curve[0], *inner.tolist(), curve[-1]]

    curves = {"loss", "train", "validation", "test"}
    return {
        name: dict(run) | {part: smooth(run[part]) for part in curves & run.keys()}
        for name, run in runs.items()
    }


def used(item: str, name: str) -> float:
    """The number in the checks, where each item may have its own."""
    number = getattr(checks(), name)
    return float(number[item] if isinstance(number, dict) else number)


def missed(item: str, found: Statistics) -> set[str]:
    """The bounds in the checks that a recording with these statistics does not keep."""
    return {
        name
        for name, seen in found.items()
        if (seen.value < used(item, name) if seen.side is Side.LEAST else seen.value > used(item, name))
    }


def numbers_digest() -> str:
    """The SHA-256 of the numbers in the checks that are calibrated here; changed ones have another."""
    statistics = ("ROUGH", "ROUGH_ACCURACY", "ROUGH_LOSS", "ROUGH_TOGETHER")
    numbers = {name: getattr(checks(), name) for name in statistics}
    return hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()


@functools.cache
def reference() -> Any:
    """The pinned curves of the reference's own run."""
    return json.loads((HIDDEN / "reference_curves.json").read_text(encoding="utf-8"))


LOOKS: dict[str, tuple[Name, Callable[[Histories], Statistics]]] = {
    "3.3.i": (("early_run",), of_the_early_run),
    "3.4.i": (("momentum_runs",), of_the_momentum_runs),
    "4.1.ii": (("default_run",), functools.partial(of_the_losses, key=("4.1.ii",))),
    "4.1.iii.curves": (("block_runs", "2"), functools.partial(of_the_losses, key=("4.1.iii.curves", "2"))),
}
"""By item: how the names of the runs that it looks at begin, and what it looks for.

Of 4.1.iii only the smallest block, where the losses are noisiest and the two curves closest to each other.
"""
