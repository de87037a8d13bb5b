"""HW3's numpy functions with one mistake each: the reference's source changed, and the examples."""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterator, Mapping

from benchmarks.commands import ROOT

NAMES = (
    "linear_layer",
    "relu",
    "forward_pass",
    "backward_pass",
    "gradient_checker",
    "sgd_with_momentum",
)

FORWARD = 'X @ self.params["W"] + self.params["b"]'
GRADIENT_W, GRADIENT_B = "X.T @ grad", "grad.sum(axis=0, keepdims=True)"
GRADIENT_X = 'grad @ self.params["W"].T'
RELU, RELU_BACK = "return X * self.mask", "return grad * self.mask"
TO_L2, TO_RELU, TO_L1 = "backward(h1, grad_a2)", "backward(a1, grad_h1)", "backward(x, grad_a1)"
VELOCITY = "alpha * velocity[name, key] + np.reshape(gradient, module.params[key].shape)"
STORE, STEP = "velocity[name, key] = v", "module.params[key] -= _learning_rate * v"
W, B, G = 'self.params["W"]', 'self.params["b"]', "np.reshape(gradient, module.params[key].shape)"

CHANGES: Mapping[str, tuple[str, ...]] = {
    FORWARD: (
        f"X @ {W}",
        f"X @ {W} - {B}",
        f"X @ {W} + 2 * {B}",
        f"X @ ({W} + {B})",
        f"(X @ {W} + {B}) / len(X)",
        f"X @ {W} * {B}",
        f"X @ {W} + {B}.mean()",
        f"X @ {W} + {B}.sum()",
        f"np.maximum(X @ {W} + {B}, 0)",
        f"-(X @ {W}) + {B}",
        f"X @ {W} + np.abs({B})",
        f"(X - X.mean(0)) @ {W} + {B}",
        f"X @ {W} / X.shape[1] + {B}",
        f"(X @ {W} + {B}).T",
        f"X.dot({W}) + {B} / len(X)",
        f"X @ {W} + {B}[0, 0]",
        f"1 / (1 + np.exp(-(X @ {W} + {B})))",
    ),
    GRADIENT_W: (
        "X.T @ grad / len(X)",
        "X.T @ grad / len(X) ** 2",
        "-X.T @ grad",
        "(X.T @ grad).T",
        "2 * X.T @ grad",
        "X.T @ np.ones_like(grad)",
        "np.ones_like(X).T @ grad",
        f"X.T @ grad + {W}",
        f"X.T @ grad * {W}",
        "X.T @ (grad - grad.mean(0))",
        "X.T @ np.maximum(grad, 0)",
        "X.T @ grad * len(X)",
        "np.outer(X.sum(0), grad.sum(0))",
        "np.outer(X[0], grad[0])",
        "X.T @ grad / grad.shape[1]",
        "np.abs(X.T @ grad)",
        "X.mean(0)[:, None] * grad.sum(0)",
        f"{W} - X.T @ grad",
        "X.T @ (grad * grad)",
        "(X * X).T @ grad",
        "X.T @ grad / X.size",
        "(X - X.mean(0)).T @ grad",
        f"X.T @ grad + 0.01 * {W}",
    ),
    GRADIENT_B: (
        "grad.mean(0)",
        "grad.mean(0, keepdims=True)",
        "grad",
        "grad.sum(1)",
        "grad.sum(1, keepdims=True)",
        "grad.sum()",
        "grad.mean()",
        "-grad.sum(0)",
        "grad.sum(0) * len(grad)",
        "grad.sum(0) / grad.shape[1]",
        f"grad.sum(0) + {B}",
        f"grad.sum(0) * {B}",
        "X.sum(0)",
        "np.ones(grad.shape[1]) * len(grad)",
        "grad.mean(1)",
        "2 * grad.sum(0)",
        "np.abs(grad).sum(0)",
        "(grad ** 2).sum(0)",
        "grad[0]",
        "grad.max(0)",
    ),
    GRADIENT_X: (
        f"grad @ {W}.T / len(grad)",
        f"-grad @ {W}.T",
        f"(grad @ {W}.T).T",
        f"(grad + {B}) @ {W}.T",
        f"grad @ {W}.T * X",
        f"grad @ {W}.T * (X > 0)",
        f"np.ones_like(grad) @ {W}.T",
        f"grad @ {W}.T + X",
        "X.T @ grad",
        f"2 * grad @ {W}.T",
        f"X @ {W} + {B}",
        "grad",
        f"grad @ {W}.T / {W}.shape[1]",
        f"grad @ {W}.reshape(grad.shape[1], -1)",
        f"{W} @ grad.T",
    ),
    RELU: (
        "return X",
        "return np.abs(X)",
        "return np.minimum(X, 0)",
        "return self.mask * 1.0",
        "return np.where(X > 0, X, 0.01 * X)",
        "return -X * self.mask",
        "return 1 / (1 + np.exp(-X))",
        "return np.tanh(X)",
        "return X ** 2 * self.mask",
        "return 2 * X * self.mask",
        "return np.where(X > 0, X, np.exp(X) - 1)",
    ),
    RELU_BACK: (
        "return grad",
        "return X * self.mask",
        "return grad * (grad > 0)",
        "return self.mask * 1.0",
        "return grad * (X < 0)",
        "return grad * X",
        "return grad * X * self.mask",
        "return np.where(X > 0, grad, 0.01 * grad)",
        "return grad * self.mask * (grad > 0)",
        "return -grad * self.mask",
        "return grad * self.mask / len(grad)",
        "return 2 * grad * self.mask",
        "return np.maximum(grad * X, 0)",
        "return grad + self.mask",
        "return grad * np.abs(X)",
        "return grad * np.sign(X)",
    ),
    TO_L2: (
        "backward(a1, grad_a2)",
        "backward(a2, grad_a2)",
        "backward(h1, -grad_a2)",
        "backward(h1, a2)",
        "backward(h1, grad_a2 / len(x))",
        "backward(np.maximum(h1, 0), grad_a2)",
        "backward(h1 * (a1 > 0), grad_a2)",
        "backward(h1.T, grad_a2)",
    ),
    TO_RELU: (
        "backward(x, grad_h1)",
        "backward(a1, h1)",
        "backward(h1 * a1, grad_h1)",
        "backward(a1, grad_h1 * (a1 > 0))",
        "backward(a1, grad_h1 * h1)",
        "backward(a1, -grad_h1)",
        "backward(a1, 2 * grad_h1)",
    ),
    TO_L1: (
        "backward(a1, grad_a1)",
        "backward(x, grad_h1)",
        "backward(x, a1)",
        "backward(x, grad_a1 / len(x))",
        "backward(x, grad_a1 * (a1 > 0))",
        "backward(x, grad_a1 + grad_h1)",
        "backward(x, -grad_a1)",
    ),
    VELOCITY: (
        G,
        f"alpha * velocity[name, key] - {G}",
        f"alpha * velocity[name, key] + (1 - alpha) * {G}",
        f"velocity[name, key] + {G}",
        f"velocity[name, key] + alpha * {G}",
        f"alpha * (velocity[name, key] + {G})",
        f"(1 - alpha) * velocity[name, key] + alpha * {G}",
        f"alpha * velocity[name, key] + _learning_rate * {G}",
        f"-alpha * velocity[name, key] + {G}",
        f"alpha ** 2 * velocity[name, key] + {G}",
        f"alpha * velocity[name, key] + {G} ** 2",
        f"alpha * velocity[name, key] + {G} / len({G})",
    ),
    STORE: ("pass", f"velocity[name, key] = {G}"),
    STEP: (
        "module.params[key] += _learning_rate * v",
        "module.params[key] -= v",
        "module.params[key] -= alpha * v",
        f"module.params[key] -= _learning_rate * {G}",
        f"module.params[key] -= _learning_rate * (alpha * v + {G})",
        "module.params[key] -= _learning_rate ** 2 * v",
        "module.params[key] = -_learning_rate * v",
        "module.params[key] -= _learning_rate * (1 - alpha) * v",
        f"module.params[key] -= _learning_rate * v + _learning_rate * {G}",
        "module.params[key] = module.params[key] * (1 - _learning_rate) - _learning_rate * v",
        "module.params[key] -= _learning_rate * np.sign(v)",
    ),
}
"""What is right, and what is written in its place. All were written down before any was looked up."""


