"""Which names a test uses, which it binds itself, and which of its values come from the student's code."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Set

BUILTINS = frozenset(dir(builtins))


def bound_in(tree: ast.AST) -> set[str]:
    """All names that code binds anywhere: variables, parameters, functions, imports, caught exceptions."""
    return {name for node in ast.walk(tree) for name in _bound_by(node)}


def _bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.arg(arg=name):
            yield name
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.alias(name=name, asname=other):
            yield other or name.partition(".")[0]


def used_in(tree: ast.AST) -> set[str]:
    """All names that code reads, without Python's own."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and _is_read(node)}
    return names - BUILTINS


def _is_read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load | ast.Del)


def needed_helpers(helpers: ast.Module, wanted: Set[str]) -> list[ast.stmt]:
    """The statements among ``helpers`` that bind what is ``wanted``, and what these need in turn.

    Only definitions, imports and assignments: what else test cells did before is not repeated.
    """
    able = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    chosen: set[int] = set()
    missing = set(wanted)
    for _ in range(len(helpers.body) + 1):
        more = {
            place
            for place, statement in enumerate(helpers.body)
            if isinstance(statement, able)
            and place not in chosen
            and not _top_names(statement).isdisjoint(missing)
        }
        if not more:
            break
        chosen |= more
        missing |= {name for place in more for name in used_in(helpers.body[place])}
    return [helpers.body[place] for place in sorted(chosen)]


def _top_names(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    return bound_in(statement)


def from_student(tree: ast.AST, students: Iterable[str]) -> set[str]:
    """``students``, and the names that hold a value made with one of them.

    Parameters of functions in the test count: it is not followed what they are called with.
    """
    found = set(students)
    nodes = list(ast.walk(tree))
    found |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    while more := {name for node in nodes for name in _passed_on(node, found)} - found:
        found |= more
    return found


def _passed_on(node: ast.AST, found: set[str]) -> Iterator[str]:
    match node:
        case ast.Assign(targets=targets, value=value) if uses(value, found):
            for target in targets:
                yield from bound_in(target)
        case ast.AnnAssign(target=target, value=ast.expr() as value) if uses(value, found):
            yield from bound_in(target)
        case ast.AugAssign(target=ast.Name(id=name), value=value) if uses(value, found):
            yield name
        case ast.NamedExpr(target=ast.Name(id=name), value=value) if uses(value, found):
            yield name
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            if uses(value, found):
                yield from bound_in(target)
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target) if uses(value, found):
            yield from bound_in(target)
        case ast.FunctionDef(name=name, args=args) if args.args or uses(node, found):
            yield name


def uses(tree: ast.AST, names: Set[str]) -> bool:
    """Whether code reads one of these names."""
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(tree))
