"""One side of a comparison of trainings, as a process: reads requests as lines of JSON, answers with seconds.

    python -m benchmarks.training_side plain|fast THREADS DATA

The parent (`benchmarks.training`) asks several such processes in turn, or two at once.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
from collections.abc import Callable
from typing import Any

import torch

from benchmarks import handout, lecture
from benchmarks.measure import seconds
from reference.fast import network, settings, transformer
from reference.utils import load_text

EVAL_BATCHES = 20
"""A tenth of the notebook's."""
SIZE = 1024
"""Rows and columns of the product that shows what a core can do."""


class Side:
    """The runs of one side, each kept after its first use."""

    def __init__(self, style: str, data: str) -> None:
        self.fast = style == "fast"
        self.data = data
        self.answers: dict[str, Callable[..., Any]] = {
            "epoch": self.epoch,
            "steps": self.steps,
            "evaluate": self.evaluate,
            "product": self.product,
        }
        self.transformer = functools.cache(self._transformer)
        self.network = functools.cache(self._network)

    def _network(self, batch_size: int) -> tuple[Callable[[], None], Callable[[], Any]]:
        run = dataclasses.replace(_plan()["first_run",], batch_size=batch_size)
        if not self.fast:
            plain = handout.Training(run, self.data)
            return plain.epoch, plain.evaluate
        sets, model = network.prepare(run, self.data)
        return (
            lambda: model.epoch(sets["train"]),
            lambda: {name: model.accuracy_and_loss(examples) for name, examples in sets.items()},
        )

    def epoch(self, batch_size: int) -> dict[str, Any]:
        """An epoch of the network with its evaluation: seconds, and accuracy and loss on each set."""
        epoch, evaluate = self.network(batch_size)
        trained = seconds(epoch)
        found: dict[str, Any] = {}
        evaluated = seconds(lambda: found.update(evaluate()))
        return {"trained": trained, "evaluated": evaluated, "found": found}

    def _transformer(self, block_size: int, n_heads: int) -> Any:
        default = _plan()["default_run",]
        run = dataclasses.replace(default, block_size=block_size, n_heads=n_heads, eval_batches=EVAL_BATCHES)
        text = load_text(self.data)
        return transformer.Training(run, text, "cpu") if self.fast else lecture.Training(run, text)

    def steps(self, block_size: int, n_heads: int, count: int) -> float:
        """Seconds that ``count`` steps of the transformer take."""
        training = self.transformer(block_size, n_heads)
        return seconds(lambda: training.steps(count))

    def evaluate(self, block_size: int, n_heads: int) -> dict[str, Any]:
        """Seconds of an evaluation with a tenth of the notebook's batches, and the losses."""
        training = self.transformer(block_size, n_heads)
        found: dict[str, float] = {}
        return {"seconds": seconds(lambda: found.update(training.evaluate())), "found": found}

    def product(self) -> float:
        """Operations per second of one large float32 product."""
        a, b = torch.rand(SIZE, SIZE), torch.rand(SIZE, SIZE)
        return 2 * SIZE**3 / min(seconds(lambda: a @ b) for _ in range(5))


@functools.cache
def _plan() -> dict[tuple[str, ...], Any]:
    return settings.plan(settings.parameters(), examples=sys.maxsize)


def main(style: str, threads: str, data: str) -> None:
    """Answer every line of standard input with one of standard output."""
    torch.set_num_threads(int(threads))
    side = Side(style, data)
    for line in sys.stdin:
        request = json.loads(line)
        answer = side.answers[request.pop("what")](**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
