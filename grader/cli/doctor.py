"""`grade doctor`: the command, and how its report is shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.cli import options
from grader.doctor.examination import Report, examine, remember
from grader.doctor.findings import Finding, Verdict
from grader.doctor.packages import PackageFinding
from grader.grading import assignment_folder

HELP = """Try on this machine what the sandbox promises.

Shows what the machine offers, the mode that `grade` uses, and one row per promise: a probe tried to break it
in a real sandbox, and got through without one. Takes about ten seconds. The verdict is kept and recorded on
every grade made here afterwards. For an assignment that names `environment.packages`, each is imported in a
sandbox too. Exit status: 0 if all promises of that mode hold and all those packages are there, 1 otherwise.

\b
Examples:
  grade doctor
  grade doctor --assignment ~/hw3
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
@options.assignment("this folder, if it has one")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
def command(*, assignment: Path | None, as_json: bool) -> None:  # noqa: D103  # its help is HELP
    here = Path(assignment_folder.MANIFEST).is_file()
    folder = assignment_folder.load(assignment or Path()) if assignment or here else None
    rules = folder.assignment if folder else None
    with _status(Console(stderr=True)) as say:
        report = (
            examine(say, packages=rules.environment.packages, memory_mb=rules.limits.memory_mb)
            if rules
            else examine(say)
        )
    report.kept_in = remember(report, environ=os.environ)
    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n")
    else:
        show(report, Console())
    if not report.holds or report.missing:
        raise click.exceptions.Exit(1)


@contextmanager
def _status(console: Console) -> Iterator[Callable[[str], object]]:
    """A function that shows one line of progress; it does nothing if this is not a terminal."""
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
    if report.packages:
        console.print(_package_table(report.packages, plain=plain), width=width)
        console.print()
    mends = {finding.mend for finding in report.findings} | {package.mend for package in report.packages}
    for text in sorted(mends - {""}):
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


def _package_table(packages: list[PackageFinding], *, plain: bool) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for package in packages:
        sign, ascii_sign, style = _SIGNS[Verdict.BROKEN if package.failure else Verdict.HOLDS]
        line = Text(f"students may import `{package.name}`{f' ({package.version})' * bool(package.version)}")
        if package.failure:
            line.append(f"\nit cannot be imported: {package.failure}", style=style)
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
    count = f"{len(report.missing)} of {len(report.packages)} packages MISSING"
    words += [count] if report.missing else []
    return f"{report.mode}: {', '.join(words)} ({report.seconds:.0f} s)"


def _can_show(console: Console) -> bool:
    try:
        "✓✗–".encode(console.encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
