"""Bounds for checks that depend on chance, calibrated on many runs of the reference.

Each seed is a whole grading of the reference: a fresh sandbox, all its cells, then the checks that ask for a
bound, each in its own copy and with its own inputs. What they measured is kept, and becomes bounds with their
evidence: the risk of each, and its power.
"""

from __future__ import annotations

import functools
import math
import platform
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from grader.authoring.kept_runs import KeptRuns, SeenBy
from grader.checks.tails import (
    ASSUMPTION,
    CONFIDENCE,
    FEWEST,
    NoBoundError,
    least_rate,
    unseen_rate,
    upper_bound,
)
from grader.checks.thresholds import Limit, Seen
from grader.digests import digest_of_file
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.bounds import (
    FIXTURE,
    Bounds,
    Calibrated,
    file_of,
    reference_digest,
    staleness,
    uses_bounds,
)
from grader.grading.bounds import read as stored
from grader.grading.check_plugin import CheckPlugin
from grader.grading.environment import PACKAGES, version_of
from grader.grading.execution import Progress, execute
from grader.grading.grade_job import GradeJob, Opener
from grader.grading.pytest_run import run_checks
from grader.grading.state import opened
from grader.model.calibration import RISK, SCHEMA, Calibration, CalibrationFile, Side, Unbounded
from grader.model.checked import Name
from grader.model.errors import AuthorError, CalibrationError, Outcome
from grader.model.records import CellStatus
from grader.model.text import counted
from grader.model.version import __version__
from grader.notebooks.submission_file import SubmissionFile, read
from grader.notebooks.submission_files import SubmissionFiles
from grader.session.notebook import Notebook

QUANTILES = (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0)
RATE_ASSUMPTION = "the trials of one check are independent of each other"

Statistics = dict[Name, list[Seen]]
"""The values seen in one file of checks, by check and name of the statistic."""


def files_to_calibrate(home: AssignmentFolder, wanted: Sequence[str]) -> list[Path]:
    """The hidden files of checks that ask for bounds; with ``wanted``, those of these names.

    Raises CalibrationError for a name that no such file has.
    """
    checks = sorted(home.checks(hidden=True).rglob("test_*.py"))
    found = {path.name: path for path in checks if uses_bounds(path)}
    names = {f"{Path(name).name.removesuffix('.py')}.py": name for name in wanted}
    if unknown := [said for name, said in names.items() if name not in found]:
        there = ", ".join(found) or "none"
        raise CalibrationError(f"no file of checks {unknown[0]!r} that asks for a bound; there are: {there}")
    return [path for name, path in found.items() if not names or name in names]


def stale_files(home: AssignmentFolder, files: Sequence[Path]) -> dict[Path, str]:
    """The files whose bounds cannot be used, each with the reason."""
    reference = reference_digest(home)
    reasons = {path: staleness(path, reference) or _incomplete(path) for path in files}
    return {path: reason for path, reason in reasons.items() if reason}


def _incomplete(path: Path) -> str:
    unbounded = stored(file_of(path)).unbounded
    return f"incomplete: {'; '.join(one.why for one in unbounded)}" if unbounded else ""


def calibrate(
    home: AssignmentFolder,
    files: Sequence[Path],
    *,
    seeds: int,
    opener: Opener,
    progress: Progress,
    on_seed: Callable[[int], None] = lambda _seed: None,
    sandbox: bool = True,
    environ: Mapping[str, str] | None = None,
) -> dict[Path, CalibrationFile]:
    """The bounds of these files of checks, from runs of the reference with the seeds 1 to ``seeds``.

    ``on_seed`` is called with each seed before its run. Each run is kept as it ends, where ``environ`` says,
    and not made again as long as it counts. A statistic without a bound is named in its file's result, and
    the others have theirs. Raises CalibrationError if the reference does not run or pass.
    """
    if seeds < FEWEST:
        raise CalibrationError(f"{seeds} seeds are too few for a bound: at least {FEWEST}")
    reference = home.path / home.assignment.notebook
    if not reference.is_file():
        raise CalibrationError(f"{reference}: no reference to calibrate on (key `notebook`)")
    submission = read(reference)
    kept = KeptRuns(home, sandbox=sandbox, environ=environ or {})
    known = kept.read(files)

    def run(seed: int, wanted: Sequence[Path], bounds: object, *, without: Collection[str] = ()) -> None:
        job = GradeJob(submission=reference, folder=home, seed=seed, sandbox=sandbox)
        with opened(opener, job, SubmissionFiles.of_file(submission), progress) as notebook:
            observe(notebook, submission, job, wanted, progress, bounds, without=without)

    for seed in range(1, seeds + 1):
        on_seed(seed)
        lacking = [path for path in files if seed not in known[path]]
        log = StatisticLog()
        try:
            if lacking:
                run(seed, lacking, log)
        except CalibrationError as error:
            finished = f"; {counted(seed - 1, 'finished run is', 'finished runs are')} kept"
            raise CalibrationError(f"{error}{finished if environ and seed > 1 else ''}") from None
        for path in lacking:
            known[path][seed] = of_file(log.seen, path)
            kept.add(seed, path, known[path][seed])
    found = {path: summary(home, path, together(known[path], seeds), seeds=seeds) for path in files}
    # Use the bounds once, on a seed that they were not made from: it shows whatever else may be wrong.
    without = {one.check for file in found.values() for one in file.unbounded}
    run(0, files, Bounds(home.checks(hidden=True), fresh=found), without=without)
    return found


