"""The homework's own numbers, on the full data. Run with CHAINRULE_DATA=FOLDER pytest -m full.

FOLDER holds the four files of Fashion-MNIST and, for the transformer, tinyshakespeare.txt.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.reference_files import cells, definitions

FOLDER = os.environ.get("CHAINRULE_DATA")
pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(FOLDER is None, reason="CHAINRULE_DATA names no folder with the full data"),
]


@pytest.fixture(scope="module")
def hw3() -> dict[str, Any]:
    return definitions()


def test_the_checkers_print_the_homeworks_numbers(
    hw3: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    sets, model = hw3["fresh_start"]()
    hw3["gradient_checker"](sets["train"], model)
    hw3["magnitude_checker"](sets["train"], model)
    numbers = re.findall(r"-?\d+\.\d{6}", capsys.readouterr().out)
    gradients = [number for number in ("0.000000", "0.129579", "0.004011", "0.121975") for _ in range(2)]
    assert numbers == [*gradients, "148.290031", "117.085383"]


def test_batch_size_5_gives_the_homeworks_run(hw3: dict[str, Any]) -> None:
    run = hw3["train"](*hw3["fresh_start"](), batch_size=5, max_epochs=200, patience=3)
    np.testing.assert_allclose(run["loss"][:2], [6.05685388211968, 5.173094948088359], rtol=1e-10)
    assert (run["train"][:2], run["validation"][:2]) == ([0.7893, 0.8187], [0.7765, 0.8015])
    assert (len(run["loss"]), run["best_epoch"], run["updates"]) == (13, 10, 20_000)
    assert run["test_at_best"] == 0.8435


def test_the_transformer_begins_as_in_the_homework() -> None:
    pytest.importorskip("torch")
    if not (Path(str(FOLDER)) / "tinyshakespeare.txt").is_file():
        pytest.skip("CHAINRULE_DATA holds no tinyshakespeare.txt")
    names = definitions() | {"__name__": "hw3"}
    sources = [cell.source for cell in cells("code")]
    first = next(number for number, source in enumerate(sources) if "import torch" in source)
    last = next(number for number, source in enumerate(sources) if source.startswith("default_run"))
    for source in sources[first:last]:
        exec(source, names)
    names.update(TRANSFORMER_STEPS=1, GENERATED_CHARACTERS=1, EVAL_BATCHES=50)
    run = names["train_transformer"](32, 4)
    model = names["CharacterTransformer"](len(names["alphabet"]), 32, 4)
    assert sum(parameter.numel() for parameter in model.parameters()) == 209_729
    assert run["validation"][0] == pytest.approx(4.41, abs=0.01)
