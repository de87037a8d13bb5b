"""The executed reference in ``examples/full_marks`` shows the numbers that the homework's own code gives."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from support.paths import FULL_MARKS

from grader.inside.media_types import EVIDENCE

ITEMS = ["3.3.i", "3.4.i", "4.1.i.generation", "4.1.ii", "4.1.iii.curves", "4.1.iv.curves"]
PARAMETERS = 209_729
BATCH_SIZES = """
    1      16          13           130000         0.8482
    5      13          10            20000         0.8435
   50      46          43             8600         0.8292
  500      42          39              780         0.7510
 5000     161         158              316         0.6856
"""
"""Of each batch size: epochs, best epoch, updates to it and test accuracy there, in the homework."""
VALIDATION = {
    "4.1.ii": {"": 1.826},
    "4.1.iii.curves": {"2": 2.398, "16": 1.919, "64": 1.787},
    "4.1.iv.curves": {"2": 1.829, "4": 1.826, "8": 1.855},
}
"""The transformer's validation loss at the last step."""


@pytest.fixture(scope="module")
def text() -> str:
    return FULL_MARKS.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def outputs(text: str) -> list[dict[str, Any]]:
    return [output for cell in json.loads(text)["cells"] for output in cell.get("outputs", [])]


@pytest.fixture(scope="module")
def printed(outputs: list[dict[str, Any]]) -> str:
    assert not [output for output in outputs if output.get("name") == "stderr"]
    return "".join(line for output in outputs for line in output.get("text", []))


@pytest.fixture(scope="module")
def evidence(outputs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = [output["data"][EVIDENCE] for output in outputs if EVIDENCE in output.get("data", {})]
    assert [one["item"] for one in found] == ITEMS
    return {one["item"]: one for one in found}


def transformers(evidence: dict[str, dict[str, Any]], item: str) -> dict[str, dict[str, Any]]:
    """The runs of an item by their label; the default run has none."""
    data = evidence[item]["data"]
    return data.get("runs", {"": data})


def test_the_checkers_print_the_homeworks_numbers(printed: str) -> None:
    numbers = re.findall(r"(?:backpropagation|approximation|size 50|size 5000): (-?\d+\.\d{6})", printed)
    gradients = [number for number in ("0.000000", "0.129579", "0.004011", "0.121975") for _ in range(2)]
    assert numbers == [*gradients, "148.290031", "117.085383"]


def test_batch_size_5_begins_as_in_the_homework(printed: str, evidence: dict[str, dict[str, Any]]) -> None:
    assert "epoch 1: loss 6.05685388212, accuracy 0.7893 train, 0.7765 validation" in printed
    assert "epoch 2: loss 5.17309494809, accuracy 0.8187 train, 0.8015 validation" in printed
    assert "best epoch: 10, test accuracy there: 0.8435" in printed
    losses = evidence["3.3.i"]["data"]["loss"]
    assert losses[:2] == pytest.approx([6.05685388211968, 5.173094948088359], rel=1e-12)


def test_each_batch_size_gives_the_homeworks_row(printed: str) -> None:
    heading = "batch  epochs  best epoch  updates to best  test accuracy\n"
    assert heading + BATCH_SIZES.lstrip("\n") in printed


def test_early_stopping_would_have_come_after_epoch_13(evidence: dict[str, dict[str, Any]]) -> None:
    data = evidence["3.3.i"]["data"]
    assert data["stopped_at"] == 13
    assert {len(data[name]) for name in ("train", "validation", "test", "loss")} == {30}


def test_momentum_up_to_one_half_helps(evidence: dict[str, dict[str, Any]]) -> None:
    runs = evidence["3.4.i"]["data"]["runs"]
    assert list(runs) == ["0.1", "0.3", "0.5", "0.7", "0.9"]
    assert {len(run[name]) for run in runs.values() for name in ("loss", "validation")} == {20}
    assert min(runs["0.5"]["loss"]) < min(runs["0.1"]["loss"]) < min(runs["0.9"]["loss"])


@pytest.mark.parametrize("item", VALIDATION)
def test_transformers_end_where_the_homeworks_do(item: str, evidence: dict[str, dict[str, Any]]) -> None:
    runs = transformers(evidence, item)
    last = {label: run["val_loss"][-1] for label, run in runs.items()}
    assert last == pytest.approx(VALIDATION[item], abs=0.02)
    for label, run in runs.items():
        assert run["steps"] == [*range(0, 5000, 100), 4999]
        assert len(run["train_loss"]) == len(run["val_loss"]) == 51
        positions = 64 * (int(label) - 32) if item == "4.1.iii.curves" else 0  # a vector for each
        assert run["parameter_count"] == PARAMETERS + positions
        assert run["val_loss"][0] == pytest.approx(4.41, abs=0.3 if item == "4.1.iii.curves" else 0.02)


def test_four_heads_are_the_default_run_again(evidence: dict[str, dict[str, Any]]) -> None:
    again = transformers(evidence, "4.1.iv.curves")["4"]
    assert again["text"] == evidence["4.1.i.generation"]["data"]["after"]
    assert {name: again[name] for name in again if name != "text"} == evidence["4.1.ii"]["data"]


def test_the_notebook_names_no_place_on_the_machine_that_made_it(
    text: str, outputs: list[dict[str, Any]]
) -> None:
    assert not re.search(r"/(?:home|root|tmp|usr|work)/|\\\\Users", text)
    assert len(text) < 4_000_000
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 6


def test_each_recording_is_one_of_its_own(evidence: dict[str, dict[str, Any]]) -> None:
    assert len({one["run"] for one in evidence.values()}) == len(ITEMS)
    assert {one["parameters"]["DATA"] for one in evidence.values()} == {"full"}
