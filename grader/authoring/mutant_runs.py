"""One process of an audit: the reference in a sandbox, and its mutants in copies of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import msgspec.structs

from grader.authoring.accepted import Accepted, why_accepted
from grader.authoring.audited_checks import AuditedChecks
from grader.authoring.cell_names import (
    computed_names,
    dependents,
    names_in_checks,
    needed_cells,
    needed_names,
    slim_cells,
)
from grader.authoring.mutants import Mutant, Target, diff_of
from grader.authoring.mutation.unit import without_region
from grader.authoring.traces import Asked, ask_reference, first_difference
from grader.grading.check_plugin import Ran
from grader.grading.execution import Silent
from grader.grading.grade_job import GradeJob
from grader.grading.opening import WarmProcesses
from grader.grading.scoring import settled
from grader.grading.state import Run, owners_of, plan_run, run_all
from grader.model.audit import MutantResult, RegionRecord, Verdict
from grader.model.errors import CheckError, Outcome
from grader.model.points import Points, total
from grader.model.records import CellStatus, CheckResult
from grader.notebooks.cells import Cell
from grader.notebooks.parameters import with_budget
from grader.notebooks.submission_files import SubmissionFiles
from grader.session.branch import Branch, Code, branch
from grader.session.notebook import Copies
from grader.session.session import Session

REDEFINED, CELLS_AGAIN, WHOLE = "redefined", "cells again", "whole notebook"
UNSEEN = "no check fails when this region is taken out"
PLAY_SECONDS = 20.0

PATCH = """
def _chainrule_patch(place, source):
    import sys, types
    module = sys.modules[place]
    before = dict(vars(module))
    exec(compile(source, getattr(module, "__file__", None) or place, "exec"), vars(module))
    for name, now in list(vars(module).items()):
        was = before.get(name)
        if was is None or was is now:
            continue
        if isinstance(now, types.FunctionType) and isinstance(was, types.FunctionType):
            for part in ("__code__", "__defaults__", "__kwdefaults__"):
                setattr(was, part, getattr(now, part))
        elif isinstance(now, type) and isinstance(was, type):
            for key, value in list(vars(now).items()):
                if key not in ("__dict__", "__weakref__", "__module__"):
                    setattr(was, key, value)
        else:
            continue
        setattr(module, name, was)
