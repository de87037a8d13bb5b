"""How an assignment's own checks fare: on the reference, which must pass, and on the untouched template.

Each run is a whole grading in a fresh sandbox. The public checks run as on a student's machine: by
`grade --public`, in the students' folder with the solution in it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from msgspec import DecodeError, structs

from grader.authoring.template import build
from grader.digests import digest_of_texts
from grader.grading.arbiter import reference_files
from grader.grading.assignment_folder import PUBLIC_TESTS, AssignmentFolder
from grader.grading.execution import Progress
from grader.grading.grade_job import GradeJob
from grader.grading.kept_checks import deciding
from grader.grading.opening import WarmProcesses, opener
from grader.grading.pipeline import Graded, grade_file, run_of
from grader.model.checked import SCHEMA, Checked, ReferenceRun, TemplateRun
from grader.model.errors import Outcome, TemplateError, UsageError
from grader.model.isolation import Mode
from grader.model.points import ZERO
from grader.model.records import decode
from grader.notebooks.submission_file import from_bytes, read
from grader.notebooks.submission_files import SubmissionFiles
from grader.sandbox.modes import candidates, probe, usual_mode

SEED = 1
"""The first seed; the others follow it."""
_PUBLIC_SECONDS = 60.0  # beyond the time for all cells: to start, and to import torch


@dataclass(frozen=True)
class Planned:
    """One run: where, and with which seed."""

    mode: Mode
    seed: int


def reference_of(home: AssignmentFolder, *, executed: Path | None = None) -> SubmissionFiles:
    """The reference as if it were handed in. Raises UsageError if there is none.

    ``executed`` is its notebook as a long run left it: the recordings in it are judged too.
    """
    found = reference_files(home)
    if found is None:
        raise UsageError(
            f"{home.path}: no reference to try the checks on: {home.assignment.notebook} does not exist; "
            "write the solved notebook there, or name it with the key `notebook` of assignment.toml"
        )
    if executed is None:
        return found
    notebook = read(executed)
    rest = found.notebooks[1:]
    places = (notebook.name, *found.places[1:])
    files = {place: data for place, data in found.files.items() if place != found.places[0]}
    sha256 = digest_of_texts(file.sha256 for file in (notebook, *rest))
    return replace(found, notebooks=(notebook, *rest), places=places, files=files, sha256=sha256)


def template_of(home: AssignmentFolder) -> SubmissionFiles:
    """The untouched template as if it were handed in, made now. Raises TemplateError, UsageError."""
    made = build(home)
    files = {name: made[name] for name in (*home.references, *home.reference_modules)}
    notebooks = tuple(from_bytes(files[name], name=name) for name in home.references)
    sha256 = digest_of_texts(file.sha256 for file in notebooks)
    return SubmissionFiles(notebooks, sha256, files, places=tuple(home.references))


def plan(*, seeds: int, quick: bool, sandbox: bool) -> list[Planned]:
    """The runs: all seeds in the usual mode, one in each other mode that this machine allows.

    Raises SandboxUnavailable where there is no sandbox at all.
    """
    if not sandbox:
        return [Planned(Mode.NONE, seed) for seed in range(SEED, SEED + seeds)]
    first = usual_mode()
    if quick:
        return [Planned(first, SEED)]
    others = [mode for mode in candidates() if mode is not first and probe(mode) is None]
    return [
        *(Planned(first, seed) for seed in range(SEED, SEED + seeds)),
        *(Planned(mode, SEED) for mode in others),
    ]


def check(
    home: AssignmentFolder,
    reference: SubmissionFiles,
    runs: Sequence[Planned],
    *,
    warm: WarmProcesses,
    progress: Progress,
    on_run: Callable[[str], None] = lambda _what: None,
    executed: str = "",
) -> Checked:
    """Try the checks on the reference and the template. ``on_run`` is called with what each run is.

    Raises CannotGrade if nothing can be tried. Whatever is wrong with a check is in what is returned.
    """
    decides = deciding(home)  # before the runs: what is saved meanwhile makes the result stale
    found: list[ReferenceRun] = []
    for number, one in enumerate(runs, start=1):
        on_run(f"reference {number} of {len(runs)}, {one.mode}, seed {one.seed}")
        graded = graded_in(home, reference, one, warm=warm, progress=progress)
        found.append(run_of(graded, seed=one.seed))
    if any((home.path / name).is_dir() for name in PUBLIC_TESTS):
        on_run("public checks")
        progress.note("as on a student's machine")
        found.append(public_run(home))
    on_run("untouched template")
    return Checked(
        schema=SCHEMA,
        assignment=str(home.path),
        decides=decides,
        date=datetime.now(UTC).date().isoformat(),
        runs=tuple(found),
        template=template_run(home, replace(runs[0], seed=SEED), warm=warm, progress=progress),
        executed=executed,
    )


def graded_in(
    home: AssignmentFolder, files: SubmissionFiles, run: Planned, *, warm: WarmProcesses, progress: Progress
) -> Graded:
    """These files graded by themselves, with no reference to ask. Raises CannotGrade."""
    job = GradeJob(home.path / files.first.name, home, run.seed, sandbox=run.mode.isolates)
    opened = opener(warm.zygote, mode=run.mode)
    return grade_file(job, files, opener=opened, progress=progress, is_reference=True)


def template_run(
    home: AssignmentFolder, run: Planned, *, warm: WarmProcesses, progress: Progress
) -> TemplateRun:
    """How the checks end on the untouched template."""
    started = time.monotonic()
    try:
        files = template_of(home)
    except TemplateError as error:
        return TemplateRun(problem=str(error))
    results = graded_in(home, files, run, warm=warm, progress=progress).results
    passes = [result for result in results if result.outcome is Outcome.PASSED]
    return TemplateRun(
        failed=tuple((one.item, one.check) for one in results if one.outcome is not Outcome.PASSED),
        gifts=tuple((one.item, one.check) for one in passes if one.possible > ZERO),
        idle=tuple((one.item, one.check) for one in passes if one.possible == ZERO),
        seconds=round(time.monotonic() - started, 3),
    )


def public_run(home: AssignmentFolder) -> ReferenceRun:
    """How the public checks end on the reference, in the students' folder and without a sandbox.

    In a program of its own: the notebook runs in the very process that checks it, as it does for students.
    """
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="chainrule-") as folder:
            run = public_run_in(Path(folder), home)
            return structs.replace(run, seconds=round(time.monotonic() - started, 3))
    except (TemplateError, UsageError) as error:
        return ReferenceRun(mode=Mode.NONE, seed=SEED, public=True, problems=(str(error),))


def public_run_in(folder: Path, home: AssignmentFolder) -> ReferenceRun:
    """Lay the students' files there, with the solution in place of the template, and run `grade --public`."""
    given = {name: data for name, data in build(home).items() if name not in home.references}
    for name, data in {**given, **reference_of(home).files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    notebooks = [Path(path).name for path in home.references.values()]
    command = [sys.executable, "-P", "-m", "grader.cli.main", "--public", "--json", "--seed", str(SEED)]
    what = notebooks if len(notebooks) == 1 else ["."]
    patience = home.assignment.limits.notebook_seconds + _PUBLIC_SECONDS
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module
            [*command, "--assignment", ".", "--out", "reports", *what],
            cwd=folder,
            capture_output=True,
            timeout=patience,
            check=False,
        )
        grade = decode(done.stdout)
    except subprocess.TimeoutExpired:
        problem = f"the public checks were not done after {patience:.0f} s"
        return ReferenceRun(mode=Mode.NONE, seed=SEED, public=True, problems=(problem,))
    except DecodeError:
        said = done.stderr.decode("utf-8", "replace").strip().removeprefix("grade: ")
        problem = f"the public checks could not be run: {said[-500:] or f'status {done.returncode}'}"
        return ReferenceRun(mode=Mode.NONE, seed=SEED, public=True, problems=(problem,))
    return run_of(Graded(grade, {}, tuple(check for item in grade.items for check in item.checks)), seed=SEED)
