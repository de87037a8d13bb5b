"""Each look at a recorded curve passes right ones over many seeds and refuses what it is there to refuse."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks import curves as looks
from grader.checks.first_batches import MOST_EXAMPLES, ImageBatches, TextBatches
from grader.checks.letters import (
    LetterPairs,
    assert_made_of,
    assert_reads_better,
    assert_reads_like,
    shingle_hits,
    window_sums,
)
from grader.model.errors import AuthorError, BadEvidence

CURVE = np.array([4.4, 3.0, 2.5, 2.45, 2.2, 2.25, 2.1, 2.12, 2.0, 2.03])
TEXT = "the quick brown fox jumps over the lazy dog and then the dog thinks about it all the day long. " * 20


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


def test_where_a_curve_starts_and_ends() -> None:
    looks.assert_curve_starts_near(CURVE, 4.38, within=0.05, name="loss")
    refused(looks.assert_curve_starts_near, CURVE, 4.17, within=0.05, name="loss")
    looks.assert_curve_falls(CURVE, by=0.5, name="loss")
    refused(looks.assert_curve_falls, CURVE[::-1], by=0.1, name="loss")
    looks.assert_curve_rises_to(CURVE, least=4.0, name="accuracy")
    refused(looks.assert_curve_rises_to, CURVE, least=5.0, name="accuracy")


def test_what_was_fitted_to_lies_on_its_own_side() -> None:
    looks.assert_curve_ends_above(CURVE + 0.1, CURVE, by=0.05, name="loss")
    refused(looks.assert_curve_ends_above, CURVE, CURVE, by=0.05, name="loss")


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


def test_letters_in_order_are_told_from_letters_by_chance() -> None:
    pairs = LetterPairs.of(TEXT)
    shuffled = "".join(np.random.default_rng(1).permutation(list(TEXT)))
    assert_reads_like(TEXT[40:300], pairs, at_most=2.0, name="text")
    refused(assert_reads_like, shuffled, pairs, at_most=2.0, name="text")
    assert_reads_better(shuffled, TEXT, pairs, by=0.5)
    refused(assert_reads_better, TEXT, shuffled, pairs, by=0.5)
    assert pairs.surprise("θω θω") > 3


def test_letters_of_no_alphabet_are_named() -> None:
    assert_made_of("abba", "abc", name="text")
    assert "'\\x1b'" in refused(assert_made_of, "ab\x1b", "abc", name="text")


def test_a_copied_passage_is_known_by_its_windows() -> None:
    random = np.random.default_rng(2)
    original = "".join(random.choice(list("abcdefgh"), 5000))
    kept = frozenset(window_sums(original, length=24, one_in=8))
    assert 450 < len(kept) < 800
    looked_at, hits = shingle_hits(original[1000:1500], kept, length=24, one_in=8)
    assert looked_at == hits > 20
    other = "".join(random.choice(list("abcdefgh"), 500))
    assert shingle_hits(other, kept, length=24, one_in=8)[1] == 0


# -- beginnings -----------------------------------------------------------------------------------------

PIXELS = np.random.default_rng(3).integers(0, 256, (4, 9), dtype=np.uint8)


def pictures(**changes: Any) -> dict[str, Any]:
    packed = base64.b64encode(zlib.compress(PIXELS.tobytes())).decode()
    whole = {
        "losses": [2.3, 2.2],
        "rows": [5, 1, 7, 0],
        "labels": [1, 0, 2, 2],
        "pixels": packed,
        "examples": 8,
    }
    return whole | changes


def pieces(**changes: Any) -> dict[str, Any]:
    whole = {
        "losses": [4.1],
        "starts": [[0, 2]],
        "pieces": [["abca", "cabb"]],
        "characters": 20,
        "alphabet": "abc",
    }
    return whole | changes


def test_recorded_pictures_are_read() -> None:
    found = ImageBatches.of(pictures(), pixels=9, classes=3)
    assert (found.rows, found.labels, found.examples) == ((5, 1, 7, 0), (1, 0, 2, 2), 8)
    assert found.pixels.tolist() == PIXELS.tolist()
    found.assert_images()


BOMB = base64.b64encode(zlib.compress(bytes(50_000_000))).decode()


@pytest.mark.parametrize(
    "changes",
    [
        {"examples": MOST_EXAMPLES + 1},
        {"examples": True},
        {"examples": 8.0},
        {"rows": [5, 1, 7, 8]},
        {"rows": [5, 1, 5, 0]},
        {"rows": [-1, 1, 7, 0]},
        {"rows": []},
        {"rows": "5170"},
        {"rows": [[0] * 9] * 2000},
        {"labels": [1, 0, 2, 3]},
        {"labels": [1, 0, 2]},
        {"labels": [1, 0, 2, None]},
        {"losses": [2.3, "NaN"]},
        {"losses": [2.3, float("inf")]},
        {"losses": []},
        {"losses": [1.0] * 3},
        {"pixels": BOMB},
        {"pixels": "AAAA"},
        {"pixels": "no base64 é"},
        {"pixels": 7},
        {"pixels": base64.b64encode(zlib.compress(PIXELS.tobytes())[:-3]).decode()},
    ],
)
def test_pictures_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    refused(ImageBatches.of, pictures(**changes), pixels=9, classes=3)


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_what_is_no_beginning_is_refused(data: object) -> None:
    refused(ImageBatches.of, data, pixels=9, classes=3)
    refused(TextBatches.of, data, share=0.9)


@pytest.mark.parametrize("array", [np.zeros((4, 9)), np.repeat(PIXELS[:1], 4, axis=0)])
def test_blank_and_repeated_pictures_are_no_pictures(array: np.ndarray) -> None:
    packed = base64.b64encode(zlib.compress(array.astype(np.uint8).tobytes())).decode()
    refused(ImageBatches.of(pictures(pixels=packed), pixels=9, classes=3).assert_images)


def test_recorded_pieces_are_read_and_written_to_their_places() -> None:
    found = TextBatches.of(pieces(), share=0.9)
    assert (found.starts, found.pieces, found.characters) == ((0, 2), ("abca", "cabb"), 20)
    known: dict[int, str] = {}
    found.add_to(known)
    assert "".join(known[at] for at in range(6)) == "abcabb"


@pytest.mark.parametrize(
    "changes",
    [
        {"pieces": [["abca", "babb"]]},
        {"pieces": [["abca", "cab"]]},
        {"pieces": [["abca", "cabd"]]},
        {"pieces": [["abca"]]},
        {"pieces": [["abca", 3]]},
        {"pieces": [["a", "c"]]},
        {"starts": [[0, 15]]},
        {"starts": [[0, -2]]},
        {"starts": [[[0], 2]]},
        {"characters": 10**12},
        {"alphabet": "bca"},
        {"alphabet": ["a", "b", "c"]},
        {"alphabet": "a"},
        {"losses": None},
    ],
)
def test_pieces_that_do_not_fit_are_refused(changes: dict[str, Any]) -> None:
    refused(TextBatches.of, pieces(**changes), share=0.9)


def test_pieces_of_two_runs_may_not_contradict() -> None:
    known = {3: "b"}
    assert "position 3" in refused(TextBatches.of(pieces(), share=0.9).add_to, known)
    assert known == {3: "b"}
