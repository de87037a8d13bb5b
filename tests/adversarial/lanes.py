"""The same attacks by others than the user of this run: each lane is a run of pytest of its own."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from suite import HERE
from support.privileges import run_as
from table import Rows

from grader.model.isolation import Mode

SECONDS = 1800
"""No lane takes this long, on however busy a machine: it hangs."""


@dataclass(frozen=True)
class Lane:
    """A run of pytest as somebody: ``who`` as support.privileges names them, ``tests`` for pytest.

    ``mode`` is the isolation that only this lane tries, with every attack.
    """

    who: str
    tests: tuple[str, ...]
    mode: Mode | None = None


LANES = {
    "an ordinary user without namespaces": Lane(
        "ordinary", ("test_attacks.py", "-k", "landlock"), Mode.LANDLOCK
    ),
    "an ordinary user without namespaces and with a layer less": Lane(
        "ordinary", ("one_layer_less.py", "-k", "landlock")
    ),
    "root in a container": Lane("contained", ("test_attacks.py", "-k", "setuid"), Mode.SETUID),
    "root with a layer less": Lane("root", ("one_layer_less.py",)),
    "an ordinary user": Lane("ordinary", ("test_attacks.py", "-k", "not landlock"), Mode.NS_USER),
}
"""The longest first: each is one test, and tests are handed out to processes in this order."""


@dataclass(frozen=True)
class Outcome:
    """How a lane ended: pytest's status, the end of its output, and what it measured."""

    status: int
    output: str
    rows: Rows


def run(lane: Lane) -> Outcome:
    """Run a lane to its end. Only root can."""
    pytest = [sys.executable, "-m", "pytest", *lane.tests, "-q", "-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o777)
        rows = Path(shared) / "rows.json"
        done = run_as(
            pytest,
            lane.who,
            timeout=SECONDS,
            cwd=HERE,
            CHAINRULE_ATTACK_ROWS=str(rows),
            CHAINRULE_ATTACK_PAGE="",
        )
        found = Rows()
        if rows.exists():
            found.load(rows)
    return Outcome(done.returncode, done.stdout[-6000:] + done.stderr[-2000:], found)
