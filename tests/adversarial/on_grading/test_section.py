"""The second part of docs/attacks.md says what is tried here, and there is enough of it."""

from __future__ import annotations

import os

import pytest
from elsewhere import ELSEWHERE, Elsewhere
from rows import KINDS, attacks
from section import directs, section
from support.paths import ROOT

BEGINS = "\n## Attacks on the grading\n"
WRITE_AGAIN = "CHAINRULE_ATTACK_SECTION=1 pytest tests/adversarial/on_grading/test_section.py writes it again"


def test_the_section_is_as_the_tests_are() -> None:
    page = ROOT / "docs" / "attacks.md"
    before, begins, written = page.read_text(encoding="utf-8").partition(BEGINS)
    if os.environ.get("CHAINRULE_ATTACK_SECTION"):
        page.write_text(before + section(), encoding="utf-8")
    else:
        assert begins + written == section(), WRITE_AGAIN


def test_there_are_at_least_sixty_of_all_kinds() -> None:
    assert len(attacks()) + len(directs()) >= 60
    assert {attack.kind for attack in (*attacks(), *directs())} == KINDS.keys()
    assert sum(bool(attack.works) for attack in attacks()) >= 40


@pytest.mark.parametrize("entry", ELSEWHERE, ids=lambda entry: entry.file)
def test_what_is_tried_elsewhere_is_there(entry: Elsewhere) -> None:
    assert not entry.missing()
