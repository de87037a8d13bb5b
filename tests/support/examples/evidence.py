"""Recorded evidence that is not what it says: each is the full-marks notebook's own, changed in one way.

They are made when they are graded, from ``examples/full_marks/hw3.ipynb``, with the code cells that the
item's part of the homework needs. A function changes the recordings, which it is given by their items.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from grader.inside.media_types import EVIDENCE

from ..paths import FULL_MARKS, ROOT
from ..reference_files import load

MACBETH = ROOT / "reference" / "data" / "macbeth.txt"
SHAKESPEARE = ROOT / "reference" / "data" / "tinyshakespeare.txt"

EARLY, MOMENTUM, TEXTS, LOSS, BLOCKS, HEADS = (
    "3.3.i",
    "3.4.i",
    "4.1.i.generation",
    "4.1.ii",
    "4.1.iii.curves",
    "4.1.iv.curves",
)
EXPERIMENTS = {TEXTS: "default_run", LOSS: "default_run", BLOCKS: "block_runs", HEADS: "head_runs"}
NOT_NEEDED = ("check(", "batch_runs", "first_run =", "magnitude_checker")

Json = dict[str, Any]
Change = Callable[[dict[str, Json]], object]
WRONG: dict[str, Callable[[Path], object]] = {}
"""The recipe of each example by its name."""
ITEMS: dict[str, str] = {}
"""The item that it loses."""


def wrong(item: str, *, code: tuple[str, str] = ("", "")) -> Callable[[Change], Change]:
    """The function below makes an example, of the function's name, in which ``item`` loses its points.

    ``code`` is a text of the notebook's and what it becomes after the run.
    """

    def enter(change: Change) -> Change:
        def write(path: Path) -> None:
            notebook = json.loads(FULL_MARKS.read_text(encoding="utf-8"))
            notebook["cells"] = needed_cells(notebook["cells"], item)
            change_recordings(notebook["cells"], change)
            for cell in notebook["cells"]:
                cell["source"] = "".join(cell["source"]).replace(*code)
            path.write_text(json.dumps(notebook), encoding="utf-8")

        WRONG[change.__name__], ITEMS[change.__name__] = write, item
        return change

    return enter


def needed_cells(cells: Sequence[Json], item: str) -> list[Json]:
    """The prose, and the code that this item's runs need."""
    part_4 = next(at for at, cell in enumerate(cells) if "import torch\n" in "".join(cell["source"]))
    if item in EXPERIMENTS:
        others = tuple(name for name in EXPERIMENTS.values() if name != EXPERIMENTS[item])
        unwanted = [others if at >= part_4 else ("",) for at in range(len(cells))]
    else:
        unwanted = [NOT_NEEDED if at < part_4 else ("",) for at in range(len(cells))]
    kept = []
    for cell, names in zip(cells, unwanted, strict=True):
        source = "".join(cell["source"])
        always = cell["cell_type"] == "markdown" or cell["metadata"].get("tags") or "import numpy" in source
        if always or not any(name in source for name in names):
            kept.append(cell)
    return kept


def change_recordings(cells: Sequence[Json], change: Change) -> None:
    """Let ``change`` have the recordings by their items. What it takes away is gone, with its figure."""
    outputs = [
        output for cell in cells for output in cell.get("outputs", ()) if EVIDENCE in output.get("data", {})
    ]
    found = {output["data"].pop(EVIDENCE)["item"]: None for output in copy.deepcopy(outputs)}
    recordings = dict(zip(found, (output["data"][EVIDENCE] for output in outputs), strict=True))
    homes = dict(zip(found, outputs, strict=True))
    change(recordings)
    for item, output in homes.items():
        if item in recordings:
            output["data"][EVIDENCE] = recordings[item]
        else:
            output["data"] = {}
    if (second := recordings.get("second")) is not None:
        home = next(cell for cell in cells if homes[second["item"]] in cell.get("outputs", ()))
        home["outputs"].append({"output_type": "display_data", "metadata": {}, "data": {EVIDENCE: second}})


def data(recordings: dict[str, Json], item: str) -> Json:
    """What an item's recording holds."""
    held: Json = recordings[item]["data"]
    return held


def runs(recordings: dict[str, Json], item: str) -> Json:
    """The runs of an item by their labels."""
    held: Json = data(recordings, item)["runs"]
    return held


def smoothed(values: Sequence[float]) -> list[float]:
    """Each value's mean with its two neighbours; the ends stay."""
    inner = np.convolve(values, np.ones(3) / 3, mode="valid").tolist()
    return [values[0], *inner, values[-1]]