"""
"""Puts a mutant into a module that was imported, also for those who hold its functions already."""


@dataclass(frozen=True)
class Plan:
    """What an audit tries: the reference, its regions, their mutants."""

    job: GradeJob
    submission: SubmissionFiles
    targets: Sequence[Target]
    mutants: Sequence[Mutant]
    accepted: tuple[Accepted, ...] = ()


class MutantRuns:
    """Runs mutants against the checks, with one warm state of the reference. Made by ``serve``."""

    def __init__(self, plan: Plan, runs: Sequence[Run], warm: WarmProcesses, checks: AuditedChecks) -> None:
        self._plan, self._runs, self._warm, self._checks = plan, runs, warm, checks
        self._asked: dict[tuple[int, ...], list[Asked]] = {}

    def use(self, mutants: Sequence[Mutant]) -> None:
        """From now on these are the mutants."""
        self._plan = replace(self._plan, mutants=mutants)

    # -- a mutant's state --------------------------------------------------------------------------------

    @contextmanager
    def _states(
        self, target: Target, text: str, way: str
    ) -> Iterator[tuple[dict[int, Copies], Branch | None]]:
        """The notebooks in which the target's unit has another text, by the identity of the reference's.

        The second is the branch that the unit's own code ran in, None if whole notebooks ran.
        """
        with ExitStack() as stack:
            if way == WHOLE:
                submission = self._changed(target, text)
                runs = run_all(
                    stack,
                    self._plan.job,
                    submission,
                    plan_run(self._plan.job, {}),
                    self._warm.open_notebook,
                    Silent(),
                )
                pairs = zip(self._runs, runs, strict=True)
                yield {id(own.notebook): changed.notebook for own, changed in pairs}, None
                return
            states: dict[int, Copies] = {}
            for run in self._runs:
                if target.place.module or run.file.name == target.place.file:
                    made = stack.enter_context(branch(run.notebook, self._code(run, target, text, way)))
                    states[id(run.notebook)] = made
            yield states, made

    def _code(self, run: Run, target: Target, text: str, way: str) -> list[Code]:
        place, limits = target.place, self._plan.job.folder.assignment.limits
        seconds = limits.cell_seconds
        if place.module:
            name = place.file.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
            source = f"{PATCH}\n_chainrule_patch({name!r}, {text!r})\ndel _chainrule_patch"
            return [Code(source, seconds)]
        code = [Code(text, seconds, place.cell, place.line)]
        again = dependents(run.file.cells, place.cell) if way == CELLS_AGAIN else []
        if place.whole:
            cell = next(cell for cell in run.file.cells if cell.number == place.cell)
            again, code = [replace(cell, source=text), *again], []
        names = sorted(computed_names(again, run.file.cells, bound=True))
        if names:  # what they computed before must not pass for what they compute now
            gone = "".join(f"globals().pop({name!r}, None)\n" for name in names)
            code = [Code(gone, seconds), *code]
        return code + self._pieces(run, again, seconds)

    @staticmethod
    def _pieces(run: Run, cells: Sequence[Cell], seconds: float) -> list[Code]:
        planned = with_budget(cells, run.plan.budget)
        return [Code(piece, seconds, one.cell.number) for one in planned for piece in one.pieces]

    def _changed(self, target: Target, text: str) -> SubmissionFiles:
        """The reference with another text in a unit's place."""
        submission, place = self._plan.submission, target.place
        if place.module:
            before = submission.files[place.file].decode()
            files = {**submission.files, place.file: _spliced(before, target, text).encode()}
            return replace(submission, files=files)
        notebooks = tuple(
            replace(
                file,
                cells=tuple(
                    replace(cell, source=_spliced(cell.source, target, text))
                    if cell.number == place.cell
                    else cell
                    for cell in file.cells
                ),
            )
            if file.name == place.file
            else file
            for file in submission.notebooks
        )
        return replace(submission, notebooks=notebooks)

    # -- regions -----------------------------------------------------------------------------------------

    def look(self, number: int) -> RegionRecord:
        """What the checks see of a region: who loses what without it, and how its mutants are run soundly.

        The cheapest way counts in which the reference's own text passes and nothing is missed that a run of
        the whole notebook without the region shows.
        """
        target = self._plan.targets[number]
        stub, everyone = without_region(target.unit), list(self._checks.known)
        ways, needs_proof = self._ways(target)
        whole = self._results(target, stub, WHOLE, everyone) if needs_proof else []
        for way in ways:
            with contextlib.suppress(CheckError):
                seen = self._results(target, stub, way, everyone)
                if failing(whole) <= failing(seen) and self._is_sound(target, way, failing(seen)):
                    return self._record(target, way, seen)
        return self._record(target, WHOLE, whole or self._results(target, stub, WHOLE, everyone))

    def _ways(self, target: Target) -> tuple[list[str], bool]:
        """The ways to run a target's mutants, cheapest first; whether only a whole run shows that they do.

        Defining a function anew is enough if nothing that the checks ask for was computed with it.
        """
        if target.place.module:
            return [REDEFINED], True
        cells = next(run.file.cells for run in self._runs if run.file.name == target.place.file)
        after = dependents(cells, target.place.cell)
        asked = {name for known in self._checks.known.values() for name in known.trace.names()}
        is_clear = not needed_names(cells, asked) & computed_names(after, cells)
        if is_clear:
            return [REDEFINED], target.place.whole
        return ([CELLS_AGAIN] if target.place.whole else [REDEFINED, CELLS_AGAIN]), True

    def _is_sound(self, target: Target, way: str, checks: frozenset[str]) -> bool:
        """Whether the reference passes when its own text is run again in this way."""
        results = self._results(target, target.unit.text, way, sorted(checks))
        return not failing(results)

    def _results(
        self, target: Target, text: str, way: str, checks: Sequence[str]
    ) -> list[tuple[str, CheckResult]]:
        with self._states(target, text, way) as (states, _):
            return self._checks.run_on(states, checks)

    def _record(self, target: Target, way: str, results: Sequence[tuple[str, CheckResult]]) -> RegionRecord:
        lost, failed = lost_points(results), failing(results)
        most = max(lost, key=lambda item: lost[item].hundredths, default="")
        owner = most or next((result.item for key, result in results if key in failed), "")
        checks = [
            key
            for key, known in self._checks.known.items()
            if key in failed or (owner and known.check.item == owner)
        ]
        place = target.place
        return RegionRecord(
            target.name,
            place.file,
            place.file_line + target.region[0] - 1,
            owner,
            way,
            tuple(checks),
            lost,
        )

    # -- mutants -----------------------------------------------------------------------------------------

    def judge(self, number: int, region: RegionRecord) -> MutantResult:
        """What becomes of one mutant."""
        start = time.monotonic()
        mutant = self._plan.mutants[number]
        target = self._plan.targets[mutant.target]
        blank = MutantResult(
            mutant.target, mutant.family, mutant.what, diff_of(mutant, target), Verdict.SURVIVED
        )
        if not region.checks:
            return msgspec.structs.replace(blank, why=UNSEEN)
        try:
            found = self._judged(blank, mutant, target, region)
        except CheckError as error:
            verdict = Verdict.SLOW if error.outcome is Outcome.TIMED_OUT else Verdict.KILLED
            found = msgspec.structs.replace(blank, verdict=verdict, raised=True, why=str(error))
        return msgspec.structs.replace(found, seconds=round(time.monotonic() - start, 4))

    def _judged(
        self, blank: MutantResult, mutant: Mutant, target: Target, region: RegionRecord
    ) -> MutantResult:
        with self._states(target, mutant.text, region.way) as (states, own):
            alone = region.way == REDEFINED and not target.place.whole
            first = own.changes[0] if own is not None and own.changes and alone else None
            if first is not None and first.status is not CellStatus.OK:
                slow = first.status is CellStatus.TIMED_OUT
                return msgspec.structs.replace(
                    blank,
                    verdict=Verdict.SLOW if slow else Verdict.KILLED,
                    raised=True,
                    lost=region.taken_out,
                    why=f"it cannot be defined: {first.error}",
                )
            results = self._checks.run_on(states, region.checks)
            failed = [result for _, result in results if result.outcome is not Outcome.PASSED]
            if not failed:
                return self._examined(blank, mutant, target, region, states)
            slow = any(result.outcome is Outcome.TIMED_OUT for result in failed)
            return msgspec.structs.replace(
                blank,
                verdict=Verdict.SLOW if slow else Verdict.KILLED,
                killed_by=tuple(result.check for result in failed),
                raised=all(result.outcome is Outcome.ERRORED for result in failed),
                lost=lost_points(results),
            )

    def _examined(
        self,
        blank: MutantResult,
        mutant: Mutant,
        target: Target,
        region: RegionRecord,
        states: Mapping[int, Copies],
    ) -> MutantResult:
        """A mutant that passes every check: an input on which it differs, or how many show no difference."""
        calls = 0
        for notebook, state in states.items():
            asked = self._asked_of(notebook, region)
            if not asked:
                continue
            with state.copy(seed=0, seconds=PLAY_SECONDS) as session:
                more, difference = first_difference(session, asked)
            calls += more
            if difference is not None:
                why = why_accepted(mutant, target, self._plan.accepted)
                verdict = Verdict.ACCEPTED if why else Verdict.SURVIVED
                return msgspec.structs.replace(
                    blank, verdict=verdict, inputs=calls, difference=difference, why=why
                )
        if not calls:
            return msgspec.structs.replace(blank, why="its checks make no call that could be repeated")
        return msgspec.structs.replace(blank, verdict=Verdict.EQUIVALENT, inputs=calls)

    def _asked_of(self, notebook: int, region: RegionRecord) -> list[Asked]:
        """What the region's checks ask of one notebook, with the reference's answers; asked once."""
        keys = [key for key in region.checks if id(self._checks.notebook_of(key)) == notebook]
        name = (notebook, *(hash(key) for key in keys))
        if name not in self._asked:
            own = next(run.notebook for run in self._runs if id(run.notebook) == notebook)
            with ExitStack() as stack:

                def fresh() -> Session:
                    return stack.enter_context(own.copy(seed=0, seconds=PLAY_SECONDS))

                traces = [self._checks.known[key].trace for key in keys]
                self._asked[name] = ask_reference(traces, fresh, seed=self._plan.job.seed)
        return self._asked[name]


