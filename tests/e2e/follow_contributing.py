"""Run CONTRIBUTING's own commands in a fresh clone: ``python tests/e2e/follow_contributing.py CLONE``.

Standard library only: the page itself has to bring in everything else. The clone holds what is committed.
Lines that call tox are left out, since tox calls this.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def commands(page: str) -> list[str]:
    """The lines that a page tells its reader to run, in order, but for those that call tox."""
    blocks = re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if "/tox " not in line]


def main(clone: Path) -> int:
    """Clone, follow the page, and stop at the first command that fails; its exit status."""
    shutil.rmtree(clone, ignore_errors=True)
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    for line in commands((clone / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        print(f"$ {line}", flush=True)
        done = subprocess.run(["bash", "-c", line], cwd=clone, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            print(
                f"CONTRIBUTING.md: this command failed with status {done.returncode}: {line}", file=sys.stderr
            )
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
