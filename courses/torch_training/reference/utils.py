"""Keeps in the saved notebook what a run gave. The functions are those of HW3's `utils.py`."""

from __future__ import annotations

import ast
import base64
import datetime
import hashlib
import json
import math
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

EVIDENCE_TYPE = "application/vnd.chainrule.evidence+json"
EVIDENCE_FORMAT = "chainrule.evidence/1"
EVIDENCE_BYTES = 2_000_000


def record(item: str, figure: Any = None, text: str | None = None, **data: Any) -> None:
    """Show a figure and a text as usual, and keep ``data`` in this cell's output as evidence for ``item``.

    ``data`` may hold numbers, text, arrays, and lists and dictionaries of them, 2 MB in all; anything named
    "weights" is left out if there is no room for it. Kept with it are the notebook's parameters, digests of
    its functions, and the versions it ran with. Jupyter, VS Code and Colab save this like any other output.
    Outside a notebook nothing is shown or kept.
    """
    shell = _notebook()
    if shell is None:
        return
    if text is not None:
        data["text"] = text
    evidence = {
        "format": EVIDENCE_FORMAT,
        "item": item,
        "data": _plain(data, "data"),
        "parameters": _parameters(shell.user_ns),
        "code": _code(shell.user_ns.get("In", [])),
        "machine": _machine(),
        "run": os.urandom(16).hex(),
        "recorded_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),  # noqa: UP017
    }
    size = len(json.dumps(evidence))
    if size > EVIDENCE_BYTES:
        evidence["data"] = _without_weights(evidence["data"])
        size = len(json.dumps(evidence))
    if size > EVIDENCE_BYTES:
        raise ValueError(
            f"the evidence for {item} takes {size:,} bytes, and {EVIDENCE_BYTES:,} can be kept: "
            "record a number for each epoch or evaluation, not for each step"
        )
    if text is not None:
        print(text)
    _show(shell, figure, evidence)


def _notebook() -> Any:
    """IPython's shell, which runs a notebook's cells; None in a plain Python program."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _show(shell: Any, figure: Any, evidence: dict[str, Any]) -> None:
    """Display the figure as the notebook always does, with the evidence in the same output."""
    bundle, metadata = {"text/plain": f"Recorded for {evidence['item']}."}, {}
    if figure is not None:
        bundle, metadata = shell.display_formatter.format(figure)
        sys.modules["matplotlib.pyplot"].close(figure)  # or the cell would show it once more at its end
    shell.display_pub.publish({**bundle, EVIDENCE_TYPE: evidence}, metadata)


def _plain(value: Any, where: str) -> Any:
    """The value in JSON's own types: arrays as lists, infinities and NaN by their names.

    Raises TypeError, naming the place, for what is neither number nor text nor a collection of them.
    """
    if hasattr(value, "tolist"):  # arrays, tensors, and the numbers in them
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)  # JSON has no number for it: "NaN", "Infinity" or "-Infinity"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(entry, f"{where}[{position}]") for position, entry in enumerate(value)]
    if isinstance(value, dict):
        return {str(key): _plain(entry, f"{where}[{key!r}]") for key, entry in value.items()}
    kind = type(value).__name__
    raise TypeError(f"record keeps numbers, text, arrays, lists and dictionaries: {where} is of type {kind}")


def _without_weights(value: Any) -> Any:
    """The value without what stands under "weights" in it."""
    if isinstance(value, dict):
        return {key: _without_weights(entry) for key, entry in value.items() if key != "weights"}
    return value


def _parameters(names: Mapping[str, Any]) -> dict[str, Any]:
    """The notebook's UPPER_CASE names that are numbers, texts or short lists of them: at most 100."""

    def is_parameter(value: Any) -> bool:
        values = value if isinstance(value, list) else [value]
        return len(values) <= 100 and all(isinstance(entry, (bool, int, float, str)) for entry in values)

    found = [name for name in names if name.isupper() and name[0] != "_" and is_parameter(names[name])]
    return {name: _plain(names[name], name) for name in found[:100]}


def _code(cells: Iterable[str]) -> dict[str, str]:
    """A digest of each function's and class's source text, as last executed: at most 200."""
    found = {}
    for cell in cells:
        try:
            tree = ast.parse(cell)
        except (SyntaxError, ValueError):
            continue
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                source = ast.get_source_segment(cell, node) or ""
                stripped = "\n".join(line.rstrip() for line in source.splitlines())
                found[node.name] = hashlib.sha256(stripped.encode()).hexdigest()[:16]
    return dict(list(found.items())[:200])


def _machine() -> dict[str, str]:
    """What the last digits of a float depend on: the processor and the versions."""
    machine = {"cpu": _processor(), "python": platform.python_version(), "numpy": np.__version__}
    torch = sys.modules.get("torch")
    if torch is not None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        machine |= {"torch": str(torch.__version__), "device": device}
    return machine


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def pack_weights(weights: Mapping[str, Any], kind: str = "int8") -> dict[str, Any]:
    """Arrays or tensors by their names, in little room, for ``record(..., weights=pack_weights(...))``.

    ``kind`` is "float32", "float16" or "int8": whole numbers up to 127 with one scale for each row, a quarter
    of the room of float32 and near enough for a loss to stay the same to four digits. What is no array of
    numbers becomes None: a long run must not fail at its end.
    """
    return {name: _packed(value, kind) for name, value in weights.items()}


def _packed(value: Any, kind: str) -> dict[str, Any] | None:
    try:
        if hasattr(value, "detach"):  # a tensor, perhaps on a GPU
            value = value.detach().cpu().numpy()
        array = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError, RuntimeError):
        return None
    packed: dict[str, Any] = {"shape": list(array.shape), "type": kind}
    if kind == "int8":
        rows = array.reshape(array.shape[0] if array.ndim > 1 else 1, -1)
        largest = np.abs(rows).max(axis=1, initial=0.0, keepdims=True)
        scale = np.where(largest == 0, 1, largest / 127).astype("<f4")  # NaN where training broke down
        packed["scale"] = base64.b64encode(scale.tobytes()).decode()
        with np.errstate(invalid="ignore"):
            array = np.rint(np.nan_to_num(rows / scale))
    dtype = {"float32": "<f4", "float16": "<f2", "int8": "|i1"}[kind]
    packed["data"] = base64.b64encode(array.astype(dtype).tobytes()).decode()
    return packed
