"""`python -m benchmarks.training [--quick]`: the homework's trainings against the plain loops of its handout.

Every ratio comes from processes that take turns within this one run. No whole training is run: a few
epochs, steps and evaluations of each kind are timed and multiplied by the number that the homework asks for.
CHAINRULE_DATA names the full data; without it the small data serve, which changes the ratios little.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.measure import Figure, machine, show
from benchmarks.quiet import measured
from reference.fast.pool import ENVIRONMENT

ROOT = Path(__file__).parent.parent
SEVEN = ((32, 4), (2, 4), (16, 4), (64, 4), (32, 2), (32, 4), (32, 8))
"""Block size and heads of the notebook's trainings, in its order; the sixth repeats the first."""
STEPS = 5000
EVALUATIONS = 51
TENTHS = 10
"""An evaluation here takes a tenth of the notebook's batches."""
WIDTH, LAYERS, BATCH, CHARACTERS = 64, 4, 16, 65


class Side:
    """A process of `benchmarks.training_side` that answers requests."""

    def __init__(self, style: str, *, threads: int, data: str) -> None:
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        ours = ENVIRONMENT if style == "fast" else {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.training_side", style, str(threads), data],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, **limits, **ours},
        )

    def begin(self, what: str, **arguments: Any) -> None:
        """Send a request."""
        assert self._process.stdin
        print(json.dumps({"what": what, **arguments}), file=self._process.stdin, flush=True)

    def end(self) -> Any:
        """Wait for the answer."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the benchmark's process ended with status {self._process.wait()}")
        return json.loads(line)

    def ask(self, what: str, **arguments: Any) -> Any:
        """Send a request and wait for its answer."""
        self.begin(what, **arguments)
        return self.end()

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@contextlib.contextmanager
def sides(*wanted: tuple[str, int]) -> Iterator[list[Side]]:
    """Processes by style and threads."""
    data = os.environ.get("CHAINRULE_DATA", "subset")
    processes = [Side(style, threads=threads, data=data) for style, threads in wanted]
    try:
        yield processes
    finally:
        for process in processes:
            process.close()


def network(*, epochs: int) -> list[Figure]:
    """Training at batch size 5 on one core: epochs with their evaluations; both find the same accuracies."""
    plain_seconds, fast_seconds, differing = [], [], 0
    with sides(("plain", 1), ("fast", 1)) as (plain, fast):
        for _ in range(epochs):
            one, other = plain.ask("epoch", batch_size=5), fast.ask("epoch", batch_size=5)
            plain_seconds.append(one["trained"] + one["evaluated"])
            fast_seconds.append(other["trained"] + other["evaluated"])
            accuracies = [[pair[0] for pair in side["found"].values()] for side in (one, other)]
            differing += accuracies[0] != accuracies[1]
    handout, ours = statistics.median(plain_seconds), statistics.median(fast_seconds)
    how = f"median of {epochs} epochs, {'full' if 'CHAINRULE_DATA' in os.environ else 'small'} data, one core"
    return [
        Figure("network at batch 5, an epoch of the handout's loop", handout, "s", note=how),
        Figure("... of ours", ours, "s", note=how),
        Figure("... times as fast", handout / ours, "x", at_least=1.5),
        Figure("... epochs whose accuracies differ", differing, f"of {epochs}", at_most=0, timed=False),
    ]


@dataclass(frozen=True)
class Cost:
    """Median seconds of a step and of an evaluation with a tenth of the batches."""

    step: float
    evaluation: float

    @property
    def training(self) -> float:
        """Seconds that a whole training would take."""
        return STEPS * self.step + EVALUATIONS * TENTHS * self.evaluation


def _costs(groups: Sequence[Sequence[Side]], *, shape: tuple[int, int], times: int, steps: int) -> list[Cost]:
    """What each group of processes takes; the groups take turns, a group's members work at the same time."""
    arguments = {"block_size": shape[0], "n_heads": shape[1]}
    taken: list[tuple[list[float], list[float]]] = [([], []) for _ in groups]  # steps, evaluations
    for turn in range(times + 1):
        for group, (steps_taken, evaluations_taken) in zip(groups, taken, strict=True):
            for side in group:
                side.begin("steps", count=steps, **arguments)
            stepped = [side.end() / steps for side in group]
            for side in group:
                side.begin("evaluate", **arguments)
            evaluated = [side.end()["seconds"] for side in group]
            if turn:  # the first warms up
                steps_taken.extend(stepped)
                evaluations_taken.extend(evaluated)
    return [Cost(statistics.median(step), statistics.median(evaluation)) for step, evaluation in taken]


