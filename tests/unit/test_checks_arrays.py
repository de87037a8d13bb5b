"""Reading what a student returned: plain numbers pass, everything else is named in one bounded line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.arrays import as_array
from grader.checks.formatting import numbers
from grader.model.errors import CheckFailed, Fault
from grader.model.values import Remote


class Holder(Remote):
    def __init__(self, value: object) -> None:
        self._value = value

    @property
    def value(self) -> object:
        return self._value


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (3, ()),
        (2.5, ()),
        (True, ()),
        (1 + 2j, ()),
        (np.float32(1), ()),
        ([1, 2, 3], (3,)),
        (((1, 2), (3, 4)), (2, 2)),
        ([np.ones(3), [1, 2, 3]], (2, 3)),
        (np.zeros((2, 0)), (2, 0)),
        ([], (0,)),
        (Holder(np.ones(4)), (4,)),
        ([Holder(1.0), Holder(2.0)], (2,)),
    ],
)
def test_numbers_in_a_regular_shape_are_taken(value, shape):
    assert as_array(value).shape == shape


def nested(depth):
    value: object = 1.0
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "`return` missing"),
        ("0.5", "the text '0.5'"),
        ({"W": 1}, "of type dict"),
        (object(), "of type object"),
        (b"12", "of type bytes"),
        ([[1, 2], [3]], "rows differ in length"),
        ([1, None], "dtype object"),
        (["a", "b"], "dtype <U1"),
        (np.array([1, None], dtype=object), "dtype object"),
        (np.array(["2020-01-01"], dtype="datetime64[D]"), "dtype datetime64[D]"),
        (2**80, "dtype object"),
        (nested(40), "nested more than"),
        (Holder(None), "is None"),
        ([Holder("x")], "dtype <U1"),
    ],
)
def test_what_is_no_array_of_numbers_is_the_students_and_says_what_came(value, words):
    with pytest.raises(CheckFailed, match="forward") as caught:
        as_array(value, name="forward(X)")
    assert words in str(caught.value)
    assert caught.value.fault is Fault.STUDENT


def test_a_wanted_shape_is_met_exactly_and_none_stands_for_any_length():
    assert as_array(np.ones((4, 3)), shape=(None, 3)).shape == (4, 3)
    assert as_array(5, shape=()).shape == ()
    for wrong in ((3, 4), (12,), (4, 3, 1), (1, 3)):
        with pytest.raises(CheckFailed, match=r"expected shape \(4, 3\)"):
            as_array(np.ones(wrong), shape=(4, 3), name="W")
    with pytest.raises(CheckFailed, match=r"W has a single number, expected shape \(any, 3\)"):
        as_array(1.0, shape=(None, 3), name="W")


def test_an_array_is_passed_through_without_a_copy():
    array = np.ones(3)
    assert as_array(array) is array


@given(st.text())
def test_text_in_a_message_is_short_and_on_one_line(text):
    with pytest.raises(CheckFailed) as caught:
        as_array(text * 50, name="x")
    message = str(caught.value)
    assert len(message) < 160
    assert message.isprintable()


def test_unequal_numbers_never_look_equal_and_equal_ones_stay_short():
    assert numbers(0.5, 0.25) == ("0.5", "0.25")
    assert numbers(1.0, 1.0 + 1e-11) == ("1", "1.00000000001")
    assert numbers(np.float64(1 / 3), -1 / 3) == ("0.333333", "-0.333333")
    assert numbers(float("nan"), 2.0) == ("nan", "2")
    assert numbers(7, 8) == ("7", "8")
