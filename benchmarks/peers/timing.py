"""Running programs side by side as one job, and what they took."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Scores = Mapping[str, Mapping[str, float]]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Job:
    """Programs that are started together, in a folder, after ``before``; ``scores`` reads what they found."""

    commands: Sequence[Sequence[str]]
    environment: Mapping[str, str]
    folder: Path
    before: Callable[[], None]
    scores: Callable[[], Scores]
    seconds: float


@dataclass(frozen=True)
class Taken:
    """Wall seconds of one run, the cores that were busy meanwhile, and the load average before it.

    Chainrule's sandboxes are children that nobody waits for, so that their share of the busy cores cannot be
    told from that of others: measure on a machine that does nothing else.
    """

    wall: float
    busy: float
    load: float
    was_ended: bool = False


def command_line(programs: Path | None = None) -> dict[str, str]:
    """The environment of a program: one thread a library, and its own folder of programs first."""
    path = [*([str(programs)] if programs else []), os.environ.get("PATH", "")]
    return {**os.environ, **ONE_THREAD, "PATH": os.pathsep.join(path)}


def run(job: Job, log: Path) -> Taken:
    """Run a job once. Raises RuntimeError where a program fails; one that takes too long is ended."""
    job.before()
    with log.open("ab") as said:
        load, busy, start = os.getloadavg()[0], _busy(), time.perf_counter()
        processes = [
            subprocess.Popen(
                command,
                cwd=job.folder,
                env=dict(job.environment),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
            for command in job.commands
        ]
        ended = _wait(processes, start + job.seconds)
        wall = time.perf_counter() - start
    statuses = [process.returncode for process in processes]
    if not ended and not set(statuses) <= {0, 1}:
        raise RuntimeError(
            f"{job.commands[0][0]} ended with status {max(statuses)}; its words:\n{log.read_text()}"
        )
    return Taken(wall, (_busy() - busy) / wall, load, ended)


def _wait(processes: Sequence[subprocess.Popen[bytes]], until: float) -> bool:
    """Wait for all; whether they had to be ended."""
    try:
        for process in processes:
            process.wait(max(0.0, until - time.perf_counter()))
    except subprocess.TimeoutExpired:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return True
    return False


def _busy() -> float:
    """The seconds that all processors have worked since the machine started."""
    if not sys.platform.startswith("linux"):
        return 0.0
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def medians(runs: Sequence[Taken]) -> Taken:
    """The median of each number."""
    return Taken(
        statistics.median(run.wall for run in runs),
        statistics.median(run.busy for run in runs),
        statistics.median(run.load for run in runs),
        any(run.was_ended for run in runs),
    )
