"""What runs at this moment, on one line of a terminal; silent where nobody watches."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from grader.model.text import one_line

_WIDTH = 200  # rich cuts to the terminal; this only keeps the text small


class GradingProgress:
    """A live status line for one grading; use it as a context manager.

    On anything but a terminal every method is silent. When it ends the line is gone, so that the report
    stands alone.
    """

    def __init__(self, console: Console) -> None:
        fancy = console.is_terminal and _can_show(console, "⠋━")
        self._progress = Progress(
            SpinnerColumn("dots" if fancy else "line", style="cyan"),
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(no_wrap=True, ratio=1, overflow="ellipsis" if fancy else "crop"),
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
        """Cell ``number`` of ``total`` begins to run; its first line is the student's text."""
        self._show(f"cell {number} of {total}  {first_line}", done=number - 1, total=total)

    def check(self, number: int, total: int, title: str) -> None:
        """Check ``number`` of ``total`` begins to run."""
        self._show(f"check {number} of {total}  {title}", done=number - 1, total=total)

    def note(self, text: str) -> None:
        """Something else goes on whose length is not known, such as starting the sandbox."""
        self._show(text, done=0, total=None)

    def _show(self, text: str, *, done: int, total: int | None) -> None:
        line = one_line(text, _WIDTH).encode(self._encoding, "replace").decode(self._encoding)
        # `total=None` leaves a task's total as it was, so a note starts a task of its own.
        if total is None:
            self._progress.remove_task(self._task)
            self._task = self._progress.add_task(line, total=None)
        else:
            self._progress.update(self._task, description=line, completed=done, total=total)


def _can_show(console: Console, sample: str) -> bool:
    try:
        sample.encode(console.encoding)
    except UnicodeEncodeError:
        return False
    return not console.legacy_windows