ITEMS = {
    "3.1.1": (FORWARD, GRADIENT_W, GRADIENT_B, GRADIENT_X),
    "3.1.2": (RELU, RELU_BACK),
    "3.1.4": (TO_L2, TO_RELU, TO_L1),
    "3.4.momentum": (VELOCITY, STORE, STEP),
}
"""The item that asks for each."""


def mutants() -> Iterator[tuple[str, str, Collection[str]]]:
    """The reference's functions with one change each: what was changed, the source, the item concerned."""
    source = definitions((ROOT / "reference" / "hw3.py").read_text(encoding="utf-8"))
    for old, changes in CHANGES.items():
        if source.count(old) != 1:
            raise ValueError(f"the reference has {old!r} {source.count(old)} times")
        items = [item for item, parts in ITEMS.items() if old in parts]
        for new in changes:
            yield new, source.replace(old, new), items


def examples() -> Iterator[tuple[str, str, Collection[str]]]:
    """The same functions of the examples that hold a mistake: the example's name, the source, the items."""
    for path in sorted((ROOT / "examples" / "traps").glob("*/*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        yield path.parent.name, "\n".join(definitions(cell) for cell in code), list(ITEMS)


def definitions(source: str) -> str:
    """The definitions of HW3's numpy functions in a source, and nothing else that would run."""
    kept = [
        ast.get_source_segment(source, node) or ""
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in NAMES
    ]
    return "\n\n\n".join(kept) + "\n"
