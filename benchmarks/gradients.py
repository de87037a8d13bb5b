"""How often `check_gradients` is wrong: right gradients of many layers refused, wrong ones accepted.

python -m benchmarks.gradients [--draws 200] [--only softmax]
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import torch

from benchmarks.layers import LAYERS, Case, draw, wrong
from benchmarks.measure import machine
from grader import check_gradients
from grader.checks.arrays import Array
from grader.checks.saturation import COARSE, NEARER, STOPS
from grader.checks.slopes import SMALLER, STEP, sizes_of
from grader.model.errors import AuthorError, CheckFailed

SCALES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0, 1e3)
FAR = 1e-3
"""A wrong gradient counts where an entry is off by more than this part of the largest,"""

FLAT = {8: 1e-9, 4: 1e-5, 2: 1e-5}
"""and by more than this part of the loss over the point's size, by the type's bytes: less is rounding."""

ROUNDED = 64 * float(np.finfo(np.float32).eps)
"""A coarse one must also be off by more than this part of the gradient at a point of ordinary size."""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradients", description=__doc__)
    parser.add_argument("--draws", type=int, default=200, help="points for each layer and scale")
    parser.add_argument("--only", default="", help="layers whose names hold this")
    options = parser.parse_args()
    draws, layers = options.draws, [name for name in LAYERS if options.only in name]
    torch.set_num_threads(1)
    print(f"{machine()}; torch {torch.__version__}\n")
    start = time.process_time()
    refused, accepted, authors, counts = measure(layers, draws)
    print(f"{len(layers)} layers, {draws} points at each of {len(SCALES)} scales")
    for kind in ("float64", "float32"):
        bad = {name: count for (name, of), count in refused.items() if of == kind}
        print(f"right, {kind}: {sum(bad.values())} of {counts[kind]} refused {bad or ''}")
    print(f"wrong: {sum(accepted.values())} of {counts['wrong']} accepted {dict(accepted) or ''}")
    print(f"put down to the author: {dict(authors) or 'none'}")
    print(f"{time.process_time() - start:.0f} s of processor time")


def measure(
    layers: Iterable[str], draws: int
) -> tuple[Counter[tuple[str, str]], Counter[str], Counter[str], Counter[str]]:
    """Right gradients refused by layer and type, wrong ones accepted, points refused, and all by kind."""
    refused, accepted = Counter[tuple[str, str]](), Counter[str]()
    authors, counts = Counter[str](), Counter[str]()
    for name in layers:
        for scale in SCALES:
            for seed in range(draws):
                rng = np.random.default_rng([seed, int(1e6 * scale)])
                case = draw(name, rng, scale=scale)
                loss = Foreseen(case)
                for kind in ("float64", "float32"):
                    counts[kind] += 1
                    verdict = judge(case, case.gradient(single=kind == "float32"), loss)
                    refused[f"{name} at {scale:g}", kind] += verdict is CheckFailed
                    authors[name] += verdict is AuthorError
                if seed % 10 == 0:
                    right = case.gradient()
                    for what, gradient in wrong(case, rng):
                        if np.abs(gradient - right).max() > excused(case, scale, right, gradient.itemsize):
                            counts["wrong"] += 1
                            accepted[f"{name} at {scale:g}: {what}"] += judge(case, gradient, loss) is None
    return +refused, +accepted, +authors, counts


def excused(case: Case, scale: float, right: Array, size: int) -> float:
    """By how much a gradient with numbers of this many bytes may be off without being wrong."""
    flat = FLAT[size] * abs(case.loss(case.point)) / float(np.sqrt(np.mean(case.point**2)))
    ordinary = replace(case, point=case.point / max(1.0, scale)).gradient()
    rounded = ROUNDED * float(np.abs(ordinary).max()) if size < right.itemsize else 0.0
    return FAR * float(np.abs(right).max()) + flat + rounded


class Foreseen:
    """A case's loss with the points at which `check_gradients` looks computed together, once for all types.

    A call of a small layer costs 20 times what it computes.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._known: dict[bytes, float] = {}
        self._unseen = batches(case.point)

    def __call__(self, point: Array) -> float:
        """The loss at a point."""
        key = point.tobytes()
        while key not in self._known:
            points = next(self._unseen, None)
            if points is None:
                return self._case.loss(point)
            found = self._case.losses(points)
            self._known.update(zip(map(Array.tobytes, points), found.tolist(), strict=True))
        return self._known[key]


def batches(at: Array) -> Iterator[Array]:
    """Where `check_gradients` looks: around the point, nearer to it, and on the way from it to 0."""
    steps = STEP * sizes_of(at)
    yield np.concatenate((at[None], moved(at, steps)))
    nearer = steps * SMALLER
    yield np.concatenate((moved(at, nearer), moved(at, nearer * SMALLER)))
    stops = [at * NEARER**stop for stop in range(1, STOPS + 1)]
    around = (moved(stop, COARSE * sizes_of(stop)) for stop in stops)
    yield np.concatenate((np.stack(stops), *around))


def moved(at: Array, steps: Array) -> Array:
    """The point with each entry moved by one step and by two, both ways."""
    points = np.repeat(at[None], 4 * at.size, axis=0)
    entries = np.arange(at.size)
    for number, by in enumerate((1, -1, 2, -2)):
        points.reshape(4, at.size, -1)[number, entries, entries] += by * steps.ravel()
    return points


def judge(case: Case, gradient: Array, loss: Foreseen) -> type[Exception] | None:
    """What `check_gradients` raises."""
    try:
        check_gradients(loss, case.point, gradient)
    except (CheckFailed, AuthorError) as error:
        return type(error)
    return None


if __name__ == "__main__":
    main()
