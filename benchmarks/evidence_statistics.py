"""What HW3's evidence checks look at in a recording, as one number for each bound in their `conftest.py`."""

from __future__ import annotations

import functools
import importlib.util
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from benchmarks.commands import ROOT
from grader.checks.curves import roughness
from grader.checks.letters import LetterPairs, shingle_hits
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


@functools.cache
def checks() -> ModuleType:
    """The bounds, from the file where the checks find them."""
    spec = importlib.util.spec_from_file_location("evidence_conftest", HIDDEN / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fall(curve: Sequence[float]) -> float:
    """By which share of its first value a loss falls, as `grader.checks.curves.falls` looks at it."""
    return 1 - float(np.mean(curve[-max(1, len(curve) // 10) :])) / curve[0]


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
        "LOSS_FALLS": Seen(min(map(fall, losses))),
    }


def of_the_early_run(runs: Histories) -> Statistics:
    """What 3.3.i looks at: 30 epochs, three accuracies and the loss."""
    found = of_the_network(runs, accuracies=("train", "validation", "test"))
    return found | {"LEARNS": Seen(max(runs["early_run",]["train"]))}


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
    quarter = len(train) // 4
    rough = min(roughness(curve[own.FALLING :]) for curve in (train, validation))
    return {
        "ROUGH": Seen(rough / usual, scale=True),
        "FALLS": Seen(min(fall(run["train"]), fall(run["validation"]))),
        "GAP": Seen(float((validation[-quarter:] - train[-quarter:]).mean())),
    }


def of_the_texts(runs: Histories) -> Statistics:
    """What 4.1.i looks at: what the default transformer writes before and after training."""
    own, before, after = checks(), runs["default_run",]["before"], runs["default_run",]["after"]
    looked_at, hits = shingle_hits(after, own.shingles(), length=own.SHINGLE, one_in=own.ONE_IN)
    return {
        "SURPRISE": Seen(pairs().surprise(after), Side.MOST),
        "BETTER": Seen(pairs().surprise(before) - pairs().surprise(after)),
        "COPIED": Seen(hits / max(1, looked_at), Side.MOST),
    }


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


@functools.cache
def pairs() -> LetterPairs:
    """What the checks read texts with."""
    return LetterPairs.of(checks().macbeth())


@functools.cache
def reference() -> Any:
    """The pinned curves of the reference's own run."""
    return json.loads((HIDDEN / "reference_curves.json").read_text(encoding="utf-8"))


LOOKS: dict[str, tuple[Name, Callable[[Histories], Statistics]]] = {
    "3.3.i": (("early_run",), of_the_early_run),
    "3.4.i": (("momentum_runs",), of_the_momentum_runs),
    "4.1.ii": (("default_run",), functools.partial(of_the_losses, key=("4.1.ii",))),
    "4.1.iii.curves": (("block_runs", "2"), functools.partial(of_the_losses, key=("4.1.iii.curves", "2"))),
    "4.1.i.generation": (("default_run",), of_the_texts),
}
"""By item: how the names of the runs that it looks at begin, and what it looks for.

Of 4.1.iii only the smallest block, where the losses are noisiest and the two curves closest to each other.
"""
