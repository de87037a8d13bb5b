"""`grade check`: how the checks fare on the reference and on the untouched template."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.cli import options
from grader.grading import assignment_folder
from grader.model.checked import Checked, Name, NotPassed, ReferenceRun
from grader.model.errors import Fault, UsageError
from grader.model.text import counted, excerpt, one_line, plural
from grader.reports.progress import GradingProgress, can_print, duration

if TYPE_CHECKING:
    from grader.authoring.check import Planned
    from grader.grading.assignment_folder import AssignmentFolder
    from grader.notebooks.submission_files import SubmissionFiles

HELP = """Try the checks before any submission is graded.

The reference must pass all of them: with several seeds, in every mode of isolation that this machine allows,
and in its public checks as on a student's machine. The untouched template must earn nothing. A check that the
reference does not pass costs nobody a point until it is mended.

Items of evidence are judged if the reference's recordings are there: --executed names the notebook of its
long run. The result is kept, and named with each grade, until the manifest, the checks, the reference, a
given file or a library changes. Exit status: 0 the checks are right, 1 something is to be mended, 2 cannot
be tried.

\b
Examples:
  grade check
  grade check --assignment ~/courses/hw3 --seeds 10
  grade check --executed ~/runs/hw3.ipynb           with the evidence of the reference's long run
  grade check --quick                               one seed, the usual mode
  grade check --watch                               run what each save changes, until Ctrl-C
  grade check --json | jq .runs
