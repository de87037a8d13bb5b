"""docs/attacks.md says about every attack what the suite knows; the suite itself writes the page."""

from __future__ import annotations

import pytest
from suite import HERE, Attack, attacks

from grader.model.isolation import Mode

DOCS = HERE.parent.parent / "docs"
PAGE = DOCS / "attacks.md"
WRITE_AGAIN = "as root, run CHAINRULE_ATTACK_PAGE=docs/attacks.md pytest tests/adversarial"
Table = dict[str, dict[str, str]]


def tables() -> tuple[Table, Table]:
    """What was measured, and the layers: by attack, each column by its heading."""
    measured, layers = PAGE.read_text(encoding="utf-8").split("## Which wall stops which")
    return table(measured), table(layers.partition("\n## ")[0])


def table(page: str) -> Table:
    lines = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")]
    heading, _, *found = [[cell.strip() for cell in line] for line in lines]
    return {line[0].strip("`"): dict(zip(heading, line, strict=True)) for line in found}


@pytest.mark.parametrize("attack", attacks(), ids=str)
def test_an_attack_is_in_the_table(attack: Attack) -> None:
    """With what it tries, what stops it, and that it is stopped in every mode but where that is explained."""
    measured, layers = tables()
    row = measured[attack.name]
    assert (row["the submission …"], row["stopped by"]) == (attack.tries, attack.stopped_by), WRITE_AGAIN
    for mode in (mode.value for mode in Mode if mode.isolates):
        otherwise = "-" if mode in attack.no_meaning else "yes"
        assert row[mode] == ("no, see why" if mode in attack.goes_through else otherwise), WRITE_AGAIN
    told = {mode: "; ".join(sorted(named)) for mode, named in attack.layers.items()}
    assert {mode: text for mode, text in layers.get(attack.name, {}).items() if mode in told} == told


def test_the_table_has_no_attack_that_is_gone() -> None:
    """Nothing is claimed that nobody measures any more."""
    measured, layers = tables()
    assert measured.keys() == {attack.name for attack in attacks()}, WRITE_AGAIN
    assert layers.keys() == {attack.name for attack in attacks() if attack.layers}, WRITE_AGAIN


@pytest.mark.parametrize("mode", [mode.value for mode in Mode if mode.isolates])
def test_the_counts_are_stated(mode: str) -> None:
    """Of each mode, in docs/security.md, with the names of what goes through."""
    tried = [attack for attack in attacks() if mode not in attack.no_meaning]
    through = [attack.name for attack in tried if mode in attack.goes_through]
    names = ", ".join(f"`{name}`" for name in through)
    row = f"| `{mode}` | {len(tried) - len(through)} of {len(tried)} | {names} |".replace("|  |", "| |")
    assert row in (DOCS / "security.md").read_text(encoding="utf-8")
