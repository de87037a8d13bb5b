"""`python -m benchmarks.evidence_bounds --out FOLDER`: how near an honest student comes to HW3's bounds.

The reference is trained in full with many seeds of a student's own; from each run come the statistics that
`hidden_tests/conftest.py` holds against its numbers. A number that an honest recording would miss with a
probability of more than 1e-4 fails this command. What was found is written to
`hidden_tests/evidence.calibration.json`, unless `--item` left some out. Finished runs are kept in FOLDER:
started again, it goes on.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from benchmarks.evidence_statistics import (
    HIDDEN,
    LOOKS,
    Name,
    Seen,
    Statistics,
    missed,
    numbers_digest,
    smoothed,
    used,
)
from benchmarks.tolerance import CONFIDENCE, NoLimitError, lower_limit
from grader.authoring.calibrate import QUANTILES, versions
from grader.checks.tails import unseen_rate
from grader.digests import digest_of_file
from grader.model.calibration import RISK, SCHEMA, Calibration, CalibrationFile, Side, encode
from grader.model.errors import CalibrationError
from reference.fast import settings
from reference.fast.pool import finish
from reference.fast.settings import Run
from reference.fast.store import Store, examine

KEPT = HIDDEN / "evidence.calibration.json"


def runs_of(item: str, seed: int, *, examples: int) -> dict[Name, Run]:
    """An item's runs with a student's own seed."""
    own = settings.parameters() | {"SEED": seed, "TRANSFORMER_SEED": seed}
    plan = settings.plan(own, examples=examples)
    beginning, _ = LOOKS[item]
    return {name: run for name, run in plan.items() if name[: len(beginning)] == beginning}


def trained(runs: Sequence[Run], store: Store, *, console: Console) -> dict[Run, dict[str, Any]]:
    """The histories of all runs, those that were kept and those that are trained now."""
    known = {run: history for run in runs if (history := store.load(run)) is not None}
    # Of runs that cost the same the last begins first: so seed 1 does, and fewer seeds may do in the end.
    wanted = [run for run in reversed(runs) if run not in known]
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=len(runs), completed=len(known))
        for run, history, seconds in finished(wanted, store):
            store.keep(run, history, seconds)
            known[run] = history
            progress.advance(bar)
    return known


def finished(runs: Sequence[Run], store: Store) -> Iterator[tuple[Run, dict[str, Any], float]]:
    """Each run as it ends. Raises CalibrationError for one that goes wrong."""
    processes = len(os.sched_getaffinity(0))
    for one in finish(
        runs, where=store.data.where, device=store.device, at_once=processes, heard=lambda *_: None
    ):
        if one.history is None:
            raise CalibrationError(f"{one.run.label}: {one.problem}")
        yield one.run, one.history, one.seconds


def bounds_of(item: str, seen: Sequence[Statistics]) -> Iterator[Calibration | str]:
    """The bound that each statistic supports, or in words why it supports none."""
    for name in seen[0]:
        values = [one[name] for one in seen]
        try:
            yield bound_of(item, name, values, risk=RISK / len(seen[0]))
        except NoLimitError as why:
            yield f"{item}: {name}: {why}"


def bound_of(item: str, name: str, seen: Sequence[Seen], *, risk: float) -> Calibration:
    """One statistic's bound with its evidence. Raises NoLimitError."""
    limit = lower_limit([one.as_law for one in seen], risk=risk)
    values = np.array([one.value for one in seen])
    return Calibration(
        check=item,
        statistic=name,
        side=seen[0].side,
        bound=seen[0].back(limit),
        risk=risk,
        confidence=CONFIDENCE,
        assumption=f"{'its logarithm' if seen[0].scale else 'it'} is normally distributed over seeds",
        values=len(seen),
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)),
        quantiles={f"{q:g}": float(np.quantile(values, q)) for q in QUANTILES},
        unseen=unseen_rate(len(seen)),
    )


def keeps(bound: Calibration) -> bool:
    """Whether the number in the checks is no stricter than what the seeds support."""
    number = used(bound.check, bound.statistic)
    return number <= bound.bound if bound.side is Side.LEAST else number >= bound.bound


def show(item: str, found: Sequence[Calibration | str], console: Console) -> bool:
    """Print an item's table; whether every number in the checks keeps its promise."""
    table = Table(f"{item}: bound", "used", "1e-4 in all", "seeds", "least", "median", "most", "")
    right = True
    for bound in found:
        if isinstance(bound, str):
            console.print(bound, markup=False)
            continue
        kept = keeps(bound)
        right &= kept
        seen = (f"{bound.quantiles[q]:.4g}" for q in ("0", "0.5", "1"))
        verdict = "ok" if kept else "[red]too strict[/red]"
        table.add_row(
            bound.statistic,
            f"{used(item, bound.statistic):g}",
            f"{bound.bound:.4g}",
            str(bound.values),
            *seen,
            verdict,
        )
    console.print(table)
    return right


def write(found: Sequence[Calibration], *, seeds: int) -> None:
    """Keep the evidence beside the checks, in the form that `grade calibrate` writes."""
    kept = CalibrationFile(
        schema=SCHEMA,
        reference=digest_of_file(HIDDEN / "reference_curves.json"),
        checks=numbers_digest(),
        seeds=seeds,
        date=datetime.now(UTC).date().isoformat(),
        versions=versions(),
        bounds=tuple(found),
    )
    KEPT.write_bytes(encode(kept))


def measured(item: str, store: Store, *, seeds: int, console: Console) -> tuple[list[Calibration], bool]:
    """Train, look and print for one item: its bounds, and whether the numbers in the checks keep them."""
    plans = [runs_of(item, seed, examples=store.data.examples) for seed in range(1, seeds + 1)]
    histories = trained([run for plan in plans for run in plan.values()], store, console=console)
    recordings = [{name: histories[run] for name, run in plan.items()} for plan in plans]
    _, look = LOOKS[item]
    seen = [look(recording) for recording in recordings]
    bounds = list(bounds_of(item, seen))
    right = show(item, bounds, console)
    if any(one.scale for one in seen[0].values()):
        caught = sum(bool(missed(item, look(smoothed(recording)))) for recording in recordings)
        console.print(f"refused after smoothing over three values: {caught} of {len(recordings)}")
    return [bound for bound in bounds if isinstance(bound, Calibration)], right


def main() -> int:
    """Measure every item; exit status 1 when a number in the checks is too strict."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence_bounds", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder where finished runs are kept")
    parser.add_argument("--data", default="full", help='"full" (see reference/utils.py) or a folder')
    parser.add_argument("--seeds", type=int, default=60, help="the network's, 1, 2, ... (default 60)")
    parser.add_argument("--transformer-seeds", type=int, default=40, help="the transformer's (default 40)")
    parser.add_argument(
        "--item", action="append", choices=list(LOOKS), help="this one alone; may be repeated"
    )
    given = parser.parse_args()
    console = Console()
    right, found = True, []
    try:
        store = Store(given.out, examine(given.data), "cpu")
        for item in given.item or list(LOOKS):
            seeds = given.transformer_seeds if item.startswith("4.1") else given.seeds
            bounds, kept = measured(item, store, seeds=seeds, console=console)
            found += bounds
            right &= kept
    except (CalibrationError, FileNotFoundError) as why:
        console.print(f"[red]{why}[/red]", soft_wrap=True)
        return 2
    if not given.item:
        write(found, seeds=max(given.seeds, given.transformer_seeds))
    return int(not right)


if __name__ == "__main__":
    sys.exit(main())
