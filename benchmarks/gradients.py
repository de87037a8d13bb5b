"""How often `check_gradients` is wrong: right gradients of many layers refused, wrong ones accepted.

python -m benchmarks.gradients [--draws 200] [--only softmax]
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch

from benchmarks.layers import LAYERS, Case, draw, wrong
from benchmarks.measure import machine
from grader import check_gradients
from grader.checks.arrays import Array
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
    start = time.perf_counter()
    refused, accepted, authors, counts = measure(layers, draws)
    print(f"{len(layers)} layers, {draws} points at each of {len(SCALES)} scales")
    for kind in ("float64", "float32"):
        bad = {name: count for (name, of), count in refused.items() if of == kind}
        print(f"right, {kind}: {sum(bad.values())} of {counts[kind]} refused {bad or ''}")
    print(f"wrong: {sum(accepted.values())} of {counts['wrong']} accepted {dict(accepted) or ''}")
    print(f"put down to the author: {dict(authors) or 'none'}")
    print(f"{time.perf_counter() - start:.0f} s")


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
                for kind in ("float64", "float32"):
                    counts[kind] += 1
                    verdict = judge(case, case.gradient(single=kind == "float32"))
                    refused[f"{name} at {scale:g}", kind] += verdict is CheckFailed
                    authors[name] += verdict is AuthorError
                if seed % 10 == 0:
                    right = case.gradient()
                    for what, gradient in wrong(case, rng):
                        if np.abs(gradient - right).max() > excused(case, scale, right, gradient.itemsize):
                            counts["wrong"] += 1
                            accepted[f"{name} at {scale:g}: {what}"] += judge(case, gradient) is None
    return +refused, +accepted, +authors, counts


def excused(case: Case, scale: float, right: Array, size: int) -> float:
    """By how much a gradient with numbers of this many bytes may be off without being wrong."""
    flat = FLAT[size] * abs(case.loss(case.point)) / float(np.sqrt(np.mean(case.point**2)))
    ordinary = replace(case, point=case.point / max(1.0, scale)).gradient()
    rounded = ROUNDED * float(np.abs(ordinary).max()) if size < right.itemsize else 0.0
    return FAR * float(np.abs(right).max()) + flat + rounded


def judge(case: Case, gradient: Array) -> type[Exception] | None:
    """What `check_gradients` raises."""
    try:
        check_gradients(case.loss, case.point, gradient)
    except (CheckFailed, AuthorError) as error:
        return type(error)
    return None


if __name__ == "__main__":
    main()
