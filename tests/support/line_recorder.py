"""Notes which lines of the package run in a zygote and in everything that it forks.

Those processes live behind walls: they can open no file when they end, hold no descriptor but their own, and
are killed as often as they exit. So each line that runs is noted at once in memory that all of them share,
a byte for each line, mapped from a file that the test's own process reads in the end. Nothing in the package
knows of this: a module made by ``measured`` starts it and stands in as the zygote's entry.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

MAX_LINES = 1024  # of one module; the style check allows fewer

Tracer = Callable[[FrameType, str, Any], Any]


def package_files(package: Path) -> list[Path]:
    """The modules whose lines are noted, in the order of their places in the file."""
    return sorted(package.rglob("*.py"))


def start(path: str) -> None:
    """From now on note this process's lines, and those of every later fork, in the file at ``path``."""
    import grader  # noqa: PLC0415  # where it lies, not what it does

    files = package_files(Path(grader.__file__).parent)
    with Path(path).open("r+b") as file:
        lines = mmap.mmap(file.fileno(), len(files) * MAX_LINES)
    tracers = {str(file): _tracer(lines, MAX_LINES * place) for place, file in enumerate(files)}

    def trace(frame: FrameType, event: str, argument: Any) -> Tracer | None:
        return tracers.get(frame.f_code.co_filename)

    frame: FrameType | None = sys._getframe()
    while frame is not None:  # also the rest of the functions that led here
        frame.f_trace = trace(frame, "call", None)
        frame = frame.f_back
    sys.settrace(trace)


def _tracer(lines: mmap.mmap, start: int) -> Tracer:
    def note(frame: FrameType, event: str, argument: Any) -> Tracer:
        if event == "line":
            lines[start + frame.f_lineno] = 1
        return note

    return note
