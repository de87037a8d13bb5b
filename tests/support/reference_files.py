"""Where this repository's assignment is, and its notebook cut into cells, for the tests of the reference."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import jupytext

from grader.grading.beside import importable

from .paths import ROOT

REFERENCE = ROOT / "reference"
REGION = re.compile(
    r"^([ \t]*)### BEGIN SOLUTION[ \t]*\n.*?^[ \t]*### END SOLUTION[ \t]*$", re.MULTILINE | re.DOTALL
)


def cells(kind: str) -> list[Any]:
    """The notebook's cells of a kind ("code" or "markdown"), in order."""
    return [cell for cell in jupytext.read(REFERENCE / "hw3.py").cells if cell.cell_type == kind]


def parameters_cell() -> str:
    (cell,) = [cell for cell in cells("code") if "parameters" in cell.metadata.get("tags", [])]
    return str(cell.source)


def stubbed(source: str) -> str:
    """The source with each solution replaced by a line that raises, at the region's own indentation."""
    return REGION.sub(r'\1raise NotImplementedError("to do")', source)


def load(name: str, *, folder: Path = REFERENCE) -> ModuleType:
    """A module of reference/ or another folder, under a name of its own.

    ``utils`` must be importable for make_data.
    """
    spec = importlib.util.spec_from_file_location(f"hw3_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with importable(folder):
        spec.loader.exec_module(module)
    return module


def definitions(*, stub: bool = False) -> dict[str, Any]:
    """What the notebook's code cells define up to the first training run, without running any of it.

    Only imports, classes, functions and the parameters are executed.
    """

    utils = load("utils")
    namespace: dict[str, Any] = {"__name__": "hw3"}
    before, sys.modules["utils"] = sys.modules.get("utils"), utils
    try:
        for cell in cells("code"):
            if "import torch" in cell.source:
                break
            source = stubbed(cell.source) if stub else cell.source
            tree = ast.parse(source)
            if "parameters" not in cell.metadata.get("tags", []):
                kept = (ast.ClassDef, ast.FunctionDef, ast.Import, ast.ImportFrom)
                tree.body = [node for node in tree.body if isinstance(node, kept)]
            exec(compile(tree, "hw3.py", "exec"), namespace)
    finally:
        if before is None:
            del sys.modules["utils"]
        else:
            sys.modules["utils"] = before
    return namespace
