"""Whether a check wrote into an array that it received: small ones are looked at, also inside containers."""

from __future__ import annotations

import numpy as np
import pytest

from grader.session.handed_out import LARGEST, MOST, HandedOut
from grader.session.in_process import LocalNotebook


@pytest.mark.parametrize("wrap", [lambda a: a, lambda a: [a, 1], lambda a: (a,), lambda a: {"W": a}])
def test_a_change_is_seen(wrap):
    array, kept = np.ones((2, 3)), HandedOut()
    kept.add(wrap(array))
    assert not kept.is_changed()
    array.flat[3] += 1e-9
    assert kept.is_changed()


@pytest.mark.parametrize("value", [None, 5, "text", [1, "x"], np.array(["a"]), np.ones(0)])
def test_other_values_are_let_pass(value):
    kept = HandedOut()
    kept.add(value)
    assert not kept.is_changed()


def test_what_is_kept_is_bounded():
    kept = HandedOut()
    large = np.ones(LARGEST)
    kept.add(large)
    for _ in range(2 * MOST):
        kept.add(np.ones(1))
    large[0] = 2
    assert not kept.is_changed()
    assert len(kept._kept) == MOST


def test_a_session_keeps_what_calls_and_values_gave():
    box = type("Box", (), {"w": np.ones(2)})
    for change in (lambda s: s.box.w.value, lambda s: s.f()):
        with LocalNotebook({"box": box, "f": lambda: np.ones(2)}).copy(seed=1, seconds=5) as session:
            found = change(session.student)
            assert not session.handed_out.is_changed()
            found[0] = 5
            assert session.handed_out.is_changed()
