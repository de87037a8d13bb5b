"""Runs as single-threaded processes, as many at a time as there are cores, the longest first."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from reference.fast.settings import NetworkRun, Run

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ENVIRONMENT = dict.fromkeys(_THREADS, "1") | {
    # Let the C library keep freed memory: otherwise the kernel gives and clears every page anew at each step.
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
}
"""What a process needs in its environment to use one core well; libraries read it when they are loaded."""


@dataclass(frozen=True)
class Finished:
    """A run with its history and the seconds it took, or with what went wrong in words."""

    run: Run
    history: dict[str, Any] | None
    seconds: float
    problem: str = ""


Heard = Callable[[Run, int, int], None]
"""Receives a run's progress: how much is done, and of how much at most."""


def finish(runs: Iterable[Run], *, where: str, device: str, at_once: int, heard: Heard) -> Iterator[Finished]:
    """Each run as it ends. If the caller stops iterating, or is interrupted, the other runs are killed."""
    waiting = sorted(runs, key=lambda run: run.cost)
    working: dict[Connection, tuple[Run, SpawnProcess]] = {}
    try:
        while waiting or working:
            while waiting and len(working) < at_once:
                run = waiting.pop()
                connection, process = _start(run, where=where, device=device)
                working[connection] = (run, process)
            for ready in wait(list(working)):
                assert isinstance(ready, Connection)
                run, process = working[ready]
                finished = _listen(ready, run, process, heard)
                if finished is not None:
                    del working[ready]
                    yield finished
    finally:
        for _, process in working.values():
            process.terminate()
        for _, process in working.values():
            process.join()


def _listen(connection: Connection, run: Run, process: SpawnProcess, heard: Heard) -> Finished | None:
    """Read one message: None for progress, else how the run ended."""
    try:
        message = connection.recv()
    except EOFError:
        process.join()
        return Finished(run, None, 0.0, f"its process ended with status {process.exitcode}")
    if isinstance(message, Finished):
        process.join()
        connection.close()
        return message
    heard(run, *message)
    return None


def _start(run: Run, *, where: str, device: str) -> tuple[Connection, SpawnProcess]:
    context = multiprocessing.get_context("spawn")  # a fork would inherit locks, and CUDA forbids it
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(run, where, device, theirs), daemon=True)
    with _environment(ENVIRONMENT):
        process.start()
    theirs.close()
    return ours, process


@contextlib.contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set these variables for processes started inside; libraries read them when they are first imported."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def work(run: Run, where: str, device: str, connection: Connection) -> None:
    """One run in its own process; progress and result go through the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process; the first one decides
    start = time.perf_counter()
    try:
        history = train(run, where, device, lambda done, most: connection.send((done, most)))
        connection.send(Finished(run, history, time.perf_counter() - start))
    except BrokenPipeError:
        return  # nobody waits for it any more
    except Exception:  # noqa: BLE001  # whatever it was, a person is to read it
        connection.send(Finished(run, None, time.perf_counter() - start, traceback.format_exc()))


def train(run: Run, where: str, device: str, report: Callable[[int, int], None]) -> dict[str, Any]:
    """The history of a run, trained in this process."""
    if isinstance(run, NetworkRun):
        from reference.fast import network  # noqa: PLC0415  # after the environment was set

        return network.train(run, where, report)
    from reference.fast import transformer  # noqa: PLC0415  # torch is not needed for the other runs

    return transformer.train(run, where, report, device=device)
