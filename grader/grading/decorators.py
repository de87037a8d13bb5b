"""The pytest markers that turn a test into a check: which item it belongs to and what it is worth."""

from __future__ import annotations

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
) -> Callable[[Test], Test]:
    """Say what a check is worth, and what a student may read if it fails as a hidden check.

    ``worth`` has at most two decimals (2, 0.5, "0.25"); anything else raises ValueError. The hint should help
    without giving away inputs or expected values. With ``tell_mistake`` they also read which kind of mistake
    it is, if that is known: the words of a suspect, or a line such as "a mean where a sum belongs".
    """
    marker = pytest.mark.chainrule_points(Points.of(worth), hint, tell_mistake=tell_mistake)

    def decorate(test: Test) -> Test:
        check: Test = marker(test)
        return check

    return decorate


def keep_seeds(test: Test) -> Test:
    """Leave the student's random generators as their cells left them, instead of seeding them for the check.

    For an item that asks students to set a seed: the check then sees the effect of their seeding.
    """
    check: Test = pytest.mark.chainrule_keep_seeds(test)
    return check
