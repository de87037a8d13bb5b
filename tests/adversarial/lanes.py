"""Where the attacks run at the same time as in the tests' own process: as other users, with other walls."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from suite import HERE
from table import Rows

AS_SOMEONE = HERE.parent / "unit" / "sandbox_inside.py"
SECONDS = 900
AT_ONCE = 3


@dataclass(frozen=True)
class Lane:
    """A run of pytest as somebody: ``who`` as sandbox_inside.py names them, ``tests`` for pytest."""

    who: str
    tests: tuple[str, ...]


LANES = {
    "an ordinary user without namespaces": Lane(
        "ordinary", ("test_attacks.py", "one_layer_less.py", "-k", "landlock")
    ),
    "root in a container": Lane("contained", ("test_attacks.py", "-k", "setuid")),
    "root with a layer less": Lane("root", ("one_layer_less.py",)),
    "an ordinary user": Lane("ordinary", ("test_attacks.py", "-k", "not landlock")),
}
"""The longest first."""


@dataclass(frozen=True)
class Outcome:
    """How a lane ended: pytest's status and last words, and what it measured."""

    status: int
    words: str
    rows: Rows


class Lanes:
    """All lanes, a few at a time. Use it as a context; only root can."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._runs = {name: self._pool.submit(_run, lane) for name, lane in LANES.items()}

    def outcome(self, name: str) -> Outcome:
        """Wait for a lane's end."""
        return self._runs[name].result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)


def _run(lane: Lane) -> Outcome:
    inherited = ("COVERAGE_", "CHAINRULE_ATTACK_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(inherited)}
    with tempfile.TemporaryDirectory() as stash, tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o777)
        rows = Path(shared) / "rows.json"
        pytest = [sys.executable, "-m", "pytest", *lane.tests, "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, str(AS_SOMEONE), stash, lane.who, *pytest],
            env=environment | {"CHAINRULE_ATTACK_ROWS": str(rows), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=HERE,
            check=False,
        )
        found = Rows()
        if rows.exists():
            found.load(rows)
    return Outcome(done.returncode, done.stdout[-6000:] + done.stderr[-2000:], found)
