"""The program that grades a batch's submissions one by one: ``python -m grader.cli.batch_worker FD``.

Standard output is left alone: frames go over the socket whose number is the last argument.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import re
import signal
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec

from grader.grading import folder
from grader.grading.batch.pool import MAX_FRAME
from grader.grading.batch.work import Done, Work, run_work
from grader.grading.openers import WarmProcesses
from grader.model.assignment import Limits
from grader.model.errors import CannotGrade, Fault
from grader.model.records import decode, encode, without_figures

_PR_SET_PDEATHSIG = 1
MAX_NAME_BYTES = 100
EXTRA_SECONDS = 120.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a worker works with: the assignment's folder, and where reports go (empty: nowhere).

    With ``pictures`` nothing is written and the answer keeps its pictures: whoever gets it makes the report.
    """

    assignment: str
    reports: str = ""
    pictures: bool = False


def patience(limits: Limits) -> float:
    """The seconds after which a worker that has not answered counts as stuck."""
    return 2 * limits.notebook_seconds + 100 * limits.check_seconds + EXTRA_SECONDS


def main(descriptor: int) -> None:
    """Grade what comes until the other side is gone."""
    die_with_parent()
    with Connection(descriptor) as connection, contextlib.suppress(EOFError, OSError):
        settings = msgspec.json.decode(connection.recv_bytes(MAX_FRAME), type=Settings)
        with WarmProcesses() as warm:
            for work in works(connection):
                connection.send_bytes(msgspec.json.encode(answer(work, settings, warm)))


def works(connection: Connection) -> Iterator[Work]:
    """What is sent, until the other side closes."""
    while True:
        yield msgspec.json.decode(connection.recv_bytes(MAX_FRAME), type=Work)


def answer(work: Work, settings: Settings, warm: WarmProcesses) -> Done:
    """Grade one submission, write its report, and give back what the gradebook keeps."""
    try:
        done = run_work(work, folder.load(Path(settings.assignment)), warm.open_notebook)
        return done if settings.pictures else finished(done, work.name, settings.reports)
    except CannotGrade as error:
        return Done(error=str(error), fault=Fault.INFRASTRUCTURE)


def finished(done: Done, name: str, reports: str) -> Done:
    """The answer without its pictures, after its report was written. Raises UsageError where that fails."""
    if not done.record:
        return done
    grade = decode(done.record)
    if reports:
        from grader.cli.submission import write_reports  # noqa: PLC0415  # click and Jinja2

        write_reports(grade, Path(reports), name=report_folder(name))
    return msgspec.structs.replace(done, record=encode(without_figures(grade)))


def report_folder(name: str) -> str:
    """A folder's name for the submission of this name in a batch: no two names share one."""
    plain = re.sub(r"[^\w.-]+", "_", name.removesuffix(".ipynb")).strip("._")
    short = plain.encode()[:MAX_NAME_BYTES].decode(errors="ignore")
    if short == name:
        return short
    return f"{short}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def die_with_parent() -> None:
    """End when the batch's process ends, however it does; Ctrl-C is its own business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        # A parent that has ended before this line shows as the end of the connection.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[-1]))
