"""A part of a check's points: the author counts in one run what is right, and says what that is worth."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import NoReturn

from grader.model.errors import AuthorError, Awarded
from grader.model.points import Points


def award(points: int | float | str | Decimal, why: str = "") -> NoReturn:
    """End the check with this many of its points: ``award(2 * right / len(cases), "3 of 4 cases")``.

    All of the check's points are a pass, fewer cost the rest. A number is rounded to hundredths of a point.
    ``why`` is for the instructor. Raises AuthorError for what is no number; more than the check is worth, or
    less than nothing, is the author's mistake too.
    """
    try:
        exact = float(points)
        worth = Points(round(exact * 100)) if math.isfinite(exact) else None
    except (TypeError, ValueError, OverflowError):
        worth = None
    if worth is None or isinstance(points, bool):
        raise AuthorError(f"award was given {points!r:.80}; write a number of points, such as award(1.5)")
    raise Awarded(worth, why)
