"""The pytest markers that turn a test into a check: which item it belongs to and what it is worth."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import pytest

from grader.model.points import Points

Test = TypeVar("Test", bound=Callable[..., object])


def item(item_id: str) -> pytest.MarkDecorator:
    """Say which item a check belongs to.

    Usually for a whole file: ``pytestmark = item("3.1.1")``.
    """
    return pytest.mark.chainrule_item(item_id)


def points(
    worth: int | float | str, *, hint: str | None = None, tell_mistake: bool = False
) -> pytest.MarkDecorator:
    """Say what a check is worth, and what a student may read if it fails as a hidden check.

    ``worth`` has at most two decimals (2, 0.5, "0.25"); anything else raises ValueError. The hint should help
    without giving away inputs or expected values. With ``tell_mistake`` they also read which kind of mistake
    it is, if that is known: the words of a suspect, or a line such as "a mean where a sum belongs". Each case
    of a parametrized check is worth as much; a case with ``pytest.param(..., marks=points(2))`` has points of
    its own. Negative points are a deduction: they are lost if the check fails, down to 0 for the item.
    """
    return pytest.mark.chainrule_points(Points.of(worth), hint, tell_mistake=tell_mistake)


def seconds(limit: float) -> pytest.MarkDecorator:
    """Give a check this much time for all of its calls, in place of the manifest's ``check_seconds``.

    Processor time, as the manifest's limits are. Raises ValueError unless it is more than 0.
    """
    if not 0 < limit < math.inf:
        raise ValueError(f"a check takes more than 0 seconds, and an end, not {limit!r}")
    return pytest.mark.chainrule_seconds(float(limit))


def keep_seeds(test: Test) -> Test:
    """Leave the student's random generators as their cells left them, instead of seeding them for the check.

    For an item that asks students to set a seed: the check then sees the effect of their seeding.
    """
    check: Test = pytest.mark.chainrule_keep_seeds(test)
    return check
