"""HW3's evidence checks: what honest notebooks may hold costs nothing, and hostile recordings stop nothing.

The recordings are the full-marks notebook's own. What the cells would record again is made from them, as the
sandbox's short run gives it; tests/golden grades wrong recordings in the real one.
"""

from __future__ import annotations

import copy
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.checks.curves import stop_epoch
from grader.checks.evidence import Recording
from grader.checks.first_batches import ImageBatches
from grader.grading.check_plugin import CheckPlugin
from grader.grading.pytest_run import run_checks
from grader.grading.recorded import Recorded
from grader.grading.replay import prepare
from grader.inside.media_types import EVIDENCE
from grader.session.in_process import LocalNotebook

ROOT = Path(__file__).parents[2]
HIDDEN = ROOT / "hidden_tests"
ITEMS = ("3.3.i", "3.4.i", "4.1.i.generation", "4.1.ii", "4.1.iii.curves", "4.1.iv.curves")

Recordings = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def honest() -> Recordings:
    cells = json.loads((ROOT / "examples/full_marks/hw3.ipynb").read_text(encoding="utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", ())]
    return {held[EVIDENCE]["item"]: held[EVIDENCE] for held in outputs if EVIDENCE in held}


def runs(recording: dict[str, Any]) -> list[dict[str, Any]]:
    data = recording["data"]
    return list(data["runs"].values()) if "runs" in data else [data]


def refusals(recorded: Recordings, replayed: Recordings) -> dict[str, str]:
    """The items that lose their points, and what the student is told."""
    evidence = {
        item: Recorded(
            (Recording.of(recording),), replayed=Recording.of(replayed[item]) if item in replayed else None
        )
        for item, recording in recorded.items()
    }
    plugin = CheckPlugin(LocalNotebook({}), seed=1, seconds=5, hidden=True, only=ITEMS, recorded=evidence)
    run_checks(HIDDEN, plugin)
    assert not plugin.errors
    assert {result.fault for result in plugin.results} <= {None, "student"}, plugin.results
    return {result.item: result.message for result in plugin.results if result.outcome != "passed"}


def on_a_gpu(found: Recordings) -> None:
    """Another machine's arithmetic: float32 sums in another order, or matrix products of 10 bits."""
    for recording in found.values():
        recording["machine"] |= {"cpu": "another", "device": "cuda"}
        for run in runs(recording):
            if "beginning" in run:
                gap = 1e-6 if "pixels" in run["beginning"] else 1e-5  # numpy knows no GPU
                run["beginning"]["losses"] = [loss * (1 - gap) for loss in run["beginning"]["losses"]]


def with_more_runs(found: Recordings) -> None:
    for item in ("3.4.i", "4.1.iii.curves"):
        held = found[item]["data"]["runs"]
        held["0.95"] = copy.deepcopy(next(iter(held.values())))


def for_more_epochs(found: Recordings) -> None:
    for recording in (found["3.3.i"], found["3.4.i"]):
        for run in runs(recording):
            for name in {"loss", "train", "validation", "test"} & set(run):
                run[name] = [*run[name], run[name][-2], run[name][-1]]


def in_float32(found: Recordings) -> None:
    """The network's layers in float32: the whole curve differs a little from the reference's."""
    for recording in (found["3.3.i"], found["3.4.i"]):
        for run in runs(recording):
            run["beginning"]["losses"] = [loss * (1 + 1e-6) for loss in run["beginning"]["losses"]]
            run["loss"] = [loss * (1 + 0.01 * (epoch % 3)) for epoch, loss in enumerate(run["loss"])]


@pytest.mark.parametrize("change", [lambda _: None, on_a_gpu, with_more_runs, for_more_epochs, in_float32])
def test_an_honest_recording_loses_nothing(
    honest: Recordings, change: Callable[[Recordings], object]
) -> None:
    recorded = copy.deepcopy(honest)
    change(recorded)
    again = copy.deepcopy(honest) if change is not in_float32 else copy.deepcopy(recorded)
    assert refusals(recorded, again) == {}


def test_with_a_seed_of_ones_own_noise_passes_and_a_smoothed_curve_does_not(honest: Recordings) -> None:
    own = copy.deepcopy(honest)
    for item in ("3.3.i", "3.4.i"):
        from_own_seed(own[item])
    assert refusals(own, own) == {}
    smoothed = copy.deepcopy(own)
    for item in ("3.3.i", "3.4.i"):
        for run in runs(smoothed[item]):
            for part, of in {"loss": 0, "train": 10_000, "validation": 2_000, "test": 10_000}.items():
                if part in run:
                    run[part] = smooth(run[part], of=of)
    early = smoothed["3.3.i"]["data"]
    early["stopped_at"] = stop_epoch(np.array(early["validation"]), patience=3)
    lost = refusals(smoothed, own)
    assert lost.keys() == {"3.3.i", "3.4.i"}
    assert "smoother than" in lost["3.3.i"]
    assert "smoother than" in lost["3.4.i"]


