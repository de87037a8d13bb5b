"""The one program that grades for all workers of a batch on this machine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import psutil
import pytest
from support.notebooks import code, write_notebook
from support.tiny import RIGHT, make_tiny

from grader.course.jobs import Done, Job, Lost, received, send
from grader.course.local_pool import LocalPool
from grader.course.worker import Settings
from grader.handed_in.package import FileRef, Package
from grader.model.records import decode


def job(path: Path) -> Job:
    data = path.read_bytes()
    file = FileRef(path.name, str(path), hashlib.sha256(data).hexdigest(), len(data))
    return Job(name=path.name, package=Package((path.name,), (file,)), seed=5)


@pytest.fixture
def jobs(tmp_path: Path) -> list[Job]:
    """Eight right notebooks that differ in a number."""
    names = [tmp_path / f"s{number}.ipynb" for number in range(8)]
    return [job(write_notebook(name, [*RIGHT, code(name.stem[1:])])) for name in names]


@pytest.fixture
def pool(tmp_path: Path) -> LocalPool:
    settings = Settings(str(make_tiny(tmp_path / "tiny")))
    command = [sys.executable, "-P", "-m", "grader.course.worker"]
    return LocalPool(command, msgspec.json.encode(settings), count=3, patience=120)


def programs(name: str) -> Iterator[psutil.Process]:
    """Those that run a module of this name below this process, without their forks."""
    return programs_below(psutil.Process(), name)


def programs_below(root: psutil.Process, name: str) -> Iterator[psutil.Process]:
    for process in root.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # a sandbox's, which has ended meanwhile
            parent = process.parent()
            if name in process.cmdline() and (parent is None or name not in parent.cmdline()):
                yield process


def earned(told: Sequence[Done | Lost]) -> list[str]:
    return [str(decode(done.record).earned) if isinstance(done, Done) else done.reason for done in told]


@pytest.mark.sandbox
def test_three_workers_share_what_was_imported(pool: LocalPool, jobs: list[Job]) -> None:
    told: list[Done | Lost] = []
    seen: list[tuple[int, int]] = []

    def on_done(_job: Job, done: Done | Lost) -> None:
        told.append(done)
        workers = list(programs("grader.course.worker"))
        warm = [one for worker in workers for one in programs_below(worker, "grader.sandbox.warm")]
        seen.append((len(workers), len(warm)))

    pool.run(jobs, on_done, stop=lambda: False)
    assert earned(told) == ["3"] * 8
    assert set(seen) == {(1, 1)}
    assert not list(programs("grader.course.worker"))


@pytest.mark.sandbox
def test_when_the_program_dies_nothing_is_lost(pool: LocalPool, jobs: list[Job]) -> None:
    told: list[Done | Lost] = []

    def on_done(_job: Job, done: Done | Lost) -> None:
        told.append(done)
        if len(told) == 1:
            [program] = programs("grader.course.worker")
            os.kill(program.pid, signal.SIGKILL)

    pool.run(jobs, on_done, stop=lambda: False)
    assert earned(told) == ["3"] * 8


def test_a_job_of_any_size_is_given_without_waiting_for_who_takes_it(jobs: list[Job]) -> None:
    """It may hold an earlier record; its receiver may be waiting for us to read an answer."""
    ours, theirs = socket.socketpair()
    large = msgspec.structs.replace(jobs[0], previous=b"x" * 5_000_000)
    with Connection(ours.detach()) as here, Connection(theirs.detach()) as there:
        send(large, here)
        send(jobs[1], here)
        assert [received(there), received(there)] == [large, jobs[1]]
        here.close()
        with pytest.raises(EOFError):
            received(there)
