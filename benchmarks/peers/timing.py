"""Running programs side by side as one job, and what they took."""

from __future__ import annotations

import ctypes
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Scores = Mapping[str, Mapping[str, float]]
_PR_SET_CHILD_SUBREAPER = 36
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
    """Wall and processor seconds of one run, and the cores that others used meanwhile."""

    wall: float
    processor: float
    others: float
    was_ended: bool = False


def command_line(programs: Path | None = None) -> dict[str, str]:
    """The environment of a program: one thread a library, and its own folder of programs first."""
    path = [*([str(programs)] if programs else []), os.environ.get("PATH", "")]
    return {**os.environ, **ONE_THREAD, "PATH": os.pathsep.join(path)}


def run(job: Job, log: Path) -> Taken:
    """Run a job once. Raises RuntimeError where a program fails; one that takes too long is ended."""
    job.before()
    with log.open("ab") as said:
        busy, start = _busy(), time.perf_counter()
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
        ended, processor = _wait(processes, start + job.seconds)
        wall = time.perf_counter() - start
    statuses = [process.returncode for process in processes]
    if not ended and not set(statuses) <= {0, 1}:
        raise RuntimeError(
            f"{job.commands[0][0]} ended with status {max(statuses)}; its words:\n{log.read_text()}"
        )
    return Taken(wall, processor, max(0.0, _busy() - busy - processor) / wall, ended)


def _wait(processes: Sequence[subprocess.Popen[bytes]], until: float) -> tuple[bool, float]:
    """Wait for all; whether one had to be ended, and the processor seconds of them and their children."""
    left, processor, ended = list(processes), 0.0, False
    while left:
        if time.perf_counter() > until and not ended:
            ended = True
            for process in left:
                os.killpg(process.pid, 9)
        for process in list(left):
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                processor += used.ru_utime + used.ru_stime
                left.remove(process)
        time.sleep(0.005)
    return ended, processor + _orphans()


def adopt_orphans() -> None:
    """Let what the programs leave behind become this process's children, so that its time is counted."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _orphans() -> float:
    """The processor seconds of processes that outlived their parents and have ended."""
    processor = 0.0
    while True:
        try:
            pid, _, used = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return processor
        if not pid:
            return processor
        processor += used.ru_utime + used.ru_stime


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
        statistics.median(run.processor for run in runs),
        statistics.median(run.others for run in runs),
        any(run.was_ended for run in runs),
    )
