"""The marks a check-writer puts on a test: which item it belongs to and what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from grader.model.points import Points

Test = TypeVar("Test", bound=Callable[..., object])


def item(item_id: str) -> pytest.MarkDecorator:
    """Mark the item that a check belongs to.

    Usually ``pytestmark = item("3.1.1")`` for a whole file.
    """
    return pytest.mark.chainrule_item(item_id)


def points(worth: int | float | str, *, hint: str | None = None) -> Callable[[Test], Test]:
    """What a check is worth, and what a student may read when it fails as a hidden check.

    ``worth`` has at most two decimals (2, 0.5, "0.25"). The hint should help without telling inputs or
    expected values. Raises ValueError for anything that is not such a number.
    """
    mark = pytest.mark.chainrule_points(Points.of(worth), hint)

    def decorate(test: Test) -> Test:
        marked: Test = mark(test)
        return marked

    return decorate


def keep_seeds(test: Test) -> Test:
    """Let the student's generators go on as their cells left them, instead of from the check's own seed.

    For an item that asks the student to set a seed: the check then sees what their seeding did.
    """
    marked: Test = pytest.mark.chainrule_keep_seeds(test)
    return marked
