"""HW3's evidence checks: what honest notebooks may hold costs nothing, and hostile recordings stop nothing.

The recordings are the full-marks notebook's own. What the cells would record again is made from them, as the
sandbox's short run gives it; tests/golden grades wrong recordings in the real one.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_files import load

from grader.checks.curves import stop_epoch
from grader.checks.evidence import Recording
from grader.grading.check_plugin import CheckPlugin
from grader.grading.pytest_run import run_checks
from grader.grading.recorded import Recorded
from grader.grading.replay import prepare
from grader.grading.seeds import Seeds
from grader.inside.media_types import EVIDENCE
from grader.model.errors import BadEvidence
from grader.session.in_process import LocalNotebook

ROOT = Path(__file__).parents[2]
HIDDEN = ROOT / "hidden_tests"
NETWORK, TRANSFORMER = ("3.3.i", "3.4.i"), ("4.1.i.generation", "4.1.ii", "4.1.iii.curves", "4.1.iv.curves")
ITEMS = (*NETWORK, *TRANSFORMER)

Recordings = dict[str, dict[str, Any]]
Ends = dict[str, tuple[str, str]]


def saved() -> Recordings:
    """The recordings of the full-marks notebook."""
    cells = json.loads((ROOT / "examples/full_marks/hw3.ipynb").read_text(encoding="utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", ())]
    return {held[EVIDENCE]["item"]: held[EVIDENCE] for held in outputs if EVIDENCE in held}


@pytest.fixture(scope="module")
def honest() -> Recordings:
    return saved()


def runs(recording: dict[str, Any]) -> list[dict[str, Any]]:
    data = recording["data"]
    return list(data["runs"].values()) if "runs" in data else [data]


def correct_code() -> dict[str, Any]:
    """The notebook's functions that a check calls, answering as correct code does."""
    own = load("trusted", folder=HIDDEN)
    names: dict[str, Any] = {}  # where a check sets the seed

    def first_steps(alpha: float) -> dict[str, Any]:
        run = own.NetworkRun.of(names["SEED"], epochs=1)
        losses = own.first_losses(run, rate=0.01, alpha=alpha, steps=8).tolist()
        return {"first_steps": {"losses": losses, "draws": run.epochs[0][:40].reshape(8, 5).tolist()}}

    def train_transformer(block: int, heads: int) -> dict[str, Any]:
        draws = own.TorchDraws(names["TRANSFORMER_SEED"])
        newborn, parts = own.newborn_transformer(draws, block, heads), own.corpus()
        for part in parts.values():
            draws.integers(len(part) - block, 3_200)
        starts = draws.integers(len(parts["train"]) - block, 16)
        losses = own.character_losses(newborn, own.pieces("train", starts, block), heads=heads)
        return {"first_steps": {"losses": [float(losses.mean())], "draws": [starts.tolist()]}}

    names |= {
        "fresh_start": lambda: ("sets", "model"),
        "train": lambda _sets, _model, _batch, _epochs: first_steps(0.0),
        "train_with_momentum": first_steps,
        "train_transformer": train_transformer,
    }
    return names


def ends(
    recorded: Recordings,
    replayed: Recordings,
    only: tuple[str, ...] = ITEMS,
    code: dict[str, Any] | None = None,
) -> Ends:
    """How the checks of items end that do not pass, and what the instructor reads."""
    names = correct_code() if code is None else code
    evidence = {
        item: Recorded(
            (Recording.of(recording),), replayed=Recording.of(replayed[item]) if item in replayed else None
        )
        for item, recording in recorded.items()
    }
    plugin = CheckPlugin(LocalNotebook(names), seed=1, seconds=60, hidden=True, only=only, recorded=evidence)
    run_checks(HIDDEN, plugin)
    assert not plugin.errors
    assert {result.fault for result in plugin.results} <= {None, "student"}, plugin.results
    return {
        result.item: (str(result.outcome), result.detail)
        for result in plugin.results
        if result.outcome != "passed"
    }


def on_a_gpu(found: Recordings) -> None:
    """Another machine's arithmetic: float32 sums in another order, or matrix products of 10 bits."""
    for item, recording in found.items():
        recording["machine"] |= {"cpu": "another", "device": "cuda"}
        for run in runs(recording):
            if "first_steps" in run:
                gap = 1e-6 if item in NETWORK else 1e-5  # numpy knows no GPU
                run["first_steps"]["losses"] = [loss * (1 - gap) for loss in run["first_steps"]["losses"]]


