"""What the grader computes of HW3's models is what the reference notebook's own code computes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paths import ROOT
from support.reference_files import cells, definitions, load

from grader import sampling_surprise, unpack_weights

pytestmark = pytest.mark.training

SHORT = {"EVAL_EXAMPLES": 100, "UPDATES_PER_EPOCH": 8}
LONG_TRANSFORMER = {"TRANSFORMER_STEPS": 5, "EVAL_USED": 2, "GENERATED_CHARACTERS": 9}
SHORT_TRANSFORMER = {"TRANSFORMER_STEPS": 4, "EVAL_USED": 1, "GENERATED_CHARACTERS": 1}
SHAPES = [(2, 4), (16, 4), (32, 4), (64, 4), (32, 2), (32, 8)]


@pytest.fixture(scope="module")
def trusted() -> Any:
    return load("trusted", folder=ROOT / "hidden_tests")


@pytest.fixture(scope="module")
def hw3() -> dict[str, Any]:
    return definitions()


def network_run(hw3: dict[str, Any], *, alpha: float | None, epochs: int) -> dict[str, Any]:
    sets, model = hw3["fresh_start"]()
    if alpha is None:
        return hw3["train"](sets, model, hw3["BATCH_SIZE"], epochs)
    velocity = hw3["add_momentum"](model)

    def update(model: Any, rate: float) -> Any:
        return hw3["sgd_with_momentum"](model, velocity, rate, alpha)

    return hw3["train"](sets, model, hw3["BATCH_SIZE"], epochs, update=update)


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), alpha=st.sampled_from([None, 0.1, 0.9]))
def test_a_networks_first_losses_are_computed_from_its_seed(
    hw3: dict[str, Any], trusted: Any, seed: int, alpha: float | None
) -> None:
    hw3.update(SHORT | {"SEED": seed})
    kept = network_run(hw3, alpha=alpha, epochs=1)["first_steps"]
    run = trusted.NetworkRun.of(seed, epochs=1)
    losses = trusted.first_losses(run, rate=0.01, alpha=alpha or 0.0, steps=8)
    assert kept["draws"] == run.epochs[0][:40].reshape(8, 5).tolist()
    assert np.abs(losses / kept["losses"] - 1).max() < 1e-12
    others = trusted.first_losses(trusted.NetworkRun.of(seed ^ 1, epochs=1), rate=0.01, alpha=0.0, steps=8)
    assert np.abs(others / kept["losses"] - 1).max() > 1e-3


def test_a_networks_last_epoch_comes_again_from_the_weights_before_it(
    hw3: dict[str, Any], trusted: Any
) -> None:
    hw3.update({"SEED": 7, "EVAL_EXAMPLES": 10_000, "UPDATES_PER_EPOCH": 10_000})
    long = network_run(hw3, alpha=None, epochs=2)
    before = unpack_weights(long["weights_before_last_epoch"], shapes=trusted.NETWORK)
    after = trusted.next_epoch(before, trusted.NetworkRun.of(7, epochs=2), 1, rate=0.01)
    for weights, epoch in ((before, 0), (after, 1)):
        right, loss = trusted.counts_and_loss(weights, parts=("train", "validation", "test"))
        assert right["train"] == pytest.approx(10_000 * long["train"][epoch], abs=0.1)
        assert right["validation"] == pytest.approx(2_000 * long["validation"][epoch], abs=0.1)
        assert right["test"] == pytest.approx(10_000 * long["test"][epoch], abs=0.1)
        assert loss["train"] == pytest.approx(long["loss"][epoch], rel=1e-7)
        nearly, loss = trusted.counts_and_loss(weights, parts=("train", "validation"), coarse=True)
        assert [nearly[part] for part in nearly] == pytest.approx([right[part] for part in nearly], abs=2)
        assert loss["train"] == pytest.approx(long["loss"][epoch], rel=1e-5)
    last = unpack_weights(long["weights"], shapes=trusted.NETWORK)
    assert all(np.abs(last[name] - after[name]).max() < 0.01 for name in after)


@pytest.fixture(scope="module")
def transformer(hw3: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The notebook's transformer on the full text."""
    torch = pytest.importorskip("torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    sources = [cell.source for cell in cells("code")]
    first = next(number for number, source in enumerate(sources) if "import torch" in source)
    last = next(number for number, source in enumerate(sources) if source.startswith("default_run"))
    names = hw3 | {"__name__": "hw3"}
    for source in sources[first:last]:
        exec(source, names)
    yield names
    torch.set_num_threads(threads)


@pytest.mark.parametrize(("block", "heads"), SHAPES)
def test_a_transformer_begins_as_its_seed_says(
    transformer: dict[str, Any], trusted: Any, block: int, heads: int
) -> None:
    """And a few steps begin as many do."""
    transformer.update(LONG_TRANSFORMER)
    kept = transformer["train_transformer"](block, heads)["first_steps"]
    transformer.update(SHORT_TRANSFORMER)
    assert transformer["train_transformer"](block, heads)["first_steps"] == kept

    torch, draws = transformer["torch"], trusted.TorchDraws(1337)
    newborn = trusted.newborn_transformer(draws, block, heads)
    torch.manual_seed(1337)
    model = transformer["CharacterTransformer"](65, block, heads)
    own = {name: value.numpy() for name, value in model.state_dict().items()}
    assert {name: value.shape for name, value in own.items()} == trusted.transformer_shapes(block, heads)
    assert all(np.abs(own[name] - newborn[name]).max() < 1e-5 for name in own)
    parts = trusted.corpus()
    for part in ("train", "validation"):
        draws.integers(len(parts[part]) - block, 200 * 16)
    starts = draws.integers(len(parts["train"]) - block, 16)
    assert kept["draws"][0] == starts.tolist()
    losses = trusted.character_losses(newborn, trusted.pieces("train", starts, block), heads=heads)
    assert losses.mean() == pytest.approx(kept["losses"][0], rel=2e-6)


def test_weights_of_any_size_are_computed(trusted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What exp cannot take as it is, is shifted first; hostile weights end as NaN, without a warning."""
    weights = trusted.newborn_transformer(trusted.TorchDraws(1), 8, 4)
    x = np.arange(24).reshape(3, 8)
    as_it_is = trusted.scores(weights, x, heads=4)
    monkeypatch.setattr(trusted, "SAFE", 0.0)
    assert np.abs(trusted.scores(weights, x, heads=4) - as_it_is).max() < 1e-5
    monkeypatch.undo()
    large = {name: value * np.float32(300) for name, value in weights.items()}
    assert np.isfinite(trusted.scores(large, x, heads=4)).all()
    hostile = {name: np.full_like(value, 3e38) for name, value in weights.items()}
    assert np.isnan(trusted.scores(hostile, x, heads=4)).any()


@pytest.mark.parametrize(("block", "heads"), SHAPES)
def test_weights_give_the_same_chances_and_know_their_own_text(
    transformer: dict[str, Any], trusted: Any, block: int, heads: int
) -> None:
    torch = transformer["torch"]
    torch.manual_seed(block + heads)
    model = transformer["CharacterTransformer"](65, block, heads)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        x = torch.randint(65, (5, block))
        expected = torch.log_softmax(model(x), dim=-1).numpy()
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    assert np.abs(trusted.scores(weights, x.numpy(), heads=heads) - expected).max() < 2e-5

    numbers = np.concatenate([[0], trusted.numbers_of(transformer["generate"](model, 400))])
    windows = np.lib.stride_tricks.sliding_window_view(numbers, block + 1)
    chances = trusted.scores(weights, windows[:, :-1], heads=heads)[:, -1]
    assert np.abs(trusted.next_chances(weights, windows[:, :-1], heads=heads) - chances).max() < 2e-5
    assert abs(sampling_surprise(chances, windows[:, -1])) < 5
    anything = np.random.default_rng(1).integers(65, size=len(windows))
    assert sampling_surprise(chances, anything) > 6
