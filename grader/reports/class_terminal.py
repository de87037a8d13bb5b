"""A class on a terminal, in about thirty lines: what an instructor has to know, and where the page is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.model.class_report import ClassReport, ItemFigures, Mistake
from grader.model.points import Points
from grader.model.text import one_line, plural
from grader.reports import class_summary as summary
from grader.reports.progress import can_print

_ITEMS, _MISTAKES, _SHARED = 10, 5, 3
_BARS, _ASCII_BARS = " ▁▂▃▄▅▆▇█", " .:-=+*#@"
_BINS = 23


def print_class(report: ClassReport, console: Console, *, page: str = "") -> None:
    """Print the class for the person who asked. ``page`` is where its page was written."""
    bars = _BARS if can_print(_BARS, console) else _ASCII_BARS
    console.print(Text(one_line(report.assignment, 200), "bold"))
    for line in head(report, bars):
        console.print(line)
    if report.items:
        console.print(items_of(report))
    for part in (mistakes_of(report), shared_of(report), to_do(report)):
        for line in part:
            console.print(line, no_wrap=True, overflow="ellipsis", crop=True)
    if page:
        console.print(Text.assemble(("Page: ", "dim"), one_line(page, 4_000)), soft_wrap=True)


def head(report: ClassReport, bars: str) -> Iterator[Text]:
    """How many handed in, and their points."""
    found, scores = report.handed_in, report.scores
    parts = [f"{found.submissions:,} of {found.students:,} handed in"]
    parts += [f"{found.late:,} late"] if found.late else []
    parts += [f"{len(found.unreadable):,} cannot be read"] if found.unreadable else []
    parts += [f"{found.undecided:,} not wholly decided"] if found.undecided else []
    yield Text(", ".join(parts))
    if scores.earned:
        middle = (
            f"median {summary.number(scores.median, 1)}, half lie between {summary.number(scores.lower, 1)}"
        )
        line = f"points so far, of {scores.possible}: {middle} and {summary.number(scores.upper, 1)}"
        yield Text(line)
        yield Text.assemble(f"0 {histogram(scores.earned, scores.possible, bars)} {scores.possible}")


def histogram(earned: Sequence[Points], possible: Points, bars: str) -> str:
    """One character for each part of the points, higher where more submissions are."""
    counts = [0] * _BINS
    most = max(possible.hundredths, earned[-1].hundredths, 1)
    for one in earned:
        counts[min(_BINS - 1, _BINS * one.hundredths // most)] += 1
    steps = len(bars) - 1
    return "".join(bars[-(-count * steps // max(counts))] for count in counts)


def items_of(report: ClassReport) -> Table:
    """The hardest items, in the assignment's order."""
    hardest = summary.hardest(report.items)[:_ITEMS]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    left = sum(item.mean is not None for item in report.items) - len(hardest)
    table.add_column("item", no_wrap=True)
    table.add_column(
        f"the hardest; {left} more on the page" if left else "", no_wrap=True, overflow="ellipsis"
    )
    for name in ("mean", "full", "discr."):
        table.add_column(name, justify="right", no_wrap=True)
    for item in report.items:
        if item in hardest:
            table.add_row(*cells(item))
    return table


def cells(item: ItemFigures) -> list[Text]:
    """The cells of an item's row."""
    return [
        Text(one_line(item.item, 24)),
        Text(one_line(item.title, 60)),
        Text(summary.percent(item.mean), "bold"),
        Text(summary.percent(item.full_share)),
        Text(summary.number(item.discrimination), "magenta" if summary.is_weak(item) else ""),
    ]


def mistakes_of(report: ClassReport) -> Iterator[Text]:
    """The commonest mistakes that have a name."""
    named = summary.named(report.mistakes)
    for one in named[:_MISTAKES]:
        yield Text.assemble(
            (f"{summary.students(one.students):>13}", "bold"), f"  {items_in(one)}  {words_of(one)}"
        )
    if len(named) > _MISTAKES:
        yield Text(f"{len(named) - _MISTAKES:>13,}  more mistakes by name", "dim")


def items_in(mistake: Mistake) -> str:
    """The items of a mistake, at most three."""
    more = len(mistake.items) - 3
    return ", ".join(mistake.items[:3]) + (f" and {more} more" if more > 0 else "")


def words_of(mistake: Mistake) -> str:
    """A mistake in one line: "`G.mean(0)`: a mean where a sum belongs"."""
    formula = f"`{mistake.formula}`" if mistake.formula else ""
    return one_line(": ".join(filter(None, (formula, mistake.name))), 200)


def shared_of(report: ClassReport) -> Iterator[Text]:
    """What several share, in words that accuse nobody."""
    for kind in report.compared:
        groups = summary.shared_of(report, kind)
        if groups:
            people = one_line(summary.several(groups[0].students, _SHARED), 200)
            many = f"{len(groups)} {plural(len(groups), 'group', 'groups')} of students"
            yield Text(f"{summary.SHARED[kind]} that {many} share, such as {people}")


def to_do(report: ClassReport) -> Iterator[Text]:
    """What to do next, one line each."""
    for said, people in summary.to_do(report):
        names = f": {summary.several(people, _SHARED)}" if people else ""
        yield Text.assemble(("- ", "dim"), one_line(f"{said}{names}", 300))
