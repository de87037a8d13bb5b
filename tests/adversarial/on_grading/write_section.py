"""Write the section about attacks on grading into docs/attacks.md."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from section import section  # noqa: E402

PAGE = HERE.parents[2] / "docs" / "attacks.md"
BEGINS = "\n## Attacks on the grading\n"

if __name__ == "__main__":
    before, _, _ = PAGE.read_text(encoding="utf-8").partition(BEGINS)
    PAGE.write_text(before + section(), encoding="utf-8")
