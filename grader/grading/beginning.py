"""The author's ``hidden_tests/beginning.py``: how a submission's long run is begun again while grading.

It is read on the trusted side, before the cells run, and is told what the submission claims. What it gives
back is data: names for the budget, and source that runs in the sandbox before the first cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.model.assignment import BudgetValue


@dataclass(frozen=True)
class Beginning:
    """What this submission's run is to begin from.

    ``budget`` is laid over the manifest's, name by name; ``prelude`` is Python source that is run inside the
    sandbox before the first cell. Student code can read both: put no expected value into them.
    """

    budget: Mapping[str, BudgetValue] = field(default_factory=dict)
    prelude: str = ""
