"""How good predictions are: losses and accuracy, computed on the trusted side from what was predicted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from grader.checks.arrays import Array, as_array, expected_array
from grader.checks.formatting import shape_text
from grader.model.errors import AuthorError, CheckFailed

_LEAST_PROBABILITY = 1e-300
_ROWS = 2


@dataclass(frozen=True)
class Measure:
    """``of(predicted, targets)`` is one number, ``constant(targets)`` the best constant prediction's."""

    name: str
    higher_is_better: bool
    of: Callable[[Array, Array], float]
    constant: Callable[[Array], float]

    def score(self, predicted: object, targets: object, *, name: str) -> float:
        """The measure of a student's predictions. Raises CheckFailed if they are malformed."""
        want = expected_array(targets, name=f"the targets of {name}")
        have = as_array(predicted, name=name)
        if self.name != "squared_error":
            return self.of(self._classes(have, want, name), want.astype(np.int64))
        if have.shape != want.shape:
            said = f"{name} has {shape_text(have.shape)}, expected {shape_text(want.shape)}."
            raise CheckFailed(said + suggestion(have, want, besides=self.name))
        return self.of(have, want)

    def _classes(self, have: Array, want: Array, name: str) -> Array:
        """One row per target; a class may stand for a row or, with two classes, a probability."""
        if want.ndim != 1 or want.size == 0 or not _are_classes(want):
            what = f"of shape {want.shape}" if want.ndim != 1 or want.size == 0 else "numbers such as 0.5"
            wanted = f'with measure="{self.name}" the targets of {name} are one class for each example'
            raise AuthorError(f"{wanted}, not {what}.{suggestion(have, want, besides=self.name)}")
        if have.shape in ((len(want),), (len(want), 1)) and self.name != "cross_entropy":
            return have.reshape(-1)
        if have.ndim == _ROWS and len(have) == len(want) and have.shape[1] > want.max():
            return have
        raise CheckFailed(
            f"{name} has {shape_text(have.shape)}, expected one row for each of the {len(want)} examples, "
            f"with a column for each class.{suggestion(have, want, besides=self.name)}"
        )


def _accuracy(predicted: Array, targets: Array) -> float:
    chosen = predicted.argmax(axis=1) if predicted.ndim == _ROWS else predicted
    return float((chosen == targets).mean())


def _most_frequent(targets: Array) -> float:
    return float(np.unique(targets, return_counts=True)[1].max() / targets.size)


def _cross_entropy(logits: Array, targets: Array) -> float:
    wide = logits.astype(np.float64)
    with np.errstate(all="ignore"):
        shifted = wide - wide.max(axis=1, keepdims=True)
        logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return float(-logs[np.arange(len(targets)), targets].mean())


def _log_loss(probabilities: Array, targets: Array) -> float:
    wide = probabilities.astype(np.float64)
    if wide.ndim == 1:
        wide = np.stack([1 - wide, wide], axis=1)
        if targets.max() > 1:
            raise CheckFailed("one probability for each example says nothing about more than two classes.")
    if not bool((wide >= 0).all() and np.allclose(wide.sum(axis=1), 1, atol=1e-4)):
        raise CheckFailed("the predictions are no probabilities: rows of numbers >= 0 that add up to 1.")
    return float(-np.log(np.fmax(wide[np.arange(len(targets)), targets], _LEAST_PROBABILITY)).mean())


def _entropy(targets: Array) -> float:
    shares = np.unique(targets, return_counts=True)[1] / targets.size
    return float(-(shares * np.log(shares)).sum())


def _squared_error(predicted: Array, targets: Array) -> float:
    with np.errstate(all="ignore"):
        return float(np.mean((predicted.astype(np.float64) - targets) ** 2))


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("accuracy", True, _accuracy, _most_frequent),  # noqa: FBT003  # named by its field
        Measure("cross_entropy", False, _cross_entropy, _entropy),  # noqa: FBT003
        Measure("log_loss", False, _log_loss, _entropy),  # noqa: FBT003
        Measure("squared_error", False, _squared_error, lambda targets: float(np.var(targets))),  # noqa: FBT003
    )
}


def _are_classes(targets: Array) -> bool:
    """Whether these are whole numbers from 0 on."""
    return bool((targets >= 0).all() and (targets == np.floor(targets)).all())


def suggestion(predicted: Array, targets: Array, *, besides: str) -> str:
    """The measures that predictions and targets of these shapes fit, for the check's author."""
    if targets.ndim == _ROWS and _are_classes(targets) and bool((targets.sum(axis=1) == 1).all()):
        return " The targets look one-hot: pass targets.argmax(axis=1)."
    fits = [name for name in MEASURES if name != besides and _fits(name, predicted, targets)]
    named = " or ".join(f'measure="{name}"' for name in fits)
    return f" These shapes fit {named}." if fits else ""


def _fits(name: str, predicted: Array, targets: Array) -> bool:
    if name == "squared_error":
        return bool(predicted.shape == targets.shape)
    if targets.ndim != 1 or targets.size == 0 or not _are_classes(targets):
        return False
    rows = (
        predicted.ndim == _ROWS
        and len(predicted) == len(targets)
        and bool(predicted.shape[1] > targets.max())
    )
    in_a_row = predicted.shape in ((len(targets),), (len(targets), 1))
    if name == "accuracy":
        return rows or (in_a_row and _are_classes(predicted))
    if name == "cross_entropy":
        return rows
    shares = bool((predicted >= 0).all() and (predicted <= 1).all())
    return shares and (rows or (in_a_row and bool(targets.max() <= 1)))


def measure_named(name: str) -> Measure:
    """The measure of this name. Raises AuthorError, which lists them all, if there is none."""
    if name not in MEASURES:
        raise AuthorError(f"no measure {name!r}; there are {', '.join(MEASURES)}")
    return MEASURES[name]
