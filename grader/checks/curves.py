"""Is a recorded curve what training gives? Functions over arrays; each raises BadEvidence in one line.

None of them sees the data or trains. The sharpest is ``agrees``: the first losses of a run must be those that
the same code gives again. What comes after them can only be plausible, so each of the others says how
likely an honest recording of a right solution is to fail it: at most 1e-4, and where the number is from.
The messages are shown to the student: they hold what was recorded, never what the author expects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from grader.checks.arrays import Array
from grader.checks.formatting import clean
from grader.model.errors import AuthorError, BadEvidence

SAME_MACHINE = 2e-6
"""Relative bar for losses that were made on the same processor with the same libraries.

Not 0: the student's machine may use more threads than the sandbox, and then float32 sums are taken in another
order. Measured on the first three losses of six transformers with 1, 2 and 4 threads, and with fused and
looped AdamW: at most 1.2e-7, one unit in the last place.
"""

ELSEWHERE = 1e-3
"""Relative bar for losses that were made on another processor, a GPU, or with other libraries.

Measured on the same: float64 in place of float32 at most 1.1e-7, matrix products of 10 bits as a GPU takes
them when told to (TF32) 7e-6, mixed bfloat16 9.5e-5. Other configurations of the same seed lie 2.5e-3 apart.
"""

_LEAST_FOR_ROUGHNESS = 5
"""Values of a curve below which its roughness says nothing."""

_A_COUNT = 0.05
"""How far from a whole number of examples an accuracy may lie: float32 and five decimals keep within 0.05."""


def agrees(
    claimed: Array, again: Array, *, same_machine: bool, name: str, elsewhere: float = ELSEWHERE
) -> None:
    """Each claimed loss is what the same code gave again, within SAME_MACHINE or ``elsewhere``.

    A right solution fails with a probability below 1e-6: the bars lie a factor 16 above what other threads
    were measured to change, and a factor 10 above what the coarsest arithmetic of a GPU does.
    """
    if len(claimed) > len(again):
        raise BadEvidence(
            f"{name}: {len(claimed)} values were recorded, but run again the code gives {len(again)}"
        )
    bar = SAME_MACHINE if same_machine else elsewhere
    beside = again[: len(claimed)]
    with np.errstate(all="ignore"):
        gap = np.abs(claimed - beside) / np.maximum(np.abs(beside), np.finfo(np.float64).tiny)
    wrong = np.flatnonzero(~(gap <= bar))
    if wrong.size:
        first = int(wrong[0])
        raise BadEvidence(
            f"{name}: value {first + 1} was recorded as {claimed[first]:.9g}, but this notebook's code gives "
            f"{beside[first]:.9g} from the same start. Did code, parameters or seed change after the run? "
            "Run the whole notebook again"
        )


def equal_parts(claimed: object, again: object, *, name: str) -> None:
    """Whole numbers or labels that the same code must draw again exactly.

    A right solution never fails: the generators' streams do not depend on the machine.
    """
    if claimed != again:
        raise BadEvidence(
            f"{name}: this notebook's code draws other ones from the same start. Did code, parameters or "
            "seed change after the run? Run the whole notebook again"
        )


def starts_near(curve: Array, value: float, *, within: float, name: str) -> None:
    """The first value lies within ``within`` of ``value``.

    The author states the probability with ``within``: z standard deviations of the first value's own noise.
    """
    if not abs(curve[0] - value) <= within:
        raise BadEvidence(f"{name} starts at {curve[0]:.4g}, which is not where this run began")


def falls(curve: Array, *, by: float, name: str) -> None:
    """The mean of the last tenth is lower than the first value by ``by`` (a share of it) or more.

    The author states the probability with ``by``, from how far right solutions fall.
    """
    last = float(curve[-max(1, len(curve) // 10) :].mean())
    if not last <= (1 - by) * curve[0]:
        raise BadEvidence(f"{name} goes from {curve[0]:.4g} to {last:.4g}: that is hardly training")


def rises_to(curve: Array, *, least: float, name: str) -> None:
    """The best value is ``least`` or more. The author states the probability with ``least``."""
    if not curve.max() >= least:
        raise BadEvidence(f"{name} is never above {curve.max():.4g}: nothing was learned")


def ends_above(upper: Array, lower: Array, *, by: float, name: str) -> None:
    """Over the last quarter the mean of ``upper`` - ``lower`` is ``by`` or more.

    For what has been fitted to against what has not: a loss on validation against one on training text, an
    accuracy on training against one on validation data. The author states the probability with ``by``.
    """
    quarter = max(1, len(upper) // 4)
    if not float((upper[-quarter:] - lower[-quarter:]).mean()) >= by:
        raise BadEvidence(f"{name}: the two curves lie on each other, as if both were of the same data")


def are_counts(curve: Array, *, of: int, name: str) -> None:
    """Each value is a share k/``of`` with a whole number k from 0 to ``of``.

    A right solution never fails: an accuracy over ``of`` examples has no other values, and those recorded in
    float32 or with five decimals lie within 0.05 examples of them (for up to 10,000).
    """
    hits = curve * of
    wrong = (curve < 0) | (curve > 1 + 1e-9) | (np.abs(hits - np.round(hits)) > _A_COUNT)
    if bool(wrong.any()):
        at = int(np.flatnonzero(wrong)[0])
        raise BadEvidence(f"{name}: entry {at + 1}, {curve[at]:.6g}, is no share of {of:,} examples")


def stop_epoch(accuracies: Array, *, patience: int) -> int | None:
    """After which epoch (from 1) early stopping ends training; a tie with the best is an improvement."""
    best, best_epoch = -np.inf, 0
    for epoch, accuracy in enumerate(accuracies, start=1):
        if accuracy >= best:
            best, best_epoch = float(accuracy), epoch
        if epoch - best_epoch >= patience:
            return epoch
    return None


def stops_at(claimed: object, accuracies: Array, *, patience: int, name: str) -> None:
    """The claimed epoch is that of the rule on the recorded accuracies. A right solution never fails."""
    if claimed is not None and (isinstance(claimed, bool) or not isinstance(claimed, int)):
        raise BadEvidence(f"{name} is neither a whole number nor null")
    if claimed != stop_epoch(accuracies, patience=patience):
        said = "no epoch" if claimed is None else f"epoch {claimed:,}"
        raise BadEvidence(
            f"{name} is {said}: the recorded validation accuracies and a patience of {patience} give another"
        )


def roughness(curve: Array) -> float:
    """The root mean square of the second differences: 0 for a straight line, 2.4 sigma for white noise."""
    if len(curve) < _LEAST_FOR_ROUGHNESS:
        raise AuthorError(f"roughness needs {_LEAST_FOR_ROUGHNESS} values or more, not {len(curve)}")
    return float(np.sqrt(np.mean(np.diff(curve, n=2) ** 2)))


def are_rough(curves: Sequence[Array], *, least: float, name: str) -> None:
    """The geometric mean of the curves' roughnesses is ``least`` or more.

    Runs of one seed and curves of one run tend to be loud or quiet together, and together vary less than each
    alone. The author states the probability with ``least``.
    """
    together = np.exp(np.mean([np.log(max(roughness(curve), np.finfo(float).tiny)) for curve in curves]))
    if not together >= least:
        raise BadEvidence(f"{name} are smoother than training runs: record the curves as they came")


def is_rough(curve: Array, *, least: float, name: str) -> None:
    """The curve jumps from value to value as training does: its roughness is ``least`` or more.

    A mean over three neighbours leaves 0.27 of the roughness of noise, so half of the least that was seen
    over seeds tells smoothed curves from right ones. The author states the probability with ``least``.
    """
    if not roughness(curve) >= least:
        raise BadEvidence(f"{name} is smoother than a training run: record the curve as it came")


def in_band(
    curve: Array, reference: Array, *, width: Array | float, name: str, root_mean_square: float | None = None
) -> None:
    """Each value lies within ``width`` of the reference's; and all of them together, where that is given.

    ``width`` is one number or one for each value, as is the reference. The author states the probability with
    the width; use this only for a run that trains as the reference does.
    """
    gap = curve[: len(reference)] - reference
    if bool((np.abs(gap) > width).any()):
        at = int(np.argmax(np.abs(gap) / width))
        raise BadEvidence(f"{name} begins as its run does, but goes on otherwise: look at entry {at + 1}")
    if root_mean_square is not None and float(np.sqrt(np.mean(gap**2))) > root_mean_square:
        raise BadEvidence(f"{name} begins as its run does, but goes on otherwise")


def all_differ(curves: Mapping[str, Array], *, name: str) -> None:
    """No two labels hold the same curve. A right solution never fails: other runs give other numbers."""
    seen: dict[bytes, str] = {}
    for label, curve in curves.items():
        other = seen.setdefault(curve.tobytes(), label)
        if other != label:
            raise BadEvidence(
                f"{name} of `{clean(other, limit=20)}` and `{clean(label, limit=20)}` are the same"
            )


def has_labels(found: Sequence[str], wanted: Sequence[str], *, name: str) -> None:
    """Every wanted label is there; more are welcome. A right solution never fails."""
    missing = [label for label in wanted if label not in found]
    if missing:
        raise BadEvidence(f"{name}: there is no run for {', '.join(missing)}")
