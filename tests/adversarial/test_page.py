"""docs/attacks.md tells of every attack what the suite knows; it is written by the suite itself."""

from __future__ import annotations

import pytest
from suite import HERE, Attack, attacks

from grader.sandbox.modes import Mode

PAGE = HERE.parent.parent / "docs" / "attacks.md"
WRITE_AGAIN = "as root, run CHAINRULE_ATTACK_PAGE=docs/attacks.md pytest tests/adversarial"


def rows() -> dict[str, dict[str, str]]:
    """The measured table: by attack, each column by its heading."""
    lines = [
        line.strip("| ").split(" | ")
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    heading, _, *found = lines
    return {line[0].strip("`"): dict(zip(heading, line, strict=True)) for line in found}


@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: attack.name)
def test_an_attack_is_in_the_table(attack: Attack) -> None:
    """With what it tries, what stops it, and that it is stopped in each mode with all walls."""
    row = rows()[attack.name]
    told = (row["the submission …"], row["stopped by"])
    assert told == (attack.tries, attack.stopped_by), WRITE_AGAIN
    for mode in (Mode.NS_ROOT, Mode.NS_USER):
        assert row[mode.value].strip() == "yes"


def test_the_table_has_no_attack_that_is_gone() -> None:
    """Nothing is claimed that nobody measures any more."""
    assert set(rows()) == {attack.name for attack in attacks()}, WRITE_AGAIN