@contextmanager
def warm_reference(plan: Plan) -> Iterator[tuple[WarmProcesses, list[Run]]]:
    """The reference after its cells, in a sandbox of its own."""
    with WarmProcesses() as warm, ExitStack() as stack:
        job = plan.job
        runs = run_all(stack, job, plan.submission, plan_run(job, {}), warm.open_notebook, Silent())
        yield warm, runs


def shorter_plans(plan: Plan) -> Iterator[Plan]:
    """The plan with fewer cells: those that the checks of code need, then all up to the last of them.

    Copies of a small state take a fraction of the time: a homework's data and training are nothing to a check
    of one layer. Only texts are read to find them, so whether the checks pass shows if they are enough.
    """
    yield _with_cells(plan, slim_cells)
    yield _with_cells(plan, needed_cells)


def _with_cells(
    plan: Plan, choose: Callable[[tuple[Cell, ...], Collection[str], Collection[int]], tuple[Cell, ...]]
) -> Plan:
    names = names_in_checks(plan.job.folder.checks(hidden=True), plan.job.only)
    notebooks = tuple(
        replace(
            file,
            cells=choose(
                file.cells,
                names,
                {target.place.cell for target in plan.targets if target.place.file == file.name},
            ),
        )
        for file in plan.submission.notebooks
    )
    # Without the notebooks' own texts, which say what the cells that are left out import.
    places = set(plan.submission.places)
    files = {place: data for place, data in plan.submission.files.items() if place not in places}
    return replace(plan, submission=replace(plan.submission, notebooks=notebooks, files=files))


