"""The rules that the grader upholds by its construction: without a rule, the attacks that it stops succeed.

A rule is switched off in this process by replacing one function; no option of `grade` does that.
"""

from __future__ import annotations

import contextlib
import pickle
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from suite import Attack, Range, attacks, checks_of, modes_here
from verdict import holes
from world import World

from grader.grading import check_plugin
from grader.grading.seeds import Seeds
from grader.inside import codec
from grader.model import text
from grader.notebooks import submission_file
from grader.reports import page
from grader.session import socket_transport
from grader.session.sandboxed_notebook import SandboxedNotebook
from grader.session.session import Session

LONGER = 5.0
"""Seconds for a check, instead of 2."""

Patch = pytest.MonkeyPatch


@pytest.fixture(scope="module")
def firing_range() -> Iterator[Range]:
    with (
        tempfile.TemporaryDirectory(prefix="world-") as place,
        World(Path(place)) as world,
        Range(world, seconds=LONGER) as made,
    ):
        yield made


def tell_everything(patch: Patch) -> None:
    patch.setattr(check_plugin, "message_for_student", lambda end, **_: end.detail)


def show_as_it_is(patch: Patch) -> None:
    patch.setattr(text, "_visible", str)


def keep_markup(patch: Patch) -> None:
    patch.setattr(page, "to_html", str)


def draw_the_same(patch: Patch) -> None:
    patch.setattr(Seeds, "of_check", lambda *_: 1)


def one_state_for_all(patch: Patch) -> None:
    @contextlib.contextmanager
    def no_copy(notebook: SandboxedNotebook, *, seed: int, seconds: float) -> Iterator[Session]:
        yield notebook._session()

    patch.setattr(SandboxedNotebook, "copy", no_copy)


def tell_the_seeds(patch: Patch) -> None:
    patch.setattr(Seeds, "of_student", lambda seeds, key="cells": seeds.of_check(key))


def unpickle(patch: Patch) -> None:
    def read(_: codec.Decoder, node: dict[str, Any], __: int) -> Any:
        return pickle.loads(node["data"].encode())  # noqa: S301  # what the codec never does

    patch.setitem(codec._READERS, "pickle", read)


def follow_links(patch: Patch) -> None:
    patch.setattr(submission_file, "_bytes_of", lambda path, *_: path.read_bytes())


def take_any_amount(patch: Patch) -> None:
    patch.setattr(socket_transport, "MAX_OUTPUT", 1 << 60)


CASES: list[tuple[str, list[Callable[[Patch], None]], str]] = [
    ("raise_hidden_input", [tell_everything], "tells the hidden input"),
    ("hidden_input_in_wrong_answer", [tell_everything], "tells the hidden input"),
    ("html_in_every_text", [show_as_it_is], "shows the character"),
    ("hostile_prose", [keep_markup], "the page holds"),
    ("remember_in_file", [draw_the_same], "'again': '1'"),
    ("remember_in_daemon", [draw_the_same], "'again': '1'"),
    ("remember_in_socket", [draw_the_same], "'again': '1'"),
    ("remember_in_shared_memory", [draw_the_same], "'again': '1'"),
    ("remember_in_memory", [draw_the_same, one_state_for_all], "'again': '1'"),
    ("predict_the_draws", [tell_the_seeds], "'forged': '1'"),
    ("wrong_types", [unpickle], "changed: unpickled"),
    ("file_symlink", [follow_links], "hw.py defines none of the names"),
    ("flood_of_frames", [take_any_amount], "test_forged ended timed_out"),
]
"""An attack, the rules of which each stops it, and what is seen when all of them are out."""


def found(attack: Attack, firing_range: Range, scratch: Path) -> list[str]:
    result = firing_range.grade(attack, modes_here()[0], scratch)
    assert result.grade is not None or attack.exit == 2, result.refused
    return holes(attack, result, firing_range.world, isolation=modes_here()[0].value)


@pytest.mark.parametrize(("name", "rules", "sign"), CASES, ids=[case[0] for case in CASES])
def test_without_its_rules_an_attack_goes_through(
    name: str, rules: list[Callable[[Patch], None]], sign: str, firing_range: Range, tmp_path: Path
) -> None:
    """And where there are several, not without one of them alone."""
    attack = next(attack for attack in attacks() if attack.name == name)
    for number, rule in enumerate(rules if len(rules) > 1 else []):
        alone = tmp_path / str(number)
        alone.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            rule(patch)
            assert not found(attack, firing_range, alone)
    with pytest.MonkeyPatch.context() as patch:
        for rule in rules:
            rule(patch)
        assert sign in "; ".join(found(attack, firing_range, tmp_path))


def test_nothing_but_the_deadline_ends_half_an_answer(firing_range: Range, tmp_path: Path) -> None:
    """With more than twice the time allowed it holds the grader up as much longer."""
    attack = next(attack for attack in attacks() if attack.name == "half_an_answer")
    with Range(firing_range.world, seconds=LONGER) as patient:
        result = patient.grade(attack, modes_here()[0], tmp_path)
    assert result.grade is not None
    held_up = next(check for check in checks_of(result.grade) if check.check == "test_forged")
    assert str(held_up.outcome) == "timed_out"
    assert held_up.seconds >= LONGER