def together(runs: Mapping[int, SeenBy], seeds: int) -> Statistics:
    """The values of each statistic over the seeds 1 to ``seeds``."""
    found: Statistics = defaultdict(list)
    for seed in range(1, seeds + 1):
        for name, seen in runs[seed].items():
            found[name].append(seen)
    return found


def observe(
    notebook: Notebook,
    submission: SubmissionFile,
    job: GradeJob,
    files: Sequence[Path],
    progress: Progress,
    bounds: object,
    *,
    without: Collection[str] = (),
) -> None:
    """Run the reference and its checks with one seed. Raises CalibrationError if a cell or a check fails.

    The checks named in ``without`` may fail: they have no bound.
    """
    assignment = job.folder.assignment
    ran = execute(
        notebook, submission.cells, budget=assignment.budget, limits=assignment.limits, progress=progress
    )
    for cell in ran.cells:
        if cell.status is not CellStatus.OK:
            why = cell.error or cell.status
            raise CalibrationError(f"seed {job.seed}: cell {cell.cell} of the reference: {why}")
    plugin = ChosenChecks(notebook, job=job, files=files)
    run_checks(job.folder.checks(hidden=True), plugin, bounds=bounds)
    if plugin.errors:
        raise CalibrationError("; ".join(plugin.errors))
    for result in plugin.results:
        if result.outcome is not Outcome.PASSED and result.check not in without:
            raise CalibrationError(f"seed {job.seed}: check `{result.check}`: {result.detail}")


class ChosenChecks(CheckPlugin):
    """Runs only the checks of some files, and of these only the ones that ask for a bound."""

    def __init__(self, notebook: Notebook, *, job: GradeJob, files: Sequence[Path]) -> None:
        seconds = job.folder.assignment.limits.check_seconds
        super().__init__(notebook, seed=job.seed, seconds=seconds, hidden=True)
        self._files = frozenset(files)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """See CheckPlugin; the other checks are not validated."""
        own = [test for test in items if test.path in self._files]
        items[:] = [test for test in own if FIXTURE in getattr(test, "fixturenames", ())]
        super().pytest_collection_modifyitems(items)


@dataclass
class StatisticLog:
    """A pytest plugin whose fixture `calibrated` lets every value pass and logs it."""

    seen: dict[tuple[str, str, str], Seen] = field(default_factory=dict)

    @pytest.fixture
    def calibrated(self, request: pytest.FixtureRequest) -> Calibrated:
        """`calibrated("name")`: logs a statistic under this name."""
        return functools.partial(LoggingLimit, self, request.node.path.name, request.node.name)


@dataclass(frozen=True)
class LoggingLimit(Limit):
    """In place of a bound that is being worked out: logs what it is held against."""

    log: StatisticLog
    file: str
    check: str
    name: str

    def bar(self, side: Side) -> None:
        """See Limit.bar."""

    def note(self, seen: Seen) -> None:
        """See Limit.note. Raises AuthorError if a check uses one name twice."""
        key = (self.file, self.check, self.name)
        if key in self.log.seen:
            raise AuthorError(f"the bound {self.name!r} is used twice; give each statistic a name of its own")
        self.log.seen[key] = seen


