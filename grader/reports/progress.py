"""What a terminal shows while a submission or a class is graded; plain lines, or nothing, elsewhere."""

from __future__ import annotations

import enum
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
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from grader.model.points import Points
from grader.model.text import one_line

MINUTE = 60  # seconds
HOUR = 60  # minutes
_WIDTH = 200  # characters: rich cuts a line to the terminal, this only keeps the text small
_NAME = 60
_NOTE = 300


class GradingProgress:
    """A live line about one grading, used as a context manager.

    Silent on anything but a terminal. The line is gone at the end, so that the report stands alone.
    """

    def __init__(self, console: Console) -> None:
        unicode = can_print("⠋━", console)
        self._progress = Progress(
            SpinnerColumn("dots" if unicode else "line", style="cyan"),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(no_wrap=True, ratio=1, overflow="ellipsis" if unicode else "crop"),
            ),
            BarColumn(bar_width=20, complete_style="cyan", finished_style="cyan"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            expand=True,
            disable=not console.is_terminal,
        )
        self._encoding = console.encoding
        self._task = self._progress.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def cell(self, number: int, total: int, first_line: str) -> None:
        """Cell ``number`` of ``total`` starts; its first line is the student's text."""
        self._show(f"cell {number} of {total}  {first_line}", done=number - 1, total=total)

    def check(self, number: int, total: int, title: str) -> None:
        """Check ``number`` of ``total`` starts."""
        self._show(f"check {number} of {total}  {title}", done=number - 1, total=total)

    def note(self, text: str) -> None:
        """Something of unknown length starts, such as the sandbox."""
        self._show(text, done=0, total=None)

    def _show(self, text: str, *, done: int, total: int | None) -> None:
        line = one_line(text, _WIDTH).encode(self._encoding, "replace").decode(self._encoding)
        # `total=None` leaves a task's total as it was, so a note starts a task of its own.
        if total is None:
            self._progress.remove_task(self._task)
            self._task = self._progress.add_task(line, total=None)
        else:
            self._progress.update(self._task, description=line, completed=done, total=total)


class EndedAs(enum.StrEnum):
    """How the grading of one submission of a class ended.

    ``ATTENTION``: it was graded, but the author or the operator has to act. ``REFUSED``: it cannot be graded.
    ``LOST``: its workers died on it.
    """

    GRADED = "graded"
    ATTENTION = "attention"
    REFUSED = "refused"
    LOST = "lost"


class Ended(msgspec.Struct, frozen=True):
    """One submission's ending; ``why`` is one line unless it was simply graded."""

    name: str
    kind: EndedAs
    earned: Points = Points(0)
    decided: Points = Points(0)
    possible: Points = Points(0)
    why: str = ""
    seconds: float = 0.0


WORDS = {
    EndedAs.GRADED: "graded",
    EndedAs.ATTENTION: "need attention",
    EndedAs.REFUSED: "cannot be graded",
    EndedAs.LOST: "killed their workers",
}
STYLES = {
    EndedAs.GRADED: "green",
    EndedAs.ATTENTION: "magenta",
    EndedAs.REFUSED: "yellow",
    EndedAs.LOST: "bold red",
}


class BatchProgress:
    """A live line about a class of ``total`` submissions, used as a context manager.

    On a terminal only the submissions that need somebody leave a line; elsewhere each leaves one.
    """

    def __init__(self, console: Console, *, total: int, clock: Callable[[], float]) -> None:
        self._console = console
        self._total = total
        self._clock = clock
        self._start = clock()
        self._unicode = can_print("⠋·", console)
        self.tally: Counter[EndedAs] = Counter()
        self._progress = Progress(
            SpinnerColumn("dots" if self._unicode else "line", style="cyan"),
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
        """Print something that is not about one submission."""
        self._console.print(Text(one_line(text, _NOTE), "dim"), soft_wrap=not self._console.is_terminal)

    def ended(self, end: Ended) -> None:
        """Count a submission; print its line if it needs somebody or if there is no live line."""
        self.tally[end.kind] += 1
        done = self.tally.total()
        if not self._console.is_terminal:
            self._console.print(self._line(end, done), soft_wrap=True)
        elif end.kind is not EndedAs.GRADED:
            self._console.print(self._line(end, done))
        self._progress.update(self._task, completed=done, description=self._counts())

    def summary(self) -> Text:
        """How many submissions ended in which way, and how long it took, on one line."""
        seconds = self._clock() - self._start
        done = self.tally.total()
        rate = f", {MINUTE * done / seconds:,.0f} a minute" if done and seconds > 0 else ""
        return Text.assemble((self._counts() or "nothing to do", "bold"), f" in {duration(seconds)}{rate}")

    def _counts(self) -> str:
        between = " · " if self._unicode else ", "
        return between.join(f"{self.tally[kind]:,} {WORDS[kind]}" for kind in WORDS if self.tally[kind])

    def _line(self, end: Ended, done: int) -> Text:
        name = one_line(end.name, _NAME)
        what = end.why if end.why else f"{end.earned} of {end.decided} decided, {end.possible} in all"
        style = STYLES[end.kind]
        number = f"[{done:>{len(str(self._total))}}/{self._total}] "
        words = "" if end.kind is EndedAs.GRADED else f"{WORDS[end.kind]}: "
        return Text.assemble((number, "dim"), (name, style), "  ", words, one_line(what, _NOTE))


class RateColumn(ProgressColumn):
    """Submissions per minute, over the last few."""

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


def can_print(sample: str, console: Console) -> bool:
    """Whether the console has these characters."""
    try:
        sample.encode(console.encoding)
    except UnicodeEncodeError:
        return False
    return not console.legacy_windows
