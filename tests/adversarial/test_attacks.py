"""Every attack in every isolating mode of this machine, and each that walls stop once more without them."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from layers import UNBUILDABLE
from suite import HERE, WALLS, Attack, Range, attacks, checks_of, modes_here
from table import BESIDE, Row, Rows
from verdict import holes
from world import World

from grader.grading.outcomes import NO_HINT
from grader.model.isolation import Mode

LONGEST = 240
"""Seconds that no attack may make a grading last, however busy the machine: else it holds the grader up."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    # Not pytest's own folder, which is closed to other users: walls must stop an attack, not permissions.
    with tempfile.TemporaryDirectory(prefix="world-") as place, World(Path(place)) as made:
        yield made


@pytest.fixture(scope="module")
def firing_range(world: World) -> Iterator[Range]:
    with Range(world) as made:
        yield made


def named(attack: Attack) -> str:
    return attack.name


def tried() -> list[tuple[Attack, Mode]]:
    """Every attack in every mode, but where it has no meaning."""
    pairs = itertools.product(attacks(), modes_here())
    return [(attack, mode) for attack, mode in pairs if mode.value not in attack.no_meaning]


@pytest.mark.parametrize(("attack", "mode"), tried(), ids=str)
def test_an_attack_is_stopped(
    attack: Attack, mode: Mode, firing_range: Range, tmp_path: Path, attack_rows: Rows
) -> None:
    """Nothing gained, touched or told; and the honest item was earned, so the attack did run."""
    start = time.monotonic()
    result = firing_range.grade(attack, mode, tmp_path)
    seconds = time.monotonic() - start
    found = holes(attack, result, firing_range.world, isolation=mode.value)
    if seconds > LONGEST:
        found.append(f"it took {seconds:.0f} s")
    known = mode.value in attack.goes_through
    verdict = "yes" if not found else "no, see why" if known and result.grade is not None else "NO"
    attack_rows.add(Row(attack.name, mode.value, verdict))
    assert verdict == ("no, see why" if known else "yes"), found


@pytest.mark.parametrize(
    ("name", "outcome", "message"),
    [
        ("print_hidden_input", "failed", NO_HINT),
        ("raise_hidden_input", "errored", "Your code raised ValueError in attack.py, line 6: called with …."),
        ("hidden_input_by_exit", "errored", "Your code raised SystemExit in attack.py, line 6."),
        ("hidden_input_as_type", "errored", "Your code raised an exception in attack.py, line 8."),
    ],
)
def test_a_student_reads_the_outcome_and_the_authors_words_alone(
    name: str, outcome: str, message: str, firing_range: Range, tmp_path: Path
) -> None:
    """What was printed or raised during a hidden check is the instructor's."""
    attack = next(attack for attack in attacks() if attack.name == name)
    result = firing_range.grade(attack, modes_here()[0], tmp_path)
    assert result.grade is not None
    told = next(check for check in checks_of(result.grade) if check.check == "test_told")
    assert (str(told.outcome), told.message) == (outcome, message)
    assert firing_range.world.secrets["input"] in told.printed + told.detail


@pytest.mark.parametrize("mode", modes_here())
def test_a_sandbox_that_does_not_start_has_stopped_nothing(mode: Mode, world: World, tmp_path: Path) -> None:
    """It is reported as what it is: no grade, and no attack counts as stopped."""
    attack = next(attack for attack in attacks() if attack.name == "read_hidden_tests")
    with Range(world, without=[UNBUILDABLE]) as without:
        result = without.grade(attack, mode, tmp_path)
    assert result.grade is None
    assert UNBUILDABLE in result.refused
    assert holes(attack, result, world, isolation=mode.value)


def controlled() -> list[Attack]:
    kinds = {"walls", "walls, as root"} if os.geteuid() == 0 else {"walls"}
    return [attack for attack in attacks() if attack.control.without in kinds]


@pytest.mark.parametrize("attack", controlled(), ids=named)
def test_without_walls_the_same_attack_goes_through(
    attack: Attack, firing_range: Range, tmp_path: Path, attack_rows: Rows
) -> None:
    """A suite that cannot fail proves nothing."""
    result = firing_range.grade(attack, Mode.NONE, tmp_path)
    attack_rows.add(Row(attack.name, Mode.NONE.value, "NO" if result.succeeded else "yes"))
    assert result.succeeded, (result.earned, result.touched, result.refused)


def beside_the_checks() -> list[Attack]:
    return [attack for attack in attacks() if attack.control.without == "a process of its own"]


@pytest.mark.parametrize("attack", beside_the_checks(), ids=named)
def test_beside_the_checks_the_same_attack_goes_through(
    attack: Attack, world: World, tmp_path: Path, attack_rows: Rows
) -> None:
    """In the process that judges, student code finds what it looks for and judges itself."""
    submission = attack.submission(tmp_path)
    for name in ("kit.py", "world.json"):
        shutil.copy(world.assignment.path / name, tmp_path)
    answer = tmp_path / "answer.json"
    command = [sys.executable, str(HERE / "beside_the_checks.py"), world.assignment.path, submission, answer]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert answer.exists(), done.stderr[-2000:]
    gained = set(json.loads(answer.read_text())) - {"honest"}
    attack_rows.add(Row(attack.name, BESIDE, "NO" if gained else "yes"))
    assert gained


@pytest.mark.parametrize("attack", attacks(), ids=named)
def test_an_attack_is_described(attack: Attack) -> None:
    """What walls stop has a control, or the reason why there can be none."""
    assert attack.tries
    assert not attack.tries.endswith(".")
    assert bool(attack.error) == (attack.exit == 2)  # else a sandbox that did not start could pass for it
    assert not attack.goes_through.keys() & attack.layers.keys(), "it goes through with all layers on"
    if attack.stopped_by in WALLS:
        assert bool(attack.control.without) != bool(attack.control.none)


def test_there_are_at_least_a_hundred() -> None:
    """As the project promises."""
    assert len(attacks()) >= 100
    assert modes_here(), "no isolating mode: nothing was tried"
