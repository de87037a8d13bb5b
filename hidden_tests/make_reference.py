"""Make what the evidence is compared with: ``python hidden_tests/make_reference.py NOTEBOOK TEXT``.

NOTEBOOK is the reference, executed in full; its recorded curves go to reference_curves.json. TEXT is tiny
Shakespeare; about one in 32 of its windows of 24 characters goes to tiny_shakespeare.crc32, as the window's
CRC-32, little-endian: enough to recognise a copied passage, without the text itself.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from grader import window_sums
from grader.inside.media_types import EVIDENCE

HERE = Path(__file__).parent
SHINGLE, ONE_IN = 24, 32
KEPT = {
    "3.3.i": ("train", "validation", "test", "loss"),
    "3.4.i": ("loss", "validation"),
    "4.1.ii": ("train_loss", "val_loss"),
    "4.1.iii.curves": ("train_loss", "val_loss"),
    "4.1.iv.curves": ("train_loss", "val_loss"),
}


def recordings(notebook: Path) -> dict[str, Any]:
    """What was recorded in a saved notebook, by item."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", ())]
    found = [data[EVIDENCE] for data in outputs if EVIDENCE in data]
    return {recording["item"]: recording["data"] for recording in found}


def curves(data: Any, parts: tuple[str, ...]) -> dict[str, Any]:
    """The curves of one recording or of each of its runs, and the transformers' first losses."""
    if "runs" in data:
        return {label: curves(run, parts) for label, run in data["runs"].items()}
    kept = {part: [float(f"{value:.8g}") for value in data[part]] for part in parts}
    return kept | {"losses": data["beginning"]["losses"]}


def main() -> None:
    """Write both files."""
    notebook, text = map(Path, sys.argv[1:])
    found = recordings(notebook)
    pinned = {item: curves(found[item], parts) for item, parts in KEPT.items()}
    (HERE / "reference_curves.json").write_text(json.dumps(pinned, indent=None) + "\n", encoding="utf-8")
    sums = window_sums(text.read_text(encoding="utf-8"), length=SHINGLE, one_in=ONE_IN)
    np.unique(np.array(sums, dtype="<u4")).tofile(HERE / "tiny_shakespeare.crc32")


if __name__ == "__main__":
    main()
