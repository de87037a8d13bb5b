"""`python -m benchmarks.forgeries --out FOLDER`: forged evidence of training, and what becomes of it.

FOLDER holds honest runs (`python -m benchmarks.training_lines`): the class. Two campaigns: forgeries of 3.3.i
that cost less than a fifth of honest training, and ones at any cost below it that begin from the run of
somebody in the class. Each has a strategy (`benchmarks.forgers`), parameters and a seed of its own, drawn
from its number. It is awarded if HW3's checks find its last epoch on the line of honest training (the forger
is taken to have made all else right: the first losses, the curves and their noise), and named if one of its
sketches is like the classmate's. Results are kept in FOLDER: started again, the command goes on. Cost is
counted in steps of plain code; honest training is 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import forgers
from benchmarks.forgers import HONEST_EPOCHS, Strategy, Workshop
from benchmarks.hidden_module import hidden
from benchmarks.honest_runs import Honest, Weights
from grader.checks.likeness import likeness, unsketch
from reference.fast.network import Examples

CHEAP, DEAREST = 0.2, 0.9
LAST_EPOCH = 1 / HONEST_EPOCHS
"""What repeating the last epoch costs: without it the forger does not know where the curves end."""


class Forgery(msgspec.Struct, frozen=True):
    """One forgery, its cost beside honest training, and what became of it.

    ``distance`` is T^2 from the line. ``alike`` and ``neurons`` are the likenesses of outputs and of neurons
    to the nearest of two classmates.
    """

    campaign: str
    number: int
    strategy: str
    cost: float
    distance: float
    awarded: bool
    alike: float
    named: bool
    neurons: float = 0.0


class Class:
    """The honest runs that forgers begin from, and what they are judged by."""

    def __init__(self, folder: Path) -> None:
        trusted = hidden("trusted")
        images, labels = trusted.pictures()["train"]
        self.train = Examples(images / 255.0, labels)
        files = {seed: folder / Honest("3.3.i", seed).file for seed in range(1, 1000)}
        self.seeds = [seed for seed, path in files.items() if path.exists()]
        self.files = [files[seed] for seed in self.seeds]
        if len(self.files) < 2:  # two friends
            raise FileNotFoundError(f"{folder} holds no honest runs: python -m benchmarks.training_lines")
        line = hidden("lines").lines()["3.3.i"]
        means = dict(zip(line.names, line.means[-1].tolist(), strict=True))
        self.target = {"clock": means["clock L1.W"], "L1.W": means["size L1.W"], "L2.W": means["size L2.W"]}

    def weights(self, place: int, epoch: int) -> Weights:
        """A classmate's weights after this epoch."""
        with np.load(self.files[place], allow_pickle=False) as file:
            return {
                name: file[f"{epoch}/{name}"].astype(np.float64) for name in ("L1.W", "L1.b", "L2.W", "L2.b")
            }


def forge(campaign: str, number: int, strategies: Sequence[Strategy], own: Class) -> Forgery:
    """Make and judge a forgery; all of it follows from the campaign and the number."""
    random = np.random.default_rng([number, len(campaign)])
    strategy = strategies[number % len(strategies)]
    seed = 10_000 + number
    run = hidden("trusted").NetworkRun.of(seed, epochs=HONEST_EPOCHS)
    friend, other = random.choice(len(own.files), 2, replace=False)
    most = CHEAP if campaign == "cheap" else random.uniform(0.1, DEAREST)
    shop = Workshop(
        random=random,
        train=own.train,
        newborn=run.newborn,
        friend=own.weights(friend, 29),
        friends_birth=own.weights(friend, 0),
        other_friend=own.weights(other, 29),
        target=own.target,
        affordable=(most - LAST_EPOCH) * HONEST_EPOCHS - 1e-6,
    )
    before = strategy(shop)
    distance, awarded = judged(before, run)
    sketched = hidden("likeness")
    mine = sketches(before, seed)
    classmates = ((shop.friend, friend), (shop.other_friend, other))
    both = [alike_by(mine, sketches(weights, own.seeds[place])) for weights, place in classmates]
    alike, neurons = np.max(both, axis=0).tolist()
    return Forgery(
        campaign=campaign,
        number=number,
        strategy=strategy.__name__,
        cost=shop.spent / HONEST_EPOCHS + LAST_EPOCH,
        distance=distance,
        awarded=awarded,
        alike=alike,
        named=alike >= sketched.LEAST or neurons >= sketched.LEAST_OF_NEURONS,
        neurons=neurons,
    )


