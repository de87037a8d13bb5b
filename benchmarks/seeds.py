"""The same notebook graded with many seeds: the score must not move."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter

import msgspec

from benchmarks.commands import FULL_MARKS, ROOT
from benchmarks.measure import Figure


def scores(*, seeds: int) -> list[Figure]:
    """How many different scores ``seeds`` gradings of the full-marks example give; it must be one."""
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(seeds):
            command = [sys.executable, "-m", "grader.cli.main", str(FULL_MARKS), "--assignment", str(ROOT)]
            command += ["--out", scratch, "--seed", str(seed), "--json"]
            done = subprocess.run(command, check=False, capture_output=True, cwd=scratch)
            record = msgspec.json.decode(done.stdout)
            found[f"{record['earned']} earned, {record['decided']} decided, exit {done.returncode}"] += 1
    note = "; ".join(f"{count} x {score}" for score, count in found.most_common())
    what = f"different scores over {seeds} seeds"
    return [Figure(what, float(len(found)), "", at_most=1, note=note, timed=False)]
