"""Where a submission runs: in the sandbox, in a bare child process, or in this process."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from grader.grading.execution import Progress
from grader.grading.pipeline import GradeJob
from grader.grading.seeds import Seeds
from grader.model.errors import InfrastructureError, SandboxUnavailable
from grader.model.isolation import Mode
from grader.notebooks.submission_file import SubmissionFile
from grader.sandbox.modes import remedy, usual_mode, weaker
from grader.sandbox.spec import BoxSpec, ProcessLimits
from grader.sandbox.zygote import Zygote
from grader.session.notebook import Notebook

BASE_PRELOAD = ("numpy", "matplotlib.pyplot")
CHECKS_NEED = ("numpy.random", "numpy.ma", "grader.grading.pytest_run", "grader.grading.check_plugin")
_TORCH = re.compile(r"^\s*(?:import|from)\s+torch\b", re.MULTILINE)


class WarmProcesses:
    """Opens submissions, each in a fork of a warm process; those that need the same libraries share one.

    A warm process takes half a second to start, with torch two or three. Meanwhile this process imports what
    checks need, and the modules named ``meanwhile``. Use it as a context; what it opened ends before it does.
    """

    def __init__(self, *, meanwhile: Sequence[str] = ()) -> None:
        self._meanwhile = (*CHECKS_NEED, *meanwhile)
        self._zygotes: dict[tuple[str, ...], Zygote] = {}

    def open_notebook(self, job: GradeJob, submission: SubmissionFile, progress: Progress) -> Notebook:
        """The submission's notebook, ready to run cells, where the job asks for it.

        Raises SandboxUnavailable if hidden checks need a sandbox that this machine does not have.
        """
        if job.public or not can_have_processes(job):
            return open_in_process(job, submission)
        spec = box_spec(job)
        progress.note("starting the sandbox")
        return open_sandboxed(job, submission, self._zygote(preload(submission)), spec)

    def _zygote(self, modules: tuple[str, ...]) -> Zygote:
        if modules not in self._zygotes:
            self._zygotes[modules] = Zygote.start(preload=modules)
            # The zygote is importing its own modules now; these imports take no time that it does not take.
            for module in self._meanwhile:
                importlib.import_module(module)
        return self._zygotes[modules]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._zygotes:
            self._zygotes.popitem()[1].close()


def can_have_processes(job: GradeJob) -> bool:
    """Whether the notebook can run in a process of its own, or must because the job asks for a sandbox."""
    return sys.platform.startswith("linux") or job.sandbox


def box_spec(job: GradeJob) -> BoxSpec:
    """The sandbox that a job asks for. Raises SandboxUnavailable if this machine offers none."""
    limits = job.folder.assignment.limits
    return BoxSpec(
        mode=usual_mode() if job.sandbox else Mode.NONE,
        limits=ProcessLimits(memory_mb=limits.memory_mb, processes=limits.processes, disk_mb=limits.disk_mb),
        seed=Seeds(job.seed).of_student(),
        files=job.folder.given_files(),
        hidden=(job.folder.path,),
    )


def preload(submission: SubmissionFile) -> tuple[str, ...]:
    """What the warm process imports before any student code; torch (1.4 s) only if the submission does."""
    uses_torch = any(_TORCH.search(cell.source) for cell in submission.cells if cell.kind == "code")
    return (*BASE_PRELOAD, "torch") if uses_torch else BASE_PRELOAD


def open_sandboxed(job: GradeJob, submission: SubmissionFile, zygote: Zygote, spec: BoxSpec) -> Notebook:
    """A notebook in a fork of ``zygote``, in a weaker mode if this machine does not offer that of ``spec``.

    Raises SandboxUnavailable if it offers none.
    """
    from grader.session.sandboxed_notebook import SandboxedNotebook  # noqa: PLC0415  # needs Linux

    mode = spec.mode
    while True:
        notebook = SandboxedNotebook(
            zygote,
            replace(spec, mode=mode),
            module=submission.module_name,
            figures=not any(cell.figures for cell in submission.cells),
            seconds=job.folder.assignment.limits.notebook_seconds,
        )
        try:
            notebook.start()
        except InfrastructureError as error:
            # The usual mode is tried without a probe of its own, which would take as long as a sandbox. Only
            # after it has failed are this mode and the next one probed.
            other = weaker(mode)
            if other is None:
                raise SandboxUnavailable(remedy(spec.mode, str(error))) from None
            mode = other
        else:
            return notebook


def open_in_process(job: GradeJob, submission: SubmissionFile) -> Notebook:
    """A notebook in this very process, for students on their own machines; works on every platform."""
    from grader.session.in_process import OwnNotebook  # noqa: PLC0415  # IPython and pytest: 0.3 s

    return OwnNotebook(
        submission.module_name, job.submission.absolute().parent, seed=Seeds(job.seed).of_student()
    )
