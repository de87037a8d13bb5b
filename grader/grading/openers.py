"""Where a submission runs: in the sandbox, in a bare child process, or in this process."""

from __future__ import annotations

import re
import sys

from grader.grading.execution import Watch
from grader.grading.run import GradeJob
from grader.model.assignment import Limits
from grader.model.errors import InfrastructureError, SandboxUnavailable
from grader.notebooks.intake import SubmissionFile
from grader.sandbox.limits import ProcessLimits
from grader.sandbox.modes import Mode, remedy, usual_mode
from grader.sandbox.spec import BoxSpec
from grader.sandbox.zygote import Zygote
from grader.session.notebook import Notebook

BASE_PRELOAD = ("numpy", "matplotlib.pyplot")
_TORCH = re.compile(r"^\s*(?:import|from)\s+torch\b", re.MULTILINE)


def open_notebook(job: GradeJob, submission: SubmissionFile, watch: Watch) -> Notebook:
    """The submission's notebook, ready to run cells, as the job asks for it.

    Raises SandboxUnavailable where hidden checks want a sandbox that this machine does not have.
    """
    if job.public:
        return open_in_process(job, submission)
    return open_sandboxed(job, submission, watch)


def open_sandboxed(job: GradeJob, submission: SubmissionFile, watch: Watch) -> Notebook:
    """A notebook in a process of its own, confined unless the job says otherwise."""
    if not sys.platform.startswith("linux") and not job.sandbox:
        return open_in_process(job, submission)
    from grader.session.sandboxed import SandboxedNotebook  # noqa: PLC0415

    mode = usual_mode() if job.sandbox else Mode.NONE
    spec = BoxSpec(
        mode=mode,
        limits=process_limits(job.folder.assignment.limits),
        seed=job.seed,
        files=job.folder.given_files(),
        hidden=(job.folder.path,),
    )
    watch.note("starting the sandbox")
    zygote = Zygote.start(preload=preload(submission))
    preload_here()
    notebook = SandboxedNotebook(
        lambda: zygote.spawn(spec),
        isolation=mode.value,
        module=submission.module_name,
        figures=not any(cell.figures for cell in submission.cells),
        seconds=job.folder.assignment.limits.notebook_seconds,
        on_close=zygote.close,
    )
    try:
        notebook.start()
    except InfrastructureError as error:
        notebook.close()
        raise SandboxUnavailable(remedy(mode, str(error))) from None
    except BaseException:
        notebook.close()
        raise
    return notebook


def preload(submission: SubmissionFile) -> tuple[str, ...]:
    """What the warm process imports before any student code: torch only for who imports it (1.4 s)."""
    uses_torch = any(_TORCH.search(cell.source) for cell in submission.cells if cell.kind == "code")
    return (*BASE_PRELOAD, "torch") if uses_torch else BASE_PRELOAD


def preload_here() -> None:
    """Import what the checks need while the warm process is still importing its own."""
    import numpy as np  # noqa: F401, PLC0415
    import pytest  # noqa: F401, PLC0415


def process_limits(limits: Limits) -> ProcessLimits:
    """The sandbox's limits for an assignment's."""
    return ProcessLimits(
        memory_mb=limits.memory_mb,
        processes=limits.processes,
        disk_mb=limits.disk_mb,
    )


def open_in_process(job: GradeJob, submission: SubmissionFile) -> Notebook:
    """A notebook in this very process, for a student's own machine; works on every platform."""
    from grader.grading.local import OwnNotebook  # noqa: PLC0415  # IPython and pytest: 0.3 s

    return OwnNotebook(submission.module_name, job.submission.absolute().parent, seed=job.seed)
