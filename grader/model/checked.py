"""What is known of an assignment's checks: how the reference and the untouched template fare in them.

`grade check` finds it out before any submission is graded, and grading itself when a submission loses points
in checks of which nothing is known yet. It counts only as long as everything that decides it is the same.
"""

from __future__ import annotations

import msgspec

from grader.model.errors import Fault, Outcome
from grader.model.isolation import Mode

SCHEMA = "chainrule.check/1"

Name = tuple[str, str]
"""A check: its item and its function's name."""


class NotPassed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check that the reference did not pass. ``detail`` is for the author."""

    item: str
    check: str
    outcome: Outcome
    fault: Fault | None = None
    detail: str = ""

    @property
    def name(self) -> Name:
        """The check's name."""
        return self.item, self.check


class ReferenceRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the checks ended on the reference, run once with this seed; ``public`` for the public checks.

    ``unjudged`` are items of evidence that the reference has not recorded: nothing is known of their checks.
    ``problems`` are lines about what is wrong beside the checks: cells, files of checks, the replay.
    ``out_of_time`` is whether cells were stopped or left out for want of time.
    """

    mode: Mode
    seed: int
    public: bool = False
    passed: tuple[Name, ...] = ()
    not_passed: tuple[NotPassed, ...] = ()
    unjudged: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    seconds: float = 0.0
    out_of_time: bool = False

    @property
    def good(self) -> bool:
        """Whether the reference passed all that could be judged, and something could."""
        return not self.failed and not self.problems and bool(self.passed or self.not_passed or self.unjudged)

    @property
    def failed(self) -> tuple[NotPassed, ...]:
        """The checks that it did not pass and that were not skipped."""
        return tuple(one for one in self.not_passed if one.outcome is not Outcome.SKIPPED)

    @property
    def skipped(self) -> tuple[NotPassed, ...]:
        """The checks that were skipped."""
        return tuple(one for one in self.not_passed if one.outcome is Outcome.SKIPPED)


class TemplateRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the hidden checks ended on the untouched template.

    ``gifts`` are the checks worth points that it passes, ``idle`` those that it passes and that are worth
    nothing. ``problem`` says why there is no template.
    """

    failed: tuple[Name, ...] = ()
    gifts: tuple[Name, ...] = ()
    idle: tuple[Name, ...] = ()
    problem: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether who does nothing gets nothing."""
        return not self.gifts and not self.problem


class Checked(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is known of the checks of the assignment in the folder ``assignment``.

    ``decides`` are digests of all that it depends on, by what it is. ``date`` is the day of the runs.
    ``executed`` is the executed notebook that the reference's recordings came from, if any.
    """

    schema: str
    assignment: str
    decides: dict[str, str]
    date: str
    runs: tuple[ReferenceRun, ...]
    template: TemplateRun | None = None
    executed: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing was found that a person has to mend."""
        return all(run.good for run in self.runs) and (self.template is None or self.template.good)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes in which the hidden checks ran, in order."""
        return tuple(dict.fromkeys(run.mode for run in self.runs if not run.public))


def encode(found: Checked) -> bytes:
    """The result as indented JSON, UTF-8."""
    return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
