"""Threads before a copy: a fork takes along the thread that calls it and no other.

A copy whose libraries count on their other threads waits for ever (pytorch/pytorch#17199, jax-ml/jax#18989).
So pools that can be ended are ended before the first copy, and grow again where they are used. If other
threads are left then, whoever they belong to, the state cannot be copied and is built anew instead.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

_OPENMP = ("libgomp", "libiomp", "libomp")
_PAUSE_HARD = 2  # omp_pause_hard of OpenMP 5.0: give back everything, threads included
_LOOKS, _BETWEEN = 20, 0.005  # a thread that was told to end takes a moment
_TASKS = "/proc/self/task"


class ThreadPools:
    """The pools of threads that libraries keep in this process."""

    def __init__(self) -> None:
        self._torch_threads = 1

    def settle(self) -> bool:
        """End what can be ended; whether this process then has one thread."""
        torch = sys.modules.get("torch")
        if torch is not None:
            self._torch_threads = torch.get_num_threads()
            if self._torch_threads > 1:
                torch.set_num_threads(1)  # ends the pool that is not OpenMP's
        _end_tqdm_monitors()
        for path in _openmp_libraries():
            with contextlib.suppress(AttributeError, OSError):
                ctypes.CDLL(path).omp_pause_resource_all(_PAUSE_HARD)
        return not _numba_ran_in_parallel() and _is_alone()

    def resume(self) -> None:
        """In a copy: the number of threads that the notebook asked for."""
        torch: Any = sys.modules.get("torch")
        if torch is not None and self._torch_threads > 1:
            torch.set_num_threads(self._torch_threads)


def _is_alone() -> bool:
    for _ in range(_LOOKS):
        try:
            if len(os.listdir(_TASKS)) == 1:
                return True
        except OSError:  # no /proc: as it was before anybody looked
            return True
        time.sleep(_BETWEEN)
    return False


def _numba_ran_in_parallel() -> bool:
    """Whether numba has started threads: it ends a copy that needs them, even where they are gone."""
    try:
        return bool(sys.modules["numba"].threading_layer())
    except (KeyError, AttributeError, ValueError):  # not imported, being imported, none started
        return False


def _openmp_libraries() -> Iterator[str]:
    """The OpenMP libraries that are loaded, each by the path that gives a hold on this very copy of it."""
    seen = set[str]()
    with contextlib.suppress(OSError), open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        for line in maps:
            path = line.rstrip("\n").partition("/")
            name = "/" + path[2]
            if os.path.basename(name).startswith(_OPENMP) and name not in seen:
                seen.add(name)
                yield name


def _end_tqdm_monitors() -> None:
    """tqdm watches each kind of bar from a thread, and starts another one with the next bar."""
    if (tqdm := sys.modules.get("tqdm.std")) is None:
        return
    for thread in threading.enumerate():
        with contextlib.suppress(Exception):
            if isinstance(thread, tqdm.TMonitor):
                thread.exit()
                thread.tqdm_cls.monitor = None
