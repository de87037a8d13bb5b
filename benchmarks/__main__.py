"""`python -m benchmarks [--quick]`: every figure with its bar, on this machine."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from benchmarks import commands, filter_cost, pytest_cost, sandbox, seeds
from benchmarks.measure import Figure, machine


def main() -> int:
    """Measure everything; exit status 1 when a figure is over its bar."""
    quick = "--quick" in sys.argv[1:]
    console = Console()
    console.print(f"[dim]{machine()}[/dim]")
    figures: list[Figure] = []
    for measure in (
        lambda: [commands.help_text(times=3 if quick else 15)],
        lambda: sandbox.latencies(times=200 if quick else 2000),
        lambda: filter_cost.cost(times=2 if quick else 7),
        lambda: pytest_cost.cost(times=5 if quick else 20),
        lambda: commands.full_marks(times=2 if quick else 7),
        lambda: seeds.scores(seeds=5 if quick else 100),
    ):
        with console.status("measuring"):
            figures += measure()
    table = Table("figure", "value", "bar", "", "how")
    for figure in figures:
        bar = "" if figure.at_most is None else f"at most {figure.at_most:g}"
        table.add_row(figure.what, f"{figure.value:.3g} {figure.unit}", bar, figure.verdict, figure.note)
    console.print(table)
    return int(any(figure.verdict == "OVER" for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
