"""Is an array what it should be, and if not, a message that a person can act on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from grader.checks.arrays import Array, as_array, expected_array, squeezed
from grader.checks.diagnosis import Cause, likely_cause
from grader.checks.formatting import index_text, numbers, shape_text
from grader.checks.formulas import Named, WrongArray
from grader.checks.tolerance import Tolerance, distance
from grader.model.errors import CheckFailed
from grader.model.text import snippet


def assert_close(  # noqa: PLR0913  # each is the author's to choose, all but two by keyword
    actual: object,
    expected: object,
    *,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    name: str = "result",
    squeeze: bool = False,
    suspects: Mapping[str, object] | None = None,
    batch: int | None = None,
    formulas: Named | None = None,
) -> None:
    """Pass when ``actual`` has the shape of ``expected`` and every entry is close.

    NaN never passes, or with ``equal_nan`` where NaN is expected, and only there.

    ``actual`` is the student's: an array, a number, (nested) lists of numbers, or a proxy. An entry passes
    if |actual - expected| <= atol + rtol |expected|. By default rtol is 1e-6, or 1e-4 if either side is
    float32 or the student's is float16 (2e-2 if what is expected is float16), and atol is 1e-12 (1e-5, 2e-2)
    times the largest expected magnitude, which is what rounding does to a sum. If both sides are integers or
    truth values they must be equal. Give atol if a correct answer is a tiny difference of large numbers.

    Shapes must be equal: nothing is broadcast. ``squeeze=True`` also accepts (D,) for (1, D) and vice versa.
    ``suspects`` maps a likely mistake, in words, to the array it would give; ``batch`` is the number of
    examples; ``formulas``, as in ``LAYER(X=X, G=G)``, names the check's inputs, so that a wrong array is
    answered with the formula that gives it (see ``Formulas``). All three only sharpen the message.
    Raises CheckFailed; AuthorError if ``expected`` makes no sense.
    """
    want = expected_array(expected, name=name, equal_nan=equal_nan)
    answer = as_array(actual, name=name)
    have = squeezed(answer, want.shape) if squeeze else answer
    tolerance = Tolerance.between(have, want, rtol=rtol, atol=atol)
    if have.shape == want.shape:
        passes = tolerance.close(have, want)
        if equal_nan:
            passes = passes | ((have != have) & (want != want))  # noqa: PLR0124  # NaN alone differs from itself
        if bool(passes.all()):
            return
        facts = _facts(have, want, passes=passes, tolerance=tolerance, name=name)
    else:
        facts = shape_difference_text(have, want, name=name)
    cause = likely_cause(have, want, tolerance=tolerance, suspects=suspects, batch=batch)
    raise failure(facts, cause, answer=answer, expected=want, formulas=formulas)


def failure(
    facts: str, cause: Cause, *, answer: Array, expected: Array, formulas: Named | None
) -> CheckFailed:
    """The error for a wrong array; what is needed to look its formula up goes with it."""
    error = CheckFailed("\n  ".join(filter(None, (facts, cause.sentence))))
    error.mistake = cause.mistake
    if formulas is not None and not cause.is_plain:
        error.wrong = WrongArray.of(answer, expected, formulas, facts=facts)
    return error


def _facts(have: Array, want: Array, *, passes: Array, tolerance: Tolerance, name: str) -> str:
    with np.errstate(all="ignore"):
        worst = worst_entry(distance(have, want) - tolerance.allowed(want), passes=passes)
    gap, bar = distance(have[worst], want[worst]), tolerance.allowed(want[worst])
    margin = f"difference {gap:.3g}, " if np.isfinite(gap) else ""
    return difference_text(
        have, want, worst=worst, passes=passes, name=name, margin=f"{margin}allowed {bar:.2g}"
    )


def difference_text(
    have: Array, want: Array, *, worst: tuple[int, ...], passes: Array, name: str, margin: str
) -> str:
    """What differs, in two lines: shape, dtype and number of wrong entries; the worst entry."""
    wrong = int(passes.size - np.count_nonzero(passes))
    count = f"{wrong} of {passes.size} entries differ" if passes.ndim else "the value differs"
    head = f"{name}: {shape_text(have.shape)}, dtype {snippet(str(have.dtype), limit=30)}; {count}."
    got, should = numbers(have[worst], want[worst])
    where = f"worst entry {index_text(worst)}: " if worst else ""
    return f"{head}\n  {where}got {got}, expected {should} ({margin})"


def worst_entry(badness: Array, *, passes: Array) -> tuple[int, ...]:
    """The index of the failing entry with the largest badness; NaN counts as largest."""
    ranked = np.where(np.isnan(badness), np.inf, badness)
    flat = int(np.argmax(np.where(passes, -np.inf, ranked)))
    return tuple(int(i) for i in np.unravel_index(flat, passes.shape))


def shape_difference_text(have: Array, want: Array, *, name: str) -> str:
    """The shape that came and the one that was expected."""
    dtype = snippet(str(have.dtype), limit=30)
    return f"{name} has {shape_text(have.shape)} (dtype {dtype}), expected {shape_text(want.shape)}."
