"""Timing helpers: medians of repeated runs, side by side in one process, and the machine's name."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

NOT_MEASURED = "not measured: the machine was busy"


@dataclass(frozen=True)
class Figure:
    """One measured number: what it is, its value and unit, the bar it is held to, and how it was measured.

    ``timed`` means that it depends on time, ``busy`` that other programs ran meanwhile: no value is shown.
    """

    what: str
    value: float
    unit: str
    at_most: float | None = None
    note: str = ""
    at_least: float | None = None
    timed: bool = True
    busy: bool = False

    @property
    def shown(self) -> str:
        """The value with its unit, or why there is none."""
        return NOT_MEASURED if self.busy else f"{in_digits(self.value)} {self.unit}".strip()

    @property
    def verdict(self) -> str:
        """Whether the value keeps within its bar; nothing for a value that was not measured."""
        if self.busy:
            return ""
        if self.at_most is not None and not self.value <= self.at_most:
            return "OVER"
        if self.at_least is not None and not self.value >= self.at_least:
            return "UNDER"
        return "" if self.at_most is None and self.at_least is None else "ok"

    @property
    def bar(self) -> str:
        """The bar in words."""
        if self.at_most is not None:
            return f"at most {self.at_most:g}"
        return "" if self.at_least is None else f"at least {self.at_least:g}"


def show(figures: Sequence[Figure], console: Console) -> int:
    """Print a table; the exit status: 1 when a figure misses its bar or was not measured."""
    table = Table("figure", "value", "bar", "", "how")
    for figure in figures:
        table.add_row(
            figure.what,
            figure.shown,
            figure.bar,
            figure.verdict,
            "" if figure.busy else figure.note,  # it may hold numbers too
        )
    console.print(table)
    return int(any(figure.busy or figure.verdict in {"OVER", "UNDER"} for figure in figures))


def in_digits(value: float) -> str:
    """Three significant digits, or the whole number where it has more."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def seconds(run: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median_of(run: Callable[[], object], *, times: int, warm_up: int = 1) -> float:
    """The median seconds of ``times`` calls, after ``warm_up`` that do not count."""
    for _ in range(warm_up):
        run()
    return statistics.median(seconds(run) for _ in range(times))


def side_by_side(runs: Sequence[Callable[[], object]], *, times: int) -> list[float]:
    """Median seconds of each, measured in turns, so that a slow minute slows all of them alike."""
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(times):
        for position, run in enumerate(runs):
            taken[position].append(seconds(run))
    return [statistics.median(each) for each in taken]


def machine() -> str:
    """Processor, cores, kernel and Python, for the head of a table."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text().splitlines()
            if "model name" in line
        ]
        model = names[0] if names else model
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} cores, {system}"
