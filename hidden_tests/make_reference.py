"""Make reference_curves.json from the executed reference: ``python hidden_tests/make_reference.py NOTEBOOK``.

The evidence of a run from the reference's own seed is compared with these curves, point by point.
"""

import json
import sys
from pathlib import Path
from typing import Any

EVIDENCE = "application/vnd.chainrule.evidence+json"
HERE = Path(__file__).parent
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
    """The curves of one recording, or of each of its runs."""
    if "runs" in data:
        return {label: curves(run, parts) for label, run in data["runs"].items()}
    return {part: [float(f"{value:.8g}") for value in data[part]] for part in parts}


def main() -> None:
    """Write the file."""
    found = recordings(Path(sys.argv[1]))
    pinned = {item: curves(found[item], parts) for item, parts in KEPT.items()}
    (HERE / "reference_curves.json").write_text(json.dumps(pinned) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