def of_file(seen: Mapping[tuple[str, str, str], Seen], path: Path) -> SeenBy:
    """What one run saw in one file, by check and name of the statistic."""
    return {(check, name): value for (file, check, name), value in seen.items() if file == path.name}


def summary(
    home: AssignmentFolder, path: Path, seen: Mapping[Name, Sequence[Seen]], *, seeds: int
) -> CalibrationFile:
    """The bounds of one file. A check's risk is shared equally among its statistics (a union bound)."""
    shared = Counter(check for check, _ in seen)
    bounds: list[Calibration] = []
    unbounded: list[Unbounded] = []
    for (check, name), values in seen.items():
        try:
            bounds.append(bound_of(check, name, values, seeds=seeds, risk=RISK / shared[check]))
        except CalibrationError as why:
            unbounded.append(Unbounded(check, name, str(why)))
    return CalibrationFile(
        schema=SCHEMA,
        reference=reference_digest(home) or "",
        checks=digest_of_file(path),
        seeds=seeds,
        date=datetime.now(UTC).date().isoformat(),
        versions=versions(),
        bounds=tuple(bounds),
        unbounded=tuple(unbounded),
    )


def bound_of(check: str, name: str, seen: Sequence[Seen], *, seeds: int, risk: float) -> Calibration:
    """The bound of one statistic with its evidence. Raises CalibrationError if none can be given."""
    where = f"check `{check}`: statistic {name!r}"
    # A statistic that some seeds skip is chosen by chance, and its bound would hold for the chosen runs only.
    if len(seen) != seeds or len({(one.side, one.worthless is None) for one in seen}) != 1:
        raise CalibrationError(f"{where} was not seen in the same way with every seed")
    side = seen[0].side
    values = np.array([one.value / (one.trials or 1) for one in seen])
    try:
        bound = rate_of(seen) if side is Side.RATE else tail_of(seen, risk=risk)
    except NoBoundError as why:
        raise CalibrationError(f"{where}: {why}") from None
    assert_worth_something(bound, seen, where)
    return Calibration(
        check=check,
        statistic=name,
        side=side,
        bound=bound,
        risk=risk,
        confidence=CONFIDENCE,
        assumption=RATE_ASSUMPTION if side is Side.RATE else ASSUMPTION,
        values=sum(one.trials or 1 for one in seen),
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)),
        quantiles={f"{q:g}": float(np.quantile(values, q)) for q in QUANTILES},
        unseen=unseen_rate(seeds),
        power=power_of(bound, seen),
    )


def power_of(bound: float, seen: Sequence[Seen]) -> dict[str, float]:
    """For each way in which the runs could have learned less, the share of them that the bound refuses."""
    most = seen[0].side is Side.MOST
    refused: dict[str, list[bool]] = defaultdict(list)
    for one in seen:
        for way, value in one.weaker:
            refused[way].append(value > bound if most else value < bound)
    return {way: sum(found) / len(found) for way, found in refused.items()}


def tail_of(seen: Sequence[Seen], *, risk: float) -> float:
    """The bound that a correct solution's value fails with probability at most ``risk``."""
    sign = 1 if seen[0].side is Side.MOST else -1
    resolution = max(one.resolution for one in seen)
    return sign * upper_bound([sign * one.value for one in seen], risk=risk, resolution=resolution).value


def rate_of(seen: Sequence[Seen]) -> float:
    """The lower confidence limit of the rate over the trials of all seeds together."""
    return least_rate(int(sum(one.value for one in seen)), sum(one.trials for one in seen))


def assert_worth_something(bound: float, seen: Sequence[Seen], where: str) -> None:
    """Raises CalibrationError for a bound that a solution which has learned nothing would pass."""
    sign = -1 if seen[0].side is Side.MOST else 1
    worthless = max((sign * one.worthless for one in seen if one.worthless is not None), default=-math.inf)
    if sign * bound <= worthless:
        raise CalibrationError(
            f"{where}: its bound would be {bound:.4g}, which a solution that learns nothing passes "
            f"({sign * worthless:.4g}); train longer, use more examples, or more seeds"
        )


def versions() -> dict[str, str]:
    """The versions that the bounds were worked out with."""
    found = {name: version for name in PACKAGES if (version := version_of(name))}
    return {"grader": __version__, "python": platform.python_version(), **found}
