"""Where a submission runs: in the sandbox, in a bare child process, or in this process."""

from __future__ import annotations

import atexit
import importlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from grader.grading.execution import Progress
from grader.grading.grade_job import GradeJob, Opener
from grader.grading.seeds import Seeds
from grader.model.errors import InfrastructureError, SandboxUnavailable
from grader.model.isolation import Mode
from grader.notebooks.submission_files import SubmissionFiles
from grader.sandbox.modes import remedy, usual_mode, weaker
from grader.sandbox.spec import BoxSpec, ProcessLimits
from grader.sandbox.zygote import BASE_PRELOAD, Zygote, installed
from grader.session.notebook import CellSettings, Notebook

CHECKS_NEED = ("numpy.random", "numpy.ma", "grader.grading.pytest_run", "grader.grading.check_plugin")
A_DAY = 86_400.0
MAX_LOOK = 100_000
"""Bytes of a module in which imports are looked for."""
_TORCH = re.compile(r"^[ \t]*(?:import|from)[ \t]+torch\b", re.MULTILINE)


def opener(
    warm: Callable[[tuple[str, ...]], Zygote], *, mode: Mode | None = None, stays_open: bool = False
) -> Opener:
    """Opens notebooks as ``WarmProcesses.open_notebook`` does, with warm processes that ``warm`` lends.

    ``mode`` is the sandbox's mode, instead of the usual one. One that ``stays_open`` is not ended because it
    has been there for long, only by whoever opened it.
    """

    def open_notebook(job: GradeJob, submission: SubmissionFiles, progress: Progress) -> Notebook:
        if job.public or not can_have_processes(job):
            return open_in_process(job, submission)
        spec = box_spec(job) if mode is None else replace(box_spec(job), mode=mode)
        if stays_open:
            spec = replace(spec, limits=replace(spec.limits, wall_seconds=A_DAY))
        progress.note("starting the sandbox")
        return open_sandboxed(job, submission, warm(preload(submission)), spec)

    return open_notebook


class WarmProcesses:
    """Opens submissions, each in a fork of a warm process; those that need the same libraries share one.

    A warm process takes half a second to start, with torch two or three. Meanwhile this process imports the
    modules named ``meanwhile``, and what checks need if it opens notebooks itself. Use it as a context; what
    it opened ends before it does. ``early`` is one that was started with ``more``; it becomes the first that
    is asked for.
    """

    def __init__(self, *, meanwhile: Sequence[str] = (), early: Zygote | None = None) -> None:
        self._meanwhile = tuple(meanwhile)
        self._early = early
        self._zygotes: dict[tuple[str, ...], Zygote] = {}

    def open_notebook(self, job: GradeJob, submission: SubmissionFiles, progress: Progress) -> Notebook:
        """The submission's first notebook, ready to run cells, where the job asks for it.

        Raises SandboxUnavailable if hidden checks need a sandbox that this machine does not have.
        """
        return opener(partial(self.zygote, also=CHECKS_NEED))(job, submission, progress)

    def zygote(self, modules: tuple[str, ...], *, also: Sequence[str] = ()) -> Zygote:
        """The warm process with these modules, started when it is first asked for.

        Meanwhile this process imports ``also`` too.
        """
        if modules not in self._zygotes:
            self._zygotes[modules] = self._started(modules)
            # The zygote is importing its own modules now; these imports take no time that it does not take.
            for module in (*self._meanwhile, *also):
                importlib.import_module(module)
        return self._zygotes[modules]

    def _started(self, modules: tuple[str, ...]) -> Zygote:
        zygote, self._early = self._early, None
        if zygote is None:
            return Zygote.start(preload=modules)
        zygote.and_import([name for name in modules if name not in BASE_PRELOAD])
        return zygote

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._early is not None:
            self._early.close()
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
        limits=ProcessLimits(
            memory_mb=limits.memory_mb,
            processes=limits.processes,
            disk_mb=limits.disk_mb,
            wall_seconds=limits.total_seconds,
        ),
        seed=Seeds(job.seed).of_student(),
        files=job.folder.given_files(),
        hidden=(job.folder.path,),
    )


def preload(submission: SubmissionFiles) -> tuple[str, ...]:
    """What the warm process imports before any student code; torch (1.4 s) only if the submission does."""
    uses_torch = any(
        _TORCH.search(cell.source) for cell in submission.first.cells if cell.kind == "code"
    ) or any(
        _TORCH.search(data[:MAX_LOOK].decode("utf-8", "replace"))
        for place, data in submission.files.items()
        if place.endswith(".py")
    )
    return installed((*BASE_PRELOAD, "torch") if uses_torch else BASE_PRELOAD)


def open_sandboxed(job: GradeJob, submission: SubmissionFiles, zygote: Zygote, spec: BoxSpec) -> Notebook:
    """A notebook in a fork of ``zygote``, in a weaker mode if this machine does not offer that of ``spec``.

    Raises SandboxUnavailable if it offers none.
    """
    from grader.session.sandboxed_notebook import SandboxedNotebook  # noqa: PLC0415  # needs Linux

    file, mode = submission.first, spec.mode
    files = submission.around(file)
    settings = CellSettings(
        module=file.module_name,
        name=file.name,
        script=file.kind == "script",
        figures=not any(cell.figures for cell in file.cells),
        gpu_on_processor=job.folder.assignment.environment.cuda == "cpu",
    )
    while True:
        notebook = SandboxedNotebook(
            zygote,
            replace(spec, mode=mode),
            seconds=job.folder.assignment.limits.notebook_seconds - job.seconds_spent,
            settings=settings,
            files=files,
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


def folder_of(job: GradeJob, submission: SubmissionFiles) -> Path:
    """The folder of a submission's first notebook on this disk; a temporary one if it is in an archive."""
    path, place = job.submission.absolute(), PurePosixPath(submission.place_of(submission.first))
    if path.is_dir():
        return path / place.parent
    if path.suffix.lower() == Path(submission.first.name).suffix.lower():
        return path.parent
    folder = Path(tempfile.mkdtemp(prefix="chainrule-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, given in job.folder.given_files().items():
        (shutil.copytree if given.is_dir() else shutil.copy2)(given, folder / name)
    for name, data in submission.around(submission.first).items():
        target = folder / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    return folder


def open_in_process(job: GradeJob, submission: SubmissionFiles) -> Notebook:
    """A notebook in this very process and its own folder, for students on their own machines.

    Works on every platform. What came out of an archive is laid in a temporary folder.
    """
    from grader.session.in_process import OwnNotebook  # noqa: PLC0415  # IPython and pytest: 0.3 s

    file = submission.first
    return OwnNotebook(
        file.module_name,
        folder_of(job, submission),
        seed=Seeds(job.seed).of_student(),
        script=file.name if file.kind == "script" else "",
    )