def operations(block_size: int) -> float:
    """Operations of the products in one step forward and back, with the masked half of attention."""
    weights = LAYERS * 12 * WIDTH**2 + WIDTH * CHARACTERS
    attention = LAYERS * 2 * block_size * WIDTH
    return 3 * 2 * (weights + attention) * BATCH * block_size


def transformer(*, times: int, steps: int) -> list[Figure]:
    """The default training on one core, and what share of the core's speed its steps reach."""
    with sides(("plain", 1), ("fast", 1)) as (plain, fast):
        peak = max(fast.ask("product") for _ in range(3))
        lecture, ours = _costs([[plain], [fast]], shape=(32, 4), times=times, steps=steps)
    how = f"median of {times} times {steps} steps, in turns, one core"
    rate = operations(32) / ours.step
    return [
        Figure("transformer, a step of the lecture's loop", lecture.step * 1e3, "ms", note=how),
        Figure("... of ours", ours.step * 1e3, "ms", note=how),
        Figure("... times as fast", lecture.step / ours.step, "x", at_least=1.4),
        Figure("... its evaluations, times as fast", lecture.evaluation / ours.evaluation, "x"),
        Figure("... the whole training, times as fast", lecture.training / ours.training, "x", at_least=1.4),
        Figure("... share of the core's float32 speed", rate / peak, "", note=f"{peak / 1e9:.0f} GFLOP/s"),
    ]


def seven(*, times: int, steps: int) -> list[Figure]:
    """All seven trainings: one after another with torch's own choice of threads, and ours on two cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = [("plain", cores), *[("fast", 1)] * cores]
    costs = {}
    with sides(*wanted) as (plain, *fast):
        for shape in dict.fromkeys(SEVEN):
            costs[shape] = _costs([[plain], fast], shape=shape, times=times, steps=steps)
    lecture = sum(costs[shape][0].training for shape in SEVEN)
    all_seven = makespan([costs[shape][1].training for shape in SEVEN], cores)
    six = makespan([costs[shape][1].training for shape in dict.fromkeys(SEVEN)], cores)
    how = f"from {times} times {steps} steps of each"
    return [
        Figure("seven trainings, the lecture's loop one after another", lecture / 60, "min", note=how),
        Figure(f"... ours on {cores} cores", all_seven / 60, "min", note=how),
        Figure("... times as fast", lecture / all_seven, "x", at_least=2.5),
        Figure("... when equal settings are trained once", lecture / six, "x"),
    ]


def makespan(durations: Sequence[float], cores: int) -> float:
    """When the last of these ends if the longest start first, each on the first free core."""
    ends = [0.0] * cores
    for duration in sorted(durations, reverse=True):
        ends[ends.index(min(ends))] += duration
    return max(ends)


def measures(*, quick: bool) -> list[Callable[[], list[Figure]]]:
    """What measures the figures of training, each part by itself."""
    return [
        lambda: network(epochs=3 if quick else 13),
        lambda: transformer(times=3 if quick else 15, steps=10 if quick else 20),
        lambda: seven(times=2 if quick else 7, steps=5 if quick else 20),
    ]


def main() -> int:
    """Measure and show; exit status 1 when a figure misses its bar or could not be measured."""
    console = Console()
    console.print(f"[dim]{machine()}[/dim]")
    return show(measured(measures(quick="--quick" in sys.argv[1:])), console)


if __name__ == "__main__":
    sys.exit(main())
