"""The pytest plugin that provides the fixtures of checks and turns each test into a CheckResult."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pytest

from grader.checks.evidence import Evidence
from grader.grading.asked import Questions
from grader.grading.collected import Printed, closest, settle_property, title_of
from grader.grading.deadline import Deadline
from grader.grading.naming import look_up
from grader.grading.outcomes import UNUSABLE, award_end, check_end, in_doubt, message_for_student, skipped
from grader.grading.own_code import OwnCode
from grader.grading.recorded import Recorded
from grader.grading.scoring import points_for
from grader.grading.seeds import Seeds
from grader.model.assignment import Assignment, EvidenceRules
from grader.model.errors import (
    AuthorError,
    Awarded,
    CheckError,
    CheckFailed,
    Fault,
    ManifestError,
    MissingName,
    Outcome,
    TimeIsUp,
)
from grader.model.points import ZERO, Points, total
from grader.model.records import CheckResult
from grader.session.notebook import Copies
from grader.session.proxy import Student
from grader.session.session import Session

MARKERS = (
    "chainrule_item(id): the item of the assignment that a check belongs to",
    "chainrule_points(points, hint, tell_mistake): what a check is worth, what a student reads when it fails",
    "chainrule_seconds(limit): what all calls of a check may take together",
    "chainrule_keep_seeds: the student's generators go on as their cells left them",
)
NOT_SAVED = Recorded(
    problems=("recorded evidence is read from the saved file: save the notebook, then `grade --public FILE`",)
)
FIXTURES = "chainrule-fixtures"
MAX_PRINTED = 10_000
_PLACE = re.compile(r'([\w -]{1,100}\.py)(?:", line |:)(\d+)')


@dataclass(frozen=True)
class Check:
    """What a test function declares about itself."""

    name: str
    title: str
    item: str
    points: Points
    hint: str | None
    file: str
    tells_mistake: bool = False
    seconds: float | None = None

    @property
    def key(self) -> str:
        """The check's name within an assignment: file and function."""
        return f"{self.file}::{self.name}"


def check_of(test: pytest.Item) -> Check:
    """Read the markers of a collected test. Raises ManifestError if it has no item."""
    owner = test.get_closest_marker("chainrule_item")
    file = test.path.name
    if owner is None or not owner.args:
        raise ManifestError(f'{file}: check `{test.name}`: no item owns it; write `pytestmark = item("...")`')
    worth = closest("chainrule_points", test)
    points, hint = worth.args if worth is not None else (ZERO, None)
    tells = worth is not None and bool(worth.kwargs.get("tell_mistake"))
    limit = closest("chainrule_seconds", test)
    name = "::".join(test.nodeid.split("::")[1:]) or test.name  # with its class, if it is in one
    seconds = None if limit is None else limit.args[0]
    return Check(name, title_of(test), str(owner.args[0]), points, hint, file, tells, seconds)


@dataclass(frozen=True)
class Ran:
    """What the checks of an item run against: a notebook's state, and its text for messages."""

    notebook: Copies
    code: OwnCode = field(default_factory=OwnCode)


class Fixtures(Questions):
    """A pytest plugin with the markers and fixtures of checks, which ``checks``, once it is there, serves."""

    checks: CheckPlugin

    def pytest_configure(self, config: pytest.Config) -> None:
        """Declare the markers."""
        for marker in MARKERS:
            config.addinivalue_line("markers", marker)

    @pytest.fixture
    def student(self, request: pytest.FixtureRequest) -> Iterator[Student]:
        """The student's notebook, in a copy of its own."""
        with self.checks.opened(request.node) as session:
            yield session.student

    @pytest.fixture
    def capsys(self, student: Student) -> Printed:
        """What student code prints: pytest's own fixture would see what the check prints."""
        del student
        return self.checks.printed()

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Random numbers that depend on the run's recorded seed and the check's name."""
        return self.checks.random(request.node)

    @pytest.fixture
    def evidence(self, request: pytest.FixtureRequest, rng: np.random.Generator) -> Evidence:
        """What was recorded for the check's item, in the file and by the cells during grading."""
        return self.checks.evidence(request.node, rng)


