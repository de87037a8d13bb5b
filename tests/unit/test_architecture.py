"""docs/architecture.md is the code's own picture: its layers, the files named, every module within reach."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

import grader

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "grader"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


WHERE = re.findall(r"^\| (?!\*\*)(.+?) \| `([^`]+)` \|$", section("Where do I change ...?"), re.MULTILINE)


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py")}


@cache
def imported_by(module: str) -> frozenset[str]:
    """The modules of ours that one names: by an import, also inside a function, or as text to import later.

    A package counts with each of its modules, as it does for Python.
    """
    named: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            named.add(node.value.partition(":")[0])
    packages = {name.rpartition(".")[0] for name in named}
    return frozenset(name for name in named | packages if name in MODULES)


def test_the_layers_are_those_that_import_linter_holds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(one for one in project["tool"]["importlinter"]["contracts"] if one["id"] == "layers")
    shown = re.search(r"^```text layers\n(.*?)^```$", section("Layers"), re.MULTILINE | re.DOTALL)
    assert shown[1].splitlines() == contract["layers"]


def test_every_layer_exists_and_is_described():
    layers = re.search(r"^```text layers\n(.*?)^```$", section("Layers"), re.MULTILINE | re.DOTALL)[1]
    names = re.findall(r"\w+", layers)
    table = section("Layers").partition("| package |")[2]
    described = [
        name
        for row in re.findall(r"^\| (`.+?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    ]
    assert [name for name in names if f"grader.{name}" not in MODULES] == []
    assert described == [name for name in names if name in described]
    assert set(described) == set(names)


def test_the_table_has_one_existing_file_in_each_row():
    rows = [row for row in section("Where do I change ...?").splitlines() if row.startswith("| ")]
    headings = [row for row in rows if row.startswith("| **")]
    assert len(WHERE) == len(rows) - len(headings) - 1, "a row is not `| question | `one file` |`"
    assert len(WHERE) >= 15
    assert [file for _, file in WHERE if not (PACKAGE / file).is_file()] == []
    assert len({question for question, _ in WHERE}) == len({file for _, file in WHERE}) == len(WHERE)


def test_the_check_authors_names_in_the_table_are_public():
    names = {name for question, _ in WHERE for name in re.findall(r"`((?:assert|check)_\w+)`", question)}
    assert names
    assert names <= set(grader.__all__)


def test_every_module_is_in_the_table_or_imported_by_a_file_that_is():
    listed = {module_name(PACKAGE / file) for _, file in WHERE}
    reached = listed.union(*(imported_by(module) for module in listed))
    assert sorted(set(MODULES) - reached) == []


@pytest.mark.parametrize("title", ["One submission's journey", "Five decisions"])
def test_every_file_that_the_text_names_exists(title):
    files = re.findall(r"`([\w/]+\.py)`", section(title))
    assert files
    assert [file for file in files if not (PACKAGE / file).is_file()] == []


def test_five_decisions_are_explained():
    assert len(re.findall(r"^\*\*[^*]+\*\*", section("Five decisions"), re.MULTILINE)) == 5


def test_every_word_of_the_glossary_is_explained_once():
    words = [
        word
        for row in re.findall(r"^\| ([a-z, ]+) \| (?!means)", section("Words"), re.MULTILINE)
        for word in row.split(", ")
    ]
    assert len(words) == len(set(words))
    assert {"submission", "item", "check", "mark", "evidence", "replay", "outcome", "verdict"} <= set(words)
