"""Every training run of the homework, on all cores or a GPU. Started again, it resumes."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from reference.fast import homework, settings
from reference.fast.network import stops_at
from reference.fast.pool import finish
from reference.fast.settings import NetworkRun, Run
from reference.fast.store import Data, Store, examine, replace

Name = tuple[str, ...]
INTERRUPTED = 130


class CannotRun(Exception):
    """What keeps the command from running, and what to do about it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status is 1 if a run fails or a number is not the homework's."""
    options = parser().parse_args(arguments)
    console = Console()
    try:
        return _command(options, console)
    except (CannotRun, FileNotFoundError) as error:
        console.print(f"[red]{error}[/red]", soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on with the runs that are not finished")
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    command = argparse.ArgumentParser(prog="python -m reference.fast", description=__doc__)
    command.add_argument(
        "--data", help='"full" (see reference/utils.py), "subset", or a folder with the full data'
    )
    command.add_argument("--out", type=Path, required=True, help="the folder where finished runs are kept")
    command.add_argument(
        "--only", action="append", metavar="NAME", help="network, transformer, batch_runs, ..."
    )
    command.add_argument("--jobs", type=int, default=_cores(), help="runs at once (default: the cores)")
    command.add_argument(
        "--device", choices=["cpu", "cuda"], help="for the transformers (default: a GPU if any)"
    )
    command.add_argument(
        "--quick", action="store_true", help="the few steps on the small data that grading takes"
    )
    return command


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _command(options: argparse.Namespace, console: Console) -> int:
    values = settings.parameters() | (settings.budget() if options.quick else {})
    data = examine(options.data or values["DATA"])
    plan = _chosen(settings.plan(values, examples=data.examples), options.only)
    store = Store(options.out, data, _device(plan, options.device))
    results, problems = _train(plan, store, at_once=max(1, options.jobs), console=console)
    for problem in problems:
        console.print(f"[red]{problem}[/red]", soft_wrap=True)
    if "early_run" in {name[0] for name in results}:
        early = results["early_run",]
        results["early_run",] = early | {"stopped_at": stops_at(early["validation"], values["PATIENCE"])}
    replace(options.out / "results.json", json.dumps(_nested(results), indent=1))
    agrees = True
    if _is_the_homework(values, data):
        agrees = _compare(results, console)
    return int(bool(problems) or not agrees)


def _is_the_homework(values: Mapping[str, Any], data: Data) -> bool:
    """Whether the homework's numbers apply to these runs: not with a budget, not on the small data."""
    return values == settings.parameters() and data.where != "subset"


def _chosen(plan: dict[Name, Run], only: Sequence[str] | None) -> dict[Name, Run]:
    if only is None:
        return plan
    kinds = {name: "network" if isinstance(run, NetworkRun) else "transformer" for name, run in plan.items()}
    known = {*kinds.values(), *(name[0] for name in plan), *("/".join(name) for name in plan)}
    if unknown := set(only) - known:
        raise CannotRun(f"there is no run {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    return {name: run for name, run in plan.items() if {kinds[name], name[0], "/".join(name)} & set(only)}


def _device(plan: Mapping[Name, Run], asked: str | None) -> str:
    if all(isinstance(run, NetworkRun) for run in plan.values()):
        return "cpu"
    if importlib.util.find_spec("torch") is None:
        raise CannotRun(
            "the transformers need PyTorch: pip install torch, or leave them out with --only network"
        )
    if asked == "cpu":
        return asked
    import torch  # noqa: PLC0415  # half a second that the other runs need not wait

    if asked == "cuda" and not torch.cuda.is_available():
        raise CannotRun("--device cuda: torch finds no GPU here; leave the option out to use the processor")
    return "cuda" if torch.cuda.is_available() else "cpu"


def _train(
    plan: Mapping[Name, Run], store: Store, *, at_once: int, console: Console
) -> tuple[dict[Name, dict[str, Any]], list[str]]:
    """The history of each run by its name, and one line per failed run."""
    histories = {run: history for run in set(plan.values()) if (history := store.load(run)) is not None}
    wanted = sorted(set(plan.values()) - set(histories), key=lambda run: run.label)
    if histories:
        console.print(f"{len(histories)} runs were finished before")
    problems = []
    with _Bars(console, len(wanted) + len(histories), len(histories)) as bars:
        where, device = store.data.where, store.device
        for finished in finish(wanted, where=where, device=device, at_once=at_once, heard=bars.heard):
            if finished.history is None:
                problems.append(f"{finished.run.label}: {finished.problem}")
            else:
                store.keep(finished.run, finished.history, finished.seconds)
                histories[finished.run] = finished.history
            bars.ended(finished.run, finished.seconds)
    return {name: histories[run] for name, run in plan.items() if run in histories}, problems


class _Bars:
    """One bar for all runs and one per running one; in a log, one line per finished run."""

    def __init__(self, console: Console, total: int, done: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._all = self._progress.add_task("all runs", total=total, completed=done)
        self._each: dict[Run, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def heard(self, run: Run, done: int, most: int) -> None:
        """Show how far a run is."""
        if run not in self._each:
            self._each[run] = self._progress.add_task(run.label, total=most)
        self._progress.update(self._each[run], completed=done)

    def ended(self, run: Run, seconds: float) -> None:
        """Replace the run's bar by a line."""
        if run in self._each:
            self._progress.remove_task(self._each.pop(run))
        self._progress.console.print(f"{run.label}: {seconds:.1f} s")
        self._progress.advance(self._all)


def _nested(results: Mapping[Name, dict[str, Any]]) -> dict[str, Any]:
    """The results under the notebook's names: ``batch_runs`` holds one for each size."""
    nested: dict[str, Any] = {}
    for name, history in results.items():
        if len(name) == 1:
            nested[name[0]] = history
        else:
            nested.setdefault(name[0], {})[name[1]] = history
    return nested


def _compare(results: Mapping[Name, dict[str, Any]], console: Console) -> bool:
    table = Table("", "homework", "found", "")
    lines = list(homework.compare(results))
    for line in lines:
        table.add_row(line.what, line.expected, line.found, "" if line.agrees else "[red]differs[/red]")
    console.print(table)
    return all(line.agrees for line in lines)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be ended is to be interrupted
    sys.exit(main())
