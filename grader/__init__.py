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
    from grader.checks.closeness import assert_close as assert_close
    from grader.checks.evidence import Claim as Claim
    from grader.checks.gradients import check_gradients as check_gradients
    from grader.checks.sequential import assert_mostly as assert_mostly
    from grader.checks.training import assert_beats_baseline as assert_beats_baseline
    from grader.checks.training import assert_loss_falls as assert_loss_falls
    from grader.checks.training import assert_overfits as assert_overfits
    from grader.checks.training import assert_parameter_count as assert_parameter_count
    from grader.checks.training import assert_repeatable as assert_repeatable
    from grader.grading.decorators import item as item
    from grader.grading.decorators import keep_seeds as keep_seeds
    from grader.grading.decorators import points as points
    from grader.grading.replay import Beginning as Beginning
    from grader.model.errors import BadEvidence as BadEvidence
    from grader.model.version import __version__ as __version__
    from grader.public_checks.in_cell import check as check


_HOMES = {
    "BadEvidence": "grader.model.errors",
    "Beginning": "grader.grading.replay",
    "Claim": "grader.checks.evidence",
    "__version__": "grader.model.version",
    "as_array": "grader.checks.arrays",
    "assert_beats_baseline": "grader.checks.training",
    "assert_checkpoint": "grader.checks.checkpoints",
    "assert_close": "grader.checks.closeness",
    "assert_loss_falls": "grader.checks.training",
    "assert_mostly": "grader.checks.sequential",
    "assert_overfits": "grader.checks.training",
    "assert_parameter_count": "grader.checks.training",
    "assert_repeatable": "grader.checks.training",
    "check": "grader.public_checks.in_cell",
    "check_gradients": "grader.checks.gradients",
    "item": "grader.grading.decorators",
    "keep_seeds": "grader.grading.decorators",
    "points": "grader.grading.decorators",
    "read_checkpoint": "grader.checks.checkpoints",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'grader' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
