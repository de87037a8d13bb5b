"""`python -m benchmarks [--quick]`: every figure with its bar, on this machine."""

from __future__ import annotations

import sys

from rich.console import Console

from benchmarks import commands, filter_cost, pytest_cost, sandbox, seeds, training
from benchmarks.measure import machine, show
from benchmarks.quiet import measured


def main() -> int:
    """Measure everything; exit status 1 when a figure misses its bar or could not be measured."""
    quick = "--quick" in sys.argv[1:]
    console = Console()
    console.print(f"[dim]{machine()}[/dim]")
    measures = [
        lambda: [commands.help_text(times=3 if quick else 15)],
        lambda: sandbox.latencies(times=200 if quick else 2000),
        lambda: filter_cost.cost(times=2 if quick else 7),
        lambda: pytest_cost.cost(times=5 if quick else 20),
        lambda: commands.full_marks(times=2 if quick else 7),
        lambda: seeds.scores(seeds=5 if quick else 100),
        *training.measures(quick=quick),
    ]
    with console.status("measuring"):
        return show(measured(measures), console)


if __name__ == "__main__":
    sys.exit(main())
