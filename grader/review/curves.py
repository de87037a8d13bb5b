"""The curves in a recording, drawn by us from its numbers: the student's own plots may show others.

The numbers are the student's, so sizes are bounded and names are text; nothing of theirs becomes markup here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from grader.grading.recorded import MAX_DEPTH, RESERVED
from grader.model.text import one_line

MOST_POINTS = 400
"""Points of a line; of more every so many-th is drawn, and the last."""
MOST_LINES = 10
MOST_CHARTS = 6
WIDTH, HEIGHT = 640.0, 220.0
"""The chart's own units; the page scales them."""


class Line(msgspec.Struct, frozen=True):
    """One curve: its name, the pieces of it between numbers that are none, and its last value."""

    name: str
    pieces: tuple[str, ...]
    last: str


class Chart(msgspec.Struct, frozen=True):
    """Curves with the same axes. ``more`` are those that are left out."""

    title: str
    lines: tuple[Line, ...]
    low: str
    high: str
    length: int
    more: int


def charts(data: Mapping[str, Any]) -> tuple[Chart, ...]:
    """The charts of a recording: runs side by side for each thing that was measured."""
    several: dict[tuple[str, int], dict[tuple[str, ...], Sequence[float]]] = defaultdict(dict)
    for path, values in _curves(data):
        *run, measured = path
        title = measured if run else ""  # what lies beside each other in one run shares a chart
        several[title, len(values)][tuple(run) or path] = values
    return tuple(_chart(title, curves) for (title, _), curves in list(several.items())[:MOST_CHARTS])


def _curves(
    value: Mapping[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    for key, entry in value.items():
        here = (*path, one_line(str(key), 40))
        if key == RESERVED:
            continue
        if isinstance(entry, dict) and len(here) < MAX_DEPTH:
            yield from _curves(entry, here)
        elif isinstance(entry, list) and len(entry) > 1 and all(type(one) in (int, float) for one in entry):
            yield here, [_number(one) for one in entry]


def _number(value: float) -> float:
    try:
        found = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.nan
    return found if abs(found) < 1e300 else math.nan  # noqa: PLR2004  # differences stay finite


def _chart(title: str, curves: Mapping[tuple[str, ...], Sequence[float]]) -> Chart:
    shown = list(curves.items())[:MOST_LINES]
    told = (
        len({path[0] for path, _ in shown}) > 1 or len(shown[0][0]) == 1
    )  # whether the first key says anything
    finite = [value for _, values in shown for value in values if not math.isnan(value)] or [0.0]
    low, high = min(finite), max(finite)
    lines = tuple(
        Line(", ".join(path if told else path[1:]), _pieces(values, low, high), f"{values[-1]:.4g}")
        for path, values in shown
    )
    return Chart(title, lines, f"{low:.4g}", f"{high:.4g}", len(shown[0][1]), len(curves) - len(shown))


def _pieces(values: Sequence[float], low: float, high: float) -> tuple[str, ...]:
    """A line's points as SVG writes them, broken where a number is none."""
    step = -(-len(values) // MOST_POINTS)
    chosen = sorted({*range(0, len(values), step), len(values) - 1})
    found: list[list[str]] = [[]]
    for at in chosen:
        if math.isnan(values[at]):
            found.append([])
            continue
        x = WIDTH * at / (len(values) - 1)
        y = HEIGHT * (1 - (values[at] / 2 - low / 2) / ((high / 2 - low / 2) or 1))
        found[-1].append(f"{x:.1f},{y:.1f}")
    return tuple(" ".join(points * 2 if len(points) == 1 else points) for points in found if points)