def checks_of(plan: Plan, runs: Sequence[Run], work: Callable[[AuditedChecks], None]) -> AuditedChecks:
    """The plugin that runs the checks, each against the notebook of its item."""
    owners = owners_of(plan.job, plan.submission)
    states = {run.file.name: Ran(run.notebook, run.code) for run in runs}
    apart = {
        item: None if file is None else states[file.name]
        for item, file in owners.items()
        if file is not runs[0].file
    }
    return AuditedChecks(runs[0].notebook, job=plan.job, apart=apart, work=work)


def failing(results: Sequence[tuple[str, CheckResult]]) -> frozenset[str]:
    """The checks that did not pass."""
    return frozenset(key for key, result in results if result.outcome is not Outcome.PASSED)


def lost_points(results: Sequence[tuple[str, CheckResult]]) -> dict[str, Points]:
    """What each item loses, without those that lose nothing."""
    counted = [settled(result) for _, result in results]
    lost = {
        item: total(result.possible - result.earned for result in counted if result.item == item)
        for item in dict.fromkeys(result.item for result in counted)
    }
    return {item: points for item, points in lost.items() if points}


def _spliced(text: str, target: Target, unit: str) -> str:
    """A cell's or module's text with another one in the unit's place."""
    lines, count = text.split("\n"), target.unit.text.count("\n") + 1
    first = target.place.line - 1
    return "\n".join([*lines[:first], unit, *lines[first + count :]])