class CheckPlugin:
    """Runs the checks of one assignment against one submission and collects their ``results``.

    ``ended`` are the same by the ids that pytest gives to checks. ``hidden`` decides what a student may read;
    with ``only``, just the checks of these items run, with ``chosen`` those for which it is true;
    ``on_check(number, total, title)`` is called before each check. ``recorded`` is the evidence for each
    item, None if no file was read. ``apart`` are the notebooks of items that do not belong to ``notebook``;
    the checks of an item whose notebook is None do not run. ``missing`` are the names that were not
    defined, by the items and names of the checks that asked for them; ``if_theirs``, by the same, is what a
    student reads if the reference shows that their value broke a check. What is not done at the ``deadline``
    has timed out.
    """

    collected: tuple[str, ...] = ()
    """The ids of all checks that there are for these items, chosen or not."""

    names_mistakes = True
    """Whether wrong arrays are looked up among formulas."""

    def __init__(  # noqa: PLR0913  # each says one thing about the run
        self,
        notebook: Copies,
        *,
        seed: int,
        seconds: float,
        hidden: bool,
        assignment: Assignment | None = None,
        only: Collection[str] = (),
        on_check: Callable[[int, int, str], None] | None = None,
        recorded: Mapping[str, Recorded] | None = None,
        code: OwnCode | None = None,
        apart: Mapping[str, Ran | None] | None = None,
        deadline: Deadline | None = None,
        chosen: Callable[[pytest.Item], bool] | None = None,
    ) -> None:
        self.missing: dict[tuple[str, str], str] = {}
        self.if_theirs: dict[tuple[str, str], str] = {}
        self._first, self._apart = Ran(notebook, code or OwnCode()), apart or {}
        self.ended: dict[str, CheckResult] = {}
        self.errors: list[str] = []
        self._assignment = assignment
        self._recorded = recorded
        self._seeds = Seeds(seed)
        self._deadline = deadline or Deadline()
        self._seconds, self._hidden, self._only = seconds, hidden, only
        self._chosen = chosen
        self._on_check = on_check or (lambda _number, _count, _title: None)
        self._checks: dict[str, Check] = {}
        self._session: Session | None = None
        self._written: str | None = None

    # -- what the fixtures give ------------------------------------------------------------------------

    @contextmanager
    def opened(self, test: pytest.Item) -> Iterator[Session]:
        """The notebook of the check's item, in a copy of its own."""
        check = self._checks[test.nodeid]
        keeps = test.get_closest_marker("chainrule_keep_seeds") is not None
        seed = None if keeps else self._seeds.of_student(check.key)
        ran = self._ran(check)
        self._deadline.assert_left()
        with ran.notebook.copy(seed=seed, seconds=self._limit(check)) as session:
            self._session = session
            yield session

    def printed(self) -> Printed:
        """What student code prints."""
        if self._session is None:
            raise AuthorError("there is no session yet")
        return Printed(self._session)

    def random(self, test: pytest.Item) -> np.random.Generator:
        """Random numbers that depend on the run's recorded seed and the check's name."""
        return np.random.default_rng(self._seeds.of_check(self._checks[test.nodeid].key))

    def evidence(self, test: pytest.Item, rng: np.random.Generator) -> Evidence:
        """What was recorded for the check's item, in the file and by the cells during grading."""
        item = self._checks[test.nodeid].item
        found = NOT_SAVED if self._recorded is None else self._recorded.get(item, Recorded())
        others = {name: entry.recordings for name, entry in (self._recorded or {}).items()}
        rules = EvidenceRules() if self._assignment is None else self._assignment.evidence
        return Evidence(
            item, rng, found.recordings, found.problems, found.replayed, found.broken, others, rules
        )

    # -- collection ------------------------------------------------------------------------------------

    def pytest_configure(self, config: pytest.Config) -> None:
        """Serve the fixtures, which are here already if the checks were collected before."""
        fixtures = config.pluginmanager.get_plugin(FIXTURES)
        if fixtures is None:
            config.pluginmanager.register(fixtures := Fixtures(), FIXTURES)
        fixtures.checks = self

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the error of a file of checks that cannot be imported."""
        if report.failed:
            self.errors.append(f"{report.nodeid}: cannot be imported: {reason_of(str(report.longrepr))}")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Find each check's item, compare the points with the manifest, drop checks that are not wanted."""
        found = {test.nodeid: check_of(test) for test in items}
        if self._assignment is not None:
            assert_fits_manifest(list(found.values()), self._assignment, worth=self._hidden)
        if self._only:
            items[:] = [test for test in items if found[test.nodeid].item in self._only]
        absent = {item for item, ran in self._apart.items() if ran is None}
        items[:] = [test for test in items if found[test.nodeid].item not in absent]
        self.collected = tuple(test.nodeid for test in items)
        if self._chosen is not None:
            items[:] = [test for test in items if self._chosen(test)]
        self._checks = {test.nodeid: found[test.nodeid] for test in items}
        for test in items:
            settle_property(test, self._seeds.of_check(found[test.nodeid].key), may_shrink=not self._hidden)

    # -- running ---------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Report that a check starts."""
        self._session = self._written = None
        position = list(self._checks).index(item.nodeid)
        self._on_check(position + 1, len(self._checks), self._checks[item.nodeid].title)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        """Stop a check when the submission's time is up; look a wrong array up while its copy is there."""
        del item
        with self._deadline.may_stop():
            try:
                return (yield)
            except CheckFailed as error:
                if self._session is not None:
                    self._written = self._session.written
                if self.names_mistakes:
                    look_up(error, self._session)
                raise

    @pytest.hookimpl
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """Make a report that says no more than whether it failed.

        pytest's own report is not made: it formats a traceback that nobody reads, which takes as long as
        several checks.
        """
        failed = call.excinfo is not None
        outcome: Literal["passed", "failed"] = "failed" if failed else "passed"
        step: Literal["setup", "call", "teardown"] = "call" if call.when == "collect" else call.when
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, step, duration=call.duration)

    @pytest.hookimpl(specname="pytest_runtest_makereport", wrapper=True, tryfirst=True)
    def pytest_make_result(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Make the check's result once its call has ended, or its set-up or tear-down has failed.

        By then pytest has seen whether the check was marked as one that may fail.
        """
        report = yield
        error = call.excinfo.value if call.excinfo is not None else None
        expected = getattr(report, "wasxfail", None) if error is not None else None
        ends = call.when == "call" or error is not None
        if call.when == "teardown" and ends and self.ended[item.nodeid].outcome is Outcome.PASSED:
            del self.ended[item.nodeid]  # what the author's fixture found after it decides
        elif call.when == "teardown":
            return report
        if ends:
            check = self._checks[item.nodeid]
            self.ended[item.nodeid] = self._result(check, error, call.duration, expected=expected)
        return report

    @property
    def results(self) -> list[CheckResult]:
        """The results of the checks that ran, in order."""
        return list(self.ended.values())

    def _limit(self, check: Check) -> float:
        """The seconds that student code may take in a check."""
        return check.seconds or self._seconds

    def _ran(self, check: Check) -> Ran:
        return self._apart.get(check.item) or self._first

    def _printed(self) -> str:
        """What student code wrote in the check, without what it wrote when it was asked again."""
        if self._written is not None:
            return self._written
        return self._session.written if self._session is not None else ""

    def _result(
        self, check: Check, error: BaseException | None, seconds: float, *, expected: str | None = None
    ) -> CheckResult:
        """The result of a check that raised ``error``, as its author ``expected`` if that is a reason."""
        awards = error if isinstance(error, Awarded) else None
        if (error is None or (awards and awards.points == check.points)) and self._session is not None:
            # `pytest.raises(Exception)` must not take it for an answer.
            error = self._session.unanswered or error
        if error is not None and not isinstance(error, CheckError) and self._deadline.left() <= 0:
            error = TimeIsUp(self._deadline.seconds)  # whatever the check made of it
        end = check_end(error, self._ran(check).code)
        if error is awards is not None:
            end = award_end(awards, check.points, public=not self._hidden)
        usual = message_for_student(
            end, hidden=self._hidden, hint=check.hint, tells_mistake=check.tells_mistake
        )
        wrote = self._session is not None and self._session.handed_out.is_changed()
        if end.outcome is Outcome.FAILED and end.fault is Fault.STUDENT and wrote:
            end = in_doubt(end)
            self.if_theirs[check.item, check.name] = usual
        if expected is not None:
            end = skipped(" ".join(f"expected to fail: {expected}".split()))
        elif end.outcome is Outcome.SKIPPED:
            self.if_theirs[check.item, check.name] = end.told
        if isinstance(error, MissingName):
            self.missing[check.item, check.name] = error.name
        elif end.fault is Fault.AUTHOR and (check.item, check.name) not in self.if_theirs:
            theirs = replace(end, fault=Fault.STUDENT, told=UNUSABLE)
            message = message_for_student(theirs, hidden=self._hidden, hint=check.hint)
            self.if_theirs[check.item, check.name] = message
        return CheckResult(
            check=check.name,
            title=check.title,
            item=check.item,
            outcome=end.outcome,
            fault=end.fault,
            earned=awards.points
            if awards is not None and end.outcome is Outcome.PARTIAL and self._hidden
            else points_for(end.outcome, check.points),
            possible=check.points,
            message=message_for_student(
                end, hidden=self._hidden, hint=check.hint, tells_mistake=check.tells_mistake
            ),
            detail=end.detail,
            printed=self._printed()[-MAX_PRINTED:],
            seconds=round(seconds, 6),
            visibility="hidden" if self._hidden else "public",
            mistake=end.mistake,
        )


def reason_of(longrepr: str) -> str:
    """pytest's report of a failed import in one line: the error, and the last place that it names."""
    said = [line.removeprefix("E").strip() for line in longrepr.strip().splitlines()]
    error = next((line for line in reversed(said) if line), "no reason was given")
    places = [place for line in said for place in _PLACE.findall(line)]
    file, line = places[-1] if places else ("", "")
    return f"{error} ({file.strip()}, line {line})" if file else error


def assert_fits_manifest(checks: list[Check], assignment: Assignment, *, worth: bool) -> None:
    """Raise ManifestError, which names file, check and key, unless every check has an item of the manifest.

    With ``worth``, the checks of an item must also add up to its points.
    """
    for check in checks:
        if assignment.find(check.item) is None:
            raise ManifestError(
                f"{check.file}: check `{check.name}`: no item owns it; assignment.toml has no item with "
                f"key `id` = {check.item!r}"
            )
        if check.seconds is not None and check.seconds > assignment.limits.total_seconds:
            raise ManifestError(
                f"{check.file}: check `{check.name}`: {check.seconds:g} seconds are more than all that a "
                f"submission may take: key `limits.total_seconds` = {assignment.limits.total_seconds:g}"
            )
    decided_by_checks = (*assignment.of_kind("code"), *assignment.of_kind("evidence"))
    for item in decided_by_checks if worth else ():
        own = [check for check in checks if check.item == item.id]
        added = total(check.points for check in own if check.points > ZERO)  # others are deductions
        if own and added != item.most:
            files = ", ".join(sorted({check.file for check in own}))
            raise ManifestError(
                f"assignment.toml: item {item.id!r}: key `points`: {item.points}, but its checks in {files} "
                f"add up to {added}"
            )
