"""The same attacks once more by others than root who may do everything: other modes, other walls.

They started before the tests of test_attacks.py did, and ran beside them.
"""

from __future__ import annotations

import pytest
from lanes import LANES, Lanes
from suite import attacks, modes_here
from table import Rows

from grader.model.isolation import Mode


@pytest.mark.parametrize("name", LANES)
def test_somebody_else_stops_the_attacks_as_well(name: str, lanes: Lanes | None, attack_rows: Rows) -> None:
    """In a process of their own, whose table joins this one's."""
    if lanes is None:
        assert Mode.NS_ROOT not in modes_here(), "only root who can make namespaces can be everybody"
        return
    outcome = lanes.outcome(name)
    attack_rows.take_over(outcome.rows)
    assert outcome.status == 0, outcome.words


def test_every_attack_was_tried_in_every_mode(lanes: Lanes | None, attack_rows: Rows) -> None:
    """Or its description says why it has no meaning there; none is left out in silence."""
    ours = set(modes_here())
    for mode in {mode for mode in Mode if mode.isolates} - ours if lanes else ours:
        left_out = {attack.name for attack in attacks() if mode.value in attack.no_meaning}
        assert attack_rows.tried_in(mode.value) | left_out == {attack.name for attack in attacks()}, mode
