"""The reference notebook: its solutions can be taken out, its layers are right, and the whole of it runs."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.paths import ROOT, TESTS
from support.reference_files import REFERENCE, REGION, cells, definitions, stubbed
from support.unmeasured import unmeasured  # noqa: F401  # a fixture

from grader.model.assignment import parse

pytestmark = pytest.mark.training

LEARNING = {"MAX_EPOCHS": 2, "UPDATES_PER_EPOCH": 160, "MOMENTUM_EPOCHS": 1, "EVAL_EXAMPLES": 800}
"""What a network needs to learn something; the budget's own few updates only show where a run begins."""
TIMEOUT = 600  # seconds, for a run that hangs; it takes about six, most of them imports


@pytest.fixture(scope="module")
def hw3() -> dict[str, Any]:
    return definitions()


def small_network(hw3: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Random examples and a small network, both seeded."""
    np.random.seed(3)
    data = hw3["DataSplit"](np.random.normal(size=(12, 6)), np.random.randint(0, 4, size=(12, 1)))
    return data, hw3["make_network"](6, 5, 4)


def test_each_cell_without_its_solutions_still_parses() -> None:
    regions = 0
    for cell in cells("code"):
        without = stubbed(cell.source)
        regions += len(REGION.findall(cell.source))
        assert "SOLUTION" not in without
        ast.parse(without)
    assert regions == 8


def test_every_stub_raises_when_it_is_reached() -> None:
    stubs = definitions(stub=True)
    data, _ = np.ones((2, 3)), np.ones((2, 1))
    unfilled: list[Callable[[], object]] = [
        lambda: stubs["linear_layer"](3, 2),
        lambda: stubs["relu"]().forward(data),
        lambda: stubs["relu"]().backward(data, data),
        lambda: stubs["sgd_with_momentum"]({}, {}, 0.1, 0.5),
        lambda: stubs["backward_pass"]({"loss": stubs["softmax_cross_entropy"]()}, data, 0, 0, data, [0, 1]),
    ]
    for call in unfilled:
        with pytest.raises(NotImplementedError):
            call()


def test_layer_shapes_and_draws_are_the_homeworks(hw3: dict[str, Any]) -> None:
    np.random.seed(0)
    layer = hw3["linear_layer"](5, 3)
    np.random.seed(0)
    assert np.array_equal(layer.params["W"], np.random.normal(0, 0.1, size=(5, 3)))
    assert np.array_equal(layer.params["b"], np.random.normal(0, 0.1, size=(1, 3)))
    assert not layer.gradient["W"].any()
    assert not layer.gradient["b"].any()
    layer.backward(np.ones((2, 5)), np.ones((2, 3)))
    assert (layer.gradient["W"].shape, layer.gradient["b"].shape) == ((5, 3), (1, 3))


def test_backpropagation_agrees_with_central_differences_in_every_entry(hw3: dict[str, Any]) -> None:
    data, model = small_network(hw3)
    x, y = data.get_example(np.arange(data.N))
    a1, h1, a2, _ = hw3["forward_pass"](model, x, y)
    assert np.abs(a1).min() > 1e-4  # no kink within reach of h
    hw3["backward_pass"](model, x, a1, h1, a2, y)
    h = 1e-5
    for layer in (model["L1"], model["L2"]):
        for key, parameter in layer.params.items():
            estimate = np.zeros_like(parameter)
            for index in np.ndindex(parameter.shape):
                kept = parameter[index]
                losses = []
                for value in (kept + h, kept - h):
                    parameter[index] = value
                    losses.append(hw3["forward_pass"](model, x, y)[-1])
                parameter[index] = kept
                estimate[index] = (losses[0] - losses[1]) / (2 * h)
            np.testing.assert_allclose(layer.gradient[key], estimate, rtol=1e-6, atol=1e-9)


def test_gradient_checker_prints_four_agreeing_lines_and_leaves_the_parameters(
    hw3: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    data, model = small_network(hw3)
    before = {name: {k: v.copy() for k, v in model[name].params.items()} for name in ("L1", "L2")}
    hw3["gradient_checker"](data, model)
    pattern = (
        r"Check the gradient of (W|b) in the (L1|L2) layer from backpropagation: (\S+) "
        r"and from approximation: (\S+)"
    )
    lines = [re.fullmatch(pattern, line) for line in capsys.readouterr().out.splitlines()]
    found = [line.groups() for line in lines if line]
    assert [(layer, key) for key, layer, _, _ in found] == [
        ("L1", "W"),
        ("L1", "b"),
        ("L2", "W"),
        ("L2", "b"),
    ]
    for _, _, claimed, estimated in found:
        assert float(claimed) == pytest.approx(float(estimated), abs=2e-6)
    assert any(float(claimed) != 0 for _, _, claimed, _ in found)
    for name, params in before.items():
        for key, value in params.items():
            np.testing.assert_allclose(model[name].params[key], value, rtol=1e-12)


def test_momentum_of_zero_is_plain_descent_and_the_velocity_is_kept(hw3: dict[str, Any]) -> None:
    _, plain = small_network(hw3)
    _, model = small_network(hw3)
    velocity = hw3["add_momentum"](model)
    for network in (plain, model):
        network["L1"].gradient["W"][:] = 2.0
    hw3["miniBatchGradientDescent"](plain, 0.1)
    assert hw3["sgd_with_momentum"](model, velocity, 0.1, 0.0) is model
    np.testing.assert_array_equal(model["L1"].params["W"], plain["L1"].params["W"])
    hw3["sgd_with_momentum"](model, velocity, 0.1, 0.5)
    np.testing.assert_allclose(velocity["L1", "W"], 3.0)
    np.testing.assert_allclose(model["L1"].params["W"], plain["L1"].params["W"] - 0.3)


@pytest.mark.parametrize(
    ("accuracies", "best", "stop"),
    [
        ([0.5, 0.6, 0.7], 3, None),
        ([0.5, 0.6, 0.55, 0.58, 0.59], 2, 5),
        ([0.5, 0.6, 0.55, 0.6, 0.59, 0.58], 4, None),  # a tie counts as an improvement
        ([0.9, 0.1, 0.1, 0.1, 0.95], 5, 4),
    ],
)
def test_early_stopping_counts_epochs_since_the_best(
    hw3: dict[str, Any], accuracies: list[float], best: int, stop: int | None
) -> None:
    assert hw3["best_epoch"](accuracies) == best
    assert hw3["early_stop_epoch"](accuracies, 3) == stop


def test_loss_is_summed_over_chunks_and_the_last_may_be_short(hw3: dict[str, Any]) -> None:
    data, model = small_network(hw3)
    losses, right = [], 0
    for rows in (np.arange(5), np.arange(5, 10), np.arange(10, 12)):
        x, y = data.get_example(rows)
        _, _, a2, loss = hw3["forward_pass"](model, x, y)
        losses.append(loss)
        right += int(np.sum(hw3["predict_label"](a2) == y))
    accuracy, total = hw3["compute_accuracy_loss"](data.N, data, model, minibatch_size=5)
    assert accuracy == pytest.approx(right / 12)
    assert total == pytest.approx(sum(losses))


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What the budgeted notebook printed and found, run in a student's folder without a network."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("student")
    assignment = parse((ROOT / "assignment.toml").read_text(encoding="utf-8"))
    budget = assignment.budget | LEARNING
    for given in (*assignment.given, assignment.notebook):
        source = ROOT / given
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / source.name)
    kept = ("PATH", "HOME", "SYSTEMROOT", "TEMP", "LANG")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(folder)}
    program = TESTS / "support" / "reference_run.py"
    done = subprocess.run(
        [sys.executable, "-P", program, "hw3.py", json.dumps(budget), "results.json"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "results.json").read_text())


def test_the_budgeted_notebook_runs_offline_and_makes_all_runs(executed: tuple[str, dict[str, Any]]) -> None:
    printed, results = executed
    budget = parse((ROOT / "assignment.toml").read_text(encoding="utf-8")).budget
    assert [list(results[name]) for name in ("batch_runs", "momentum_runs", "block_runs", "head_runs")] == [
        [str(value) for value in values]
        for values in ([5, 50], [0.1, 0.3, 0.5, 0.7, 0.9], [2, 16, 64], [2, 4, 8])
    ]
    assert results["figures"] == 6
    assert len(results["early_run"]["test"]) == budget["EARLY_STOP_EPOCHS"]
    assert len(results["default_run"]["after"]) == budget["GENERATED_CHARACTERS"]
    assert printed.count("Check the gradient of") == 4
    assert "The public tests of 3.1.1 need the grader Chainrule" in printed


def test_a_few_budgeted_steps_already_learn(executed: tuple[str, dict[str, Any]]) -> None:
    _, results = executed
    assert results["first_run"]["loss"] == sorted(results["first_run"]["loss"], reverse=True)
    assert results["first_run"]["test_at_best"] > 0.5
    losses = [run["loss"][-1] for run in results["momentum_runs"].values()]
    assert losses == sorted(losses, reverse=True)
    for run in (results["default_run"], *results["block_runs"].values(), *results["head_runs"].values()):
        assert run["train"][0] > run["train"][-1] + 0.1
        assert run["before"] != run["after"]


def test_the_same_settings_give_the_same_run(executed: tuple[str, dict[str, Any]]) -> None:
    _, results = executed
    assert results["head_runs"]["4"] == results["default_run"]
    assert results["first_run"] == results["batch_runs"]["5"]


def test_the_notebook_is_deterministic_text() -> None:
    """No output, path or clock is kept in the reference."""
    text = (REFERENCE / "hw3.py").read_text(encoding="utf-8")
    assert text.isascii()
    assert not re.search(r"/home|/work|/tmp|/usr/share", text)
