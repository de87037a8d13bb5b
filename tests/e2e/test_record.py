"""``record`` in a real Jupyter kernel, with nothing but the given utils.py, and what is then saved.

VS Code and Colab run the same kernel program and take a cell's outputs by the same messages (Jupyter's
display_data), so what is seen here is what they save.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbclient
import numpy as np
import pytest
from support import notebooks

from grader.inside.media_types import EVIDENCE
from grader.notebooks.submission_file import read

UTILS = Path(__file__).resolve().parents[2] / "student_template" / "utils.py"

FIRST = "def train():\n    return 1   \n\n\nclass Layer:\n    pass"
AGAIN = "@staticmethod\ndef train():\n    return 2"
CELLS = {
    "start": "import gc, weakref\nfrom utils import record",
    "libraries": "import matplotlib.pyplot as plt\nimport numpy as np",
    "parameters": "SEED, RATES, _SECRET, POINTS, small = 42, [0.1, float('inf')], 1, np.ones(3), 2",
    "first": FIRST,
    "curve": (
        "figure, axes = plt.subplots()\naxes.plot([1, 2])\n"
        "runs = {0.1: {'steps': (0, np.int64(9))}}\n"
        "record('4.1.ii', figure, loss=np.array([2.5, np.nan]), runs=runs, best=None)"
    ),
    "text": "record('4.1.i.generation', text='To be\\nor not', before='e', number=np.float32(0.5))",
    "again": AGAIN,
    "digest": "record('3.3.i', value=-np.inf)",
    "large": "figure, axes = plt.subplots()\nrecord('3.3.i', figure, curve=np.zeros(600_000))",
    "object": "record('3.3.i', runs={'a': [1, object()]})",
    "memory": (
        "plt.close('all')\nfigure, curve = plt.figure(), np.zeros(5)\nrecord('3.3.i', figure, curve=curve)\n"
        "left = weakref.ref(curve)\ndel figure, curve\ngc.collect()\nprint(plt.get_fignums(), left())"
    ),
}


def as_at_home() -> dict[str, str]:
    """The environment of a student's kernel, which finds what lies beside the notebook."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that ran in Jupyter's kernel beside utils.py, saved as Jupyter saves it."""
    home = tmp_path_factory.mktemp("student")
    shutil.copy(UTILS, home)
    notebook = notebooks.notebook(map(notebooks.code, CELLS.values()))
    nbclient.NotebookClient(
        notebook, resources={"metadata": {"path": str(home)}}, timeout=120, allow_errors=True
    ).execute(env=as_at_home())
    (home / "hw3.ipynb").write_bytes(notebooks.as_bytes(notebook))
    return home / "hw3.ipynb"


@pytest.fixture
def outputs(saved: Path) -> dict[str, list[Any]]:
    """What each cell left in the file."""
    found = json.loads(saved.read_text())["cells"]
    return {name: cell["outputs"] for name, cell in zip(CELLS, found, strict=True)}


def evidence_of(outputs: list[Any]) -> Any:
    (output,) = [output for output in outputs if EVIDENCE in output.get("data", {})]
    return output["data"][EVIDENCE]


def test_picture_and_evidence_are_one_output(outputs: dict[str, list[Any]]) -> None:
    (shown,) = outputs["curve"]
    assert shown["output_type"] == "display_data"
    assert set(shown["data"]) == {"image/png", "text/plain", EVIDENCE}
    assert evidence_of(outputs["curve"])["data"] == {
        "loss": [2.5, "NaN"],
        "runs": {"0.1": {"steps": [0, 9]}},
        "best": None,
    }


def test_the_grader_reads_the_saved_file(saved: Path, outputs: dict[str, list[Any]]) -> None:
    cell = read(saved).cells[list(CELLS).index("curve")]
    assert len(cell.figures) == 1
    assert list(cell.evidence) == [evidence_of(outputs["curve"])]


def test_evidence_says_what_made_it(outputs: dict[str, list[Any]]) -> None:
    evidence = evidence_of(outputs["curve"])
    assert (evidence["format"], evidence["item"]) == ("chainrule.evidence/1", "4.1.ii")
    assert evidence["parameters"] == {"SEED": 42, "RATES": [0.1, "Infinity"]}
    machine = evidence["machine"]
    assert (machine["python"], machine["numpy"]) == (platform.python_version(), np.__version__)
    assert machine["cpu"]
    assert "torch" not in machine
    assert len(bytes.fromhex(evidence["run"])) == 16
    assert evidence["recorded_at"].endswith("+00:00")
    assert evidence["run"] != evidence_of(outputs["text"])["run"]


def test_code_is_known_by_what_was_executed_last(outputs: dict[str, list[Any]]) -> None:
    def digest(source: str) -> str:
        return hashlib.sha256(source.encode()).hexdigest()[:16]

    layer = digest("class Layer:\n    pass")
    first = {"train": digest("def train():\n    return 1"), "Layer": layer}
    assert evidence_of(outputs["curve"])["code"] == first
    assert evidence_of(outputs["digest"])["code"] == first | {"train": digest("def train():\n    return 2")}


def test_text_is_printed_and_kept(outputs: dict[str, list[Any]]) -> None:
    printed, shown = outputs["text"]
    assert printed["text"] == ["To be\n", "or not\n"]
    assert shown["data"]["text/plain"] == ["Recorded for 4.1.i.generation."]
    assert shown["data"][EVIDENCE]["data"] == {"before": "e", "number": 0.5, "text": "To be\nor not"}


def test_too_much_is_refused_with_advice_and_not_kept(outputs: dict[str, list[Any]]) -> None:
    (error,) = [output for output in outputs["large"] if output["output_type"] == "error"]
    assert (error["ename"], "takes 3,0" in error["evalue"]) == ("ValueError", True)
    assert "each epoch" in error["evalue"]
    assert not [output for output in outputs["large"] if EVIDENCE in output.get("data", {})]


def test_what_is_no_data_is_named_by_its_place(outputs: dict[str, list[Any]]) -> None:
    (error,) = outputs["object"]
    assert error["ename"] == "TypeError"
    assert "data['runs']['a'][1] is of type object" in error["evalue"]


def test_nothing_stays_alive(outputs: dict[str, list[Any]]) -> None:
    assert outputs["memory"][-1]["text"] == ["[] None\n"]


@pytest.mark.parametrize("start", ["", "import IPython"])
def test_a_plain_program_is_silent(start: str) -> None:
    program = f"{start}\nfrom utils import record\nrecord('1', object(), text='x', loss=[1.0])"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=UTILS.parent,
        env=as_at_home(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
