"""`grade doctor`: what this machine offers, and each promise of the sandbox tried for real."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.doctor import examination, machine, verdicts
from grader.doctor.examination import Finding, Verdict
from grader.doctor.promises import PROMISES
from grader.model.errors import ChainruleError
from grader.model.isolation import Mode
from grader.sandbox import modes

HELP = """Try on this machine what the sandbox promises.

Shows what the machine offers, the mode that `grade` uses, and a row for each promise: a probe tried to break
it in a real sandbox, and got through without one. Takes about ten seconds. Exit status: 0 all promises of
that mode hold, 1 otherwise. The verdict is kept, and stands on every grade made here afterwards.

\b
Examples:
  grade doctor
  grade doctor --json | jq .holds
"""

_SIGNS = {
    Verdict.HOLDS: ("✓", "+", "green"),
    Verdict.BROKEN: ("✗", "x", "bold red"),
    Verdict.UNPROVEN: ("✗", "x", "bold red"),
    Verdict.NOT_PROMISED: ("–", "-", "yellow"),
}
_WIDEST = 110
_NOT_KEPT = (
    "Grades made here will not carry this verdict: it cannot be written to ~/.cache/chainrule. To change "
    "that, set XDG_CACHE_HOME to a folder of yours."
)


@click.command("doctor", help=HELP)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
def command(*, as_json: bool) -> None:  # noqa: D103  # its help is HELP
    report = examine(Console(stderr=True))
    report.kept_in = remember(report, environ=os.environ)
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n")
    else:
        show(report, Console())
    if not report.holds:
        raise click.exceptions.Exit(1)


class Report:
    """What was found. ``why_not`` says why there is no mode to use, or why its examination broke off.

    ``kept_in`` is the file with the verdict for later grades, None where none was written.
    """

    def __init__(self) -> None:
        self.machine: dict[str, str] = {}
        self.mode: Mode | None = None
        self.tried: dict[Mode, str] = {}
        self.findings: list[Finding] = []
        self.why_not = ""
        self.kept_in: str | None = None
        self.seconds = 0.0

    @property
    def whole(self) -> bool:
        """Whether every promise was tried."""
        return len(self.findings) == len(PROMISES) and not self.why_not

    @property
    def holds(self) -> bool:
        """Whether there is a mode, all its promises were tried, and none is broken."""
        good = all(finding.verdict.good for finding in self.findings)
        return self.mode is not None and self.whole and good

    def as_json(self) -> dict[str, Any]:
        """The report for scripts."""
        return {
            "holds": self.holds,
            "mode": self.mode,
            "modes": self.tried,
            "why_not": self.why_not,
            "machine": self.machine,
            "promises": [asdict(finding) for finding in self.findings],
            "kept_in": self.kept_in,
            "seconds": round(self.seconds, 1),
        }


def examine(console: Console) -> Report:
    """Look and try, with one line of progress on a terminal."""
    report, start = Report(), time.monotonic()
    with _status(console) as say:
        say("looking at the machine")
        report.machine = machine.facts()
        try:
            report.mode, report.tried = examination.chosen_mode()
            if report.mode is None:
                report.why_not = _why_not(report.tried)
            else:
                _try_promises(report, report.mode, say)
        except ChainruleError as error:
            report.why_not = str(error)
    report.seconds = time.monotonic() - start
    return report


def remember(report: Report, *, environ: Mapping[str, str]) -> str | None:
    """Keep the verdict of a whole examination for later grades; the file, None where none is written."""
    if report.mode is None or not report.whole:
        return None
    verdict = verdicts.verdict_of(report.findings, on=datetime.now(UTC).date())
    return verdicts.remember(report.mode, verdict, environ=environ)


def _try_promises(report: Report, mode: Mode, say: Any) -> None:
    findings = examination.examine(mode)
    for promise in PROMISES:
        say(f"{mode}: {promise.title}")
        report.findings.append(next(findings))


def _why_not(tried: dict[Mode, str]) -> str:
    if not tried:
        return modes.elsewhere(sys.platform)
    mode, failure = next(iter(tried.items()))
    return modes.remedy(mode, failure)


@contextmanager
def _status(console: Console) -> Iterator[Any]:
    """A function that shows one line while this lasts; silent where nobody watches."""
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield lambda text: status.update(Text(text))


def show(report: Report, console: Console) -> None:
    """The report as tables for a person."""
    width = min(console.width, _WIDEST)
    plain = not _can_show(console)
    console.print(_machine_table(report), width=width)
    console.print()
    if report.findings:
        console.print(_promise_table(report.findings, plain=plain), width=width)
        console.print()
    for text in sorted({finding.mend for finding in report.findings if finding.mend}):
        console.print(Text(f"To mend: {text}"), width=width)
    console.print(Text(_last_line(report), style="bold"), width=width)
    if report.whole and report.kept_in is None:
        console.print(Text(_NOT_KEPT, style="yellow"), width=width)


def _machine_table(report: Report) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, found in report.machine.items():
        table.add_row(name, Text(found))
    for mode, failure in report.tried.items():
        used = "used by grade" if mode is report.mode else "works"
        table.add_row(f"mode {mode}", Text(failure or used, style="red" if failure else ""))
    return table


def _promise_table(findings: list[Finding], *, plain: bool) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        sign, ascii_sign, style = _SIGNS[finding.verdict]
        line = Text(finding.title)
        if why := _why(finding):
            line.append(f"\n{why}", style=style)
        table.add_row(Text(ascii_sign if plain else sign, style=style), line)
    return table


def _why(finding: Finding) -> str:
    match finding.verdict:
        case Verdict.BROKEN:
            return f"broken: {finding.seen}"
        case Verdict.UNPROVEN:
            return "not proven: the probe did not get through without a sandbox either"
        case Verdict.NOT_PROMISED:
            return f"not promised in this mode: {finding.seen}"
    return ""


def _last_line(report: Report) -> str:
    if report.why_not:
        return report.why_not
    tally = [finding.verdict for finding in report.findings]
    held, failed = tally.count(Verdict.HOLDS), sum(not verdict.good for verdict in tally)
    missing = tally.count(Verdict.NOT_PROMISED)
    words = [f"{held} promises hold"]
    words += [f"{missing} not promised in this mode"] if missing else []
    words += [f"{failed} BROKEN"] if failed else []
    return f"{report.mode}: {', '.join(words)} ({report.seconds:.0f} s)"


def _can_show(console: Console) -> bool:
    try:
        "✓✗–".encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
