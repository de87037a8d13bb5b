"""How often `check_gradients` is wrong: right gradients of many layers refused, wrong ones accepted.

python -m benchmarks.gradients [--draws 200]
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

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


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gradients", description=__doc__)
    parser.add_argument("--draws", type=int, default=200, help="points for each layer and scale")
    draws = parser.parse_args().draws
    torch.set_num_threads(1)
    print(f"{machine()}; torch {torch.__version__}\n")
    start = time.perf_counter()
    refused, accepted, authors, counts = measure(draws)
    print(f"{len(LAYERS)} layers, {draws} points at each of {len(SCALES)} scales")
    for kind in ("float64", "float32"):
        bad = {name: count for (name, of), count in refused.items() if of == kind}
        print(f"right, {kind}: {sum(bad.values())} of {counts[kind]} refused {bad or ''}")
    print(f"wrong: {sum(accepted.values())} of {counts['wrong']} accepted {dict(accepted) or ''}")
    print(f"put down to the author: {dict(authors) or 'none'}")
    print(f"{time.perf_counter() - start:.0f} s")


def measure(draws: int) -> tuple[Counter[tuple[str, str]], Counter[str], Counter[str], Counter[str]]:
    """Right gradients refused by layer and type, wrong ones accepted, points refused, and all by kind."""
    refused, accepted = Counter[tuple[str, str]](), Counter[str]()
    authors, counts = Counter[str](), Counter[str]()
    for name in LAYERS:
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
                    flat = abs(case.loss(case.point)) / float(np.sqrt(np.mean(case.point**2)))
                    for what, gradient in wrong(case, rng):
                        if (
                            np.abs(gradient - right).max()
                            > FAR * np.abs(right).max() + FLAT[gradient.itemsize] * flat
                        ):
                            counts["wrong"] += 1
                            accepted[f"{name}: {what}"] += judge(case, gradient) is None
    return +refused, +accepted, +authors, counts


def judge(case: Case, gradient: Array) -> type[Exception] | None:
    """What `check_gradients` raises."""
    try:
        check_gradients(case.loss, case.point, gradient)
    except (CheckFailed, AuthorError) as error:
        return type(error)
    return None


if __name__ == "__main__":
    main()
