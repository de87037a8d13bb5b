"""`python -m reference.fast`: the notebook's own numbers, faster, by a command that may be stopped."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.paths import ROOT
from support.reference_files import cells, definitions
from support.uninstalled import importing
from support.unmeasured import unmeasured  # noqa: F401  # a fixture

pytestmark = pytest.mark.training

Load = Callable[[str], Any]


@pytest.fixture
def fast() -> Iterator[Load]:
    """Imports a module of reference/fast."""
    with importing("reference") as load:
        yield lambda name: load(f"reference.fast.{name}")


def plan(fast: Load, **changed: Any) -> dict[tuple[str, ...], Any]:
    settings = fast("settings")
    found: dict[tuple[str, ...], Any] = settings.plan(settings.parameters() | changed, examples=10_000)
    return found


def test_the_plan_is_the_notebooks_nineteen_runs_of_which_two_are_repeated(fast: Load) -> None:
    runs = plan(fast)
    kinds = [type(run).__name__ for run in runs.values()]
    assert (kinds.count("NetworkRun"), kinds.count("TransformerRun")) == (12, 7)
    assert runs["first_run",] == runs["batch_runs", "5"]
    assert runs["default_run",] == runs["head_runs", "4"]
    assert len(set(runs.values())) == 17


def test_batches_larger_than_the_training_set_are_left_out_as_in_the_notebook(fast: Load) -> None:
    settings = fast("settings")
    runs = settings.plan(settings.parameters(), examples=800)
    assert [name[1] for name in runs if name[0] == "batch_runs"] == ["1", "5", "50", "500"]


@pytest.mark.parametrize(("batch_size", "alpha"), [(1, 0.0), (7, 0.0), (7, 0.9), (60, 0.5)])
def test_the_network_has_the_notebooks_accuracies_and_losses(
    fast: Load, batch_size: int, alpha: float
) -> None:
    """Whole windows, a short last window, windows of one step, each with or without momentum."""
    hw3 = definitions()
    hw3["DATA"] = "subset"  # in place: the functions look their globals up here
    sets, model = hw3["fresh_start"]()
    velocity = hw3["add_momentum"](model)

    def update(model: Any, rate: float) -> Any:
        return hw3["sgd_with_momentum"](model, velocity, rate, alpha)

    expected = hw3["train"](sets, model, batch_size, 2, update=update)
    run = dataclasses.replace(
        plan(fast)["early_run",], batch_size=batch_size, alpha=alpha, max_epochs=2, patience=None
    )
    heard: list[tuple[int, int]] = []
    found = fast("network").train(run, "subset", lambda done, most: heard.append((done, most)))
    for name in ("train", "validation", "test", "best_epoch", "updates", "test_at_best"):
        assert found[name] == expected[name]
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-12)
    assert heard == [(1, 2), (2, 2)]


def test_the_network_stops_early_as_the_notebook_does(fast: Load) -> None:
    network = fast("network")
    assert network.stops_at([0.5, 0.6, 0.55, 0.6, 0.59, 0.58, 0.6, 0.5, 0.5, 0.5, 0.9], 3) == 10
    run = dataclasses.replace(plan(fast)["first_run",], patience=1, max_epochs=60, batch_size=200)
    history = network.train(run, "subset", lambda *_: None)
    assert len(history["loss"]) == network.stops_at(history["validation"], 1) < 60
    assert history["test_at_best"] == history["test"][history["best_epoch"] - 1]


def notebooks_transformer(**changed: Any) -> dict[str, Any]:
    """The notebook's cells about the transformer up to its first training, on the small data."""
    names = definitions() | {"DATA": "subset", "__name__": "hw3"}
    sources = [cell.source for cell in cells("code")]
    first = next(number for number, source in enumerate(sources) if "import torch" in source)
    last = next(number for number, source in enumerate(sources) if source.startswith("default_run"))
    for source in sources[first:last]:
        exec(source, names)
    names.update(changed)  # in place: the functions look their globals up here
    return names


def test_the_transformer_has_the_notebooks_losses_and_text(fast: Load) -> None:
    pytest.importorskip("torch")
    few = {"TRANSFORMER_STEPS": 24, "EVAL_EVERY": 10, "EVAL_BATCHES": 5, "GENERATED_CHARACTERS": 20}
    expected = notebooks_transformer(**few)["train_transformer"](8, 2)
    run = dataclasses.replace(plan(fast, **few)["default_run",], block_size=8, n_heads=2)
    found = fast("transformer").train(run, "subset", lambda *_: None)
    assert found["steps"] == expected["steps"] == [0, 10, 20, 23]
    for part in ("train", "validation"):
        np.testing.assert_allclose(found[part], expected[part], rtol=2e-6)
    assert (found["before"], found["after"]) == (expected["before"], expected["after"])


def homework_results(fast: Load) -> dict[tuple[str, ...], dict[str, Any]]:
    """Histories that hold exactly the homework's numbers."""
    homework = fast("homework")
    results: dict[tuple[str, ...], dict[str, Any]] = {
        ("batch_runs", size): {
            "loss": [0.0] * epochs,
            "best_epoch": best,
            "updates": updates,
            "test_at_best": accuracy,
        }
        for size, (epochs, best, updates, accuracy) in homework.BATCH_SIZES.items()
    }
    losses, *accuracies = (list(column) for column in zip(*homework.FIRST_EPOCHS, strict=True))
    results["first_run",] = {"loss": losses, "train": accuracies[0], "validation": accuracies[1]}
    results["early_run",] = {"stopped_at": 13}
    return results | {name: {"validation": [4.4, loss]} for name, loss in homework.VALIDATION_LOSS.items()}


