"""The pictures of a class as SVG: text as text, the page's own colours, the same bytes for the same class.

Everything in them is a number or comes from the manifest; nothing of a student's is drawn.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from grader.model.class_report import ClassReport, ItemFigures, Scores
from grader.model.text import printable

INK, SOFT, RULE, FILL, MARK = "#010101", "#020202", "#030303", "#040404", "#050505"
_COLOURS = {INK: "--ink", SOFT: "--soft", RULE: "--rule", FILL: "--good-fill", MARK: "--wait"}
"""What matplotlib draws, and the page's name for what is meant: light and dark are the page's matter."""
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "chainrule",
    "text.parse_math": False,
    "font.size": 10.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}
_UNUSED = re.compile(
    r' id="[a-z]+[\d.a-z]*_\d+"|<defs>\s*<style.*?</defs>|<metadata>.*?</metadata>', re.DOTALL
)
_SIZE = re.compile(r'<svg [^<>]*?viewBox="([^"<>]+)"[^<>]*>')
_MOST_BINS = 24
_WIDE, _HIGH, _LETTER = 275.0, 150.0, 5.0
"""About how large the map and a letter are in points, to keep labels apart."""


def distribution(scores: Scores) -> str:
    """How many have how many points, with the median; "" for nobody."""
    points = [one.hundredths / 100 for one in scores.earned]
    most = max((scores.possible.hundredths / 100, *points), default=0)
    if not points or not most:
        return ""

    def draw(axes: Axes) -> None:
        width = most / min(_MOST_BINS, max(1, round(most)))
        edges = [width * number for number in range(round(most / width) + 1)]
        axes.hist(points, bins=[*edges[:-1], edges[-1] + 1e-9], color=FILL, rwidth=0.9)
        _line_at(axes, scores.median or 0.0, "median")
        axes.set_xlabel(f"points so far, of {scores.possible}")
        axes.set_ylabel("submissions")
        axes.locator_params(axis="y", integer=True)
        axes.set_xlim(0, most)

    return _svg(draw, f"Histogram of {len(points)} submissions' points")


def arrivals(report: ClassReport) -> str:
    """The share that had handed in, by the time; "" if hardly any time is known."""
    times = [datetime.fromisoformat(one) for one in report.submitted]
    times = sorted(one if one.tzinfo else one.replace(tzinfo=UTC) for one in times)
    if len(times) < 3 or times[0] == times[-1]:  # noqa: PLR2004  # no line through two points
        return ""
    due = datetime.fromisoformat(report.deadline) if report.deadline else times[-1]
    due = due if due.tzinfo else due.replace(tzinfo=UTC)
    hours = [(one - due).total_seconds() / 3600 for one in times]
    first = hours[len(hours) // 50]  # whoever began weeks before would squeeze everybody else

    def draw(axes: Axes) -> None:
        shares = [100 * (number + 1) / len(hours) for number in range(len(hours))]
        axes.step([*hours, max(hours[-1], 0)], [*shares, 100], where="post", color=FILL, linewidth=2)
        axes.set_xlim(first - 1, max(hours[-1], 1))
        axes.set_ylim(0, 104)
        if report.deadline:
            _line_at(axes, 0, "deadline")
        axes.set_xlabel("hours after the deadline" if report.deadline else "hours before the last")
        axes.set_ylabel("% handed in")

    return _svg(draw, "Share of the submissions that had come, by hours from the deadline")


def item_map(items: Sequence[ItemFigures]) -> str:
    """Each item by how hard it was and how much it says; "" if fewer than three can be placed."""
    placed = [
        (one.item, 100 * one.mean, one.discrimination)
        for one in items
        if one.mean is not None and one.discrimination is not None
    ]
    if len(placed) < 3:  # noqa: PLR2004  # nothing to compare
        return ""

    def draw(axes: Axes) -> None:
        axes.axhspan(0, 0.2, color=RULE, alpha=0.5, linewidth=0)
        axes.scatter([mean for _, mean, _ in placed], [value for *_, value in placed], color=FILL, s=36)
        axes.set_xlabel("mean, % of the points")
        axes.set_ylabel("discrimination")
        axes.margins(0.15)
        _label(axes, placed)

    return _svg(draw, "Items by their mean and their discrimination")


def _label(axes: Axes, placed: Sequence[tuple[str, float, float]]) -> None:
    """Write each item's id beside its point, wherever there is room; one without any stays unlabelled."""
    x0, x1, y0, y1 = *axes.get_xlim(), *axes.get_ylim()
    points = [
        (_WIDE * (mean - x0) / (x1 - x0), _HIGH * (value - y0) / (y1 - y0)) for _, mean, value in placed
    ]
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    for (name, mean, value), (x, y) in zip(placed, points, strict=True):
        text = printable(name, limit=24)
        wide = _LETTER * len(text)
        for dx, dy in ((6, -3), (-6 - wide, -3), (-wide / 2, 6), (-wide / 2, -13)):
            box = (x + dx, y + dy, x + dx + wide, y + dy + 9)
            is_free = all(box[2] < o[0] or o[2] < box[0] or box[3] < o[1] or o[3] < box[1] for o in taken)
            if is_free and box[0] > 0 and box[2] < _WIDE:
                taken.append(box)
                axes.annotate(text, (mean, value), xytext=(dx, dy), textcoords="offset points", fontsize=8.5)
                break


def _line_at(axes: Axes, where: float, what: str) -> None:
    axes.axvline(where, color=MARK, linewidth=1.5)
    place: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    axes.annotate(what, (where, 1.0), xytext=(4, 2), color=MARK, **place)


def _svg(draw: Callable[[Axes], None], label: str) -> str:
    """What is drawn, as an element for a page."""
    with rc_context(_STYLE):
        figure = Figure(figsize=(4.7, 2.9), layout="constrained")
        axes = figure.add_subplot()
        axes.grid(axis="y", color=RULE, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(length=0)
        draw(axes)
        text = io.StringIO()
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(text, metadata={"Date": None, "Creator": None})
    found = _UNUSED.sub("", text.getvalue().partition("<svg")[2])
    for drawn, name in _COLOURS.items():
        found = found.replace(drawn, f"var({name})")
    # The page decides how wide it is; a reader that shows no pictures reads the label.
    return _SIZE.sub(
        rf'<svg class="picture" viewBox="\1" role="img" aria-label="{label}">', f"<svg{found}", count=1
    )
