"""The figures as Markdown tables for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.peers.measured import Mode


def table(title: str, modes: Sequence[Mode], *, rounds: int) -> str:
    """Every mode's medians, and the ratios that matter."""
    lines = [
        f"### {title}",
        "",
        "| tool | how | notebooks | seconds | notebooks per minute | cores busy | load before |",
        "|---|---|---|---|---|---|---|",
        *(row(mode) for mode in modes),
        "",
        f"Medians of {rounds}, in turns.",
        "",
        *(f"- {line}" for line in ratios(modes)),
        "",
        *scores(modes),
    ]
    return "\n".join(lines) + "\n"


def row(mode: Mode) -> str:
    """One mode's line."""
    median = mode.median
    spread = f" ({min(run.wall for run in mode.taken):.1f} to {max(run.wall for run in mode.taken):.1f})"
    wall = f"{median.wall:.1f}{spread if len(mode.taken) > 1 else ''}"
    rate = "ended" if median.was_ended else f"{mode.per_minute:.1f}"
    machine = (f"{median.busy:.2f}", f"{median.load:.1f}")
    cells = (mode.tool, mode.how, mode.notebooks, wall, rate, *machine)
    return f"| {' | '.join(map(str, cells))} |"


def ratios(modes: Sequence[Mode]) -> Iterator[str]:
    """Notebooks per minute over those of the others, and the wall time over the floor's."""
    ours = [mode for mode in modes if mode.tool == "Chainrule"]
    for mine in ours:
        if mine.how == "two processes":
            for theirs in modes:
                if theirs.tool in {"nbgrader", "otter"}:
                    times = mine.per_minute / theirs.per_minute
                    who = f"Chainrule, two workers, {mine.notebooks} notebooks"
                    yield f"{who}: {times:.1f} times {theirs.tool}, {theirs.how}"
        for floor in modes:
            same = (floor.how, floor.notebooks) == (mine.how, mine.notebooks)
            if floor.tool == "bare fork" and same:
                times = mine.median.wall / floor.median.wall
                yield f"Chainrule, {mine.how}: {times:.2f} times the bare fork's wall time"


def scores(modes: Sequence[Mode]) -> Iterator[str]:
    """Whose scores were the deserved ones, and where not."""
    told: set[tuple[str, tuple[str, ...]]] = set()
    for mode in modes:
        found = (mode.tool, tuple(mode.unlike))
        if mode.tool == "bare fork" or found in told:
            continue
        told.add(found)
        yield f"{mode.tool}: {'; '.join(mode.unlike) or 'every score is the deserved one'}."


def endless(modes: Sequence[Mode]) -> str:
    """What a notebook that never ends takes each tool."""
    lines = ["### A notebook whose loop never ends", ""]
    for mode in modes:
        (taken,) = mode.taken
        ended = "had not ended after" if taken.was_ended else "took"
        lines.append(
            f"- {mode.tool} {ended} {taken.wall:.0f} s; {next(iter(mode.unlike), 'the deserved score')}"
        )
    return "\n".join(lines) + "\n"
