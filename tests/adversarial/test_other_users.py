"""The same attacks once more by others than root with all privileges: other modes, other walls."""

from __future__ import annotations

import pytest
from lanes import LANES, run
from suite import attacks, modes_here
from table import Rows

from grader.model.isolation import Mode


@pytest.mark.parametrize("name", LANES)
def test_somebody_else_stops_the_attacks_as_well(name: str, attack_rows: Rows) -> None:
    """In a process of their own, whose table joins this one's; no attack is left out in silence."""
    if Mode.NS_ROOT not in modes_here():
        return  # only root who can make namespaces can be everybody
    lane = LANES[name]
    outcome = run(lane)
    attack_rows.take_over(outcome.rows)
    assert outcome.status == 0, outcome.output
    if lane.mode is not None:
        left_out = {attack.name for attack in attacks() if lane.mode.value in attack.no_meaning}
        tried = outcome.rows.tried_in(lane.mode.value)
        assert tried | left_out == {attack.name for attack in attacks()}


def test_every_mode_is_tried() -> None:
    """By this user or in a lane."""
    if Mode.NS_ROOT not in modes_here():
        return
    in_lanes = {lane.mode for lane in LANES.values() if lane.mode is not None}
    assert {*modes_here(), *in_lanes} == {mode for mode in Mode if mode.isolates}
