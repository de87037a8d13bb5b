"""The names that code binds at its top level, found in its text: nothing is run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from grader.notebooks.cells import Cell
from grader.notebooks.solution import solution_lines
from grader.notebooks.source import parse, top_level

_DEFINITION = re.compile(
    r"^(?:(?:async[ \t]{1,8})?(?:def|class)[ \t]{1,8}(?P<definition>\w{1,200})"
    r"|(?P<variable>[A-Za-z_]\w{0,200})[ \t]{0,8}=(?!=))",
    re.MULTILINE,
)


def defined_names(cells: Iterable[Cell]) -> frozenset[str]:
    """The functions, classes and variables that code cells bind at their top level.

    A cell that is not Python counts with what its lines would define: it is broken, not the wrong file.
    """
    return frozenset(name for cell in cells if cell.kind == "code" for name in _defined_by(cell.source))


def _defined_by(source: str) -> Iterator[str]:
    parsed = parse(source)
    if parsed is None:
        for found in _DEFINITION.finditer(source):
            yield found["definition"] or found["variable"]
        return
    for statement in parsed.tree.body:
        yield from bound_by(statement)


def imported_names(cells: Iterable[Cell]) -> dict[str, str]:
    """The names that code cells import for all cells, each with its module; "*" for whatever is in one."""
    return {
        name: module
        for cell in cells
        if cell.kind == "code" and (parsed := parse(cell.source)) is not None
        for statement in _outside_functions(parsed.tree)
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for name, module in _imports(statement)
    }


def imported_packages(source: str) -> set[str]:
    """The top-level packages and modules that code imports anywhere, relative imports aside."""
    parsed = parse(source)
    return set(import_roots(parsed.tree)) - {"."} if parsed is not None else set()


def import_roots(tree: ast.AST) -> Iterator[str]:
    """The packages that code imports anywhere; "." for what is beside it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else (node.module or ".").partition(".")[0]


def _outside_functions(tree: ast.Module) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _imports(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            yield alias.asname or alias.name.partition(".")[0], alias.name
        else:
            yield alias.asname or alias.name, statement.module or "."


def asked_names(reference: Iterable[Cell]) -> frozenset[str]:
    """The names that students are asked for: those bound by statements with a solution region in them.

    A function with a region in its body counts, and so does a variable that is assigned inside a region.
    """
    return frozenset(name for cell in reference if cell.kind == "code" for name in asked_in(cell.source))


def asked_in(source: str) -> frozenset[str]:
    """The names that students are asked for in one code cell of a reference."""
    parsed = parse(source)
    regions = solution_lines(source) if parsed is not None else []
    found = set[str]()
    for statement in parsed.tree.body if parsed is not None else ():
        last = statement.end_lineno or statement.lineno
        if any(begin <= last and statement.lineno <= end for begin, end in regions):
            found |= set(bound_by(statement))
    return frozenset(found)


def bound_by(statement: ast.stmt) -> Iterator[str]:
    """The names that one statement binds, also inside ``if``, loops, ``with`` and ``try``; not by import."""
    for inner in top_level([statement]):
        match inner:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from _targets(target)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                yield from _targets(target)
            case ast.For(target=target) | ast.AsyncFor(target=target):
                yield from _targets(target)
            case ast.With(items=items) | ast.AsyncWith(items=items):
                for item in items:
                    yield from _targets(item.optional_vars) if item.optional_vars else ()


def _targets(target: ast.expr) -> Iterator[str]:
    match target:
        case ast.Name(id=name):
            yield name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _targets(part)
        case ast.Starred(value=value):
            yield from _targets(value)
