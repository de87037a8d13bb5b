"""How far weights have come: blind to what does not change the network."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from grader.checks.clocks import active_share, clock, log_size, neuron_clock

NEURONS = {"W1": 1, "W2": 0}
seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {"W1": random.normal(size=(6, 4)), "W2": random.normal(size=(3, 4))}


def test_a_newborn_network_has_clock_1_and_an_unrelated_one_about_0() -> None:
    random = np.random.default_rng(1)
    a, b = ({"W": random.normal(size=(300, 200))} for _ in range(2))
    assert clock(a, a, names=["W"]) == pytest.approx(1)
    assert neuron_clock(a, a, neurons={"W": 1}) == pytest.approx(1)
    assert abs(clock(a, b, names=["W"])) < 0.02
    assert abs(neuron_clock(a, b, neurons={"W": 1})) < 0.02


def test_a_step_away_turns_the_weights_by_its_angle() -> None:
    newborn, trained = {"W": np.array([[1.0, 0.0]])}, {"W": np.array([[1.0, 1.0]])}
    assert clock(trained, newborn, names=["W"]) == pytest.approx(math.cos(math.pi / 4))
    assert neuron_clock(trained, newborn, neurons={"W": 0}) == pytest.approx(math.cos(math.pi / 4))


@given(seeds, arrays(np.float64, 4, elements=st.floats(0.01, 100)))
def test_scaling_relu_neurons_does_not_move_the_clock_of_neurons(seed: int, scales: np.ndarray) -> None:
    born, trained = drawn(seed), drawn(seed + 1)
    scaled = {"W1": trained["W1"] * scales, "W2": trained["W2"] / scales}
    same = {"W1": 1}
    assert neuron_clock(scaled, born, neurons=same) == pytest.approx(
        neuron_clock(trained, born, neurons=same)
    )


@given(seeds, st.floats(0.01, 100))
def test_one_scale_for_all_moves_no_cosine_and_takes_from_one_size_what_it_gives_the_other(
    seed: int, scale: float
) -> None:
    born, trained = drawn(seed), drawn(seed + 1)
    scaled = {"W1": trained["W1"] * scale, "W2": trained["W2"] / scale}
    assert clock(scaled, born, names=["W1"]) == pytest.approx(clock(trained, born, names=["W1"]))
    sizes = [log_size(w, names=["W1"]) + log_size(w, names=["W2"]) for w in (trained, scaled)]
    assert sizes[0] == pytest.approx(sizes[1])


@given(seeds, st.permutations(range(4)))
def test_rearranged_neurons_move_both_clocks_of_one_network_together(seed: int, order: list[int]) -> None:
    born, trained = drawn(seed), drawn(seed + 1)
    moved = [{"W1": w["W1"][:, order], "W2": w["W2"][:, order]} for w in (trained, born)]
    assert clock(*moved, names=NEURONS) == pytest.approx(clock(trained, born, names=NEURONS))
    assert neuron_clock(*moved, neurons={"W1": 1}) == pytest.approx(
        neuron_clock(trained, born, neurons={"W1": 1})
    )


@pytest.mark.parametrize("odd", [np.zeros((6, 4)), np.full((6, 4), np.nan), np.full((6, 4), np.inf)])
def test_weights_without_a_direction_have_no_time(odd: np.ndarray) -> None:
    born = {"W": np.ones((6, 4))}
    assert math.isnan(clock({"W": odd}, born, names=["W"]))
    assert neuron_clock({"W": odd}, born, neurons={"W": 1}) == 0
    assert not math.isfinite(log_size({"W": odd}, names=["W"]))


def test_large_finite_weights_are_no_error() -> None:
    born = {"W": np.ones((6, 4))}
    assert math.isnan(clock({"W": np.full((6, 4), 1e300)}, born, names=["W"]))


def test_the_active_share_counts_what_is_above_0() -> None:
    assert active_share(np.array([[0.0, 1.0], [-1.0, 2.0]])) == 0.5
