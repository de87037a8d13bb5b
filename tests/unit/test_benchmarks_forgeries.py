"""The maker of forged evidence: strategies keep to their budget, follow from their number, and are judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from support.uninstalled import importing


@pytest.fixture(scope="module")
def load() -> Iterator[Any]:
    with importing("benchmarks", "reference") as loader:
        yield loader


@pytest.fixture(scope="module")
def forgeries(load: Any) -> ModuleType:
    module: ModuleType = load("benchmarks.forgeries")
    return module


@pytest.fixture(scope="module")
def forgers(load: Any) -> ModuleType:
    module: ModuleType = load("benchmarks.forgers")
    return module


@pytest.fixture(scope="module")
def own(load: Any, forgeries: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A class of two whose runs are newborn: enough for the mechanics, without training."""
    folder = tmp_path_factory.mktemp("class")
    trusted = load("benchmarks.hidden_module").hidden("trusted")
    for seed in (1, 2):
        newborn = trusted.NetworkRun.of(seed, epochs=0).newborn
        arrays = {f"{epoch}/{name}": value for epoch in (0, 29) for name, value in newborn.items()}
        np.savez(folder / f"network-0-{seed}.npz", allow_pickle=False, **arrays)
    return forgeries.Class(folder)


def shop_of(forgers: Any, own: Any, *, affordable: float, seed: int = 1) -> Any:
    friend = own.weights(0, 29)
    return forgers.Workshop(
        random=np.random.default_rng(seed),
        train=own.train,
        newborn=own.weights(1, 0),
        friend=friend,
        friends_birth=own.weights(0, 0),
        other_friend=own.weights(1, 29),
        target=own.target,
        affordable=affordable,
    )


def test_there_are_more_than_twelve_strategies_each_described(forgers: Any) -> None:
    strategies = (*forgers.ALONE, *forgers.FROM_FRIEND, forgers.distilled)
    assert len({one.__name__ for one in strategies}) >= 20
    assert all(one.__doc__ for one in strategies)


@pytest.mark.parametrize("affordable", [0.0, 1.3])
def test_no_strategy_spends_more_than_it_may(forgers: Any, own: Any, affordable: float) -> None:
    dear = (forgers.larger_batches, forgers.adam, forgers.mixed)
    for strategy in dear if affordable else (*forgers.ALONE, *forgers.FROM_FRIEND, forgers.distilled):
        shop = shop_of(forgers, own, affordable=affordable)
        weights = strategy(shop)
        least = 1.0 if strategy is forgers.extrapolated else 0.0  # a way needs an epoch
        assert shop.spent <= max(affordable, least) + 1e-9, strategy.__name__
        assert {name: value.shape for name, value in weights.items()} == {
            "L1.W": (784, 128),
            "L1.b": (1, 128),
            "L2.W": (128, 10),
            "L2.b": (1, 10),
        }
        assert all(np.isfinite(value).all() for value in weights.values())


def test_training_costs_what_honest_training_costs(forgers: Any, own: Any) -> None:
    shop = shop_of(forgers, own, affordable=30)
    shop.trained(shop.newborn, 1)
    assert shop.spent == 1
    shop.trained(shop.newborn, 1, batch=100, rate=0.2)
    assert shop.spent == pytest.approx(1 + forgers.STEP_COST[100] / 20)


def test_neurons_in_another_order_are_the_same_function_and_a_turned_layer_has_its_clock(
    load: Any, forgers: Any, own: Any
) -> None:
    clocks = load("grader.checks.clocks")
    friend, born = own.weights(0, 29), own.weights(1, 0)
    moved = forgers.rearranged(friend, born)
    x = own.train.X[:50, :-1]
    for one in (friend, moved):
        one["scores"] = np.maximum(x @ one["L1.W"] + one["L1.b"], 0) @ one["L2.W"] + one["L2.b"]
    np.testing.assert_allclose(moved["scores"], friend["scores"])
    turned = forgers.turned(friend, born, 0.94)
    assert clocks.clock(turned, born, names=["L1.W"]) == pytest.approx(0.94)
    assert clocks.log_size(turned, names=["L1.W"]) == pytest.approx(clocks.log_size(friend, names=["L1.W"]))


def test_a_forgery_follows_from_its_number_and_a_relabelled_run_is_named(
    forgeries: Any, forgers: Any, own: Any
) -> None:
    relabelled = (forgers.relabelled,)
    first, again = (forgeries.forge("from a classmate", 3, relabelled, own) for _ in range(2))
    assert first == again
    assert (first.awarded, first.named) == (False, True)
    assert first.alike == pytest.approx(1)
    assert first.cost == pytest.approx(1 / 30)
    [alone] = [forgeries.forge("cheap", 0, (forgers.constants,), own)]
    assert not alone.awarded


def test_what_was_made_is_kept_and_a_line_cut_short_is_made_again(
    forgeries: Any, own: Any, tmp_path: Path
) -> None:
    judged = {"distance": 9.0, "awarded": False, "alike": 0.0, "named": False}
    one = forgeries.Forgery(campaign="cheap", number=0, strategy="constants", cost=0.1, **judged)
    line = forgeries.msgspec.json.encode(one)
    assert forgeries.msgspec_lines([line, line[:30]]) == [one]
    with pytest.raises(FileNotFoundError, match="no honest runs"):
        forgeries.Class(tmp_path)
