"""Chainrule: automated grading of machine-learning homework in Jupyter notebooks.

Everything here loads on first use, so that ``grade --help`` and the sandbox import almost nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.checks.arrays import as_array as as_array
    from grader.checks.checkpoints import assert_checkpoint as assert_checkpoint
    from grader.checks.checkpoints import read_checkpoint as read_checkpoint
    from grader.checks.claims import Claim as Claim
    from grader.checks.closeness import assert_close as assert_close
    from grader.checks.gradients import check_gradients as check_gradients
    from grader.checks.sequential import assert_mostly as assert_mostly
    from grader.checks.training import assert_beats_baseline as assert_beats_baseline
    from grader.checks.training import assert_loss_falls as assert_loss_falls
    from grader.checks.training import assert_overfits as assert_overfits
    from grader.checks.training import assert_parameter_count as assert_parameter_count
    from grader.checks.training import assert_repeatable as assert_repeatable
    from grader.cli.cell import check as check
    from grader.grading.beginning import Beginning as Beginning
    from grader.grading.marks import item as item
    from grader.grading.marks import keep_seeds as keep_seeds
    from grader.grading.marks import points as points
    from grader.model.errors import BadEvidence as BadEvidence

__version__ = "0.1.0"

_HOMES = {
    "BadEvidence": "grader.model.errors",
    "Beginning": "grader.grading.beginning",
    "Claim": "grader.checks.claims",
    "as_array": "grader.checks.arrays",
    "assert_beats_baseline": "grader.checks.training",
    "assert_checkpoint": "grader.checks.checkpoints",
    "assert_close": "grader.checks.closeness",
    "assert_loss_falls": "grader.checks.training",
    "assert_mostly": "grader.checks.sequential",
    "assert_overfits": "grader.checks.training",
    "assert_parameter_count": "grader.checks.training",
    "assert_repeatable": "grader.checks.training",
    "check": "grader.cli.cell",
    "check_gradients": "grader.checks.gradients",
    "item": "grader.grading.marks",
    "keep_seeds": "grader.grading.marks",
    "points": "grader.grading.marks",
    "read_checkpoint": "grader.checks.checkpoints",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'grader' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
