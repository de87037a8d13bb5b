"""Each look at a recorded curve passes right ones over many seeds and refuses what it is there to refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks import curves as looks
from grader.checks.letters import copied_share, sampling_surprise
from grader.model.errors import AuthorError, BadEvidence

CURVE = np.array([4.4, 3.0, 2.5, 2.45, 2.2, 2.25, 2.1, 2.12, 2.0, 2.03])


def refused(look: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(BadEvidence) as error:
        look(*arguments, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(("same", "gap"), [(True, 1.2e-7), (False, 1e-4)])
def test_a_beginning_may_differ_by_what_was_measured_and_no_more(*, same: bool, gap: float) -> None:
    options: dict[str, Any] = {"same_machine": same, "name": "losses"}
    looks.assert_replay_agrees(CURVE[:3] * (1 + gap), CURVE, **options)
    assert "value 2 was recorded as 3.0" in refused(
        looks.assert_replay_agrees, CURVE[:3] * [1, 1 + 30 * gap, 1], CURVE, **options
    )


def test_a_beginning_that_is_longer_or_not_finite_does_not_agree() -> None:
    options: dict[str, Any] = {"same_machine": False, "name": "losses"}
    assert "10 values were recorded" in refused(looks.assert_replay_agrees, CURVE, CURVE[:3], **options)
    refused(looks.assert_replay_agrees, CURVE[:3], np.array([4.4, np.nan, 2.5]), **options)


def test_draws_are_compared_exactly() -> None:
    looks.assert_same_draws([1, 2], [1, 2], name="rows")
    refused(looks.assert_same_draws, [1, 2], [2, 1], name="rows")


@given(st.lists(st.integers(0, 2000), min_size=1, max_size=30))
def test_accuracies_are_counts_in_any_usual_precision(hits: list[int]) -> None:
    curve = np.array(hits) / 2000
    for recorded in (curve, curve.astype(np.float32).astype(float), np.round(curve, 5)):
        looks.assert_counts(recorded, of=2000, name="validation")


@pytest.mark.parametrize("value", [0.77512, 1.2, -0.1, 0.98 / 3])
def test_what_is_no_count_is_refused(value: float) -> None:
    assert "2,000 examples" in refused(
        looks.assert_counts, np.array([0.5, value]), of=2000, name="validation"
    )


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30), st.integers(1, 5))
def test_early_stopping_is_as_the_notebook_does_it(accuracies: list[int], patience: int) -> None:
    def best_epoch(found: list[int]) -> int:
        return len(found) - found[::-1].index(max(found))

    epochs = range(1, len(accuracies) + 1)
    wanted = next((n for n in epochs if n - best_epoch(accuracies[:n]) >= patience), None)
    assert looks.stop_epoch(np.array(accuracies, float), patience=patience) == wanted
    looks.assert_stop_epoch(wanted, np.array(accuracies, float), patience=patience, name="stop")


@pytest.mark.parametrize("claimed", [4, None, True, 5.0, "5", 10**30])
def test_another_epoch_to_stop_at_is_refused(claimed: object) -> None:
    accuracies = np.array([0.1, 0.5, 0.4, 0.3, 0.2, 0.6])
    looks.assert_stop_epoch(5, accuracies, patience=3, name="stop")
    refused(looks.assert_stop_epoch, claimed, accuracies, patience=3, name="stop")


def test_a_mean_over_neighbours_takes_the_noise_out() -> None:
    for seed in range(200):
        noise = np.random.default_rng(seed).normal(size=45)
        assert 1.4 < looks.roughness(noise) < 3.6
        looks.assert_curve_rough(noise, least=1.2, name="loss")
        smoothed = np.convolve(noise, np.ones(3) / 3, mode="valid")
        refused(looks.assert_curve_rough, smoothed, least=1.2, name="loss")


def test_curves_are_rough_together_by_their_geometric_mean() -> None:
    loud, quiet = np.tile([0.0, 1.0], 6), np.tile([0.0, 0.01], 6)
    least = 0.1 * looks.roughness(loud)
    looks.assert_curves_rough([loud, quiet], least=0.999 * least, name="the losses")
    refused(looks.assert_curves_rough, [loud, quiet], least=1.001 * least, name="the losses")
    refused(looks.assert_curves_rough, [loud, loud, np.arange(12.0)], least=1e-9, name="the losses")


def test_a_short_curve_has_no_roughness() -> None:
    with pytest.raises(AuthorError, match="at least 5 values"):
        looks.roughness(CURVE[:4])


def test_a_band_may_be_as_wide_as_each_value_needs() -> None:
    width = np.full(len(CURVE), 0.1)
    looks.assert_curve_in_band(CURVE + 0.05, CURVE, width=width, name="loss", root_mean_square=0.06)
    looks.assert_curve_in_band(np.append(CURVE, 9.0), CURVE, width=0.01, name="more epochs than asked")
    refused(looks.assert_curve_in_band, CURVE + 0.05, CURVE, width=width, name="loss", root_mean_square=0.04)
    assert "entry 3" in refused(
        looks.assert_curve_in_band, CURVE + 0.2 * (np.arange(10) == 2), CURVE, width=width, name="loss"
    )


def test_runs_have_their_labels_and_differ() -> None:
    looks.assert_labels(("0.1", "0.9", "0.95"), ("0.1", "0.9"), name="runs")
    assert "no run for 0.5" in refused(looks.assert_labels, ("0.1",), ("0.1", "0.5"), name="runs")
    looks.assert_curves_differ({"a": CURVE, "b": CURVE + 1e-9}, name="losses")
    refused(looks.assert_curves_differ, {"a": CURVE, "b": CURVE.copy()}, name="losses")


def test_a_models_own_text_surprises_it_no_more_than_chance_does() -> None:
    random = np.random.default_rng(1)
    found = []
    for seed in range(400):
        places = random.dirichlet(np.full(20, 0.3), size=100)
        written = np.array([random.choice(20, p=place) for place in places])
        with np.errstate(divide="ignore"):
            found.append(sampling_surprise(np.log(places), written))
        assert seed or sampling_surprise(np.log(places + 1e-30), random.integers(20, size=100)) > 6
    assert abs(np.mean(found)) < 0.25
    assert 0.85 < np.std(found) < 1.15
    assert np.abs(found).max() < 5


def test_a_text_that_is_too_likely_is_not_drawn_either() -> None:
    places = np.random.default_rng(2).dirichlet(np.full(20, 0.5), size=200)
    assert sampling_surprise(np.log(places), places.argmax(axis=1)) < -6


def test_a_copied_passage_is_found_in_the_known_texts() -> None:
    random = np.random.default_rng(2)
    first, second, own = ("".join(random.choice(list("abcdefgh"), 5000)) for _ in range(3))
    assert copied_share(first[1000:1500], first, second, length=24) == 1
    assert copied_share(second[7:250] + own[:240], first, second, length=24) == pytest.approx(0.5, abs=0.05)
    assert copied_share(own[:500], first, second, length=24) == 0
    assert copied_share("short", "a short one", length=24) == 0