def with_more_runs(found: Recordings) -> None:
    for item in ("3.4.i", "4.1.iii.curves"):
        held = found[item]["data"]["runs"]
        held["0.95"] = copy.deepcopy(next(iter(held.values())))


def in_float32(found: Recordings) -> None:
    """The network's layers in float32: its curves differ a little from the reference's and the grader's."""
    for item in NETWORK:
        for run in runs(found[item]):
            run["first_steps"]["losses"] = [loss * (1 + 1e-6) for loss in run["first_steps"]["losses"]]
            run["loss"] = [loss * (1 + 0.005 * (epoch % 3)) for epoch, loss in enumerate(run["loss"])]


def with_biases_as_vectors(found: Recordings) -> None:
    for item in NETWORK:
        for run in runs(found[item]):
            for name in ("L1.b", "L2.b"):
                run["weights"][name]["shape"] = run["weights"][name]["shape"][1:]


@pytest.mark.parametrize(
    "change", [lambda _: None, on_a_gpu, with_more_runs, in_float32, with_biases_as_vectors]
)
def test_an_honest_recording_loses_nothing(
    honest: Recordings, change: Callable[[Recordings], object]
) -> None:
    recorded = copy.deepcopy(honest)
    change(recorded)
    again = copy.deepcopy(honest) if change is not in_float32 else copy.deepcopy(recorded)
    assert ends(recorded, again) == {}


def for_more_epochs(found: Recordings) -> None:
    for recording in found.values():
        for run in runs(recording):
            for name in {"loss", "train", "validation", "test"} & set(run):
                run[name] = [*run[name], run[name][-2], run[name][-1]]


def from_wrong_code(found: Recordings) -> None:
    """A network that trains more slowly: its first losses are its own, and so is its curve."""
    for item in NETWORK:
        for run in runs(found[item]):
            run["first_steps"]["losses"] = [loss * 1.05 for loss in run["first_steps"]["losses"]]
            run["loss"] = [loss * 1.2 for loss in run["loss"]]


def with_another_width(found: Recordings) -> None:
    for item in found:
        found[item]["parameters"] |= {"HIDDEN": 64, "EMBEDDING": 32}


def without_weights(found: Recordings) -> None:
    """As an older template recorded, or somebody who invents."""
    for recording in found.values():
        for run in runs(recording):
            run.pop("weights", None)


def with_broken_weights(found: Recordings) -> None:
    for recording in found.values():
        for run in runs(recording):
            if "weights" in run:
                run["weights"] = dict.fromkeys(run["weights"])


@pytest.mark.parametrize(
    ("change", "items"),
    [
        (from_wrong_code, NETWORK),
        (with_another_width, ITEMS),
        (without_weights, ITEMS),
        (with_broken_weights, ITEMS),
    ],
)
def test_what_the_grader_cannot_compute_waits_for_a_person(
    honest: Recordings, change: Callable[[Recordings], object], items: tuple[str, ...]
) -> None:
    recorded = copy.deepcopy(honest)
    change(recorded)
    found = ends(recorded, recorded)
    assert {item: outcome for item, (outcome, _) in found.items()} == dict.fromkeys(items, "undecided")


@pytest.mark.parametrize(
    "code",
    [
        {},
        dict.fromkeys(("fresh_start", "train", "train_with_momentum", "train_transformer"), lambda *_: None),
        {name: lambda *_: {"first_steps": {"losses": "x", "draws": 1}} for name in ("train_transformer",)},
        {
            name: lambda *_: {"first_steps": {"losses": [2.5] * 8, "draws": []}}
            for name in ("train_transformer",)
        },
    ],
    ids=["no code", "code that returns nothing", "no numbers", "constants"],
)
def test_the_right_recording_of_code_that_does_not_train_waits_for_a_person(
    honest: Recordings, code: dict[str, Any]
) -> None:
    found = ends(honest, honest, only=("4.1.ii", "3.4.i"), code=code)
    assert {item: outcome for item, (outcome, _) in found.items()} == dict.fromkeys(
        ("3.4.i", "4.1.ii"), "undecided"
    )


def test_recordings_of_an_older_template_wait_for_a_person(honest: Recordings) -> None:
    recorded = copy.deepcopy(honest)
    without_weights(recorded)
    for recording in recorded.values():
        for run in runs(recording):
            steps = run.pop("first_steps", None)
            if steps is not None:
                run["beginning"] = {
                    "losses": steps["losses"],
                    "rows": steps["draws"][0],
                    "pixels": "eJw",
                }
    found = ends(recorded, honest)
    assert {item: outcome for item, (outcome, _) in found.items()} == dict.fromkeys(ITEMS, "undecided")


