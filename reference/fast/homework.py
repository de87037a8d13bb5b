"""The homework's own numbers, compared with the results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

BATCH_SIZES = {
    "1": (16, 13, 130_000, 0.8482),
    "5": (13, 10, 20_000, 0.8435),
    "50": (46, 43, 8_600, 0.8292),
    "500": (42, 39, 780, 0.7510),
    "5000": (161, 158, 316, 0.6856),
}
"""By batch size: epochs run, the best epoch, updates up to it, test accuracy there."""

FIRST_EPOCHS = ((6.05685388211968, 0.7893, 0.7765), (5.173094948088359, 0.8187, 0.8015))
"""Batch size 5: the loss as the notebook sums it, training and validation accuracy."""

VALIDATION_LOSS = {
    ("default_run",): 1.826,
    ("block_runs", "2"): 2.398,
    ("block_runs", "16"): 1.919,
    ("block_runs", "64"): 1.787,
    ("head_runs", "2"): 1.829,
    ("head_runs", "4"): 1.826,
    ("head_runs", "8"): 1.855,
}
"""The transformer's, at its last step."""

LOSS_TOLERANCE = 1e-10
"""Relative: float64 sums in another order."""
TRANSFORMER_TOLERANCE = 0.02
"""Absolute: thousands of float32 steps drift apart on different machines, by less than another seed would."""

Name = tuple[str, ...]
History = Mapping[str, Any]


@dataclass(frozen=True)
class Line:
    """One number of the homework, the result, and whether they agree."""

    what: str
    expected: str
    found: str
    agrees: bool


def compare(results: Mapping[Name, History]) -> Iterator[Line]:
    """One line per number whose run is among the results."""
    for size, expected in BATCH_SIZES.items():
        if history := results.get(("batch_runs", size)):
            yield _batch_size(size, expected, history)
    if first := results.get(("first_run",)):
        yield from _first_epochs(first)
    if early := results.get(("early_run",)):
        epochs = BATCH_SIZES["5"][0]
        stopped = early["stopped_at"]
        yield Line("early stopping would end training after", str(epochs), str(stopped), stopped == epochs)
    for name, loss in VALIDATION_LOSS.items():
        if history := results.get(name):
            yield _validation_loss(name, loss, history)


def _batch_size(size: str, expected: tuple[int, int, int, float], history: History) -> Line:
    best = history["best_epoch"]
    found = (len(history["loss"]), best, history["updates"], round(history["test_at_best"], 4))
    what = f"batch {size}: epochs, best, updates, test accuracy"
    return Line(what, _joined(expected), _joined(found), found == expected)


def _joined(numbers: tuple[int, int, int, float]) -> str:
    *counts, accuracy = numbers
    return ", ".join(f"{count:,}" for count in counts) + f", {accuracy:.4f}"


def _first_epochs(history: History) -> Iterator[Line]:
    columns = zip(FIRST_EPOCHS, history["loss"], history["train"], history["validation"], strict=False)
    for epoch, ((loss, *accuracies), found_loss, *found) in enumerate(columns, start=1):
        agrees = abs(found_loss / loss - 1) <= LOSS_TOLERANCE and found == accuracies
        yield Line(
            f"batch 5, epoch {epoch}: loss, train, validation",
            f"{loss:.10f}, {accuracies[0]:.4f}, {accuracies[1]:.4f}",
            f"{found_loss:.10f}, {found[0]:.4f}, {found[1]:.4f}",
            agrees,
        )


def _validation_loss(name: Name, expected: float, history: History) -> Line:
    found = history["validation"][-1]
    return Line(
        f"transformer, {' '.join(name).replace('_runs', '').replace('_run', '')}: validation loss",
        f"{expected:.3f} ± {TRANSFORMER_TOLERANCE}",
        f"{found:.3f}",
        abs(found - expected) <= TRANSFORMER_TOLERANCE,
    )
