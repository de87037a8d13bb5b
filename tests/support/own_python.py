"""A Python of its own for tests of what acts on a whole process."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from .paths import environment

_SAY = "import json as _json, pathlib as _pathlib\n_pathlib.Path({place!r}).write_text(_json.dumps(result))\n"


def result_of(source: str, place: Path) -> Any:
    """What ``source`` assigned to ``result``, as JSON; it runs as a program, in the folder ``place``."""
    answer = place / "result.json"
    program = f"{textwrap.dedent(source)}\n{_SAY.format(place=str(answer))}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=300,
        env=environment(),
        cwd=place,
        check=False,
    )
    assert answer.exists(), done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads(answer.read_text())
