"""Tests the tests: makes mistakes in the reference, one at a time, and looks which check notices.

The mutants are shared out to processes, each with a sandbox of its own in which the reference's cells have
run once. A mutant is a copy of that state in which one function is defined anew; its item's checks run
against copies of the copy. What survives is compared with the reference on the calls that the checks make.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import msgspec

from grader.authoring.accepted import read_accepted, without_use
from grader.authoring.audited_checks import AuditedChecks
from grader.authoring.mutant_runs import MutantRuns, Plan, checks_of, shorter_plans, warm_reference
from grader.authoring.mutants import (
    Mutant,
    Target,
    chosen,
    diff_of,
    mutants_of,
    targets_in_cells,
    targets_in_module,
)
from grader.grading.arbiter import reference_files
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.grade_job import GradeJob
from grader.grading.pytest_run import run_checks
from grader.model.audit import (
    SCHEMA,
    Audit,
    AuditedItem,
    MutantResult,
    RegionRecord,
    Verdict,
    decode_part,
    encode_part,
)
from grader.model.errors import AuditError, CannotGrade, Outcome, UsageError
from grader.notebooks.submission_files import SubmissionFiles

PATIENCE = 120.0
"""Seconds after which a process that says nothing about a mutant is ended, and the mutant is slow."""
START_PATIENCE = 900.0
END = ("end",)
Job = tuple[Any, ...]
NO_REGIONS = "the reference marks no solutions: every function and class in it is audited"

OnProgress = Callable[[str, int, int], None]
"""Receives what is being done, how many are done, and of how many."""


class _Started(msgspec.Struct):
    """What a process says once the reference has run: the checks that pass, by item, and what is wrong."""

    checks: dict[str, list[str]]
    wrong: list[str]


@dataclass(frozen=True)
class Wanted:
    """What to audit: with ``only``, the regions of these items; ``limit`` mutants, drawn from ``seed``."""

    only: frozenset[str] = frozenset()
    limit: int | None = None
    seed: int = 0
    workers: int = 2
    sandbox: bool = True


def audit(home: AssignmentFolder, wanted: Wanted, *, progress: OnProgress) -> Audit:
    """Audit an assignment's checks.

    Raises UsageError for an item that it does not have, AuditError if there is nothing to audit or the
    reference passes no check.
    """
    start, now = time.monotonic(), datetime.now(UTC)
    plan, notices = plan_audit(home, wanted)
    crew = _Crew(plan, max(1, wanted.workers))
    try:
        started = crew.start(lambda: progress("running the reference", 0, 1))
        progress("running the reference", 1, 1)
        notices += started.wrong
        if not any(started.checks.values()):
            raise AuditError(f"the reference passes no check, so none can be audited: {'; '.join(notices)}")
        looked = crew.do([("look", number) for number in range(len(plan.targets))], progress, "regions")
        regions = [decode_part(looked[number], RegionRecord) for number in range(len(plan.targets))]
        numbers = [
            number
            for number, target in enumerate(plan.targets)
            if not wanted.only or regions[number].item in wanted.only
        ]
        if not numbers:
            raise AuditError(f"no region of the reference belongs to {', '.join(sorted(wanted.only))}")
        every = [mutant for mutant in plan.mutants if mutant.target in numbers]
        limit = wanted.limit if wanted.limit is not None else len(every)
        tried = chosen(every, plan.targets, limit=limit, seed=wanted.seed)
        crew.use(tried)
        jobs = [("judge", place, encode_part(regions[one.target])) for place, one in enumerate(tried)]
        judged = crew.do(jobs, progress, "mutants")
    finally:
        crew.end()
    results = tuple(decode_part(judged[place], MutantResult) for place in range(len(tried)))
    places = {number: place for place, number in enumerate(numbers)}
    unseen = [regions[number].name for number in numbers if not regions[number].checks]
    notices += [f"no check sees {name}: all of its mutants survive" for name in unseen]
    return Audit(
        schema=SCHEMA,
        assignment=home.assignment.title,
        assignment_sha256=home.sha256,
        seed=wanted.seed,
        audited_at=now.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - start, 3),
        workers=crew.count,
        made=len(every),
        items=tuple(
            AuditedItem(item.id, item.title, item.points, tuple(started.checks.get(item.id, [])))
            for item in home.assignment.of_kind("code")
            if started.checks.get(item.id)
        ),
        regions=tuple(regions[number] for number in numbers),
        mutants=tuple(msgspec.structs.replace(one, region=places[one.region]) for one in results),
        notices=tuple(notices),
    )


def plan_audit(home: AssignmentFolder, wanted: Wanted) -> tuple[Plan, list[str]]:
    """The regions of the reference and all mutants of them. Raises UsageError and AuditError as ``audit``."""
    if unknown := [item for item in sorted(wanted.only) if home.assignment.find(item) is None]:
        known = ", ".join(item.id for item in home.assignment.of_kind("code"))
        raise UsageError(f"--only {unknown[0]}: no item with this id; there are: {known}")
    submission = reference_files(home)
    if submission is None:
        raise AuditError(
            f"{home.path / home.assignment.notebook}: no reference (key `notebook`), so there is nothing to "
            "make mistakes in"
        )
    code = frozenset(item.id for item in home.assignment.of_kind("code"))
    if not code:
        raise AuditError('no item has kind = "code": there are no checks of code to audit')
    job = GradeJob(
        home.path / home.assignment.notebook, home, seed=wanted.seed, sandbox=wanted.sandbox, only=code
    )
    accepted = read_accepted(home.checks(hidden=True))
    notices: list[str] = []
    targets = _targets(home, submission, everything=False)
    if not targets:
        targets, notices = _targets(home, submission, everything=True), [NO_REGIONS]
    mutants = mutants_of(targets)
    if not mutants:
        raise AuditError("the reference has no code in which a mistake could be made")
    notices += without_use(accepted, mutants, targets)
    return Plan(job, submission, targets, mutants, accepted), notices


def _targets(home: AssignmentFolder, submission: SubmissionFiles, *, everything: bool) -> list[Target]:
    found = [
        target
        for file in submission.notebooks
        for target in targets_in_cells(file.cells, file=file.name, everything=everything)
    ]
    for place in home.reference_modules:
        text = submission.files[place].decode("utf-8", "replace")
        found += targets_in_module(text, place=place, everything=everything)
    return found


# -- processes ---------------------------------------------------------------------------------------------


class _Crew:
    """The processes that run mutants. Each does one job at a time; one that dies or is stuck is replaced."""

    def __init__(self, plan: Plan, count: int) -> None:
        self.count = count
        self._plan = plan
        self._members: list[_Member] = []

    def start(self, on_start: Callable[[], None]) -> _Started:
        """Start them; returns once the reference has run in each."""
        self._members = [_Member(self._plan) for _ in range(self.count)]
        on_start()
        started = [member.started() for member in self._members]
        return started[0]

    def use(self, mutants: Sequence[Mutant]) -> None:
        """From now on jobs name these mutants."""
        self._plan = replace(self._plan, mutants=mutants)
        for member in self._members:
            member.connection.send(("use", [self._sent(mutant) for mutant in mutants]))

    @staticmethod
    def _sent(mutant: Mutant) -> Mutant:
        return replace(mutant, changes=())

    def do(self, jobs: Sequence[Job], progress: OnProgress, what: str) -> dict[int, bytes]:
        """The answer to each job, by its number."""
        waiting, answers = deque(jobs), dict[int, bytes]()
        progress(what, 0, len(jobs))
        while len(answers) < len(jobs):
            for member in self._members:
                if member.job is None and waiting:
                    member.give(waiting.popleft())
            busy = [member for member in self._members if member.job is not None]
            ready = wait([member.connection for member in busy], 1.0)
            for member in busy:
                if member.connection in ready or member.is_stuck:
                    number, answer = self._settle(member)
                    answers[number] = answer
                    progress(what, len(answers), len(jobs))
        return answers

    def _settle(self, member: _Member) -> tuple[int, bytes]:
        job = member.job or ()
        answer = member.answer()
        if answer is None:
            why = (
                "the process that ran it gave no answer"
                if member.is_stuck
                else "the process that ran it ended"
            )
            member.end()
            place = self._members.index(member)
            self._members[place] = _Member(self._plan)
            self._members[place].started()
            if job[0] == "look":
                name = self._plan.targets[job[1]].name
                raise AuditError(f"the checks could not be run without {name}: {why}") from None
            mutant = self._plan.mutants[job[1]]
            target = self._plan.targets[mutant.target]
            lost = MutantResult(
                mutant.target, mutant.family, mutant.what, diff_of(mutant, target), Verdict.SLOW, why=why
            )
            return job[1], encode_part(lost)
        if answer[:1] == b"!":
            raise AuditError(answer[1:].decode())
        return job[1], answer

    def end(self) -> None:
        """End all."""
        for member in self._members:
            member.end()


class _Member:
    """One process."""

    def __init__(self, plan: Plan) -> None:
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self.job: Job | None = None
        self._since = 0.0
        self._process: BaseProcess = context.Process(target=serve, args=(plan, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def started(self) -> _Started:
        """What it says once the reference has run. Raises AuditError if it cannot be run."""
        try:
            if not self.connection.poll(START_PATIENCE):
                raise AuditError(f"the reference did not finish within {START_PATIENCE:g} seconds")
            answer = self.connection.recv_bytes()
        except (EOFError, OSError):
            raise AuditError("the process that runs the reference ended without a word") from None
        if answer[:1] == b"!":
            raise AuditError(answer[1:].decode())
        return msgspec.json.decode(answer, type=_Started)

    def give(self, job: Job) -> None:
        """Send it a job."""
        self.job, self._since = job, time.monotonic()
        with suppress(OSError):
            self.connection.send(job)

    def answer(self) -> bytes | None:
        """Its answer; None if it has ended, or is stuck."""
        if self.is_stuck and not self.connection.poll():
            return None
        try:
            found = self.connection.recv_bytes()
        except (EOFError, OSError):
            return None
        self.job = None
        return found

    @property
    def is_stuck(self) -> bool:
        """Whether it should have answered long ago."""
        return self.job is not None and time.monotonic() - self._since > PATIENCE

    def end(self) -> None:
        """End it, and with it its sandbox."""
        with suppress(OSError):
            self.connection.send(END)  # others may hold this connection open too
        self.connection.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def serve(plan: Plan, connection: Connection) -> None:
    """Run the reference, then answer jobs until the connection is closed."""
    try:
        if not any(_serve(shorter, connection, may_fail=False) for shorter in shorter_plans(plan)):
            _serve(plan, connection, may_fail=True)
    except CannotGrade as error:
        with suppress(OSError):
            connection.send_bytes(b"!" + str(error).encode())
    finally:
        connection.close()


def _serve(plan: Plan, connection: Connection, *, may_fail: bool) -> bool:
    """Whether jobs were answered; not if a check fails on the reference, unless it ``may_fail``."""
    answered = False

    def work(checks: AuditedChecks) -> None:
        nonlocal answered
        results = checks.run_reference()
        fine = (Outcome.PASSED, Outcome.SKIPPED)
        wrong = [result for _, result in results if result.outcome not in fine]
        if wrong and not may_fail:
            return
        answered = True
        passed: dict[str, list[str]] = {}
        for known in checks.known.values():
            passed.setdefault(known.check.item, []).append(known.check.name)
        left_out = [
            f"check `{one.check}` of {one.item} is left out: the reference does not pass it" for one in wrong
        ]
        started = _Started(passed, [*checks.errors, *left_out])
        connection.send_bytes(msgspec.json.encode(started))
        _answer(MutantRuns(plan, runs, warm, checks), connection)

    with warm_reference(plan) as (warm, runs):
        run_checks(plan.job.folder.checks(hidden=True), checks_of(plan, runs, work))
    return answered


def _answer(runs: MutantRuns, connection: Connection) -> None:
    for job in _jobs(connection):
        match job:
            case "use", mutants:
                runs.use(mutants)
            case "look", number:
                connection.send_bytes(encode_part(runs.look(number)))
            case "judge", number, region:
                connection.send_bytes(encode_part(runs.judge(number, decode_part(region, RegionRecord))))


def _jobs(connection: Connection) -> Iterator[Job]:
    while True:
        try:
            job = connection.recv()
        except (EOFError, OSError):
            return
        if job == END:
            return
        yield job