def invented(steps: Sequence[float], first: float, last: float) -> np.ndarray:
    """A curve as somebody imagines it: falling from ``first`` to ``last``, ever more slowly."""
    return last + (first - last) * np.exp(-6 * (np.array(steps) / steps[-1]) ** 0.5)


def full_recordings() -> dict[str, Json]:
    """All recordings of the full-marks notebook."""
    cells = json.loads(FULL_MARKS.read_text(encoding="utf-8"))["cells"]
    outputs = [output["data"] for cell in cells for output in cell.get("outputs", ()) if "data" in output]
    return {held[EVIDENCE]["item"]: held[EVIDENCE] for held in outputs if EVIDENCE in held}


# -- 3.3.i ---------------------------------------------------------------------------------------------------


@wrong(EARLY)
def evidence_stop_epoch_moved(found: dict[str, Json]) -> None:
    data(found, EARLY)["stopped_at"] -= 3


@wrong(EARLY)
def evidence_validation_is_training(found: dict[str, Json]) -> None:
    held = data(found, EARLY)
    held |= {"train": held["validation"], "test": held["test"]}


@wrong(EARLY)
def evidence_curves_reversed(found: dict[str, Json]) -> None:
    held = data(found, EARLY)
    held |= {name: held[name][::-1] for name in ("train", "test", "loss")}


@wrong(EARLY)
def evidence_truncated(found: dict[str, Json]) -> None:
    held = data(found, EARLY)
    held |= {name: held[name][:20] for name in ("train", "validation", "test", "loss")}


@wrong(EARLY)
def evidence_seed_relabelled(found: dict[str, Json]) -> None:
    found[EARLY]["parameters"]["SEED"] = 43
    found[MOMENTUM]["parameters"]["SEED"] = 43


@wrong(EARLY)
def evidence_accuracies_smoothed(found: dict[str, Json]) -> None:
    data(found, EARLY)["test"] = smoothed(data(found, EARLY)["test"])


@wrong(EARLY)
def evidence_of_another_version(found: dict[str, Json]) -> None:
    found[EARLY]["format"] = "chainrule.evidence/0"


@wrong(EARLY)
def evidence_without_first_steps(found: dict[str, Json]) -> None:
    del data(found, EARLY)["first_steps"]


@wrong(EARLY)
def evidence_without_weights(found: dict[str, Json]) -> None:
    del data(found, EARLY)["weights"]


# -- 3.4.i ---------------------------------------------------------------------------------------------------


@wrong(MOMENTUM)
def evidence_alphas_swapped(found: dict[str, Json]) -> None:
    held = runs(found, MOMENTUM)
    held["0.1"], held["0.9"] = held["0.9"], held["0.1"]


@wrong(MOMENTUM)
def evidence_tail_of_another_alpha(found: dict[str, Json]) -> None:
    held = runs(found, MOMENTUM)
    held["0.5"] |= {name: [*held["0.5"][name][:2], *held["0.7"][name][2:]] for name in ("loss", "validation")}


@wrong(MOMENTUM)
def evidence_losses_smoothed(found: dict[str, Json]) -> None:
    for run in runs(found, MOMENTUM).values():
        run["loss"] = smoothed(run["loss"])


@wrong(MOMENTUM)
def evidence_losses_scaled(found: dict[str, Json]) -> None:
    for run in runs(found, MOMENTUM).values():
        run["loss"] = [0.9 * value for value in run["loss"]]


@wrong(MOMENTUM)
def evidence_exponential(found: dict[str, Json]) -> None:
    for run in runs(found, MOMENTUM).values():
        run["loss"] = invented(range(20), run["loss"][0], run["loss"][-1]).tolist()


@wrong(MOMENTUM)
def evidence_with_nan(found: dict[str, Json]) -> None:
    runs(found, MOMENTUM)["0.9"]["loss"][7] = "NaN"


@wrong(MOMENTUM)
def evidence_of_the_wrong_item(found: dict[str, Json]) -> None:
    found[MOMENTUM] = {**found[EARLY], "run": "0" * 32}


@wrong(MOMENTUM)
def evidence_label_missing(found: dict[str, Json]) -> None:
    del runs(found, MOMENTUM)["0.3"]


@wrong(MOMENTUM)
def evidence_twice_and_different(found: dict[str, Json]) -> None:
    found["second"] = copy.deepcopy(found[MOMENTUM])
    runs(found, "second")["0.1"]["loss"][3] += 0.01


@wrong(MOMENTUM)
def evidence_weights_of_another_alpha(found: dict[str, Json]) -> None:
    held = runs(found, MOMENTUM)
    held["0.1"]["weights"] = held["0.9"]["weights"]


