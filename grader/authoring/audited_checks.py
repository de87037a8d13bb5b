"""The checks of an assignment, run again and again: on the reference, then on each of its mutants.

Everything happens within one session of pytest, which collects the checks once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from grader.authoring.steps import Trace
from grader.grading.check_plugin import Check, CheckPlugin, Ran
from grader.grading.deadline import Deadline
from grader.grading.grade_job import GradeJob
from grader.model.errors import Outcome
from grader.model.records import CheckResult
from grader.session.notebook import Copies
from grader.session.session import Session

TIMES, AT_LEAST = 10, 1.0
"""A check of a mutant may take so many times what it takes on the reference, and a second."""
OVERHEAD = 5.0


@dataclasses.dataclass(frozen=True)
class Known:
    """A check, what it took on the reference, and what it asked of it."""

    check: Check
    seconds: float
    trace: Trace


class AuditedChecks(CheckPlugin):
    """A pytest plugin that, in place of pytest's own loop, calls ``work`` with itself.

    ``work`` may then run the checks as often as it likes.
    """

    names_mistakes = False

    def __init__(
        self,
        notebook: Copies,
        *,
        job: GradeJob,
        apart: Mapping[str, Ran | None],
        work: Callable[[AuditedChecks], None],
    ) -> None:
        limits = job.folder.assignment.limits
        super().__init__(
            notebook,
            seed=job.seed,
            seconds=limits.check_seconds,
            hidden=True,
            assignment=job.folder.assignment,
            only=job.only,
            recorded={},
            apart=apart,
        )
        self._work, self._now = work, limits.check_seconds
        self._tests: dict[str, pytest.Item] = {}
        self._branches: Mapping[int, Copies] = {}
        self._recording: Trace | None = None
        self.known: dict[str, Known] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Hand over to ``work``."""
        by_node = {item.nodeid: item for item in session.items}
        self._tests = {
            key_of(self._checks[node]): test for node, test in by_node.items() if node in self._checks
        }
        try:
            self._work(self)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return True

    # -- running ---------------------------------------------------------------------------------------

    def run_reference(self) -> list[tuple[str, CheckResult]]:
        """Run every check on the reference; ``known`` then holds those that pass."""
        results = []
        for key, test in self._tests.items():
            check = self._checks[test.nodeid]
            keeps = test.get_closest_marker("chainrule_keep_seeds") is not None
            seed = None if keeps else self._seeds.of_student(check.key)
            self._recording = Trace(check.name, check.title, seed)
            start, limit = time.monotonic(), super()._limit(check)
            ((_, result),) = self._run([key], seconds=constant(limit))
            if result.outcome is Outcome.PASSED:
                self.known[key] = Known(check, time.monotonic() - start, self._recording)
            results.append((key, result))
            self._recording = None
        return results

    def run_on(self, branches: Mapping[int, Copies], checks: Sequence[str]) -> list[tuple[str, CheckResult]]:
        """Run these checks, up to one that times out; the branches are by their notebooks' identities."""
        self._branches = branches
        try:
            return self._run(checks, seconds=self.patience)
        finally:
            self._branches = {}

    def patience(self, check: str) -> float:
        """The seconds that a check may take on a mutant."""
        known = self.known[check]
        return min(super()._limit(known.check), TIMES * known.seconds + AT_LEAST)

    def notebook_of(self, check: str) -> Copies:
        """The notebook that a check runs against."""
        return super()._ran(self.known[check].check).notebook

    def _run(
        self, checks: Sequence[str], *, seconds: Callable[[str], float]
    ) -> list[tuple[str, CheckResult]]:
        found: list[tuple[str, CheckResult]] = []
        for key in checks:
            test = self._tests[key]
            self._now = seconds(key)
            self._deadline = Deadline(2 * self._now + OVERHEAD)
            with contextlib.suppress(ValueError):  # not in the main thread: then it has no alarm
                self._deadline.arm()
            self.ended = {}
            test.config.hook.pytest_runtest_protocol(item=test, nextitem=None)
            found += [(key, result) for result in self.results]
            if found and found[-1][1].outcome is Outcome.TIMED_OUT:
                break
        return found

    def _limit(self, check: Check) -> float:
        del check
        return self._now

    def _ran(self, check: Check) -> Ran:
        ran = super()._ran(check)
        found = self._branches.get(id(ran.notebook))
        copies: Copies = ran.notebook if found is None else found
        if self._recording is not None:
            copies = _Recorded(ran.notebook, self._recording)
        return dataclasses.replace(ran, notebook=copies)


class _Recorded:
    """A notebook whose copies write down what they are asked."""

    def __init__(self, notebook: Copies, trace: Trace) -> None:
        self._notebook, self._trace = notebook, trace

    @contextlib.contextmanager
    def copy(self, *, seed: int | None, seconds: float) -> Iterator[Session]:
        """See Notebook.copy."""
        with self._notebook.copy(seed=seed, seconds=seconds) as session:
            session.on_request = self._trace.take
            yield session


def key_of(check: Check) -> str:
    """A check's name within an audit; one name may be in several files."""
    return check.key


def constant(seconds: float) -> Callable[[str], float]:
    """The same limit for every check."""
    return lambda _: seconds
