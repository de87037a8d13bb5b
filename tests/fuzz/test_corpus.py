"""Every kept input again, in every test run: the first ones, and all that fuzzing ever found."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest
from support.fuzzing.targets import TARGETS, TooSlow, in_time, seeds

KEPT = [
    pytest.param(target, path, id=f"{target}-{path.name}") for target in TARGETS for path in seeds(target)
]

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")


@pytest.mark.parametrize(("target", "path"), KEPT)
def test_a_kept_input_breaks_nothing(target: str, path: Path) -> None:
    """Nothing is raised but what the grader expects, in the time that the size explains, in 200 MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    TARGETS[target](path.read_bytes())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


def test_the_kept_inputs_reach_every_end() -> None:
    """Else fuzzing would start from inputs that are all refused at the door."""
    frames = {TARGETS["frames"](path.read_bytes()).split(", ")[0] for path in seeds("frames")}
    assert frames >= {"array", "value", "StudentError", "UnsupportedValue"}
    notebooks = {TARGETS["notebooks"](path.read_bytes()) for path in seeds("notebooks")}
    assert notebooks >= {"notebook", "script"}
    ends = {path.name: TARGETS["archives"](path.read_bytes()) for path in seeds("archives")}
    assert {name for name, end in ends.items() if end == "refused"} <= {"zip_in_zip"}


def test_a_slow_input_is_noticed() -> None:
    """The bound on time can fail."""
    with pytest.raises(TooSlow, match="10 bytes"), in_time(10, seconds=0.0):
        sum(range(100_000))
