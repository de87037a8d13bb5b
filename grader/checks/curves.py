"""Is a recorded curve what training gives? Each ``assert_...`` raises BadEvidence in one line.

Nothing here sees the data or trains. The sharpest test is ``assert_replay_agrees``: the first losses of a run
must be those that the same code gives when it is replayed. What follows them can only be plausible, so each
other function states how likely an honest recording of a correct solution is to fail it (at most 1e-4), and
where that number comes from. Students read the messages: they quote the recording, never what the author
expects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from grader.checks.arrays import Array
from grader.model.errors import AuthorError, BadEvidence
from grader.model.text import snippet

SAME_MACHINE = 2e-6
"""Relative bar for losses computed on the same processor with the same libraries.

Not 0: the student's machine may use more threads than the sandbox, and then float32 sums are taken in another
order. Measured on the first three losses of six transformers with 1, 2 and 4 threads, and with fused and
looped AdamW: at most 1.2e-7, one unit in the last place.
"""

ELSEWHERE = 1e-3
"""Relative bar for losses computed on another processor, on a GPU, or with other libraries.

Measured on the same losses: float64 instead of float32 differs by at most 1.1e-7, a GPU's 10-bit matrix
products (TF32) by 7e-6, mixed bfloat16 by 9.5e-5. Other configurations with the same seed are 2.5e-3 apart.
"""

_LEAST_FOR_ROUGHNESS = 5
"""A shorter curve has no meaningful roughness."""

_A_COUNT = 0.05
"""How far from a whole number of examples an accuracy may lie: float32 and five decimals stay within 0.05."""

_SAME_START = (
    "from the same start. Did code, parameters or seed change after the run? Run the whole notebook again"
)


def assert_replay_agrees(
    recorded: Array, replayed: Array, *, same_machine: bool, name: str, elsewhere: float = ELSEWHERE
) -> None:
    """Each recorded loss is what the replay gave, within SAME_MACHINE or ``elsewhere``.

    A correct solution fails with a probability below 1e-6: the bars are 16 times what other threads were
    measured to change, and 10 times what the coarsest arithmetic of a GPU does.
    """
    if len(recorded) > len(replayed):
        raise BadEvidence(
            f"{name}: {len(recorded)} values were recorded, but run again the code gives {len(replayed)}"
        )
    bar = SAME_MACHINE if same_machine else elsewhere
    expected = replayed[: len(recorded)]
    with np.errstate(all="ignore"):
        gap = np.abs(recorded - expected) / np.maximum(np.abs(expected), np.finfo(np.float64).tiny)
    wrong = np.flatnonzero(~(gap <= bar))  # not `gap > bar`: NaN has to fail
    if wrong.size:
        first = int(wrong[0])
        raise BadEvidence(
            f"{name}: value {first + 1} was recorded as {recorded[first]:.9g}, but this notebook's code "
            f"gives {expected[first]:.9g} {_SAME_START}"
        )


def assert_same_draws(recorded: object, replayed: object, *, name: str) -> None:
    """The replay drew exactly the recorded numbers or labels.

    A correct solution never fails: the generators' streams do not depend on the machine.
    """
    if recorded != replayed:
        raise BadEvidence(f"{name}: this notebook's code draws other ones {_SAME_START}")


def assert_counts(curve: Array, *, of: int, name: str) -> None:
    """Each value is a share k/``of`` with a whole number k from 0 to ``of``.

    A correct solution never fails: an accuracy over ``of`` examples has no other values, and those recorded
    in float32 or with five decimals lie within 0.05 examples of them (for up to 10,000).
    """
    hits = curve * of
    wrong = (curve < 0) | (curve > 1 + 1e-9) | (np.abs(hits - np.round(hits)) > _A_COUNT)
    if bool(wrong.any()):
        at = int(np.flatnonzero(wrong)[0])
        raise BadEvidence(f"{name}: entry {at + 1}, {curve[at]:.6g}, is no share of {of:,} examples")


def stop_epoch(accuracies: Array, *, patience: int) -> int | None:
    """The epoch (from 1) after which early stopping ends training, or None; a tie is an improvement."""
    best, best_epoch = -np.inf, 0
    for epoch, accuracy in enumerate(accuracies, start=1):
        if accuracy >= best:
            best, best_epoch = float(accuracy), epoch
        if epoch - best_epoch >= patience:
            return epoch
    return None


def assert_stop_epoch(recorded: object, accuracies: Array, *, patience: int, name: str) -> None:
    """The rule stops the recorded accuracies at the recorded epoch. A correct solution never fails."""
    if recorded is not None and (isinstance(recorded, bool) or not isinstance(recorded, int)):
        raise BadEvidence(f"{name} is neither a whole number nor null")
    if recorded != stop_epoch(accuracies, patience=patience):
        said = "no epoch" if recorded is None else f"epoch {recorded:,}"
        raise BadEvidence(
            f"{name} is {said}: the recorded validation accuracies and a patience of {patience} give another"
        )


def roughness(curve: Array) -> float:
    """The root mean square of the second differences: 0 for a straight line, 2.4 sigma for white noise."""
    if len(curve) < _LEAST_FOR_ROUGHNESS:
        raise AuthorError(f"roughness needs at least {_LEAST_FOR_ROUGHNESS} values, not {len(curve)}")
    return float(np.sqrt(np.mean(np.diff(curve, n=2) ** 2)))


def assert_curves_rough(curves: Sequence[Array], *, least: float, name: str) -> None:
    """The geometric mean of the curves' roughnesses is at least ``least``.

    Runs of one seed and curves of one run tend to be noisy or quiet together, so their mean varies less than
    each of them. The author states the probability with ``least``.
    """
    together = np.exp(np.mean([np.log(max(roughness(curve), np.finfo(float).tiny)) for curve in curves]))
    if not together >= least:
        raise BadEvidence(f"{name} are smoother than training runs: record the curves as they came")


def assert_curve_rough(curve: Array, *, least: float, name: str) -> None:
    """The curve jumps from value to value as training does: its roughness is at least ``least``.

    A mean over three neighbours leaves 0.27 of the roughness of noise, so half of the least roughness seen
    over seeds separates smoothed curves from true ones. The author states the probability with ``least``.
    """
    if not roughness(curve) >= least:
        raise BadEvidence(f"{name} is smoother than a training run: record the curve as it came")


def assert_curve_in_band(
    curve: Array, reference: Array, *, width: Array | float, name: str, root_mean_square: float | None = None
) -> None:
    """Each value lies within ``width`` of the reference's, and the differences within ``root_mean_square``.

    ``width`` is one number or an array shaped like the reference. The author states the probability with the
    width. Use this only for a run that trains as the reference does.
    """
    gap = curve[: len(reference)] - reference
    if bool((np.abs(gap) > width).any()):
        at = int(np.argmax(np.abs(gap) / width))
        raise BadEvidence(f"{name} begins as its run does, but goes on otherwise: look at entry {at + 1}")
    if root_mean_square is not None and float(np.sqrt(np.mean(gap**2))) > root_mean_square:
        raise BadEvidence(f"{name} begins as its run does, but goes on otherwise")


def assert_curves_differ(curves: Mapping[str, Array], *, name: str) -> None:
    """No two labels have the same curve. A correct solution never fails: other runs give other numbers."""
    seen: dict[bytes, str] = {}
    for label, curve in curves.items():
        other = seen.setdefault(curve.tobytes(), label)
        if other != label:
            raise BadEvidence(
                f"{name} of `{snippet(other, limit=20)}` and `{snippet(label, limit=20)}` are the same"
            )


def assert_labels(found: Sequence[str], wanted: Sequence[str], *, name: str) -> None:
    """Every wanted label is there; more are welcome. A correct solution never fails."""
    missing = [label for label in wanted if label not in found]
    if missing:
        raise BadEvidence(f"{name}: there is no run for {', '.join(missing)}")
