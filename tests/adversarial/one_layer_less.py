"""The attacks that walls stop, with exactly those walls switched off: now they go through.

Where several are named, each stops the attack by itself: with one of them on again, it fails. Started by
``test_other_users.py``; by hand as ``pytest tests/adversarial/one_layer_less.py``. As root, Python must be
installed where other users can read it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from suite import Attack, Range, Result, attacks
from table import Layers, Rows
from world import World

from grader.model.isolation import Mode
from grader.sandbox import modes

EXTRA = "control group"  # not every machine has it: no attack needs it, and here it is always off


def cases() -> list[tuple[Attack, Mode, tuple[str, ...], str]]:
    """(attack, mode, the layers that are off, the one of its layers that is on or "")."""
    found = []
    for mode in modes.available():
        for attack in attacks():
            named = attack.layers.get(mode.value, [])
            # With one layer alone it is on in every other test already.
            on = ["", *named] if len(named) > 1 else [""] * len(named)
            found += [(attack, mode, tuple(sorted({*named, EXTRA} - {each})), each) for each in on]
    return sorted(found, key=lambda case: case[2])  # those of one warm process together


def name_of(case: tuple[Attack, Mode, tuple[str, ...], str]) -> str:
    attack, mode, off, on = case
    return f"{attack.name}-{mode}-without {', '.join(off)}" + f" but with {on}" * bool(on)


class Ranges:
    """Ranges without some layers, at most one at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._off: tuple[str, ...] = ()
        self._range: Range | None = None

    def without(self, layers: tuple[str, ...]) -> Range:
        """A range whose sandboxes lack ``layers``."""
        if self._range is None or layers != self._off:
            self.close()
            self._off, self._range = layers, Range(self._world, without=layers)
        return self._range

    def close(self) -> None:
        """End the last range."""
        if self._range is not None:
            self._range.close()
        self._range = None


@pytest.fixture(scope="module")
def ranges() -> Iterator[Ranges]:
    with tempfile.TemporaryDirectory(prefix="world-") as place, World(Path(place)) as world:
        made = Ranges(world)
        yield made
        made.close()


@pytest.mark.parametrize("case", cases(), ids=name_of)
def test_with_its_layers_off_an_attack_goes_through(
    case: tuple[Attack, Mode, tuple[str, ...], str], ranges: Ranges, tmp_path: Path, attack_rows: Rows
) -> None:
    """A layer that could be taken away unnoticed would prove nothing."""
    attack, mode, off, on = case
    result = ranges.without(off).grade(attack, mode, tmp_path)
    assert result.grade is not None, f"nothing was tried: {result.refused}"
    assert result.grade.environment.isolation == mode.value
    assert result.succeeded is not bool(on), described(result)
    if on:
        assert "honest" in result.earned, "the attack did not run"
    else:
        attack_rows.layers.append(Layers(attack.name, mode.value, [each for each in off if each != EXTRA]))


def described(result: Result) -> str:
    return f"earned {result.earned}, touched {result.touched}"
