"""`python -m benchmarks.mutations [--quick]`: a million damaged frames and ten thousand damaged notebooks.

Each goes through all that the trusted side does with it (``tests/support/fuzzing/targets.py``): a frame
through socket, reader, session and a check's first look; a notebook from its bytes to its report. Counts what
became of them.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from rich.console import Console
from rich.table import Table

from benchmarks.measure import machine
from tests.support.fuzzing import mutations, targets
from tests.support.paths import EXAMPLES

FRAMES, NOTEBOOKS = 1_000_000, 10_000
SEED = 2026
HANG_SECONDS = 60
MOST_MEGABYTES = 200
LOOK_EVERY = 100
MOST_BYTES = 300_000  # of an example that is damaged: the time goes into many small ones


@dataclass
class Tally:
    """What became of all inputs of one target. Seconds of wall-clock time, megabytes of 2**20 bytes."""

    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    slowest: float = 0.0
    slowest_size: int = 0
    grown: float = 0.0
    seconds: float = 0.0


def run(use: Callable[[bytes], str], damage: Callable[[Random], bytes], *, inputs: int) -> Tally:
    """Damage and use ``inputs`` inputs. One that hangs ends the process with the place where it hung."""
    tally, random = Tally(), Random(SEED)  # noqa: S311  # the same inputs every time
    start, before = time.perf_counter(), resident_megabytes()
    for number in range(inputs):
        if number % LOOK_EVERY == 0:
            tally.grown = max(tally.grown, resident_megabytes() - before)
            faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        data = damage(random)
        began = time.perf_counter()
        try:
            tally.outcomes[use(data)] += 1
        except Exception as error:  # noqa: BLE001  # what must not happen is what is counted
            tally.crashes.append(f"{type(error).__name__}: {error} on {data[:200]!r}")
        took = time.perf_counter() - began
        if took > tally.slowest:
            tally.slowest, tally.slowest_size = took, len(data)
    faulthandler.cancel_dump_traceback_later()
    tally.seconds = time.perf_counter() - start
    return tally


def resident_megabytes() -> float:
    """What this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(*, frames: int, notebooks: int) -> dict[str, Tally]:
    """Both targets, after each kept input has been used once: what is cached then is no growth."""
    kept = {name: [path.read_bytes() for path in targets.seeds(name)] for name in targets.TARGETS}
    for name, inputs in kept.items():
        for data in inputs:
            targets.TARGETS[name](data)

    files = [*kept["notebooks"], *submissions()]

    def frame(random: Random) -> bytes:
        data = random.choice(kept["frames"])
        if random.random() < 0.5:  # keeps its form, and so gets further
            return bytes(mutations.reframed(data, random))
        return bytes(mutations.damaged(data, random, kept["frames"]))

    def notebook(random: Random) -> bytes:
        data = random.choice(files)
        changed: bytes = mutations.rewritten(data, random)
        if changed == data or random.random() < 0.2:
            return bytes(mutations.damaged(changed, random, files))
        return changed

    return {
        "frames": run(targets.read_frames, frame, inputs=frames),
        "notebooks": run(targets.read_notebook, notebook, inputs=notebooks),
    }


def submissions() -> list[bytes]:
    """The examples' notebooks, as students write them."""
    paths = sorted(EXAMPLES.rglob("*.ipynb"))
    return [path.read_bytes() for path in paths if path.is_file() and path.stat().st_size < MOST_BYTES]


def main(arguments: Sequence[str]) -> int:
    """Print a row for each target; exit status 1 for a crash or for memory that grew too much."""
    part = 100 if "--quick" in arguments else 1
    console = Console()
    console.print(f"[dim]{machine()}[/dim]")
    tallies = measure(frames=FRAMES // part, notebooks=NOTEBOOKS // part)
    table = Table("target", "inputs", "crashes", "slowest input", "memory growth", "seconds")
    for name, tally in tallies.items():
        inputs = tally.outcomes.total() + len(tally.crashes)
        slowest = f"{tally.slowest * 1000:.0f} ms ({tally.slowest_size:,} bytes)"
        grown = f"{tally.grown:.1f} MB"
        table.add_row(name, f"{inputs:,}", str(len(tally.crashes)), slowest, grown, f"{tally.seconds:.0f}")
    console.print(table)
    for name, tally in tallies.items():
        for outcome, count in tally.outcomes.most_common():
            console.print(f"{name}: {count:>9,} {outcome}", highlight=False)
        for crash in tally.crashes[:20]:
            console.print(f"{name}: {crash}", style="red", markup=False)
    return int(any(tally.crashes or tally.grown > MOST_MEGABYTES for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
