"""HW3's lines of honest training and its sketches, on the full-marks notebook's own recordings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.paths import ROOT
from support.uninstalled import importing

from grader.checks.evidence import Recording
from grader.checks.likeness import likeness, unsketch
from grader.checks.weights import unpack_weights
from grader.course.fingerprints import all_prints
from grader.grading import assignment_folder
from grader.grading.functions import ShownFunction, sketched
from grader.grading.recorded import recordings_in
from grader.handed_in.named import package_of
from grader.handed_in.package import load

HIDDEN = ROOT / "hidden_tests"


@pytest.fixture(scope="module")
def hidden() -> Iterator[Any]:
    """A function that loads a module beside the checks."""
    with importing("benchmarks", "reference") as load_module:
        yield load_module("benchmarks.hidden_module").hidden


@pytest.fixture(scope="module")
def recordings() -> dict[str, Recording]:
    """What the full-marks notebook recorded."""
    folder = assignment_folder.load(ROOT)
    path = ROOT / "examples/full_marks/hw3.ipynb"
    submission = load(package_of(path, folder.expected, into=ROOT))
    cells = [cell for file in submission.notebooks for cell in file.cells]
    return {one.item: one for one in recordings_in(cells, folder.assignment)}


def network_of(hidden: Any, recordings: dict[str, Recording]) -> Any:
    return unpack_weights(recordings["3.3.i"].data["weights"], shapes=hidden("trusted").NETWORK)


def judged(hidden: Any, weights: Any, newborn: Any, epochs: int) -> tuple[float, str]:
    """T^2 of the weights on the line of 3.3.i, and what the check says."""
    trusted, lines = hidden("trusted"), hidden("lines")
    _, losses = trusted.counts_and_loss(weights, parts=("train",))
    measured = {**losses, "active": trusted.active(weights)}
    line = lines.lines()["3.3.i"]
    found = lines.numbers(line.names, measured, weights, newborn)
    return line.distance(found, epochs), lines.off_the_line("3.3.i", measured, weights, newborn, 30)


def test_29_honest_epochs_read_as_29_and_are_not_30_of_another_seed(
    hidden: Any, recordings: dict[str, Recording]
) -> None:
    weights = network_of(hidden, recordings)
    own = hidden("trusted").NetworkRun.of(42, epochs=0).newborn
    lines = hidden("lines").lines()["3.3.i"]
    assert judged(hidden, weights, own, 29)[0] < lines.bound()
    strange = hidden("trusted").NetworkRun.of(43, epochs=0).newborn
    assert judged(hidden, weights, strange, 29)[0] > 100 * lines.bound()
    assert "clock L1.W 0" in judged(hidden, weights, strange, 30)[1]


def test_another_number_of_epochs_waits_for_a_person(hidden: Any) -> None:
    assert "took 40 epochs or steps" in hidden("lines").off_the_line("3.3.i", {}, {}, {}, 40)


def test_every_line_is_of_enough_runs_and_its_bound_is_of_1_in_10000(hidden: Any) -> None:
    lines = hidden("lines").lines()
    assert len(lines) == 12
    for line in lines.values():
        assert line.freedom >= 14
        assert line.bound() < 60
        np.linalg.cholesky(line.covariances)
    kept = json.loads((HIDDEN / "lines.json").read_bytes())
    assert kept["runs"] == {setting: line.runs for setting, line in lines.items()}


def test_each_trained_model_of_a_submission_has_a_sketch(recordings: dict[str, Recording]) -> None:
    found = sketched(HIDDEN, recordings)
    models = [(item, shown.label) for item, text in found if (shown := ShownFunction.of(text))]
    trained = [
        *[("3.3.i", "run"), ("4.1.ii", "run")],
        *[("3.4.i", alpha) for alpha in ("0.1", "0.3", "0.5", "0.7", "0.9")],
        *[("4.1.iii.curves", block) for block in ("2", "16", "64")],
        *[("4.1.iv.curves", heads) for heads in ("2", "4", "8")],
    ]
    neurons = [(item, f"{label}.neurons") for item, label in trained]
    assert sorted(models) == sorted([*trained, *neurons])
    assert sum(len(text) for _, text in found) < 24_000


def test_a_copy_with_rearranged_and_scaled_neurons_and_noise_has_the_same_sketch(
    hidden: Any, recordings: dict[str, Recording]
) -> None:
    weights, random = network_of(hidden, recordings), np.random.default_rng(1)
    order, scale = random.permutation(128), np.exp(random.normal(0, 0.5, 128))
    copied = {
        "L1.W": (weights["L1.W"] + random.normal(0, 0.01, (784, 128)))[:, order] * scale,
        "L1.b": weights["L1.b"].reshape(1, -1)[:, order] * scale,
        "L2.W": weights["L2.W"][order] / scale[:, None],
        "L2.b": weights["L2.b"],
    }
    sketches = hidden("likeness")
    one, two = (unsketch(sketches.sketch_of_network(some)) for some in (weights, copied))
    assert one is not None
    assert two is not None
    assert likeness(one, two) > 0.9
    untrained = hidden("trusted").NetworkRun.of(42, epochs=0).newborn
    other = unsketch(sketches.sketch_of_network(untrained))
    assert other is not None
    assert abs(likeness(one, other)) < sketches.LEAST


def test_weights_added_to_a_newborn_network_keep_their_neurons(
    hidden: Any, recordings: dict[str, Recording]
) -> None:
    """The function is lost, so that its sketch shows nothing."""
    weights, trusted, sketches = network_of(hidden, recordings), hidden("trusted"), hidden("likeness")
    first, other = (trusted.NetworkRun.of(seed, epochs=0).newborn for seed in (42, 43))
    grafted = {
        name: value - first[name].reshape(value.shape) + other[name].reshape(value.shape)
        for name, value in weights.items()
    }
    turned = {name: other[name].reshape(value.shape) + 0.35 * value for name, value in weights.items()}
    own = unsketch(sketches.neurons_of_network(weights, 42))
    assert own is not None
    for forged in (grafted, turned):
        neurons = unsketch(sketches.neurons_of_network(forged, 43))
        outputs = [unsketch(sketches.sketch_of_network(some)) for some in (weights, forged)]
        assert neurons is not None
        assert likeness(own, neurons) > sketches.LEAST_OF_NEURONS
        assert likeness(*outputs) < sketches.LEAST
    honest = unsketch(sketches.neurons_of_network(other, 43))
    assert honest is not None
    assert abs(likeness(own, honest)) < sketches.LEAST_OF_NEURONS
    assert sketches.neurons_of_network(weights, "42") != sketches.neurons_of_network(weights, 42)


def test_weights_of_another_shape_have_no_sketch(recordings: dict[str, Recording]) -> None:
    data = {**recordings["3.3.i"].data, "weights": {"L1.W": {"shape": [1], "type": "int8", "data": "AA=="}}}
    broken = Recording(**{**vars(recordings["3.3.i"]), "data": data})
    assert sketched(HIDDEN, {"3.3.i": broken}) == frozenset()
    empty = Recording(**{**vars(recordings["3.4.i"]), "data": {"runs": {"0.1": 3}}})
    assert sketched(HIDDEN, {"3.4.i": empty}) == frozenset()


def test_grading_keeps_the_sketches() -> None:
    folder = assignment_folder.load(ROOT)
    submission = load(package_of(ROOT / "examples/full_marks/hw3.ipynb", folder.expected, into=ROOT))
    prints, problems = all_prints(submission, folder)
    assert problems == ()
    assert sum(ShownFunction.of(text) is not None for _, text in prints) == 26
