"""The whole examination of a machine: what it offers, which mode `grade` uses, every promise of it tried.

Importable and callable everywhere; where there is no sandbox the report says why.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.doctor import findings, machine, verdicts
from grader.doctor.findings import Finding
from grader.doctor.packages import PackageFinding, try_packages
from grader.doctor.promises import PROMISES
from grader.model.errors import ChainruleError
from grader.model.isolation import Mode
from grader.sandbox import modes
from grader.sandbox.spec import ProcessLimits


@dataclass
class Report:
    """What was found. ``why_not`` says why there is no mode to use, or why its examination broke off.

    ``tried`` holds, for each mode that fits this user, "" or why it does not work. ``kept_in`` is the file
    with the verdict for later grades, None if none was written. ``packages`` are those of an assignment.
    """

    machine: dict[str, str] = field(default_factory=dict)
    mode: Mode | None = None
    tried: dict[Mode, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    packages: list[PackageFinding] = field(default_factory=list)
    why_not: str = ""
    kept_in: Path | None = None
    seconds: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether every promise was tried."""
        return len(self.findings) == len(PROMISES) and not self.why_not

    @property
    def holds(self) -> bool:
        """Whether there is a mode, all its promises were tried, and none is broken."""
        good = all(finding.verdict.good for finding in self.findings)
        return self.mode is not None and self.whole and good

    @property
    def missing(self) -> list[PackageFinding]:
        """The packages that cannot be imported."""
        return [package for package in self.packages if package.failure]

    def as_json(self) -> dict[str, Any]:
        """The report for scripts."""
        return {
            "holds": self.holds,
            "mode": self.mode,
            "modes": self.tried,
            "why_not": self.why_not,
            "machine": self.machine,
            "promises": [asdict(finding) for finding in self.findings],
            "packages": [asdict(package) for package in self.packages],
            "kept_in": None if self.kept_in is None else str(self.kept_in),
            "seconds": round(self.seconds, 1),
        }


def examine(
    say: Callable[[str], object],
    *,
    packages: Sequence[str] = (),
    memory_mb: int = ProcessLimits.memory_mb,
) -> Report:
    """Look at the machine, try its promises and import ``packages``, each within ``memory_mb``.

    ``say`` receives a line for each step.
    """
    report, start = Report(), time.monotonic()
    say("looking at the machine")
    report.machine = machine.facts()
    try:
        report.tried = {mode: modes.probe(mode) or "" for mode in modes.candidates()}
        report.mode = next((mode for mode, failure in report.tried.items() if not failure), None)
        if report.mode is None:
            report.why_not = _why_not(report.tried)
        else:
            _try_promises(report, report.mode, say)
            say(f"importing {', '.join(packages)}")
            report.packages.extend(try_packages(report.mode, packages, memory_mb=memory_mb))
    except ChainruleError as error:
        report.why_not = str(error)
    report.seconds = time.monotonic() - start
    return report


def remember(report: Report, *, environ: Mapping[str, str]) -> Path | None:
    """Keep the verdict of a whole examination for later grades; returns the file, None if none is written."""
    if report.mode is None or not report.whole:
        return None
    verdict = verdicts.verdict_of(report.findings, on=datetime.now(UTC).date())
    return verdicts.remember(report.mode, verdict, environ=environ)


def _try_promises(report: Report, mode: Mode, say: Callable[[str], object]) -> None:
    with contextlib.closing(findings.try_all(mode)) as found:
        for promise in PROMISES:
            say(f"{mode}: {promise.title}")
            report.findings.append(next(found))


def _why_not(tried: Mapping[Mode, str]) -> str:
    if not tried:
        return modes.elsewhere(sys.platform)
    mode, failure = next(iter(tried.items()))
    return modes.remedy(mode, failure)
