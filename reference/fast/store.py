"""Finished runs as files, one each, named by what they depend on: a second start finds the valid ones."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from reference.fast.settings import REFERENCE, NetworkRun, Run
from reference.utils import data_loader_mnist, load_text

_SOURCES = {
    "NetworkRun": ("fast/network.py", "utils.py"),
    "TransformerRun": ("fast/transformer.py", "utils.py"),
}


@dataclasses.dataclass(frozen=True)
class Data:
    """Where the data are ("full", "subset" or a folder), and what is in them."""

    where: str
    examples: int
    images_digest: str
    text_digest: str


def examine(where: str) -> Data:
    """The number of training examples and the digests of all examples and of the text.

    Raises FileNotFoundError that says what is missing.
    """
    np.random.seed(0)
    arrays = data_loader_mnist(where)
    images = hashlib.sha256()
    for array in arrays:
        images.update(np.ascontiguousarray(array).data)
    text = hashlib.sha256(load_text(where).encode())
    return Data(where, len(arrays[0]), images.hexdigest(), text.hexdigest())


def _code() -> dict[str, list[str]]:
    """The digests of the sources that each kind of run depends on."""
    return {
        kind: [hashlib.sha256((REFERENCE / name).read_bytes()).hexdigest() for name in names]
        for kind, names in _SOURCES.items()
    }


@dataclasses.dataclass(frozen=True)
class Store:
    """The folder of finished runs for these data and this device."""

    folder: Path
    data: Data
    device: str
    code: dict[str, list[str]] = dataclasses.field(default_factory=_code)
    """Read when the command starts: an edit during the runs must not make their files valid for new code."""

    def path(self, run: Run) -> Path:
        """The file of a run: its name changes with settings, code, data, device and library versions."""
        network = isinstance(run, NetworkRun)
        known = {
            "run": dataclasses.asdict(run),
            "code": self.code[type(run).__name__],
            "data": self.data.images_digest if network else self.data.text_digest,
            "device": "cpu" if network else self.device,
            "library": importlib.metadata.version("numpy" if network else "torch"),
        }
        digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{type(run).__name__}-{digest[:16]}.json"

    def load(self, run: Run) -> dict[str, Any] | None:
        """The history that was kept for this run, or None. A file that cannot be read counts as none."""
        try:
            history: dict[str, Any] = json.loads(self.path(run).read_text(encoding="utf-8"))["history"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return history

    def keep(self, run: Run, history: dict[str, Any], seconds: float) -> None:
        """Write a finished run, all of it or nothing, even if the power fails."""
        content = {
            "label": run.label,
            "run": dataclasses.asdict(run),
            "device": self.device,
            "seconds": round(seconds, 3),
            "history": history,
        }
        replace(self.path(run), json.dumps(content))


def replace(path: Path, text: str) -> None:
    """Replace the file's content by ``text`` atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
