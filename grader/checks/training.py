"""Checks of training, for any course: a model learns, generalises, can be repeated, has the right size.

Nothing here believes a number from student code that it can compute itself: it fetches predictions and
parameters and computes losses and accuracies on the trusted side, with labels that never cross.

A bound is a number that the check's author answers for, or ``calibrated("name")``, which `grade calibrate`
found on the reference: a correct solution then fails with a stated probability of at most 1e-4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from grader.checks.arrays import Array, as_array
from grader.checks.closeness import assert_close
from grader.checks.formatting import shape_text
from grader.checks.measures import measure_named
from grader.checks.thresholds import PARTS, Bound, Seen, assert_within, partly
from grader.model.calibration import Side
from grader.model.errors import AuthorError, CheckFailed
from grader.model.text import snippet
from grader.model.values import Remote

_MOST_LEAVES = 10_000
_DEEPEST = 32


def assert_loss_falls(
    losses: object,
    *,
    steps: int,
    share: Bound | None = None,
    by: Bound | None = None,
    window: int = 0,
    name: str = "the loss",
) -> None:
    """Pass when ``losses[steps]`` is lower than ``losses[0]`` by a share of it, or by an absolute amount.

    ``losses`` has the loss before the first step and after each step: at least ``steps`` + 1 finite numbers.
    With ``window`` it is a raw history, the loss of each mini-batch that was trained on: at least ``steps``
    numbers, too noisy one by one, of which the mean of the first ``window`` is compared with that of the last
    ``window``. ``share=0.5`` asks that half of the initial loss is gone. Give exactly one of ``share`` and
    ``by``. Raises CheckFailed.
    """
    if steps < max(1, 2 * window) or window < 0:
        at_least = f"at least {2 * window}, twice the `window`" if window > 0 else "at least 1"
        raise AuthorError(f"{name}: `steps` counts training steps, {at_least}, not {steps}")
    limit, relative = _one_of(share, by, name=name)
    curve = as_array(losses, shape=(None,), name=name).astype(np.float64)
    needed, what = (steps, "one for each step") if window else (steps + 1, "one more than steps")
    if curve.size < needed:
        raise CheckFailed(f"{name} has {curve.size} values, expected {needed}: {what}.")
    if not bool(np.isfinite(curve[:needed]).all()):
        raise CheckFailed(f"{name} is not finite at every step.")
    means = _moving_means(curve[:needed], window or 1)
    start, end = float(means[0]), float(means[-1])
    if relative and start <= 0:
        raise CheckFailed(f"{name} starts at {start:.4g}, expected more than 0.")
    scale = start if relative else 1.0
    # A step that is N times too small comes in n steps about as far as this run in n / N.
    slowed = tuple(
        (f"a step {times} times too small", (start - _between(means, (len(means) - 1) / times)) / scale)
        for times, _ in PARTS
    )
    fell = "the share of it that is gone" if relative else "the fall"
    over = f" (means of {window} mini-batches)" if window else ""
    words = f"{name} went from {start:.4g} to {end:.4g} in {steps} steps{over}: {fell}"
    seen = Seen(value=(start - end) / scale, side=Side.LEAST, worthless=0.0, weaker=slowed)
    assert_within(limit, seen, words=words)


def _moving_means(curve: Array, window: int) -> Array:
    """The means of each ``window`` values in a row."""
    sums = np.concatenate([[0.0], np.cumsum(curve)])
    return curve if window == 1 else (sums[window:] - sums[:-window]) / window


def _between(curve: Array, place: float) -> float:
    """A curve's value at a place between two of its points."""
    return float(np.interp(place, np.arange(len(curve)), curve))


def assert_overfits(
    predicted: object,
    targets: object,
    *,
    at_most: Bound,
    measure: str = "cross_entropy",
    name: str = "the predictions for the batch",
) -> None:
    """Pass when a model's loss on the very batch it was trained on is at most ``at_most``.

    ``measure`` is "cross_entropy" of logits (N, C), "log_loss" of probabilities (N, C) or (N,), or
    "squared_error". With random targets there is nothing to learn but the batch itself. Raises CheckFailed.
    """
    loss = measure_named(measure)
    if loss.higher_is_better:
        raise AuthorError(f"{name}: `measure` must be a loss, not {measure!r}")
    value = loss.score(predicted, targets, name=name)
    worthless = loss.constant(np.asarray(targets))
    words = f"{name}: the loss on the batch it was trained on ({measure})"
    seen = Seen(value=value, side=Side.MOST, worthless=worthless, weaker=partly(value, worthless))
    assert_within(at_most, seen, words=words)


