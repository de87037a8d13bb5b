"""A short run on what the evidence of a long run holds begins exactly like the long run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.reference_files import cells, definitions

pytestmark = pytest.mark.training

FULL = {"BATCH_SIZE": 5, "EVAL_EXAMPLES": 200, "DATA": "subset", "UPDATES_PER_EPOCH": 40}
SHORT = {"EVAL_EXAMPLES": 7, "DATA": "beginning", "UPDATES_PER_EPOCH": 8}
LONG_TRANSFORMER = {"TRANSFORMER_STEPS": 5, "EVAL_USED": 2, "GENERATED_CHARACTERS": 9}
SHORT_TRANSFORMER = {"TRANSFORMER_STEPS": 4, "EVAL_USED": 1, "GENERATED_CHARACTERS": 1}


@pytest.fixture(scope="module")
def hw3() -> dict[str, Any]:
    return definitions()


def utils_of(hw3: dict[str, Any]) -> dict[str, Any]:
    """The given module's own names, which the notebook's functions use."""
    return hw3["record"].__globals__


def network_run(hw3: dict[str, Any], *, alpha: float | None, epochs: int) -> dict[str, Any]:
    sets, model = hw3["fresh_start"]()
    if alpha is None:
        return hw3["train"](sets, model, hw3["BATCH_SIZE"], epochs)
    velocity = hw3["add_momentum"](model)

    def update(model: Any, rate: float) -> Any:
        return hw3["sgd_with_momentum"](model, velocity, rate, alpha)

    return hw3["train"](sets, model, hw3["BATCH_SIZE"], epochs, update=update)


def images_of(beginning: dict[str, Any]) -> str:
    """The document that grading makes of a network's evidence."""
    kept = {name: beginning[name] for name in ("examples", "rows", "labels", "pixels")}
    return json.dumps({"images": kept})


@settings(max_examples=8)
@given(
    seed=st.integers(0, 2**32 - 1),
    alpha=st.sampled_from([None, 0.1, 0.9]),
    batch_size=st.sampled_from([1, 5, 32]),
)
def test_a_networks_first_eight_losses_come_again_bit_for_bit(
    hw3: dict[str, Any], seed: int, alpha: float | None, batch_size: int
) -> None:
    hw3.update(FULL | {"SEED": seed, "BATCH_SIZE": batch_size, "UPDATES_PER_EPOCH": 20})
    long = network_run(hw3, alpha=alpha, epochs=2)["beginning"]
    utils_of(hw3)["use_beginning"](images_of(long))
    hw3.update(SHORT)
    again = network_run(hw3, alpha=alpha, epochs=1)["beginning"]
    assert len(long["losses"]) == 8
    assert again == long


def test_another_seed_begins_otherwise(hw3: dict[str, Any]) -> None:
    hw3.update(FULL | {"SEED": 42})
    long = network_run(hw3, alpha=None, epochs=1)["beginning"]
    utils_of(hw3)["use_beginning"](images_of(long))
    hw3.update(SHORT | {"SEED": 43})
    again = network_run(hw3, alpha=None, epochs=1)["beginning"]
    assert np.abs(np.subtract(again["losses"], long["losses"])).min() > 1e-3


@pytest.fixture(scope="module")
def transformer(hw3: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The notebook's transformer; its text is loaded anew by ``load``."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    sources = [cell.source for cell in cells("code")]
    first = next(number for number, source in enumerate(sources) if "import torch" in source)
    last = next(number for number, source in enumerate(sources) if source.startswith("default_run"))
    names = hw3 | {"__name__": "hw3", "DATA": "subset"}

    def load(**parameters: Any) -> None:
        names.update(parameters)
        exec(sources[first], names)

    names["load"] = load
    for source in sources[first:last]:
        exec(source, names)
    yield names
    torch.set_num_threads(threads)


@pytest.mark.parametrize(("block_size", "heads"), [(2, 4), (16, 4), (32, 4), (64, 4), (32, 2), (32, 8)])
def test_a_transformers_first_three_losses_come_again_bit_for_bit(
    transformer: dict[str, Any], block_size: int, heads: int
) -> None:
    transformer["load"](DATA="subset", **LONG_TRANSFORMER)
    long = transformer["train_transformer"](block_size, heads)
    kept = long["beginning"]
    pieces = [
        [start, piece]
        for starts, texts in zip(kept["starts"], kept["pieces"], strict=True)
        for start, piece in zip(starts, texts, strict=True)
    ]
    document = {name: kept[name] for name in ("characters", "alphabet")} | {"pieces": pieces}
    utils_of(transformer)["use_beginning"](json.dumps({"text": document}))
    transformer["load"](DATA="beginning", **SHORT_TRANSFORMER)
    again = transformer["train_transformer"](block_size, heads)
    assert len(kept["losses"]) == 3
    assert again["beginning"] == kept
    assert again["train"][0] != long["train"][0]  # of all the text but these pieces it knows nothing


def test_what_is_not_given_comes_from_the_embedded_data(hw3: dict[str, Any]) -> None:
    utils = utils_of(hw3)
    utils["use_beginning"]("{}")
    np.random.seed(1)
    images = utils["data_loader_mnist"]("beginning")
    np.random.seed(1)
    for given_array, embedded in zip(images, utils["data_loader_mnist"]("subset"), strict=True):
        assert np.array_equal(given_array, embedded)
    assert utils["load_text"]("beginning") == utils["load_text"]("subset")