"""
DEFAULT_SEEDS = 3
_WIDEST = 110
_LINES = 6
_KEPT = "Kept: `grade` and `grade batch` name it."
_NOT_KEPT = "Not kept: ~/.cache/chainrule cannot be written; set XDG_CACHE_HOME to a folder of yours."


@click.command("check", help=HELP)
@options.assignment("this folder")
@click.option(
    "--seeds",
    metavar="N",
    default=DEFAULT_SEEDS,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Runs of the reference in the usual mode, with the seeds 1 to N.",
)
@click.option("--quick", is_flag=True, help="One run, in the usual mode.")
@click.option(
    "--executed",
    metavar="NOTEBOOK",
    type=click.Path(path_type=Path),
    help="The reference's notebook with the recordings of its long run.",
)
@click.option("--watch", is_flag=True, help="Keep the reference's state, and run what each save changes.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
@click.option("--no-sandbox", is_flag=True, help="Run without isolation: the reference is your own code.")
def command(  # noqa: D103  # its help is HELP
    *,
    assignment: Path | None,
    seeds: int,
    quick: bool,
    executed: Path | None,
    watch: bool,
    as_json: bool,
    no_sandbox: bool,
) -> None:
    from grader.authoring import check  # noqa: PLC0415  # nbformat and pytest, not needed for --help
    from grader.grading.kept_checks import keep  # noqa: PLC0415  # likewise
    from grader.model.checked import encode  # noqa: PLC0415  # likewise

    home = assignment_folder.load(assignment or Path())
    reference = check.reference_of(home, executed=executed)
    if watch:
        if as_json:
            raise UsageError("--watch shows what changes: without --json")
        watch_reference(home, executed=executed, sandbox=not no_sandbox)
        return
    runs = check.plan(seeds=1 if quick else seeds, quick=quick, sandbox=not no_sandbox)
    found = run(home, reference, runs, executed="" if executed is None else executed.name)
    kept = keep("check", found, environ=os.environ) is not None
    if as_json:
        click.echo(encode(found).decode(), nl=False)
    else:
        show(found, home, Console(), kept=kept)
    if not found.good:
        raise click.exceptions.Exit(1)


def run(
    home: AssignmentFolder, reference: SubmissionFiles, runs: Sequence[Planned], *, executed: str
) -> Checked:
    """Try everything, with a line of progress on a terminal."""
    from grader.authoring import check  # noqa: PLC0415  # see above
    from grader.grading.opening import WarmProcesses  # noqa: PLC0415

    with WarmProcesses() as warm, GradingProgress(Console(stderr=True)) as live:
        progress = Prefixed(live)
        return check.check(
            home, reference, runs, warm=warm, progress=progress, on_run=progress.begin, executed=executed
        )


def watch_reference(home: AssignmentFolder, *, executed: Path | None, sandbox: bool) -> None:
    """Try the checks on the reference and the untouched template at each save, until Ctrl-C."""
    from grader.authoring import check  # noqa: PLC0415  # see above
    from grader.authoring.watch import Kept, follow  # noqa: PLC0415  # likewise
    from grader.grading.grade_job import GradeJob  # noqa: PLC0415  # likewise
    from grader.grading.opening import WarmProcesses, opener  # noqa: PLC0415  # likewise
    from grader.reports.rounds import UNTOUCHED  # noqa: PLC0415  # likewise

    job = GradeJob(home.path / home.assignment.notebook, home, check.SEED, sandbox=sandbox)
    with WarmProcesses() as warm:
        opened = opener(warm.zygote, stays_open=True)
        read = functools.partial(check.reference_of, executed=executed)
        reference = Kept(read, job, opened, "reference")
        template = Kept(check.template_of, job, opened, UNTOUCHED)
        follow(home.path, [reference, template], others=lambda: [executed] if executed else [])


class Prefixed:
    """Progress events of one run after the other; each says of which."""

    def __init__(self, inner: GradingProgress) -> None:
        self._inner, self._what = inner, ""

    def begin(self, what: str) -> None:
        """A run starts."""
        self._what = what
        self._inner.note(what)

    def cell(self, number: int, total: int, first_line: str) -> None:
        """See GradingProgress."""
        self._inner.cell(number, total, f"{first_line}  ({self._what})")

    def check(self, number: int, total: int, title: str) -> None:
        """See GradingProgress."""
        self._inner.check(number, total, f"{title}  ({self._what})")

    def note(self, text: str) -> None:
        """See GradingProgress."""
        self._inner.note(f"{self._what}: {text}")


def show(found: Checked, home: AssignmentFolder, console: Console, *, kept: bool) -> None:
    """Print one row per kind of run, then what is to be mended."""
    screen = _Screen(found, home, console)
    width = min(console.width, _WIDEST)
    for part in screen.parts():
        console.print(part, markup=False, highlight=False, emoji=False, width=width)
    console.print(Text(_KEPT if kept else _NOT_KEPT, "dim"), soft_wrap=True)


class _Screen:
    """What a terminal shows of one `grade check`."""

    def __init__(self, found: Checked, home: AssignmentFolder, console: Console) -> None:
        self.found, self.home = found, home
        self.unicode = can_print("✓✗!…·", console)
        self.good, self.bad, self.open = ("✓", "✗", "…") if self.unicode else ("+", "x", ".")
        self.encoding = console.encoding

    def parts(self) -> Iterator[object]:
        """Every part from top to bottom."""
        between = " · " if self.unicode else " | "
        yield self.text(f"{self.home.assignment.title}{between}{self.home.assignment.notebook}", "bold")
        yield Text()
        yield self.table()
        yield from self.not_passed()
        yield from self.gifts()
        yield Text()
        yield self.verdict()

    def table(self) -> Table:
        """One row per kind of run."""
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(width=1)
        table.add_column(overflow="fold", no_wrap=True)
        table.add_column(ratio=1, overflow="fold")
        table.add_column(justify="right", no_wrap=True)
        for good, what, said, seconds in self.rows():
            sign, style = (self.open, "yellow") if good is None else (self.good, "green")
            if good is False:
                sign, style = self.bad, "bold red"
            took = duration(seconds) if seconds else ""
            table.add_row(Text(sign, style), self.text(what), self.text(said), Text(took, "dim"))
        return table

    def rows(self) -> Iterator[tuple[bool | None, str, str, float]]:
        """Whether it is good (None: nobody knows), what ran, how it ended, how long it took."""
        found = self.found
        for mode in found.modes:
            runs = [run for run in found.runs if run.mode is mode and not run.public]
            seeds = f"seeds {runs[0].seed} to {runs[-1].seed}" if len(runs) > 1 else f"seed {runs[0].seed}"
            good = all(run.good for run in runs)
            yield good, f"reference, {mode}, {seeds}", said_of(runs), sum(run.seconds for run in runs)
        for run in found.runs:
            if run.public:
                yield run.good, "reference, public checks", said_of([run]), run.seconds
        if template := found.template:
            yield template.good, "untouched template", self.of_template(), template.seconds
        if skipped := dict.fromkeys((one.name, one.detail) for run in found.runs for one in run.skipped):
            said = "; ".join(f"{check} ({why})" for (_, check), why in skipped)
            yield None, "skipped", f"{said}: decided by nobody but a person", 0.0
        if unjudged := sorted({item for run in found.runs if not run.public for item in run.unjudged}):
            why = "the reference has no recordings; --executed NOTEBOOK names its long run"
            yield None, "evidence", f"{', '.join(unjudged)}: not judged: {why}", 0.0

    def of_template(self) -> str:
        """What the untouched template gets."""
        template = self.found.template
        if template is None or template.problem:
            return template.problem if template else ""
        idle = f"; passes {named(template.idle)}, worth nothing" if template.idle else ""
        if template.gifts:
            return f"gets points from {counted(len(template.gifts), 'check', 'checks')}{idle}"
        return f"earns nothing: fails {counted(len(template.failed), 'check', 'checks')}{idle}"

    def not_passed(self) -> Iterator[object]:
        """Each check that the reference does not pass, and everything else that is wrong with its runs."""
        problems = dict.fromkeys(problem for run in self.found.runs for problem in run.problems)
        failures = dict.fromkeys(failure.name for run in self.found.runs for failure in run.failed)
        if not problems and not failures:
            return
        yield Text()
        yield Text("What the reference does not pass", "bold underline")
        for problem in problems:
            yield Padding(self.text(f"{self.bad} {problem}", limit=600), (0, 0, 0, 2))
        for name in failures:
            yield from self.failure(name)

    def failure(self, name: Name) -> Iterator[object]:
        """One check: where it fails, and why, as in the first of those runs."""
        runs = [run for run in self.found.runs if name in {one.name for one in run.failed}]
        first = next(one for one in runs[0].failed if one.name == name)
        yield Padding(
            Text.assemble((f"{self.bad} ", "bold red"), self.text(f"{name[0]}  {name[1]}", "bold")),
            (1, 0, 0, 2),
        )
        yield Padding(self.text(f"{where(runs, self.found.runs)}: {words(first)}", "dim"), (0, 0, 0, 4))
        for line in excerpt(first.detail, limit=100 * _LINES, lines=_LINES).split("\n"):
            if line.strip():
                yield Padding(self.text(line.rstrip().expandtabs(4)), (0, 0, 0, 4))

    def gifts(self) -> Iterator[object]:
        """The checks that give points for nothing."""
        gifts = self.found.template.gifts if self.found.template else ()
        if not gifts:
            return
        yield Text()
        yield Text("What the untouched template passes", "bold underline")
        for item, check in gifts:
            yield Padding(self.text(f"{self.bad} {item}  {check}"), (0, 0, 0, 2))
        advice = "Who hands in nothing gets their points: check something that only a solution does."
        yield Padding(self.text(advice, "dim"), (0, 0, 0, 4))

    def verdict(self) -> Text:
        """The last line."""
        if self.found.good:
            return self.text("The checks are right about the reference and the template.", "bold green")
        broken = {failure.name for run in self.found.runs for failure in run.failed if not run.public}
        costs = "; a check that the reference does not pass costs nobody a point until then" if broken else ""
        return self.text(f"To be mended{costs}.", "bold red")

    def text(self, said: str, style: str = "", *, limit: int = 300) -> Text:
        """Text of the assignment's own, cleaned, in characters that this terminal has."""
        line = one_line(said, limit) if not said.startswith(" ") else said[:limit]
        return Text(line.encode(self.encoding, "replace").decode(self.encoding), style)


