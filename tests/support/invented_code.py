"""Homework that many people seem to have written apart: usual lines in their own order, and their own.

Random, and no substitute for real work; docs/similarity.md has what real repositories gave.
"""

from __future__ import annotations

import random

from .copied_code import Pieces

TASKS = (
    *("affine", "relu", "softmax", "dropout", "batchnorm", "conv", "pool"),
    *("momentum", "adam", "loss", "accuracy", "train"),
)
_FUNCTIONS = (
    "sum",
    "mean",
    "exp",
    "log",
    "sqrt",
    "maximum",
    "abs",
    "max",
    "argmax",
    "zeros_like",
    "where",
    "prod",
)
_NAMES = ("x", "w", "b", "out", "grad", "cache", "n", "mask", "eps")
_SIGNS = ("+", "-", "*", "/", "@", "**")
_KNOWN = 0.55
"""Of the lines, those that are some of the usual ones of their task."""
_USUAL = 14


def homework(author: int) -> Pieces:
    """One author's cells: a function for each task, now and then a helper or a cell that tries it."""
    rng = random.Random(f"author {author}")  # noqa: S311
    return [_function(task, rng) for task in TASKS]


def given() -> Pieces:
    """What the course gave: imports, and a cell that is the same for everybody."""
    rng = random.Random("the course")  # noqa: S311
    return [
        "import numpy as np\nimport matplotlib.pyplot as plt",
        *(_function(f"show_{n}", rng) for n in range(6)),
    ]


def _function(task: str, rng: random.Random) -> str:
    lines = [_usual(task, rng) if rng.random() < _KNOWN else _line(rng) for _ in range(rng.randrange(6, 16))]
    body = "\n".join(f"    {one}".replace("\n", "\n    ") for one in lines)
    return f"def {task}(x, w, b, eps=1e-8):\n{body}\n    return out, cache"


def _usual(task: str, rng: random.Random) -> str:
    """One of the usual lines, the first ones most often."""
    number = min(rng.randrange(_USUAL), rng.randrange(_USUAL))
    return _line(random.Random(f"{task} {number}"))  # noqa: S311


def _line(rng: random.Random) -> str:
    value = _expression(rng, depth=rng.choice((1, 2, 2, 3)))
    name = rng.choice(_NAMES)
    kind = rng.random()
    if kind < 0.1:
        return f"for i in range({_expression(rng, depth=1)}):\n    {name}[i] = {value}"
    if kind < 0.2:
        return f"if {_expression(rng, depth=1)} > {rng.randrange(9)}:\n    {name} = {value}"
    return f"{name} {'+=' if kind < 0.3 else '='} {value}"


def _expression(rng: random.Random, *, depth: int) -> str:
    if not depth or rng.random() < 0.15:
        return rng.choice((*_NAMES, *_NAMES, str(rng.randrange(9)), f"1e-{rng.randrange(9)}", "x.shape[0]"))
    one = _expression(rng, depth=depth - 1)
    if rng.random() < 0.45:
        axis = rng.choice(("", "", ", axis=0", ", axis=1, keepdims=True"))
        return f"np.{rng.choice(_FUNCTIONS)}({one}{axis})"
    return f"({one} {rng.choice(_SIGNS)} {_expression(rng, depth=depth - 1)})"