def judged(before: Weights, run: Any) -> tuple[float, bool]:
    """T^2 of the weights after the last epoch, and whether HW3's check leaves nobody to look at them."""
    trusted, lines = hidden("trusted"), hidden("lines")
    kept = {name: value.astype(np.float32) for name, value in before.items()}
    after = trusted.next_epoch(kept, run, HONEST_EPOCHS - 1, rate=0.01)
    measured = {
        "train": trusted.counts_and_loss(after, parts=("train",))[1]["train"],
        "active": trusted.active(after),
    }
    line = lines.lines()["3.3.i"]
    distance = line.distance(lines.numbers(line.names, measured, after, run.newborn), HONEST_EPOCHS)
    return distance, not lines.off_the_line("3.3.i", measured, after, run.newborn, HONEST_EPOCHS)


def sketches(weights: Weights, seed: int) -> tuple[str, str]:
    """Both sketches of a network with a recorded seed: of its outputs and of its neurons."""
    sketched = hidden("likeness")
    return sketched.sketch_of_network(weights), sketched.neurons_of_network(weights, seed)


def alike_by(mine: Sequence[str], theirs: Sequence[str]) -> list[float]:
    """The likenesses of two networks' sketches, each 0 where one has none."""
    pairs = [(unsketch(first), unsketch(second)) for first, second in zip(mine, theirs, strict=True)]
    return [0.0 if a is None or b is None else likeness(a, b) for a, b in pairs]


def made(folder: Path, cheap: int, friends: int, console: Console) -> list[Forgery]:
    """All forgeries of both campaigns, those that were kept and those that are made now."""
    path = folder / "forgeries.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    found = {(one.campaign, one.number): one for one in msgspec_lines(lines)}
    own = Class(folder)
    plan = [
        *(("cheap", number, (*forgers.ALONE, forgers.distilled)) for number in range(cheap)),
        *(("from a classmate", number, forgers.FROM_FRIEND) for number in range(friends)),
    ]
    wanted = [one for one in plan if one[:2] not in found]
    with path.open("ab") as file:
        for campaign, number, strategies in track(wanted, "forgeries", console=console, transient=True):
            one = forge(campaign, number, strategies, own)
            file.write(msgspec.json.encode(one) + b"\n")
            file.flush()
            found[campaign, number] = one
    return [found[key] for campaign, number, _ in plan if (key := (campaign, number)) in found]


def msgspec_lines(lines: Iterable[bytes]) -> list[Forgery]:
    """The forgeries in these lines; one that was cut short is made again."""
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Forgery))
        except msgspec.DecodeError:
            continue
    return found


def show(found: Sequence[Forgery], console: Console) -> None:
    """Print what became of the forgeries, by campaign and strategy."""
    table = Table("campaign", "strategy", "forged", "cost", "nearest", "awarded", "named", "neither")
    groups: dict[tuple[str, str], list[Forgery]] = {}
    for one in found:
        groups.setdefault((one.campaign, one.strategy), []).append(one)
        groups.setdefault((one.campaign, "all"), []).append(one)
    for (campaign, strategy), some in sorted(groups.items()):
        costs = [one.cost for one in some]
        table.add_row(
            campaign,
            strategy,
            str(len(some)),
            f"{min(costs):.2f} to {max(costs):.2f}",
            f"{min(one.distance for one in some):.1f}",
            str(sum(one.awarded for one in some)),
            str(sum(one.named for one in some)),
            str(sum(one.awarded and not one.named for one in some)),
        )
    console.print(table)


def main() -> int:
    """Make and judge all forgeries; exit status 1 if one that is not named was awarded below a fifth."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forgeries", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder with the honest runs")
    parser.add_argument("--cheap", type=int, default=1000, help="forgeries below a fifth (default 1000)")
    parser.add_argument("--friends", type=int, default=200, help="... from a classmate's run (default 200)")
    given = parser.parse_args()
    console = Console()
    try:
        found = made(given.out, given.cheap, given.friends, console)
    except FileNotFoundError as why:
        console.print(f"[red]{why}[/red]", soft_wrap=True)
        return 2
    show(found, console)
    return int(any(one.awarded and one.cost < CHEAP for one in found))


if __name__ == "__main__":
    sys.exit(main())
