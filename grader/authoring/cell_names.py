"""Which cells and names matter to the checks, as far as the texts show. Nothing is run."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from grader.authoring.mutation.unit import DEFINITIONS, FUNCTIONS
from grader.notebooks.cells import Cell
from grader.notebooks.names import bound_by, imported_names
from grader.notebooks.parameters import TAG
from grader.notebooks.source import parse, top_level

_ASKED = re.compile(r"""\bstudent(?:\.|\[["']|\.has\(["'])(\w{1,200})""")


def dependents(cells: Sequence[Cell], number: int) -> list[Cell]:
    """The code cells after this one that use, directly or through others, a name that it binds."""
    own = next(cell for cell in cells if cell.number == number)
    names, found = set(_bound(own)), []
    for cell in cells:
        if cell.kind == "code" and cell.number > number and _used(_tree(cell)) & names:
            found.append(cell)
            names |= set(_bound(cell))
    return found


def computed_names(cells: Iterable[Cell], everyone: Iterable[Cell], *, bound: bool = False) -> set[str]:
    """The names whose values come from running these cells: bound or touched there, and no definitions.

    ``everyone`` are all cells: a function is what its definition says, whoever calls it. With ``bound``, only
    the names that these cells bind themselves.
    """
    found: set[str] = set()
    for cell in cells:
        for statement in top_level(_tree(cell).body):
            if not isinstance(statement, (ast.Import, ast.ImportFrom, *DEFINITIONS)):
                found |= set(bound_by(statement)) | (set() if bound else _used(statement))
    variables = {name for cell in everyone for name in _bound(cell)} - set(_defined(everyone))
    return found & variables


def needed_names(cells: Sequence[Cell], asked: Collection[str]) -> set[str]:
    """The names that are asked for, with those that the functions and classes of these names use."""
    bodies: dict[str, set[str]] = {}
    for cell in cells:
        for statement in top_level(_tree(cell).body):
            if isinstance(statement, DEFINITIONS):
                bodies.setdefault(statement.name, set()).update(_global_names(statement))
    found, waiting = set[str](), list(asked)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += bodies.get(name, ())
    return found


def names_in_checks(folder: Path, items: Collection[str]) -> frozenset[str]:
    """The names that the files of checks of these items ask for, as far as a search of the text shows."""
    names: set[str] = set()
    for path in folder.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8", errors="replace")
        if any(f'"{item}"' in text or f"'{item}'" in text for item in items):
            names |= set(_ASKED.findall(text))
    return frozenset(names)


def needed_cells(cells: tuple[Cell, ...], names: Collection[str], kept: Collection[int]) -> tuple[Cell, ...]:
    """The cells up to the last that is ``kept``, by its number, or binds one of these names."""
    wanted = [cell.number for cell in cells if cell.number in kept or set(_bound(cell)) & set(names)]
    last = max(wanted, default=0)
    return tuple(cell for cell in cells if cell.number <= last)


def slim_cells(cells: tuple[Cell, ...], names: Collection[str], kept: Collection[int]) -> tuple[Cell, ...]:
    """The cells that are ``kept``, by their numbers, or bind one of these names, and all that those need.

    Parameters and settings of libraries (``np.random.seed(0)``) are needed always. What is left out is what a
    notebook does with its functions: training, plots.
    """
    imported = set(imported_names(cells)) | set(dir(builtins))
    wanted = {
        cell.number
        for cell in cells
        if cell.number in kept
        or TAG in cell.tags
        or "*" in imported_names([cell])
        or _sets_up(_tree(cell), imported)
    }
    needed = set(names)
    while True:
        chosen = [
            cell for cell in cells if cell.number in wanted or _gives(cell) & needed or _patches(cell, needed)
        ]
        more = needed.union(*(_global_names(_tree(cell)) for cell in chosen))
        if len(more) == len(needed) and len(chosen) == len(wanted):
            return tuple(chosen)
        wanted, needed = {cell.number for cell in chosen}, more


def _sets_up(tree: ast.Module, imported: Collection[str]) -> bool:
    """Whether code does nothing but call libraries, with nothing of the notebook's own."""
    imports = any(isinstance(one, ast.Import | ast.ImportFrom) for one in ast.walk(tree))
    return bool(tree.body) and not imports and not set(_names_bound(tree)) and _used(tree) <= set(imported)


def _gives(cell: Cell) -> set[str]:
    """The names that a cell binds, also by imports."""
    return {*_bound(cell), *imported_names([cell])}


def _patches(cell: Cell, needed: Collection[str]) -> bool:
    """Whether a cell assigns to a part of something that is needed: ``Layer.forward = forward``."""
    for statement in top_level(_tree(cell).body):
        for target in getattr(statement, "targets", []):
            root = target
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            if root is not target and isinstance(root, ast.Name) and root.id in needed:
                return True
    return False


def _names_bound(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        yield from bound_by(statement)


def _tree(cell: Cell) -> ast.Module:
    parsed = parse(cell.source) if cell.kind == "code" else None
    return ast.Module(body=[], type_ignores=[]) if parsed is None else parsed.tree


def _bound(cell: Cell) -> Iterator[str]:
    yield from _names_bound(_tree(cell))


def _used(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _global_names(node: ast.AST) -> set[str]:
    """The names that code takes from outside: in a function not its parameters, nor what it assigns."""
    found: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
            found.add(child.id)
        found |= _global_names(child)
    if not isinstance(node, (*FUNCTIONS, ast.Lambda)):
        return found
    inside = list(ast.walk(node))
    own = {one.arg for one in inside if isinstance(one, ast.arg)}
    own |= {one.id for one in inside if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    return found - own


def _defined(cells: Iterable[Cell]) -> Iterator[str]:
    cells = list(cells)
    yield from imported_names(cells)
    for cell in cells:
        for statement in top_level(_tree(cell).body):
            if isinstance(statement, DEFINITIONS):
                yield statement.name