def from_own_seed(recording: dict[str, Any]) -> None:
    """As if the run had begun with seed 7: right code's first losses from there, on the same mini-batches."""
    own = load_conftest()
    recording["parameters"]["SEED"] = 7
    for label, run in recording["data"].get("runs", {"0": recording["data"]}).items():
        found = ImageBatches.of(run["beginning"], pixels=own.PIXELS, classes=own.CLASSES)
        losses = own.correct_losses(found, seed=7, rate=0.01, alpha=float(label))
        run["beginning"]["losses"] = losses.tolist()


def load_conftest() -> Any:
    """The module that the evidence checks share."""
    spec = importlib.util.spec_from_file_location("hw3_evidence_conftest", HIDDEN / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def smooth(curve: list[float], *, of: int) -> list[float]:
    """Means of three neighbours; shares of ``of`` examples stay such shares."""
    means = [curve[0], *(sum(curve[at - 1 : at + 2]) / 3 for at in range(1, len(curve) - 1)), curve[-1]]
    return [round(mean * of) / of for mean in means] if of else means


def test_wrong_code_with_an_honest_recording_is_not_held_against_the_reference(honest: Recordings) -> None:
    """A network that trains more slowly: its first losses are its own, and so is its curve."""
    recorded = copy.deepcopy(honest)
    for recording in (recorded["3.3.i"], recorded["3.4.i"]):
        for run in runs(recording):
            run["beginning"]["losses"] = [loss * 1.05 for loss in run["beginning"]["losses"]]
            run["loss"] = [loss * 1.2 for loss in run["loss"]]
    assert refusals(recorded, recorded) == {}


def test_only_a_recording_that_was_not_made_again_is_lost(honest: Recordings) -> None:
    again = {item: recording for item, recording in honest.items() if item != "3.4.i"}
    assert list(refusals(honest, again)) == ["3.4.i"]
    assert "recorded nothing when the notebook was run" in refusals(honest, again)["3.4.i"]


def test_the_same_seed_again_gives_the_recorded_mini_batches(honest: Recordings) -> None:
    beginning = prepare(HIDDEN, {item: (recording,) for item, recording in honest.items()})
    assert beginning.budget["DATA"] == "beginning"
    assert beginning.budget["SEED"] == 42
    assert "use_beginning" in beginning.prelude


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
    "losses",
    "rows",
    "labels",
    "pixels",
    "examples",
    "starts",
    "pieces",
    "alphabet",
    "runs",
)


def replaced(value: Any, key: str, new: object) -> Any:
    """Everything that stands under ``key`` replaced."""
    if isinstance(value, dict):
        return {name: new if name == key else replaced(entry, key, new) for name, entry in value.items()}
    return value


@given(item=st.sampled_from(ITEMS), key=st.sampled_from((*PLACES, "SEED", "EVAL_BATCHES")), new=JSON)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_no_claim_breaks_the_preparation(item: str, key: str, new: object) -> None:
    """Whatever stands in a recording: there is a beginning, small and without it."""
    whole = small_recordings()
    whole[item] = replaced(whole[item], key, new)
    beginning = prepare(HIDDEN, {name: (recording,) for name, recording in whole.items()})
    assert len(beginning.prelude) < 100_000


def small_recordings() -> Recordings:
    """Recordings of the right form with little in them."""
    packed = "eNpj+M8wCkfhKIRCAA3ahog="
    picture = {"losses": [2.3], "rows": [1], "labels": [1], "pixels": packed, "examples": 10_000}
    piece = {"losses": [4.1], "starts": [[5]], "pieces": [["abc"]], "characters": 100, "alphabet": "abc"}
    network, text = {"beginning": picture}, {"beginning": piece}
    datas = {
        "3.3.i": network,
        "3.4.i": {"runs": {"0.1": network}},
        "4.1.i.generation": {"before": "abc", "after": "abc"},
        "4.1.ii": text,
        "4.1.iii.curves": {"runs": {"2": text}},
        "4.1.iv.curves": {"runs": {"8": text}},
    }
    return {item: whole(item, data) for item, data in datas.items()}


def whole(item: str, data: dict[str, Any]) -> dict[str, Any]:
    head = {"format": "chainrule.evidence/1", "item": item, "run": "0", "recorded_at": "now"}
    return {**head, "data": data, "parameters": {"SEED": 1, "EVAL_BATCHES": 2}, "code": {}, "machine": {}}
