"""Helpers for tests of sandboxed notebooks: one zygote for a module, many notebooks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from grader.model.isolation import Mode
from grader.model.records import CellStatus
from grader.sandbox.spec import BoxSpec, ProcessLimits
from grader.sandbox.zygote import Zygote
from grader.session.notebook import CellSettings
from grader.session.proxy import Student
from grader.session.sandboxed_notebook import SandboxedNotebook

from .boxes import mode_here

LIMITS = ProcessLimits(memory_mb=400, disk_mb=16, processes=64, wall_seconds=120)


@contextlib.contextmanager
def sandboxed(
    zygote: Zygote, *cells: str, seconds: float = 60, mode: Mode | None = None, figures: bool = False
) -> Iterator[SandboxedNotebook]:
    """A notebook of which these cells ran well."""
    spec = BoxSpec(mode=mode or mode_here(), limits=LIMITS, seed=3)
    with contextlib.closing(
        SandboxedNotebook(zygote, spec, seconds=seconds, settings=CellSettings(figures=figures))
    ) as notebook:
        for source in cells:
            run = notebook.run_cell(source, seconds=20)
            assert run.status is CellStatus.OK, run
        yield notebook


@contextlib.contextmanager
def checked(notebook: SandboxedNotebook, *, seed: int = 1, seconds: float = 10) -> Iterator[Student]:
    """What one check holds in its hand."""
    with notebook.copy(seed=seed, seconds=seconds) as session:
        yield session.student
