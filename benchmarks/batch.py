"""`python -m benchmarks.batch [--quick]`: a large class, a class under fire, and what a sandbox costs.

- ten thousand generated submissions of a small course: seconds per submission at the beginning and at the
  end, the memory of the leading process, and a second run over the unchanged class;
- a thousand submissions while workers and the leading process are killed at random: every grade must be
  what an undisturbed run gives, none missing, none twice;
- the same submissions on one and on two Dask workers, in turns;
- the memory that one sandbox has to itself after its notebook ran.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random

from rich.console import Console

from benchmarks.measure import Figure, machine, show
from benchmarks.quiet import family, measured
from grader.grading import assignment_folder
from grader.grading.execution import Silent
from grader.grading.grade_job import GradeJob
from grader.grading.opening import WarmProcesses
from grader.grading.state import plan_run, run_cells, start_replay
from grader.notebooks.submission_file import read
from grader.notebooks.submission_files import SubmissionFiles
from tests.support.assignments import Item, manifest, write_files
from tests.support.notebooks import code, write_notebook

ROOT = Path(__file__).resolve().parent.parent
SEED = 2026
MANY, STORM, KILLS = 10_000, 1_000, 20

MANIFEST = manifest(
    Item("1", "Softmax", points=4), title="A small course", limits={"cell_seconds": 5, "check_seconds": 2}
)
CHECKS = '''
"""1 Softmax."""
import numpy as np

from grader import assert_close, item, points

pytestmark = item("1")


@points(2)
def test_values(student, rng):
    """softmax(x) is exp(x) over its sum"""
    x = rng.normal(size=(4, 3))
    e = np.exp(x)
    assert_close(student.softmax(x), e / e.sum(axis=1, keepdims=True), name="softmax(x)")


@points(2)
def test_large(student):
    """large numbers do not overflow"""
    assert_close(student.softmax(np.array([[1000.0, 1000.0]])), np.array([[0.5, 0.5]]), name="softmax")
'''
RIGHT = "z = x - x.max(axis=1, keepdims=True)\n    e = np.exp(z)\n    return e / e.sum(axis=1, keepdims=True)"
NAIVE = "e = np.exp(x)\n    return e / e.sum(axis=1, keepdims=True)"
WRONG = "return x"
SCORES = {RIGHT: 4, NAIVE: 2, WRONG: 0}


def make_class(home: Path, count: int, *, work: float = 0.0) -> dict[str, int]:
    """Write the course and ``count`` submissions; return the points that each deserves, by its name.

    Each computes for ``work`` seconds of processor time.
    """
    write_files(home, {"assignment.toml": MANIFEST, "hidden_tests/test_1.py": CHECKS})
    random, deserved = Random(SEED), {}  # noqa: S311  # the same class every time
    for number in range(count):
        body = random.choice(tuple(SCORES))
        source = f"import numpy as np\n\ndef softmax(x):\n    {body}\n\nnumber = {number}"
        if work:
            source += f"\nimport time\nwhile time.process_time() < {work}:\n    pass"
        path = home / "in" / f"s{number:05}" / "hw.ipynb"
        path.parent.mkdir(parents=True)
        write_notebook(path, [code(source)])
        deserved[f"s{number:05}/hw.ipynb"] = SCORES[body]
    return deserved


def command(home: Path, *more: str) -> list[str]:
    """The batch as an instructor calls it."""
    return [
        sys.executable,
        "-m",
        "grader.cli.main",
        "batch",
        "in",
        "--assignment",
        str(home),
        "--seed",
        "1",
        *more,
    ]


def grades(home: Path) -> dict[str, list[int]]:
    """The points of every grade row by the submission's name; one row each if nothing was graded twice."""
    found: dict[str, list[int]] = {}
    connection = sqlite3.connect(home / "reports" / "gradebook.sqlite")
    query = (
        "SELECT submission.name, result.earned FROM grade "
        "JOIN submission ON submission.row = grade.submission "
        "JOIN result ON result.key = grade.result_key"
    )
    for name, hundredths in connection.execute(query):
        found.setdefault(name, []).append(hundredths // 100)
    connection.close()
    return found


def resident(pid: int) -> float:
    """Resident megabytes of a process; 0 when it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def run_timed(home: Path, *more: str) -> tuple[list[float], float, float]:
    """Run a batch: when each submission ended, the leading process's largest memory, all seconds."""
    start, ends, largest = time.perf_counter(), [], 0.0
    with subprocess.Popen(
        command(home, "--no-reports", *more),
        cwd=home,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("["):
                ends.append(time.perf_counter())
                if len(ends) % 50 == 0:
                    largest = max(largest, resident(process.pid))
    return ends, largest, time.perf_counter() - start


def large_class(*, count: int) -> list[Figure]:
    """The figures of a large class."""
    with folder_of_its_own() as home:
        deserved = make_class(home, count)
        ends, largest, seconds = run_timed(home)
        assert {name: [points] for name, points in deserved.items()} == grades(home)
        _, _, again = run_timed(home)
    part = count // 10
    gaps = [later - earlier for earlier, later in pairwise(ends[50:])]
    first, last = sum(gaps[:part]) / part, sum(gaps[-part:]) / part
    return [
        Figure(
            f"{count:,} submissions",
            60 * count / seconds,
            "per minute",
            note="generated, all grades as deserved",
        ),
        Figure(
            "last tenth against the first",
            last / first,
            "",
            1.10,
            f"{first * 1e3:.0f} and {last * 1e3:.0f} ms",
        ),
        Figure("leading process", largest, "MB", 500, timed=False),
        Figure("a second run over the unchanged class", again, "s", 20 * count / MANY),
    ]


def under_fire(*, count: int, kills: int) -> Figure:
    """Kill workers and the leading process at random, and count the grades that are then not as deserved."""
    random = Random(SEED)  # noqa: S311  # the same moments every time
    with folder_of_its_own() as home:
        deserved = make_class(home, count)
        led = workers = 0
        while len(grades_so_far(home)) < count:
            process = subprocess.Popen(command(home, "--no-reports"), cwd=home, stderr=subprocess.DEVNULL)
            while process.poll() is None and led + workers < kills:
                time.sleep(random.uniform(1.0, 4.0))
                if process.poll() is not None:
                    break
                if random.random() < 1 / 3:
                    process.kill()
                    led += 1
                elif victim := a_worker_of(process.pid, random):
                    os.kill(victim, signal.SIGKILL)
                    workers += 1
            process.wait()
        found = grades(home)
    wrong = [name for name, points in deserved.items() if found.get(name) != [points]]
    return Figure(
        f"{count:,} submissions under fire: grades lost, wrong or twice",
        len(wrong),
        "",
        0,
        f"{workers} workers and {led} leading processes killed",
        timed=False,
    )


def grades_so_far(home: Path) -> dict[str, list[int]]:
    """The grades so far; none before the gradebook exists."""
    return grades(home) if (home / "reports" / "gradebook.sqlite").exists() else {}


def a_worker_of(parent: int, random: Random) -> int | None:
    """One of the worker processes of a batch."""
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return None
    return int(random.choice(children)) if children else None


def dask_workers(*, count: int, work: float, times: int) -> Figure:
    """The speed of two Dask workers over that of one, from the end of the first submission to the last's."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(times):
        for workers, taken in rates.items():
            with folder_of_its_own() as home, cluster(workers) as address:
                deserved = make_class(home, count, work=work)
                ends, _, _ = run_timed(home, "--dask", address)
                assert {name: [points] for name, points in deserved.items()} == grades(home)
                taken.append((len(ends) - 1) / (ends[-1] - ends[0]))
    one, two = (statistics.median(rates[workers]) for workers in (1, 2))
    note = f"{60 * one:.0f} and {60 * two:.0f} per minute, {work:g} s of student code each"
    return Figure("two Dask workers against one", two / one, "times", note=note, at_least=1.8)


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """A Dask scheduler on this machine with ``workers`` workers of one thread each."""
    program = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    started: list[subprocess.Popen[str]] = []
    try:
        scheduler = subprocess.Popen([*program, "--no-dashboard"], stderr=subprocess.PIPE, text=True)
        started.append(scheduler)
        assert scheduler.stderr is not None
        address = next(
            found[0]
            for line in scheduler.stderr
            if (found := re.findall(r"Scheduler at:\s+(tcp://\S+)", line))
        )
        threading.Thread(target=scheduler.stderr.read, daemon=True).start()  # its pipe must not fill up
        program = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
        program += ["--no-nanny", "--no-dashboard"]
        started += [subprocess.Popen(program, stderr=subprocess.DEVNULL, text=True) for _ in range(workers)]
        yield address
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def sandbox_memory() -> Figure:
    """The memory that one sandbox shares with no other process after the full-marks notebook ran."""
    home = assignment_folder.load(ROOT)
    path = ROOT / "examples" / "full_marks" / "hw3.ipynb"
    job, submission = GradeJob(path, home, seed=1), SubmissionFiles.of_file(read(path))
    progress = Silent()
    with WarmProcesses() as warm:
        sizes = []
        for _ in range(3):
            before = set(family())
            notebook = warm.open_notebook(job, submission, progress)
            try:
                plan = start_replay(notebook, plan_run(job, {}), job)
                run_cells(notebook, submission, job, progress, plan.budget)
                with notebook.copy(seed=1, seconds=10):
                    pass
                sizes.append(sum(unshared(pid) for pid in set(family()) - before))
            finally:
                notebook.close()
    return Figure(
        "a sandbox after the full-marks notebook",
        statistics.median(sizes),
        "MB unshared",
        80,
        "numpy, torch, plots",
        timed=False,
    )


def unshared(pid: int) -> float:
    """Megabytes of a process that no other process shares."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    own = [int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))]
    return sum(own) / 1024


@contextmanager
def folder_of_its_own() -> Iterator[Path]:
    """A temporary folder."""
    home = Path(tempfile.mkdtemp(prefix="chainrule-batch-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> int:
    """Measure everything; exit status 1 when a figure misses its bar or could not be measured."""
    quick = "--quick" in sys.argv[1:]
    console = Console()
    console.print(f"[dim]{machine()}[/dim]")
    measures: list[Callable[[], list[Figure]]] = [
        lambda: [sandbox_memory()],
        lambda: [
            dask_workers(count=12 if quick else 60, work=0.3 if quick else 1.0, times=1 if quick else 3)
        ],
        lambda: [under_fire(count=60 if quick else STORM, kills=4 if quick else KILLS)],
        lambda: large_class(count=300 if quick else MANY),
    ]
    with console.status("measuring"):
        return show(measured(measures), console)


if __name__ == "__main__":
    sys.exit(main())