def swapped(found: Recordings) -> None:
    """Weights that are well trained, and not those of the curve."""
    held = found["3.4.i"]["data"]["runs"]
    held["0.1"]["weights"], held["0.9"]["weights"] = held["0.9"]["weights"], held["0.1"]["weights"]
    blocks = found["4.1.iii.curves"]["data"]["runs"]["64"]
    blocks["val_loss"] = [*blocks["val_loss"][:-1], blocks["val_loss"][-1] - 0.6]


def newborn(found: Recordings) -> None:
    """Weights from before training under the curves of training."""
    own = load("trusted", folder=HIDDEN)
    run = own.NetworkRun.of(42, epochs=1)
    found["3.3.i"]["data"]["weights"] = load("utils").pack_weights(run.newborn, "float32")
    born = own.newborn_transformer(own.TorchDraws(1337), 32, 4)
    found["4.1.ii"]["data"]["weights"] = load("utils").pack_weights(born)


@pytest.mark.parametrize(
    ("change", "items"), [(swapped, {"3.4.i", "4.1.iii.curves"}), (newborn, {"3.3.i", "4.1.ii"})]
)
def test_what_the_weights_contradict_is_refused(
    honest: Recordings, change: Callable[[Recordings], object], items: set[str]
) -> None:
    recorded = copy.deepcopy(honest)
    change(recorded)
    found = ends(recorded, honest)
    assert {item for item, (outcome, _) in found.items() if outcome == "failed"} == items
    assert all("the recorded weights have" in found[item][1] for item in items)
    left = {item for item, (outcome, _) in found.items() if outcome == "undecided"}
    assert left <= {"4.1.i.generation"}  # which has the weights of 4.1.ii


@pytest.mark.parametrize("size", [0.0, 1.0, 3e38])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_weights_of_any_size_earn_nothing_and_break_nothing(honest: Recordings, size: float) -> None:
    recorded = copy.deepcopy(honest)
    for recording in recorded.values():
        for run in runs(recording):
            for name, entry in run.get("weights", {}).items():
                kind = entry["type"]
                run["weights"][name] = load("utils").pack_weights({"w": np.full(entry["shape"], size)}, kind)[
                    "w"
                ]
    found = ends(recorded, honest)
    assert found.keys() == set(ITEMS)


@pytest.fixture(scope="module")
def from_own_seed(honest: Recordings) -> Recordings:
    """3.3.i with a seed of one's own: 30 epochs from seed 7."""
    own, epochs = load("trusted", folder=HIDDEN), 30
    run = own.NetworkRun.of(7, epochs=epochs)
    weights, data = run.newborn, {name: [] for name in ("train", "validation", "test", "loss")}
    for epoch in range(epochs):
        if epoch == epochs - 1:
            data["weights"] = load("utils").pack_weights(weights, "float32")
        weights = own.next_epoch(weights, run, epoch, rate=0.01)
        right, loss = own.counts_and_loss(weights, parts=("train", "validation", "test"))
        for part, of in (("train", 10_000), ("validation", 2_000), ("test", 10_000)):
            data[part].append(right[part] / of)
        data["loss"].append(loss["train"])
    data["stopped_at"] = stop_epoch(np.array(data["validation"]), patience=3)
    rows = run.epochs[0][:40].reshape(8, 5).tolist()
    losses = own.first_losses(run, rate=0.01, alpha=0.0, steps=8).tolist()
    data["first_steps"] = {"losses": losses, "draws": rows}
    parameters = honest["3.3.i"]["parameters"] | {"SEED": 7}
    return {"3.3.i": honest["3.3.i"] | {"data": data, "parameters": parameters}}


@pytest.mark.training
def test_with_a_seed_of_ones_own_noise_passes_and_a_smoothed_curve_does_not(
    from_own_seed: Recordings,
) -> None:
    own = from_own_seed
    assert ends(own, own, only=("3.3.i",)) == {}
    smoothed = copy.deepcopy(own)
    data = smoothed["3.3.i"]["data"]
    for part, of in {"loss": 0, "train": 10_000, "validation": 2_000, "test": 10_000}.items():
        data[part] = smooth(data[part], of=of)
    data["stopped_at"] = stop_epoch(np.array(data["validation"]), patience=3)
    [(outcome, said)] = ends(smoothed, own, only=("3.3.i",)).values()
    assert (outcome, "smoother than" in said) == ("failed", True)


