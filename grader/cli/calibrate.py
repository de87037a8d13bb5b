"""`grade calibrate`: bounds for checks that depend on chance, from many runs of the reference."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress

from grader.cli import options
from grader.grading import assignment_folder
from grader.model.errors import CalibrationError
from grader.model.text import counted

if TYPE_CHECKING:
    from grader.model.calibration import Calibration, CalibrationFile

HELP = """Work out the bounds of checks that depend on chance.

Runs the reference in the sandbox with the seeds 1 to N, and the hidden checks that ask for a bound with
`calibrated("...")`. TEST names files of checks; the default is all. Each bound is set so that a correct
solution fails the check with probability at most 1e-4; how much a solution must have learned less to be
noticed is shown beside it. Bounds are written with their evidence beside the checks, as
test_x.calibration.json.

Finished runs are kept: interrupt it, ask for more seeds or mend one check, and the rest is not run again. A
statistic without a bound is named, and the others have theirs. Exit status: 0 done or up to date, 2 a bound
cannot be given, or not up to date with --check.

\b
Examples:
  grade calibrate
  grade calibrate test_training.py --seeds 1000
  grade calibrate --assignment ~/courses/hw3
  grade calibrate --check
"""
DEFAULT_SEEDS = 200
NOTICED = 0.99
"""The share of runs that have to fail, for a mistake to count as noticed."""


@click.command("calibrate", help=HELP)
@click.argument("tests", metavar="[TEST]...", nargs=-1)
@click.option(
    "--assignment",
    "assignment",
    metavar="DIR",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder with assignment.toml.",
)
@click.option(
    "--seeds",
    metavar="N",
    default=DEFAULT_SEEDS,
    show_default=True,
    type=click.IntRange(1),
    help="Runs of the reference; more of them give tighter bounds.",
)
@click.option("--check", is_flag=True, help="Run nothing; fail if bounds are missing or stale.")
@click.option("--no-sandbox", is_flag=True, help="Run without isolation: the reference is your own code.")
def command(  # noqa: D103  # its help is HELP
    tests: tuple[str, ...], *, assignment: Path, seeds: int, check: bool, no_sandbox: bool
) -> None:
    from grader.authoring import calibrate  # noqa: PLC0415  # numpy and pytest, not needed for --help

    home = assignment_folder.load(assignment)
    files = calibrate.files_to_calibrate(home, tests)
    if check:
        report_freshness(calibrate.stale_files(home, files), files)
        return
    if not files:
        options.tell('no check asks for a bound with calibrated("...")')
        return
    done = run(home, files, seeds=seeds, sandbox=not no_sandbox)
    for path, found in done.items():
        write(path, found)
    if missing := [one.why for found in done.values() for one in found.unbounded]:
        raise CalibrationError(
            f"{counted(len(missing), 'statistic has', 'statistics have')} no bound: " + "; ".join(missing)
        )


def report_freshness(stale: dict[Path, str], files: Sequence[Path]) -> None:
    """Print that all bounds are up to date. Raises CalibrationError, naming those that are not."""
    if stale:
        reasons = "; ".join(f"{path.name}: {reason}" for path, reason in stale.items())
        names = " ".join(path.name for path in stale)
        raise CalibrationError(f"bounds that cannot be used: {reasons}; run: grade calibrate {names}")
    options.tell(f"{len(files)} files of checks with calibrated bounds, all up to date")


def run(
    home: assignment_folder.AssignmentFolder, files: Sequence[Path], *, seeds: int, sandbox: bool
) -> dict[Path, CalibrationFile]:
    """Calibrate the files, with a progress bar on a terminal."""
    from grader.authoring import calibrate  # noqa: PLC0415  # see above
    from grader.grading.execution import Silent  # noqa: PLC0415
    from grader.grading.opening import WarmProcesses  # noqa: PLC0415

    console = Console(stderr=True)
    with (
        WarmProcesses() as warm,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task(f"{seeds} seeds of the reference", total=seeds)
        try:
            return calibrate.calibrate(
                home,
                files,
                seeds=seeds,
                opener=warm.open_notebook,
                progress=Silent(),
                on_seed=lambda seed: progress.update(task, completed=seed - 1),
                sandbox=sandbox,
                environ=os.environ,
            )
        except KeyboardInterrupt:
            options.tell("finished runs are kept: the same command goes on from there", err=True)
            raise


def write(path: Path, found: CalibrationFile) -> None:
    """Write the bounds beside their checks and print them. Raises CalibrationError."""
    from grader.files import replace_whole  # noqa: PLC0415
    from grader.grading.bounds import file_of  # noqa: PLC0415
    from grader.model.calibration import encode  # noqa: PLC0415

    try:
        replace_whole(file_of(path), encode(found))
    except OSError as error:
        raise CalibrationError(f"{file_of(path)} cannot be written: {error.strerror}") from None
    options.tell(f"{file_of(path)}: {len(found.bounds)} bounds from {found.seeds} seeds")
    for bound in found.bounds:
        options.tell(f"  {described(bound)}")
        if bound.power:
            options.tell(f"      {power_in_words(bound)}")


def power_in_words(found: Calibration) -> str:
    """What the bound notices, and what still passes, in one line."""
    noticed = [way for way, share in found.power.items() if share >= NOTICED]
    passes = [
        # Rounded against the bound: 0.4 % is not never.
        f"{way} ({math.ceil(100 * (1 - share))} %)"
        for way, share in found.power.items()
        if share < NOTICED
    ]
    said = [f"notices {', '.join(noticed)}"] if noticed else []
    said += [f"still passes {', '.join(passes)}"] if passes else []
    return "; ".join(said)


def described(found: Calibration) -> str:
    """One bound in one line."""
    wanted = "at most" if found.side == "most" else "at least"
    return (
        f"{found.check}  {found.statistic}: {wanted} {found.bound:.4g} "
        f"(reference {found.mean:.4g} ± {found.sd:.2g}; risk {found.risk:.1g})"
    )
