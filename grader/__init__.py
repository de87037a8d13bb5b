"""Chainrule: automated grading of machine-learning homework in Jupyter notebooks.

All that a check's author needs is here, and each name loads on first use, so that ``grade --help`` and the
sandbox import almost nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.checks.arrays import as_array as as_array
    from grader.checks.awards import award as award
    from grader.checks.checkpoints import assert_checkpoint as assert_checkpoint
    from grader.checks.checkpoints import read_checkpoint as read_checkpoint
    from grader.checks.clocks import active_share as active_share
    from grader.checks.clocks import clock as clock
    from grader.checks.clocks import log_size as log_size
    from grader.checks.clocks import neuron_clock as neuron_clock
    from grader.checks.closeness import assert_close as assert_close
    from grader.checks.curves import assert_counts as assert_counts
    from grader.checks.curves import assert_curve_in_band as assert_curve_in_band
    from grader.checks.curves import assert_curve_rough as assert_curve_rough
    from grader.checks.curves import assert_curves_differ as assert_curves_differ
    from grader.checks.curves import assert_curves_rough as assert_curves_rough
    from grader.checks.curves import assert_labels as assert_labels
    from grader.checks.curves import assert_replay_agrees as assert_replay_agrees
    from grader.checks.curves import assert_same_draws as assert_same_draws
    from grader.checks.curves import assert_stop_epoch as assert_stop_epoch
    from grader.checks.curves import roughness as roughness
    from grader.checks.evidence import Evidence as Evidence
    from grader.checks.evidence import Recording as Recording
    from grader.checks.evidence import student_seed as student_seed
    from grader.checks.formulas import Formulas as Formulas
    from grader.checks.frames import assert_frame as assert_frame
    from grader.checks.frames import assert_series as assert_series
    from grader.checks.gradients import check_gradients as check_gradients
    from grader.checks.letters import copied_share as copied_share
    from grader.checks.letters import sampling_surprise as sampling_surprise
    from grader.checks.likeness import centred_scores as centred_scores
    from grader.checks.likeness import likeness as likeness
    from grader.checks.likeness import neuron_products as neuron_products
    from grader.checks.likeness import sketch as sketch
    from grader.checks.likeness import without_common as without_common
    from grader.checks.once import computed_once as computed_once
    from grader.checks.raising import assert_raises as assert_raises
    from grader.checks.sequential import assert_mostly as assert_mostly
    from grader.checks.texts import assert_same_set as assert_same_set
    from grader.checks.texts import assert_text as assert_text
    from grader.checks.training import assert_beats_baseline as assert_beats_baseline
    from grader.checks.training import assert_loss_falls as assert_loss_falls
    from grader.checks.training import assert_overfits as assert_overfits
    from grader.checks.training import assert_parameter_count as assert_parameter_count
    from grader.checks.training import assert_repeatable as assert_repeatable
    from grader.checks.training_line import TrainingLine as TrainingLine
    from grader.checks.weights import unpack_weights as unpack_weights
    from grader.grading.decorators import item as item
    from grader.grading.decorators import keep_seeds as keep_seeds
    from grader.grading.decorators import points as points
    from grader.grading.decorators import seconds as seconds
    from grader.grading.functions import Sketch as Sketch
    from grader.grading.replay import Replay as Replay
    from grader.model.errors import BadEvidence as BadEvidence
    from grader.model.errors import CallTimedOut as CallTimedOut
    from grader.model.errors import CheckFailed as CheckFailed
    from grader.model.errors import SandboxDied as SandboxDied
    from grader.model.errors import StudentError as StudentError
    from grader.model.errors import Undecided as Undecided
    from grader.model.errors import UnsupportedValue as UnsupportedValue
    from grader.model.records import read_record as read_record
    from grader.model.values import is_proxy as is_proxy
    from grader.model.version import __version__ as __version__
    from grader.public_checks.in_cell import check as check


_HOMES = {
    "__version__": "grader.model.version",
    "BadEvidence": "grader.model.errors",
    "CallTimedOut": "grader.model.errors",
    "CheckFailed": "grader.model.errors",
    "Evidence": "grader.checks.evidence",
    "Formulas": "grader.checks.formulas",
    "Recording": "grader.checks.evidence",
    "Replay": "grader.grading.replay",
    "SandboxDied": "grader.model.errors",
    "Sketch": "grader.grading.functions",
    "StudentError": "grader.model.errors",
    "TrainingLine": "grader.checks.training_line",
    "Undecided": "grader.model.errors",
    "UnsupportedValue": "grader.model.errors",
    "active_share": "grader.checks.clocks",
    "as_array": "grader.checks.arrays",
    "assert_beats_baseline": "grader.checks.training",
    "assert_checkpoint": "grader.checks.checkpoints",
    "assert_close": "grader.checks.closeness",
    "assert_counts": "grader.checks.curves",
    "assert_curve_in_band": "grader.checks.curves",
    "assert_curve_rough": "grader.checks.curves",
    "assert_curves_differ": "grader.checks.curves",
    "assert_curves_rough": "grader.checks.curves",
    "assert_frame": "grader.checks.frames",
    "assert_labels": "grader.checks.curves",
    "assert_loss_falls": "grader.checks.training",
    "assert_mostly": "grader.checks.sequential",
    "assert_overfits": "grader.checks.training",
    "assert_parameter_count": "grader.checks.training",
    "assert_raises": "grader.checks.raising",
    "assert_repeatable": "grader.checks.training",
    "assert_replay_agrees": "grader.checks.curves",
    "assert_same_draws": "grader.checks.curves",
    "assert_same_set": "grader.checks.texts",
    "assert_series": "grader.checks.frames",
    "assert_stop_epoch": "grader.checks.curves",
    "assert_text": "grader.checks.texts",
    "award": "grader.checks.awards",
    "centred_scores": "grader.checks.likeness",
    "check": "grader.public_checks.in_cell",
    "check_gradients": "grader.checks.gradients",
    "clock": "grader.checks.clocks",
    "computed_once": "grader.checks.once",
    "copied_share": "grader.checks.letters",
    "is_proxy": "grader.model.values",
    "item": "grader.grading.decorators",
    "keep_seeds": "grader.grading.decorators",
    "likeness": "grader.checks.likeness",
    "log_size": "grader.checks.clocks",
    "neuron_clock": "grader.checks.clocks",
    "neuron_products": "grader.checks.likeness",
    "points": "grader.grading.decorators",
    "read_checkpoint": "grader.checks.checkpoints",
    "read_record": "grader.model.records",
    "roughness": "grader.checks.curves",
    "sampling_surprise": "grader.checks.letters",
    "seconds": "grader.grading.decorators",
    "sketch": "grader.checks.likeness",
    "student_seed": "grader.checks.evidence",
    "unpack_weights": "grader.checks.weights",
    "without_common": "grader.checks.likeness",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'grader' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