def said_of(runs: Sequence[ReferenceRun]) -> str:
    """How several runs ended, in a few words."""
    broken = {failure.name for run in runs for failure in run.failed}
    every = {name for run in runs for name in run.passed} | broken
    problems = sum(len(run.problems) for run in runs)
    if not every and not problems:
        return "no check to try"
    said = f"passes {'all ' if not broken else ''}{len(every) - len(broken)}"
    said += f" of {len(every)} checks" if broken else " checks" if len(every) != 1 else " check"
    return f"{said}; {counted(problems, 'problem', 'problems')}" if problems else said


def where(runs: Sequence[ReferenceRun], every: Sequence[ReferenceRun]) -> str:
    """In which runs a check fails."""
    if len(runs) == len(every):
        return "everywhere"
    places = ["public checks"] if any(run.public for run in runs) else []
    for mode in dict.fromkeys(run.mode for run in runs if not run.public):
        seeds = [str(run.seed) for run in runs if run.mode is mode and not run.public]
        places.append(f"{mode} with {plural(len(seeds), 'seed', 'seeds')} {', '.join(seeds)}")
    return "; ".join(places)


def words(failure: NotPassed) -> str:
    """How a check ended and whose fault that would be on a submission."""
    return {
        Fault.AUTHOR: "the check itself breaks",
        Fault.INFRASTRUCTURE: "the machine's fault",
    }.get(failure.fault or Fault.STUDENT, str(failure.outcome).replace("_", " "))


def named(names: Iterable[Name]) -> str:
    """Checks in a list."""
    return ", ".join(check for _, check in names)
