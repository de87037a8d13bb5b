"""Where a submission runs: in the sandbox, in a bare child process, or in this process."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from grader.grading.execution import Progress
from grader.grading.pipeline import GradeJob
from grader.grading.seeds import Seeds
from grader.model.assignment import Limits
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


def open_notebook(
    job: GradeJob, submission: SubmissionFile, progress: Progress, *, also: Sequence[str] = ()
) -> Notebook:
    """The submission's notebook, ready to run cells, as the job asks for it.

    ``also`` names modules to import while there is nothing to do but wait.
    Raises SandboxUnavailable where hidden checks want a sandbox that this machine does not have.
    """
    if job.public:
        return open_in_process(job, submission)
    return open_sandboxed(job, submission, progress, also=also)


class WarmProcesses:
    """Opens many submissions one after the other; those that need the same libraries share a warm process.

    A warm process takes half a second to start, with torch two or three. Use it as a context.
    """

    def __init__(self) -> None:
        self._zygotes: dict[tuple[str, ...], Zygote] = {}

    def open_notebook(self, job: GradeJob, submission: SubmissionFile, progress: Progress) -> Notebook:
        """See the function of the same name; what it opens ends before these warm processes do."""
        if job.public or not can_have_processes(job):
            return open_in_process(job, submission)
        spec = box_spec(job)
        progress.note("opening a sandbox")
        return boxed_notebook(job, submission, self._zygote(preload(submission)), spec)

    def _zygote(self, modules: tuple[str, ...]) -> Zygote:
        if modules not in self._zygotes:
            self._zygotes[modules] = Zygote.start(preload=modules)
        return self._zygotes[modules]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._zygotes:
            self._zygotes.popitem()[1].close()


def open_sandboxed(
    job: GradeJob, submission: SubmissionFile, progress: Progress, *, also: Sequence[str] = ()
) -> Notebook:
    """A notebook in a process of its own, confined unless the job says otherwise."""
    if not can_have_processes(job):
        return open_in_process(job, submission)
    spec = box_spec(job)
    progress.note("starting the sandbox")
    zygote = Zygote.start(preload=preload(submission))
    for module in (*CHECKS_NEED, *also):  # while the warm process is still importing its own
        importlib.import_module(module)
    return boxed_notebook(job, submission, zygote, spec, on_close=zygote.close)


def can_have_processes(job: GradeJob) -> bool:
    """Whether a process of its own is possible, or has to be because the job asks for a sandbox."""
    return sys.platform.startswith("linux") or job.sandbox


def box_spec(job: GradeJob) -> BoxSpec:
    """The sandbox that a job asks for. Raises SandboxUnavailable where this machine offers none."""
    return BoxSpec(
        mode=usual_mode() if job.sandbox else Mode.NONE,
        limits=process_limits(job.folder.assignment.limits),
        seed=Seeds(job.seed).of_student(),
        files=job.folder.given_files(),
        hidden=(job.folder.path,),
    )


def boxed_notebook(
    job: GradeJob,
    submission: SubmissionFile,
    zygote: Zygote,
    spec: BoxSpec,
    *,
    on_close: Callable[[], None] = lambda: None,
) -> Notebook:
    """A notebook in a fork of ``zygote``; ``on_close`` is called when it is closed or cannot start."""
    try:
        try:
            return _started(job, submission, zygote, spec, on_close)
        except InfrastructureError:
            mode = weaker(spec.mode)
            if mode is None:
                raise
            return _started(job, submission, zygote, replace(spec, mode=mode), on_close)
    except InfrastructureError as error:
        on_close()
        raise SandboxUnavailable(remedy(spec.mode, str(error))) from None


def _started(
    job: GradeJob, submission: SubmissionFile, zygote: Zygote, spec: BoxSpec, on_close: Callable[[], None]
) -> Notebook:
    """A live notebook in a sandbox of this very spec. Raises InfrastructureError when that does not start."""
    from grader.session.sandboxed import SandboxedNotebook  # noqa: PLC0415

    notebook = SandboxedNotebook(
        lambda: zygote.spawn(spec),
        isolation=spec.mode,
        module=submission.module_name,
        figures=not any(cell.figures for cell in submission.cells),
        seconds=job.folder.assignment.limits.notebook_seconds,
        forks=spec.mode.forks,
        on_close=on_close,
    )
    try:
        notebook.start()
    except InfrastructureError:
        raise  # nothing has started that would have to end
    except BaseException:
        notebook.close()
        raise
    return notebook


def preload(submission: SubmissionFile) -> tuple[str, ...]:
    """What the warm process imports before any student code: torch only for who imports it (1.4 s)."""
    uses_torch = any(_TORCH.search(cell.source) for cell in submission.cells if cell.kind == "code")
    return (*BASE_PRELOAD, "torch") if uses_torch else BASE_PRELOAD


def process_limits(limits: Limits) -> ProcessLimits:
    """The sandbox's limits for an assignment's."""
    return ProcessLimits(
        memory_mb=limits.memory_mb,
        processes=limits.processes,
        disk_mb=limits.disk_mb,
    )


def open_in_process(job: GradeJob, submission: SubmissionFile) -> Notebook:
    """A notebook in this very process, for a student's own machine; works on every platform."""
    from grader.session.in_process import OwnNotebook  # noqa: PLC0415  # IPython and pytest: 0.3 s

    return OwnNotebook(
        submission.module_name, job.submission.absolute().parent, seed=Seeds(job.seed).of_student()
    )
