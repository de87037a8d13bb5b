"""A batch while it runs and when it has ended: a live line on a terminal, a plain line each elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from grader.model.points import Points
from grader.model.text import one_line

MINUTE = 60  # seconds
HOUR = 60  # minutes
_NAME = 60  # characters


class Ended(msgspec.Struct, frozen=True):
    """How one submission ended.

    ``kind`` is "graded", "attention" (graded, but a person has to mend something), "refused" (it cannot be
    graded) or "lost" (no worker survived it); ``why`` is one line for the last three.
    """

    name: str
    kind: str
    earned: Points = Points(0)
    decided: Points = Points(0)
    possible: Points = Points(0)
    why: str = ""
    seconds: float = 0.0


WORDS = {
    "graded": "graded",
    "attention": "need attention",
    "refused": "cannot be graded",
    "lost": "killed their workers",
}
STYLES = {"graded": "green", "attention": "magenta", "refused": "yellow", "lost": "bold red"}


class BatchProgress:
    """Shows a batch of ``total`` submissions; use it as a context manager and tell it each end."""

    def __init__(self, console: Console, *, total: int, clock: Callable[[], float]) -> None:
        self._console = console
        self._total = total
        self._clock = clock
        self._start = clock()
        self.tally: Counter[str] = Counter()
        self._progress = Progress(
            SpinnerColumn("dots" if _unicode(console) else "line", style="cyan"),
            BarColumn(bar_width=24, complete_style="cyan", finished_style="cyan"),
            MofNCompleteColumn(),
            TaskProgressColumn(),
            RateColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("starting workers", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        """Say something that is no submission's end."""
        self._console.print(Text(one_line(text, 300), "dim"), soft_wrap=not self._console.is_terminal)

    def ended(self, end: Ended) -> None:
        """Count it; name it where it needs somebody, or where lines are all that is shown."""
        self.tally[end.kind] += 1
        done = self.tally.total()
        if not self._console.is_terminal:
            self._console.print(self._line(end, done), soft_wrap=True)
        elif end.kind != "graded":
            self._console.print(self._line(end, done))
        self._progress.update(self._task, completed=done, description=self._counts())

    def summary(self) -> Text:
        """What became of the submissions, in one line."""
        seconds = self._clock() - self._start
        done = self.tally.total()
        rate = f", {MINUTE * done / seconds:,.0f} a minute" if done and seconds > 0 else ""
        return Text.assemble((self._counts() or "nothing to do", "bold"), f" in {duration(seconds)}{rate}")

    def _counts(self) -> str:
        between = " · " if _unicode(self._console) else ", "
        return between.join(f"{self.tally[kind]:,} {WORDS[kind]}" for kind in WORDS if self.tally[kind])

    def _line(self, end: Ended, done: int) -> Text:
        name = one_line(end.name, _NAME)
        what = end.why if end.why else f"{end.earned} of {end.decided} decided, {end.possible} in all"
        style = STYLES[end.kind]
        number = f"[{done:>{len(str(self._total))}}/{self._total}] "
        words = "" if end.kind == "graded" else f"{WORDS[end.kind]}: "
        return Text.assemble((number, "dim"), (name, style), "  ", words, one_line(what, 300))


class RateColumn(ProgressColumn):
    """Submissions a minute, over the last ones."""

    def render(self, task: Task) -> Text:
        """The rate, once there is one."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{MINUTE * speed:,.0f}/min", "cyan")


def duration(seconds: float) -> str:
    """A time as people say it: 4.2 s, 3 min 20 s, 2 h 5 min."""
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    if minutes < HOUR:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, HOUR)
    return f"{hours} h {minutes} min"


def _unicode(console: Console) -> bool:
    try:
        "⠋·".encode(console.encoding)
    except UnicodeEncodeError:
        return False
    return not console.legacy_windows
