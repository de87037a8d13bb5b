"""A student's gradient against central differences of a loss that the check's author wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from grader.checks.arrays import Array, as_array, expected_array, squeezed
from grader.checks.closeness import difference_text, failure, shape_difference_text, worst_entry
from grader.checks.diagnosis import likely_cause
from grader.checks.formulas import Named
from grader.checks.saturation import UNKNOWN, Terms, terms_of
from grader.checks.slopes import SMALL, STEP, Loss, Slopes, slopes
from grader.checks.tolerance import Tolerance, distance, eps_of, floor_of, largest_magnitude, relative_bar
from grader.model.errors import AuthorError, CheckFailed

_GUESS = 1e-5
"""How closely, relative to the largest entry, a wrong gradient must match a mistake before it is named.

Coarser than the test itself: the numeric gradient that mistakes are made from is itself only this accurate.
"""

_FLAT = 1e-6
"""A gradient of this part of the loss over the entry's size is 0 in float32 (8 units in the last place)."""

_ULPS = 32
"""Rounding errors of the point and of a slope's terms, in units in the last place."""

_ZERO_ULPS = 100
"""If the loss does not change at all, a claimed gradient of this many units in the last place of 1 is 0."""

IGNORED = "the upstream gradient is ignored, as if it were ones"


def check_gradients(  # noqa: PLR0913  # each is the author's to choose, all but three by keyword
    loss: Loss | Callable[[Array], Array],
    at: object,
    claimed: object,
    *,
    name: str = "gradient",
    upstream: object = None,
    batch: int | None = None,
    h: float = STEP,
    rtol: float | None = None,
    sample: int | None = None,
    squeeze: bool = False,
    suspects: Mapping[str, object] | None = None,
    formulas: Named | None = None,
) -> None:
    """Pass when ``claimed`` is the gradient of ``loss`` at ``at``, by central differences in float64.

    ``loss`` takes an array shaped like ``at`` and returns one finite number. With ``upstream`` it returns an
    array, such as a layer's output, and the gradient is that of sum(upstream * loss(at)); a gradient that
    ignores ``upstream`` is then named. ``loss`` is called four times for each entry, or for ``sample`` of
    them (always the same for arrays of one size).

    An entry passes if |claimed - numeric| is at most rtol times the largest of |claimed|, |numeric| and a
    hundredth of the largest |numeric|, plus what the numeric gradient may be wrong by itself: its steps are
    ``h`` and 2 h times the sizes of the entries, and their disagreement and the loss's rounding say. rtol is
    1e-6 (1e-4 for a float32 gradient). At a kink, as of relu at 0, every slope between those of the two sides
    passes. If entries fail, up to 264 more calls say what rounding may change where the loss is saturated.

    ``squeeze=True`` also accepts (D,) for (1, D) and vice versa. ``batch`` (the number of examples) and
    ``suspects`` (a mistake in words -> the gradient it would give) only sharpen the message, and so do
    ``formulas``, as for ``assert_close``.
    Raises CheckFailed if the two disagree, AuthorError if the loss does not return one finite number or has
    kinks at most entries.
    """
    point = expected_array(at, name=f"the point of {name}").astype(np.float64)
    answer = as_array(claimed, name=name)
    have = squeezed(answer, point.shape) if squeeze else answer
    total = loss if upstream is None else _times(loss, expected_array(upstream, name="upstream"))
    if have.shape != point.shape:
        whole = slopes(total, point, np.arange(point.size), step=h).value.reshape(point.shape)
        facts = shape_difference_text(have, whole, name=name)
    else:
        entries = _entries(point.size, sample)
        found = slopes(total, point, entries, step=h)
        mine = have.ravel()[entries]
        passes, scale, bar = judged(mine, found, have=have, rtol=rtol)
        if not passes.all() and bool(np.isfinite(mine).all()):
            terms = terms_of(total, point, entries, found.value)
            passes, scale, bar = judged(mine, found.with_terms(terms.loss), have=have, rtol=rtol, terms=terms)
        if bool(passes.all()):
            _assert_smooth_enough(found, name=name)
            return
        facts = _facts(have, point.shape, entries, found, passes=passes, scale=scale, bar=bar, name=name)
        if len(entries) < point.size:
            raise CheckFailed(facts)
        whole = found.value.reshape(point.shape)
    causes = dict(suspects or {})
    if upstream is not None:
        ones = slopes(_times(loss, np.ones(())), point, np.arange(point.size), step=h)
        causes[IGNORED] = ones.value.reshape(point.shape)
    guess = Tolerance(rtol=_GUESS, atol=_GUESS * largest_magnitude(whole))
    cause = likely_cause(have, whole, tolerance=guess, suspects=causes, batch=batch)
    raise failure(facts, cause, answer=answer, expected=whole, formulas=formulas)