@pytest.mark.training
def test_another_last_epoch_waits_for_a_person_and_another_one_before_it_is_refused(
    from_own_seed: Recordings,
) -> None:
    """A rate that falls makes the first; nothing honest makes weights that contradict their own accuracy."""
    for place, outcome in ((-1, "undecided"), (-2, "failed")):
        other = copy.deepcopy(from_own_seed)
        other["3.3.i"]["data"]["train"][place] -= 0.003
        [(found, said)] = ends(other, other, only=("3.3.i",)).values()
        assert (found, "the recorded weights have" in said) == (outcome, True)


@pytest.mark.training
def test_more_epochs_than_the_line_knows_wait_for_a_person(from_own_seed: Recordings) -> None:
    longer = copy.deepcopy(from_own_seed)
    for_more_epochs(longer)
    [(outcome, _)] = ends(longer, longer, only=("3.3.i",)).values()
    assert outcome != "passed"


def smooth(curve: list[float], *, of: int) -> list[float]:
    """Means of three neighbours; shares of ``of`` examples stay such shares."""
    means = [curve[0], *(sum(curve[at - 1 : at + 2]) / 3 for at in range(1, len(curve) - 1)), curve[-1]]
    return [round(mean * of) / of for mean in means] if of else means


def test_what_is_computed_ahead_is_what_the_checks_ask_of_weights(
    honest: Recordings, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay = prepare(HIDDEN, {item: (recording,) for item, recording in honest.items()})
    assert replay.meanwhile is not None
    replay.meanwhile(lambda check: np.random.default_rng(Seeds(1).of_check(check)))
    own, batches = sys.modules["trusted"], []

    def scores(weights: Any, x: np.ndarray[Any, Any], **by_name: Any) -> Any:
        batches.append(len(x))
        return found(weights, x, **by_name)

    found = own.scores
    monkeypatch.setattr(own, "scores", scores)
    for name in ("CHUNK", "WINDOW"):  # nothing could be computed of the network's weights now
        monkeypatch.setattr(own, name, 0)
    assert ends(honest, honest) == {}
    assert set(batches) <= {16}  # the first mini-batch of a seed; of recorded weights there is nothing left


def test_only_a_recording_that_was_not_made_again_is_lost(honest: Recordings) -> None:
    again = {item: recording for item, recording in honest.items() if item != "3.4.i"}
    found = ends(honest, again)
    assert list(found) == ["3.4.i"]
    assert "recorded nothing when the notebook was run" in found["3.4.i"][1]


def test_the_recorded_seeds_are_replayed(honest: Recordings) -> None:
    recorded = copy.deepcopy(honest)
    for recording in recorded.values():
        recording["parameters"] |= {"SEED": 3, "TRANSFORMER_SEED": 4, "HIDDEN": 10**9}
    replay = prepare(HIDDEN, {item: (recording,) for item, recording in recorded.items()})
    assert (replay.budget["SEED"], replay.budget["TRANSFORMER_SEED"]) == (3, 4)
    assert "HIDDEN" not in replay.budget
    assert replay.prelude == ""
    assert prepare(HIDDEN, dict.fromkeys(ITEMS, ())).budget == {}


# -- hostile recordings --------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4)
    ),
    max_leaves=12,
)
PLACES = (
    "data",
    "parameters",
    "first_steps",
    "losses",
    "draws",
    "weights",
    "runs",
    "steps",
    "text",
    "before",
)
NUMBERS = ("SEED", "TRANSFORMER_SEED", "EVAL_BATCHES", "TRANSFORMER_STEPS", "HIDDEN")


def replaced(value: Any, key: str, new: object) -> Any:
    """Everything that stands under ``key`` replaced."""
    if isinstance(value, dict):
        return {name: new if name == key else replaced(entry, key, new) for name, entry in value.items()}
    return value


@given(item=st.sampled_from(ITEMS), key=st.sampled_from((*PLACES, *NUMBERS)), new=JSON)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_no_claim_breaks_the_preparation_or_a_check(item: str, key: str, new: object) -> None:
    """Whatever stands in a recording: there is a replay without it, and its item alone loses or waits."""
    whole = saved()
    whole[item] = replaced(whole[item], key, new)
    replay = prepare(HIDDEN, {name: (recording,) for name, recording in whole.items()})
    assert len(repr((replay.budget, replay.prelude))) < 1_000
    try:
        Recording.of(whole[item])
    except BadEvidence:
        return  # refused before any check
    ends(whole, whole, only=(item,))
