"""The same attacks once more by an ordinary user, whom root runs them as: other modes, other walls."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from suite import HERE, attacks
from table import Rows

AS_NOBODY = HERE.parent / "unit" / "sandbox_inside.py"


def test_every_attack_is_stopped_for_an_ordinary_user(attack_rows: Rows) -> None:
    """As a user who owns nothing; none may be left out."""
    if os.geteuid() != 0:
        assert os.geteuid() > 0, "this run is one by an ordinary user already"
        return
    with tempfile.TemporaryDirectory() as stash, tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o777)
        rows = Path(shared) / "rows.json"
        ours = ("COVERAGE_", "CHAINRULE_ATTACK_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        tests = [str(HERE / "test_attacks.py"), "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, str(AS_NOBODY), stash, "ordinary", sys.executable, "-m", "pytest", *tests],
            env=environment | {"CHAINRULE_ATTACK_ROWS": str(rows), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=900,
            cwd=HERE,
            check=False,
        )
        if rows.exists():
            attack_rows.load(rows)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    tried = Rows()
    tried.rows = [row for row in attack_rows.rows if "user" in row.mode or "landlock" in row.mode]
    assert {row.attack for row in tried.rows} == {attack.name for attack in attacks()}
