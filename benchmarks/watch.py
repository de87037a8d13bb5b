"""`python -m benchmarks.watch`: from saving a file of HW3's checks to its result, by `grade --watch`.

The whole command, on the full-marks notebook with torch, in a copy of the assignment. Each save changes the
module, so that all checks of the file run again, and puts the new file in the old one's place, as editors do.
The time is from that moment until the line with the result can be read.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rich.console import Console

from benchmarks.commands import FULL_MARKS, ROOT
from benchmarks.measure import Figure, machine, show

AT_MOST = 0.5  # seconds, for checks of code
FILES = tuple(f"test_{name}.py" for name in ("3_1_1", "3_1_2", "3_1_4", "3_1_5", "3_4_momentum"))
EVIDENCE = ("test_3_3_i.py", "test_4_1_ii.py")  # these compute for a second by themselves
RESULT = "points by checks"


@contextmanager
def watching(home: Path) -> Iterator[IO[str]]:
    """What `grade --watch` writes, from its first result on; it is ended as by Ctrl-C."""
    command = [sys.executable, "-m", "grader.cli.main", str(FULL_MARKS), "--watch", "--seed", "1"]
    with subprocess.Popen(
        [*command, "--assignment", str(home)], stdout=subprocess.PIPE, text=True, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        try:
            until(process.stdout, "Watching")
            yield process.stdout
        finally:
            process.send_signal(signal.SIGINT)


def until(stream: IO[str], text: str) -> str:
    """Read up to the line that holds a text. Raises RuntimeError if it never comes."""
    for line in stream:
        if text in line:
            return line
    raise RuntimeError(f"`grade --watch` ended before it said {text!r}")


def save(path: Path, text: str) -> float:
    """Save as editors do; the moment of the save."""
    draft = path.with_name(f".{path.name}.swp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
    return time.monotonic()


def seconds_of(stream: IO[str], path: Path, *, times: int) -> list[float]:
    """How long each of several saves takes to its result."""
    text, found = path.read_text(encoding="utf-8"), []
    for number in range(times):
        saved = save(path, f"{text}\n_SAVED = {number}\n")
        until(stream, RESULT)
        found.append(time.monotonic() - saved)
    return found


def figures(*, times: int) -> list[Figure]:
    """The median for each file of checks."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "hw3"
        for name in ("hidden_tests", "reference"):
            shutil.copytree(ROOT / name, home / name)
        shutil.copy(ROOT / "assignment.toml", home)
        with watching(home) as stream:
            seconds_of(stream, home / "hidden_tests" / FILES[0], times=1)  # the first loads what checks share
            measured = {
                name: seconds_of(stream, home / "hidden_tests" / name, times=times)
                for name in (*FILES, *EVIDENCE)
            }
    return [
        Figure(
            f"save {name}",
            statistics.median(found),
            "s",
            at_most=AT_MOST if name in FILES else None,
            note=f"{times} saves, {min(found):.2f} to {max(found):.2f} s",
        )
        for name, found in measured.items()
    ]


def main() -> int:
    """Measure and show; exit status 1 when a figure misses its bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watch")
    parser.add_argument("--times", type=int, default=10)
    times = parser.parse_args().times
    console = Console()
    console.print(f"[dim]{machine()}[/dim]")
    return show(figures(times=times), console)


if __name__ == "__main__":
    sys.exit(main())