def assert_beats_baseline(
    predicted: object,
    targets: object,
    *,
    by: Bound,
    baseline: object = None,
    measure: str = "accuracy",
    name: str = "the predictions",
) -> None:
    """Pass when predictions for held-out examples beat a baseline's by at least ``by``.

    ``baseline`` is what the baseline predicts for the same examples. By default it is the best constant: the
    most frequent class, the classes' shares, or the mean. ``measure`` is "accuracy" of classes (N,) or scores
    (N, C), or a loss as for ``assert_overfits``. Never pass ``targets`` to student code: what it
    has not seen it cannot have learned. Raises CheckFailed.
    """
    judge = measure_named(measure)
    score = judge.score(predicted, targets, name=name)
    known = np.asarray(targets)
    least = judge.constant(known) if baseline is None else judge.score(baseline, known, name="the baseline")
    better = score - least if judge.higher_is_better else least - score
    resolution = 1 / len(known) if measure == "accuracy" else 0.0
    words = f"{name}: {measure} {score:.4g} against the baseline's {least:.4g}; the advantage"
    seen = Seen(
        value=better, side=Side.LEAST, resolution=resolution, worthless=0.0, weaker=partly(better, 0.0)
    )
    assert_within(by, seen, words=words)


def assert_repeatable(
    run: Callable[[int], object],
    *,
    seeds: tuple[int, int] = (1, 2),
    rtol: float | None = None,
    name: str = "a run",
) -> None:
    """Pass when two runs from one seed agree and a run from another seed differs.

    ``run(seed)`` trains from scratch and returns numbers: an array, a curve, or (nested) lists and dicts of
    arrays. They agree as in ``assert_close``. No chance is involved: a correct solution always passes.
    Raises CheckFailed.
    """
    first, second, other = (_flat(run(seed), name) for seed in (seeds[0], seeds[0], seeds[1]))
    for path, array in first.items():
        if path not in second:
            raise CheckFailed(f"{name}{path} is there after one run, and not after the next.")
        _assert_agrees(second[path], array, rtol=rtol, name=f"{name}{path}, run twice from seed {seeds[0]}")
    if first.keys() == other.keys() and all(np.array_equal(first[path], other[path]) for path in first):
        raise CheckFailed(
            f"{name} gives the same numbers from seeds {seeds[0]} and {seeds[1]}: is the seed used?"
        )


def assert_parameter_count(parameters: object, expected: int, *, name: str = "the model") -> None:
    """Pass when the arrays in ``parameters`` hold ``expected`` numbers in total.

    ``parameters`` is an array, or (nested) lists and dicts of arrays or proxies. No chance is involved.
    Raises CheckFailed; the message lists each shape.
    """
    arrays = _flat(parameters, name)
    count = sum(array.size for array in arrays.values())
    if count != expected:
        shapes = ", ".join(f"{path or 'one array'} {array.shape}" for path, array in arrays.items())
        raise CheckFailed(
            f"{name} has {count:,} parameters, expected {expected:,}: {snippet(shapes, limit=300) or 'none'}."
        )


def _one_of(share: Bound | None, by: Bound | None, *, name: str) -> tuple[Bound, bool]:
    """The limit that was given, and whether it is relative."""
    if share is not None and by is None:
        return share, True
    if by is not None and share is None:
        return by, False
    raise AuthorError(f"{name}: give either `share` (a part of the loss at the start) or `by` (an amount)")


def _assert_agrees(actual: Array, expected: Array, *, rtol: float | None, name: str) -> None:
    if not bool(np.isfinite(expected).all()):
        raise CheckFailed(f"{name}: NaN or infinity in {shape_text(expected.shape)}.")
    assert_close(actual, expected, rtol=rtol, name=name)


def _flat(value: object, name: str) -> dict[str, Array]:
    """The arrays in a value by their paths, such as ``['L1']['W']``. Raises CheckFailed for anything else."""
    found: dict[str, Array] = {}
    for path, leaf in _leaves(value, "", 0, name):
        if len(found) == _MOST_LEAVES:
            raise CheckFailed(f"{name} has more than {_MOST_LEAVES:,} arrays.")
        found[path] = as_array(leaf, name=f"{name}{path}")
    return found


def _leaves(value: object, path: str, depth: int, name: str) -> Iterator[tuple[str, object]]:
    if depth > _DEEPEST:
        raise CheckFailed(f"{name} is nested more than {_DEEPEST} deep.")
    if isinstance(value, Remote):
        yield from _leaves(value.value, path, depth + 1, name)
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _leaves(entry, f"{path}[{snippet(repr(key), limit=60)}]", depth + 1, name)
    elif isinstance(value, list | tuple) and not _is_plain(value):
        for index, entry in enumerate(value):
            yield from _leaves(entry, f"{path}[{index}]", depth + 1, name)
    else:
        yield path, value


def _is_plain(value: list[object] | tuple[object, ...]) -> bool:
    """Whether this is a list of numbers, to be read as one array."""
    return bool(value) and all(
        isinstance(entry, bool | int | float | complex | np.generic) for entry in value
    )
