"""The sandbox's latencies: first reply, a call with an array, a copy of the state for each check."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.measure import Figure, median_of, side_by_side
from grader.model.isolation import Mode
from grader.sandbox.modes import usual_mode
from grader.sandbox.spec import BoxSpec
from grader.sandbox.zygote import Zygote
from grader.session.sandboxed_notebook import SandboxedNotebook

LAYER = """
class Layer:
    def __init__(self, W):
        self.W = W
    def forward(self, X):
        return X @ self.W
"""


@contextmanager
def notebook(zygote: Zygote, *, mode: Mode | None = None) -> Iterator[SandboxedNotebook]:
    """A notebook in a fresh sandbox of the usual mode, or of another."""
    mode = mode or usual_mode()
    one = SandboxedNotebook(zygote, BoxSpec(mode=mode), seconds=600)
    try:
        yield one
    finally:
        one.close()


def first_reply(zygote: Zygote, *, times: int) -> Figure:
    """From asking a warm zygote for a sandbox to the first answer from inside."""
    taken = []
    for _ in range(times + 1):
        start = time.perf_counter()
        with notebook(zygote) as one:
            one.start()
            taken.append(time.perf_counter() - start)
    return Figure(
        "zygote to first reply",
        1e3 * statistics.median(taken[1:]),
        "ms",
        at_most=40,
        note=f"median of {times}",
    )


def isolation(zygote: Zygote, *, times: int) -> Figure:
    """What the walls cost per submission: start, one cell and end, with and without walls in turns."""

    def submission(mode: Mode) -> None:
        with notebook(zygote, mode=mode) as one:
            one.run_cell("1 + 1", seconds=10)

    walled, bare = side_by_side(
        [lambda: submission(usual_mode()), lambda: submission(Mode.NONE)], times=times
    )
    note = f"{1e3 * walled:.1f} against {1e3 * bare:.1f} ms, medians of {times} in turns"
    return Figure(
        "isolation's cost per submission, over none", 1e3 * (walled - bare), "ms", at_most=15, note=note
    )


def calls_and_copies(zygote: Zygote, *, times: int) -> list[Figure]:
    """A method call with a 64x64 float64 array and its answer; a forked copy of the state."""
    X = np.ones((64, 64))
    with notebook(zygote) as one:
        one.run_cell(LAYER, seconds=10)
        with one.copy(seed=1, seconds=10) as session:
            layer = session.student.Layer(X)
            call = median_of(lambda: layer.forward(X), times=times, warm_up=20)
        copies = []
        for seed in range(50):
            start = time.perf_counter()
            with one.copy(seed=seed, seconds=10) as session:
                session.student.has("Layer")
                copies.append(time.perf_counter() - start)
    return [
        Figure("a check's call with a 64x64 array", 1e3 * call, "ms", at_most=0.3, note=f"median of {times}"),
        Figure(
            "a copy of the state for one check",
            1e3 * statistics.median(copies),
            "ms",
            at_most=15,
            note="median of 50",
        ),
    ]


def latencies(*, times: int) -> list[Figure]:
    """All of the above, with one zygote that has torch loaded."""
    with Zygote.start(preload=("numpy", "matplotlib.pyplot", "torch")) as zygote:
        zygote.wait_ready()
        few = min(times, 30)
        return [
            first_reply(zygote, times=few),
            isolation(zygote, times=few),
            *calls_and_copies(zygote, times=times),
        ]
