"""`python -m benchmarks.training_lines --out FOLDER`: the lines of honest training that HW3's checks use.

The reference trains with many seeds of a student's own and keeps weights on the way, one run after the other.
From them come `hidden_tests/lines.json`, which losses and weights go together after so much training, and
`hidden_tests/likeness.npz`, what honest models have in common. Finished runs are kept in FOLDER: started
again, the command goes on. Its table says how far each run is from the line of all others.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import common_outputs
from benchmarks.commands import ROOT
from benchmarks.hidden_module import hidden
from benchmarks.honest_runs import Honest, Weights, as_recorded, kept_or_trained, plan, rounded
from grader.authoring.calibrate import versions
from grader.checks.training_line import TrainingLine, pooled

KEPT = ROOT / "hidden_tests" / "lines.json"
FEW = 8
ALONE = {"3.3.i", "3.4.i/0.7", "3.4.i/0.9"}
"""Settings whose covariance is their own; the others of a kind share one."""


def known_numbers(run: Honest, folder: Path) -> list[list[float]]:
    """The run's numbers, kept beside it for as long as the checks compute them in the same way."""
    sources = [(ROOT / "hidden_tests" / name).read_bytes() for name in ("lines.py", "trusted.py")]
    way = hashlib.sha256(b"".join(sources)).hexdigest()[:16]
    path = folder / f"{run.file}.numbers.json"
    if path.exists():
        kept = msgspec.json.decode(path.read_bytes(), type=tuple[str, list[list[float]]])
        if kept[0] == way:
            return kept[1]
    found = numbers_of(run, kept_or_trained(run, folder))
    path.write_bytes(msgspec.json.encode((way, found)))
    return found


def numbers_of(run: Honest, kept: Mapping[int, Weights]) -> list[list[float]]:
    """The line's numbers after the epochs or steps, as the checks compute them."""
    lines, trusted = hidden("lines"), hidden("trusted")
    if not run.setting.startswith("4.1"):
        newborn = kept.get(0) or trusted.NetworkRun.of(run.seed, epochs=0).newborn
        whole = kept.values() if run.setting == "3.3.i" else map(rounded, kept.values())
        by_epoch = dict(zip(kept, whole, strict=True))
        ends = [by_epoch[at] for at in run.at]
        return [lines.numbers(lines.NETWORK, measured_network(end), end, newborn) for end in ends]
    block, heads = int(run.setting.split("/")[1]), run.heads
    newborn = as_recorded(kept[0], heads)
    draws = np.random.default_rng(run.seed)
    found = []
    for at in run.at:
        weights = rounded(as_recorded(kept[at], heads))
        measured = {"validation": validation_loss(weights, block, heads, draws)}
        found.append(lines.numbers(lines.TRANSFORMER, measured, weights, newborn))
    return found


def measured_network(weights: Weights) -> dict[str, float]:
    """The training loss as the notebook sums it, and the share of relus that are on."""
    trusted = hidden("trusted")
    _, losses = trusted.counts_and_loss(weights, parts=("train",))
    return {"train": losses["train"], "active": trusted.active(weights)}


def validation_loss(weights: Weights, block: int, heads: int, draws: np.random.Generator) -> float:
    """The loss on as many pieces of the validation text as the checks draw."""
    trusted, wanted = hidden("trusted"), hidden("run_ends").DRAWN["validation"]
    starts = draws.integers(len(trusted.corpus()["validation"]) - block, size=wanted // block)
    pieces = trusted.pieces("validation", starts, block)
    return float(trusted.character_losses(weights, pieces, heads=heads).mean())


def lines_of(runs: Sequence[Honest], found: Mapping[Honest, list[list[float]]]) -> dict[str, TrainingLine]:
    """A line for each setting; settings of one kind share their covariance unless it is known to differ."""
    lines = hidden("lines")
    own = {}
    for setting in dict.fromkeys(run.setting for run in runs):
        names = lines.TRANSFORMER if setting.startswith("4.1") else lines.NETWORK
        mine = [run for run in runs if run.setting == setting]
        own[setting] = TrainingLine.of_runs(names, mine[0].at, np.array([found[run] for run in mine]))
    for kind in ("3.4.i", "4.1"):
        alike = [setting for setting in own if setting.startswith(kind) and setting not in ALONE]
        if not alike:
            continue
        own |= dict(zip(alike, map(_cautious, pooled([own[setting] for setting in alike])), strict=True))
    return own


def _cautious(line: TrainingLine) -> TrainingLine:
    """Of a few runs nobody can see whether they vary as the others do: their covariance counts twice."""
    return replace(line, covariances=2 * line.covariances) if line.runs < FEW else line


def write(lines: Mapping[str, TrainingLine]) -> None:
    """Keep the lines beside the checks."""
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": versions(),
        "runs": {setting: line.runs for setting, line in lines.items()},
        "lines": {setting: _short(line.as_data()) for setting, line in lines.items()},
    }
    KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=1) + b"\n")


def _short(value: Any) -> Any:
    """Numbers with nine digits: what follows says nothing."""
    if isinstance(value, dict):
        return {key: _short(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_short(entry) for entry in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


def show(runs: Sequence[Honest], found: Mapping[Honest, list[list[float]]], console: Console) -> int:
    """Print each line, and how far each run is from the line of all others; how many are off it."""
    table = Table("setting", "runs", "number", "mean", "sd", "bound", "furthest of all", "off")
    off = 0
    for setting, line in lines_of(runs, found).items():
        mine = [run for run in runs if run.setting == setting]
        apart = [
            lines_of([r for r in runs if r != run], found)[setting].distance(found[run][-1], run.at[-1])
            for run in mine
        ]
        beyond = sum(distance > line.bound() for distance in apart)
        off += beyond
        sds = np.sqrt(np.diag(line.covariances[-1]))
        for name, mean, sd in zip(line.names, line.means[-1], sds, strict=True):
            table.add_row(setting, str(line.runs), name, f"{mean:.4f}", f"{sd:.4f}")
        table.add_row("", "", "T^2", "", "", f"{line.bound():.1f}", f"{max(apart):.1f}", str(beyond))
    console.print(table)
    return off


def main() -> int:
    """Train what is missing, then write the lines; exit status 1 if an honest run is off its line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_lines", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder where finished runs are kept")
    parser.add_argument("--network", type=int, default=60, help="seeds without momentum (default 60)")
    parser.add_argument("--momentum", type=int, default=16, help="seeds of each other alpha (default 16)")
    parser.add_argument("--steep", type=int, default=30, help="seeds of alpha 0.7 and 0.9 (default 30)")
    parser.add_argument("--default", type=int, default=40, help="seeds of the first transformer (default 40)")
    parser.add_argument("--transformer", type=int, default=8, help="seeds of each other one (default 8)")
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args()
    console = Console()
    given.out.mkdir(parents=True, exist_ok=True)
    runs = plan(
        network=given.network,
        momentum=given.momentum,
        steep=given.steep,
        default=given.default,
        transformer=given.transformer,
    )
    found = {
        run: known_numbers(run, given.out)
        for run in track(runs, "honest runs", console=console, transient=True)
    }
    off = show(runs, found, console)
    if not given.check:
        write(lines_of(runs, found))
        common_outputs.make(runs, lambda run: kept_or_trained(run, given.out))
    return int(off > 0)


if __name__ == "__main__":
    sys.exit(main())