@wrong(MOMENTUM, code=("v = alpha * velocity[name, key] +", "v = 0.5 * alpha * velocity[name, key] +"))
def evidence_of_other_code(found: dict[str, Json]) -> None:
    """The recordings stay; the notebook's momentum is another one than that which made them."""


# -- 4.1 -----------------------------------------------------------------------------------------------------


@wrong(TEXTS)
def evidence_before_and_after_swapped(found: dict[str, Json]) -> None:
    held = data(found, TEXTS)
    held["before"], held["after"] = held["after"], held["before"]


@wrong(TEXTS)
def evidence_after_is_the_play(found: dict[str, Json]) -> None:
    data(found, TEXTS)["after"] = MACBETH.read_text(encoding="utf-8")[20_000:20_500]


@wrong(TEXTS)
def evidence_after_is_from_the_training_text(found: dict[str, Json]) -> None:
    data(found, TEXTS)["after"] = SHAKESPEARE.read_text(encoding="utf-8")[50_000:50_500]


@wrong(TEXTS)
def evidence_after_is_random_letters(found: dict[str, Json]) -> None:
    letters = list("abcdefghijklmnopqrstuvwxyz \n")
    data(found, TEXTS)["after"] = "".join(np.random.default_rng(1).choice(letters, 500))


@wrong(TEXTS)
def evidence_after_is_of_block_2(found: dict[str, Json]) -> None:
    """The text of a model that sees two characters, as the one that sees 32 would have written it."""
    data(found, TEXTS)["after"] = runs(full_recordings(), BLOCKS)["2"]["text"]


@wrong(LOSS)
def evidence_missing(found: dict[str, Json]) -> None:
    del found[LOSS]


@wrong(LOSS)
def evidence_block_16_for_32(found: dict[str, Json]) -> None:
    found[LOSS]["data"] = runs(full_recordings(), BLOCKS)["16"]


@wrong(LOSS)
def evidence_tail_of_block_16(found: dict[str, Json]) -> None:
    other = runs(full_recordings(), BLOCKS)["16"]
    held = data(found, LOSS)
    held |= {name: [held[name][0], *other[name][1:]] for name in ("train_loss", "val_loss")}


@wrong(LOSS)
def evidence_transformer_losses_smoothed(found: dict[str, Json]) -> None:
    held = data(found, LOSS)
    held |= {name: [held[name][0], *smoothed(held[name][1:])] for name in ("train_loss", "val_loss")}


@wrong(LOSS)
def evidence_invented_with_noise(found: dict[str, Json]) -> None:
    held, random = data(found, LOSS), np.random.default_rng(2)
    for name in ("train_loss", "val_loss"):
        noise = random.normal(0, 0.006, len(held["steps"]))
        held[name] = (invented(held["steps"], held[name][0], held[name][-1]) + noise).tolist()


@wrong(LOSS)
def evidence_of_500_steps(found: dict[str, Json]) -> None:
    found[LOSS]["parameters"]["TRANSFORMER_STEPS"] = 500


@wrong(LOSS)
def evidence_validation_loss_is_training_loss(found: dict[str, Json]) -> None:
    data(found, LOSS)["val_loss"] = data(found, LOSS)["train_loss"]


@wrong(LOSS)
def evidence_draws_moved(found: dict[str, Json]) -> None:
    start = data(found, LOSS)["first_steps"]
    start["draws"] = [[place + 1 for place in step] for step in start["draws"]]


@wrong(LOSS)
def evidence_weights_are_random(found: dict[str, Json]) -> None:
    held, random = data(found, LOSS), np.random.default_rng(3)
    shapes = {name: entry["shape"] for name, entry in held["weights"].items()}
    held["weights"] = load("utils").pack_weights(
        {name: random.normal(0, 0.1, shape) for name, shape in shapes.items()}
    )


@wrong(BLOCKS)
def evidence_block_16_for_64(found: dict[str, Json]) -> None:
    held = runs(found, BLOCKS)
    held["64"] = copy.deepcopy(held["16"])


@wrong(HEADS)
def evidence_heads_swapped(found: dict[str, Json]) -> None:
    held = runs(found, HEADS)
    held["2"], held["8"] = held["8"], held["2"]


@wrong(HEADS)
def evidence_tail_of_other_heads(found: dict[str, Json]) -> None:
    held = runs(found, HEADS)
    held["8"] |= {name: [held["8"][name][0], *held["2"][name][1:]] for name in ("train_loss", "val_loss")}