def judged(
    mine: Array, found: Slopes, *, have: Array, rtol: float | None, terms: Terms = UNKNOWN
) -> tuple[Array, Array, float]:
    """Which claimed entries pass, what each one's error is relative to, and the bar."""
    bar = relative_bar(have) if rtol is None else rtol
    largest = largest_magnitude(found.value)
    with np.errstate(all="ignore"):
        scale = np.fmax(np.fmax(np.abs(mine), np.abs(found.value)), SMALL * largest)
        rounding = floor_of(have, largest) + _ULPS * eps_of(have) * (terms.slope + found.bend)
        allowed = bar * scale + found.error + rounding + _flat(have, found)
        if not largest:
            allowed = found.error + max(rounding, _ZERO_ULPS * float(np.finfo(np.float64).eps))
            scale = scale * 0 + 1.0
        near = distance(mine, found.value) <= allowed
        between = (found.low - allowed <= mine) & (mine <= found.high + allowed) & (np.imag(mine) == 0)
    return np.asarray(np.isfinite(mine) & (near | (found.rough & between))), scale, bar


def _flat(have: Array, found: Slopes) -> Array:
    """How wrong a float32 gradient may be where the loss is flat: its terms may be as large as the loss."""
    return found.steepness * (_FLAT if relative_bar(have) > relative_bar(found.value) else 0.0)


def _times(function: Callable[[Array], object], upstream: Array) -> Loss:
    """The sum of a function's output times ``upstream``."""

    def loss(point: Array) -> object:
        output = np.asarray(function(point))
        if upstream.ndim and output.shape != upstream.shape:
            raise AuthorError(f"upstream has shape {upstream.shape}, the function gives {output.shape}")
        return np.sum(upstream * output)

    return loss


def _entries(size: int, sample: int | None) -> Array:
    """The flat indices of the entries that are looked at."""
    if sample is None or size <= sample:
        return np.arange(size)
    return np.sort(np.random.default_rng(size).choice(size, sample, replace=False))


def _assert_smooth_enough(found: Slopes, *, name: str) -> None:
    """Raise AuthorError if kinks decide nothing for most entries."""
    rough = int(np.count_nonzero(found.rough))
    if 2 * rough > found.rough.size:
        raise AuthorError(
            f"{name}: the loss has a kink at {rough} of {found.rough.size} entries, so this decides nothing "
            "there: choose a point away from kinks"
        )


def _facts(  # what there is to say
    have: Array,
    shape: tuple[int, ...],
    entries: Array,
    found: Slopes,
    *,
    passes: Array,
    scale: Array,
    bar: float,
    name: str,
) -> str:
    everywhere = np.ones(have.size, dtype=bool)
    everywhere[entries] = passes
    errors, expected = np.zeros(have.size), np.zeros(have.size)
    expected[entries] = found.value
    with np.errstate(all="ignore"):
        errors[entries] = distance(have.ravel()[entries], found.value) / scale
    right, off = everywhere.reshape(shape), errors.reshape(shape)
    worst = worst_entry(off, passes=right)
    margin = f"central differences; relative error {off[worst]:.2g}, allowed {bar:.2g}"
    if len(entries) < have.size:
        margin += f"; {len(entries)} entries were looked at"
    return difference_text(have, expected.reshape(shape), worst=worst, passes=right, name=name, margin=margin)
