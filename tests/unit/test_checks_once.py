"""What is computed once for equal arguments, by whichever thread asks first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from grader import computed_once


@dataclass(frozen=True)
class Run:
    order: np.ndarray[Any, Any]
    rate: float


def test_equal_arguments_are_computed_once_and_others_anew():
    asked = []

    @computed_once
    def count(*args: object, **by_name: object) -> int:
        asked.append(args)
        return len(asked)

    zeros = np.zeros((2, 3))
    others = [
        (zeros,),
        (zeros.T,),
        (zeros.astype("float32"),),
        ({"a": zeros},),
        ([zeros, 1],),
        (Run(zeros, 0.1),),
        (Run(zeros, 0.2),),
        ("1",),
        (1,),
        (1.0,),
        (None,),
    ]
    assert [count(*args) for args in others] == list(range(1, len(others) + 1))
    assert count(np.zeros((2, 3))) == 1
    assert count(Run(np.zeros((2, 3)), 0.1)) == 6
    assert count({"b": 1, "a": 2}) == count({"a": 2, "b": 1})
    with pytest.raises(TypeError, match="an argument of type object"):
        count(object())


def test_how_an_argument_is_passed_makes_no_difference():
    asked = []

    @computed_once
    def count(first: int, *, coarse: bool = False) -> int:
        asked.append(first)
        return len(asked)

    assert count(1) == count(first=1) == count(1, coarse=False) == 1
    assert count(1, coarse=True) == 2


def test_who_asks_meanwhile_waits_and_an_error_is_not_kept():
    begun, go = threading.Event(), threading.Event()
    times = []

    @computed_once
    def slow(number: int) -> int:
        times.append(number)
        begun.set()
        go.wait(10)
        if len(times) == 1:
            raise ValueError("at first")
        return number

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(slow, 5)
        assert begun.wait(10)
        second = pool.submit(slow, 5)
        go.set()
        with pytest.raises(ValueError, match="at first"):
            first.result(10)
        assert second.exception(10) is None or str(second.exception()) == "at first"
    assert slow(5) == 5
    assert slow(5) == 5
    assert len(times) == 2