def test_every_number_of_the_homework_is_compared(fast: Load) -> None:
    lines = list(fast("homework").compare(homework_results(fast)))
    assert len(lines) == 5 + 2 + 1 + 7
    assert all(line.agrees for line in lines)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        (("batch_runs", "50"), {"updates": 8_400}),
        (("batch_runs", "5000"), {"test_at_best": 0.6857}),
        (("first_run",), {"loss": [6.0568538, 5.173094948088359]}),
        (("first_run",), {"validation": [0.7765, 0.8014]}),
        (("early_run",), {"stopped_at": None}),
        (("head_runs", "8"), {"validation": [1.876]}),
        (("default_run",), {"validation": [float("nan")]}),
    ],
)
def test_a_number_that_differs_is_the_only_one_that_does(
    fast: Load, name: tuple[str, ...], changed: dict[str, Any]
) -> None:
    results = homework_results(fast)
    results[name] = results[name] | changed
    assert sum(not line.agrees for line in fast("homework").compare(results)) == 1


@pytest.mark.parametrize(("accuracy", "status"), [(0.7510, 0), (0.7511, 1)])
def test_the_exit_status_says_whether_the_numbers_are_the_homeworks(
    fast: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accuracy: float, status: int
) -> None:
    """With a run that was finished before, so that nothing is trained."""
    main, store = fast("__main__"), fast("store")
    data = store.Data("full", 10_000, "images", "text")
    monkeypatch.setattr(main, "examine", lambda _: data)
    history = homework_results(fast)["batch_runs", "500"] | {"test_at_best": accuracy}
    store.Store(tmp_path, data, "cpu").keep(plan(fast)["batch_runs", "500"], history, 1.0)
    assert main.main(["--out", str(tmp_path), "--only", "batch_runs/500"]) == status
    assert json.loads((tmp_path / "results.json").read_text()) == {"batch_runs": {"500": history}}


def test_a_finished_run_counts_only_for_the_same_settings_data_code_and_device(
    fast: Load, tmp_path: Path
) -> None:
    store = fast("store")
    data = store.Data("full", 10_000, "images", "text")
    runs = plan(fast)
    network, transformer = runs["first_run",], runs["default_run",]
    here = store.Store(tmp_path, data, "cpu")
    here.keep(network, {"loss": [1.0]}, 1.0)
    assert here.load(network) == {"loss": [1.0]}
    other_code = {kind: [*digests, "more"] for kind, digests in here.code.items()}
    for change in (
        {"data": dataclasses.replace(data, images_digest="others")},
        {"code": other_code},
    ):
        assert dataclasses.replace(here, **change).load(network) is None
    assert here.load(dataclasses.replace(network, seed=43)) is None
    assert here.path(network) == dataclasses.replace(here, device="cuda").path(network)
    assert here.path(transformer) != dataclasses.replace(here, device="cuda").path(transformer)
    here.path(network).write_text(here.path(network).read_text()[:-20])
    assert here.load(network) is None


def test_unknown_names_are_refused_with_those_there_are(
    fast: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fast("__main__").main(["--quick", "--out", str(tmp_path), "--only", "alpha"]) == 2
    printed = capsys.readouterr().out
    assert "no run alpha" in printed
    assert "momentum_runs/0.9" in printed


def test_every_option_is_on_its_page(fast: Load) -> None:
    page = (ROOT / "docs" / "reference-run.md").read_text(encoding="utf-8")
    described = set(re.findall(r"--[a-z]+", page))
    assert described == set(re.findall(r"--[a-z]+", fast("__main__").parser().format_help())) - {"--help"}


HANGS = 600  # seconds; all of it takes a few


@contextmanager
def command(out: Path) -> Iterator[subprocess.Popen[str]]:
    """The command, running; in the end it is not."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    chosen = ["--only", "batch_runs", "--only", "momentum_runs"]
    arguments = ["--quick", "--out", str(out), "--jobs", "2", *chosen]
    with subprocess.Popen(
        [sys.executable, "-m", "reference.fast", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def children(parent: int) -> set[int]:
    """The processes that this one has begun, by Linux's own list."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def kept(out: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in out.glob("NetworkRun-*.json")}


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_interrupted_it_leaves_nothing_running_and_goes_on_where_it_was(tmp_path: Path) -> None:
    most = 0
    workers: set[int] = set()
    with command(tmp_path) as first:
        while not kept(tmp_path) or most < 2:
            assert first.poll() is None, first.communicate()[0]
            workers |= children(first.pid)
            most = max(most, len(children(first.pid)))
            time.sleep(0.02)
        first.send_signal(signal.SIGINT)
        printed, _ = first.communicate(timeout=HANGS)
    assert first.returncode == 130, printed
    assert "the same command goes on" in printed
    until = time.monotonic() + 30  # multiprocessing's own helper ends a moment after its parent
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < until, "a worker outlived the command"
        time.sleep(0.02)
    assert not (tmp_path / "results.json").exists()
    before = kept(tmp_path)
    assert 0 < len(before) < 7

    with command(tmp_path) as second:
        printed, _ = second.communicate(timeout=HANGS)
    assert second.returncode == 0, printed
    assert f"{len(before)} runs were finished before" in printed
    assert len(kept(tmp_path)) == 7
    assert before.items() <= kept(tmp_path).items()
    assert "homework" not in printed  # a budget's numbers are not the homework's
    results = json.loads((tmp_path / "results.json").read_text())
    assert [list(results[name]) for name in ("batch_runs", "momentum_runs")] == [
        ["5", "50"],
        ["0.1", "0.3", "0.5", "0.7", "0.9"],
    ]
