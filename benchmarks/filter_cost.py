"""What the system call filter costs: the full-marks example with and without it, all else equal.

The filter is switched off in a warm process that is started here for this purpose, by a module that replaces
the agent. No option or setting of `grade` can do that.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.commands import FULL_MARKS, ROOT
from benchmarks.measure import Figure, side_by_side
from benchmarks.sandbox import notebook
from grader.grading import assignment_folder, opening, pipeline
from grader.grading.execution import Silent
from grader.grading.grade_job import GradeJob
from grader.notebooks.submission_file import read
from grader.notebooks.submission_files import SubmissionFiles
from grader.sandbox.zygote import AGENT, Zygote

UNFILTERED = "benchmarks_unfiltered"
AGENT_WITHOUT_FILTER = """
from grader.inside.agent import make_shell, prepare, serve
from grader.sandbox.walls import seccomp

def install(**_):
    pass

seccomp.install = install
"""
HOW_MANY = """
with open("/proc/self/status") as file:
    filters = next(int(line.split()[1]) for line in file if line.startswith("Seccomp_filters"))
"""


def cost(*, times: int) -> list[Figure]:
    """Grade the full-marks example from warm processes, in turns, with the filter and without.

    Raises RuntimeError if anything but the filter differs, or if a grading loses a point.
    """
    home = assignment_folder.load(ROOT)
    with ExitStack() as stack:
        walled, open_ = (stack.enter_context(warm(entry)) for entry in (AGENT, UNFILTERED))
        if filters(walled) != filters(open_) + 1:
            raise RuntimeError("the two sandboxes do not differ by one filter of system calls")
        runs = [grading(home, zygote) for zygote in (walled, open_)]
        for each in runs:
            each()  # files and fonts are read for the first time
        filtered, bare = side_by_side(runs, times=times)
    return [
        Figure(
            "seccomp's allow-list against none, full marks",
            filtered / bare,
            "x",
            at_most=1.1,
            note=f"{filtered:.2f} against {bare:.2f} s, medians of {times} in turns",
        )
    ]


@contextmanager
def warm(entry: str) -> Iterator[Zygote]:
    """A warm process for the full-marks example, with this module as its agent."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        (Path(scratch) / f"{UNFILTERED}.py").write_text(AGENT_WITHOUT_FILTER)
        preload = opening.preload(SubmissionFiles.of_file(read(FULL_MARKS)))
        with Zygote.start(preload=preload, entry=entry, import_path=[Path(scratch)]) as zygote:
            zygote.wait_ready()
            yield zygote


def filters(zygote: Zygote) -> int:
    """How many system call filters apply to a sandbox of this warm process, by its own account."""
    with notebook(zygote) as one:
        one.run_cell(HOW_MANY, seconds=10)
        with one.copy(seed=1, seconds=10) as session:
            return int(session.student.filters.value)


def grading(home: assignment_folder.AssignmentFolder, zygote: Zygote) -> Callable[[], None]:
    """A function that grades the full-marks example once, in a fresh sandbox of this warm process."""
    job = GradeJob(FULL_MARKS, home, seed=1)

    def once() -> None:
        grade = pipeline.grade(
            job,
            opener=lambda job, submission, _: opening.open_sandboxed(
                job, submission, zygote, opening.box_spec(job)
            ),
            progress=Silent(),
        )
        if grade.attention or any(item.earned != item.possible for item in grade.items if item.checks):
            raise RuntimeError("the full-marks example lost points")

    return once
