"""The runs that the notebook makes, read from its own cell of parameters, so that there is only one list."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REFERENCE = Path(__file__).resolve().parent.parent
NOTEBOOK = REFERENCE / "hw3.py"
MANIFEST = REFERENCE.parent / "assignment.toml"

_PARAMETERS = re.compile(r'^# %% tags=\["parameters"\]\n(.*?)^# %%', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class NetworkRun:
    """One training of the numpy network: without ``patience`` to the end; alpha 0 is plain descent."""

    batch_size: int
    max_epochs: int
    patience: int | None
    alpha: float
    hidden: int
    rate: float
    seed: int

    @property
    def label(self) -> str:
        """The text beside the progress bar."""
        ends = "" if self.patience is None else ", early stopping"
        momentum = f", alpha {self.alpha:g}" if self.alpha else ""
        return f"network, batch {self.batch_size}{momentum}{ends}"

    @property
    def cost(self) -> float:
        """An estimate of the seconds on one core with the full data: long runs start first."""
        return min(self.max_epochs, 50) * (0.3 + 5 / self.batch_size)


@dataclass(frozen=True)
class TransformerRun:
    """One training of the transformer."""

    block_size: int
    n_heads: int
    steps: int
    batch_size: int
    rate: float
    eval_every: int
    eval_batches: int
    width: int
    layers: int
    generated: int
    seed: int

    @property
    def label(self) -> str:
        """The text beside the progress bar."""
        return f"transformer, block {self.block_size}, {self.n_heads} heads"

    @property
    def cost(self) -> float:
        """An estimate of the seconds on one core."""
        evaluations = 2 * (self.steps / self.eval_every + 1) * self.eval_batches / 3
        return (self.steps + evaluations) * self.batch_size * (self.block_size + 8) * 3e-5


Run = NetworkRun | TransformerRun


def parameters(notebook: Path = NOTEBOOK) -> dict[str, Any]:
    """The values of the notebook's cell tagged ``parameters``, by name."""
    found = _PARAMETERS.search(notebook.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{notebook} has no cell tagged parameters")
    values = {}
    for statement in ast.parse(found[1]).body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values[name] = ast.literal_eval(value)
    return values


def budget(manifest: Path = MANIFEST) -> dict[str, Any]:
    """The manifest's budget: the few steps on the small data that grading takes."""
    values: dict[str, Any] = tomllib.loads(manifest.read_text(encoding="utf-8"))["budget"]
    return values


def plan(values: Mapping[str, Any], *, examples: int) -> dict[tuple[str, ...], Run]:
    """The notebook's runs by the name that it gives each, in its order.

    ``examples`` is the size of the training set: larger batches are left out, as in the notebook. One run may
    have two names (four heads are the default); its two entries are equal, and it is trained once.
    """

    def network(
        batch_size: int, epochs: int, *, patience: int | None = None, alpha: float = 0.0
    ) -> NetworkRun:
        return NetworkRun(
            batch_size, epochs, patience, alpha, values["HIDDEN"], values["LEARNING_RATE"], values["SEED"]
        )

    def transformer(block_size: int, n_heads: int) -> TransformerRun:
        return TransformerRun(
            block_size,
            n_heads,
            steps=values["TRANSFORMER_STEPS"],
            batch_size=values["TRANSFORMER_BATCH"],
            rate=values["TRANSFORMER_RATE"],
            eval_every=values["EVAL_EVERY"],
            eval_batches=values["EVAL_BATCHES"],
            width=values["EMBEDDING"],
            layers=values["LAYERS"],
            generated=values["GENERATED_CHARACTERS"],
            seed=values["TRANSFORMER_SEED"],
        )

    default, block, heads = values["BATCH_SIZE"], values["BLOCK_SIZE"], values["N_HEADS"]
    stopping = {"epochs": values["MAX_EPOCHS"], "patience": values["PATIENCE"]}
    fitting = [size for size in values["BATCH_SIZES"] if size <= examples]
    alphas, epochs = values["ALPHAS"], values["MOMENTUM_EPOCHS"]
    return {
        ("first_run",): network(default, **stopping),
        **{("batch_runs", str(size)): network(size, **stopping) for size in fitting},
        ("early_run",): network(default, values["EARLY_STOP_EPOCHS"]),
        **{("momentum_runs", str(alpha)): network(default, epochs, alpha=alpha) for alpha in alphas},
        ("default_run",): transformer(block, heads),
        **{("block_runs", str(size)): transformer(size, heads) for size in values["BLOCK_SIZES"]},
        **{("head_runs", str(count)): transformer(block, count) for count in values["HEADS"]},
    }
