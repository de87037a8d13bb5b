"""A foreign test as the body of one of our checks, which runs here and calls the student's code over there.

Names that belong to the notebook are bound first (`squares = student.squares`), and the rest of the source
stays as it is, besides assertions that become ours. What cannot run here, or would pass whatever the student
wrote, raises NotHere; it runs beside the student's code then.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grader.authoring.imported import assertions
from grader.authoring.imported.harmless import changed_outside, why_not
from grader.authoring.imported.names_in_tests import (
    bound_in,
    from_student,
    needed_helpers,
    used_in,
    uses,
)
from grader.authoring.imported.regions import indent_of
from grader.notebooks.names import import_roots
from grader.notebooks.source import parse

OURS = ("assert_close", "assert_text", "assert_raises")
_INDENT = "    "
_SEE_THE_PROXY = {"hasattr", "callable", "issubclass", "id", "vars", "dir", "globals", "locals"}
_TYPES = {"isinstance", "type"}
_EVERYTHING = {"Exception", "BaseException"}
_METHODS = {"put", "has", "provide", "module", "printed", "value"}


class NotHere(Exception):
    """Why a test cannot run on the trusted side."""


@dataclass(frozen=True)
class Namespace:
    """What a test finds around it.

    ``imports`` are the statements by which a name is imported in its notebook or file; ``variables`` are the
    names that hold a value, not a function or class; ``seen`` those that functions of the notebook read as
    globals. ``own`` are the packages that come with the assignment, ``modules`` its modules by whole names.
    """

    imports: Mapping[str, str] = field(default_factory=dict)
    variables: frozenset[str] = frozenset()
    seen: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Way:
    """How values are taken: ``fetched`` copies variables first; ``ours`` uses our assertions."""

    fetched: bool
    ours: bool


WAYS = tuple(Way(fetched, ours) for ours in (True, False) for fetched in (True, False))


def translated(
    source: str, helpers: str, space: Namespace, way: Way, *, parameters: Iterable[str] = ()
) -> str:
    """The check's body, not indented. Raises NotHere."""
    tree = _tree(source)
    extra = needed_helpers(_tree(helpers), used_in(tree) - bound_in(tree) - set(parameters))
    source = "\n".join([*(ast.unparse(statement) for statement in extra), source])
    tree = _tree(source)
    bound = bound_in(tree) | set(parameters)
    free = sorted(used_in(tree) - bound)
    imported = [name for name in free if name in space.imports and not _is_own(space.imports[name], space)]
    students = [name for name in free if name not in imported]
    _assert_harmless([tree, *(_tree(space.imports[name]) for name in imported)], space)
    _assert_leaves_alone(tree, space)
    source, tree = _with_students_modules(source, tree, space)
    known = from_student(tree, {*students, *_of_students_modules(tree)})
    if changed := changed_outside(tree, known):
        raise NotHere(f"it changes `{changed}`, which is not the student's")
    values = {name for name in students if way.fetched and name in space.variables}
    _Vacuous(known, proxies=set(students) - values).visit(tree)
    source = _with_our_assertions(source, tree, known, ours=way.ours)
    return "\n".join([*_prologue(imported, students, values, space), *_text(source)])


def _tree(source: str) -> ast.Module:
    parsed = parse(source)
    if parsed is None:
        raise NotHere("it is not Python")
    if parsed.magics or parsed.cell_magic:
        raise NotHere("it has a magic of IPython")
    return parsed.tree


def _prologue(
    imported: Sequence[str], students: Sequence[str], values: set[str], space: Namespace
) -> Iterator[str]:
    yield from dict.fromkeys(space.imports[name] for name in imported)
    for name in students:
        place = f'student["{name}"]' if name in _METHODS else f"student.{name}"
        yield f"{name} = {place}{'.value' if name in values else ''}"


def _text(source: str) -> Iterator[str]:
    yield from source.strip("\n").split("\n")


def _is_own(statement: str, space: Namespace) -> bool:
    return not set(import_roots(ast.parse(statement))).isdisjoint(space.own)


def _assert_harmless(trees: Iterable[ast.Module], space: Namespace) -> None:
    """Raises NotHere for what may not run here; some imports are taken from ``student`` or left out."""
    for tree in trees:
        kept = ast.Module([node for node in tree.body if not _is_replaced(node, space)], [])
        if why := why_not(kept):
            raise NotHere(why)


def _is_replaced(node: ast.stmt, space: Namespace) -> bool:
    replaced = space.own | assertions.FROM_UNITTEST
    return isinstance(node, ast.Import | ast.ImportFrom) and not replaced.isdisjoint(import_roots(node))


def _assert_leaves_alone(tree: ast.Module, space: Namespace) -> None:
    """Raises NotHere for a test that changes what the student's functions see."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    changed = sorted(bound_in(tree) & space.seen) + [
        node.id for node in names if isinstance(node.ctx, ast.Del)
    ]
    if changed:
        raise NotHere(f"it replaces or deletes `{changed[0]}`, which functions of the notebook use")
    if any(isinstance(node, ast.Global | ast.Nonlocal | ast.Await) for node in ast.walk(tree)):
        raise NotHere("it works on the notebook's own variables")


def _with_students_modules(source: str, tree: ast.Module, space: Namespace) -> tuple[str, ast.Module]:
    """The source with modules of the assignment taken from ``student``, and without unittest's imports."""
    edits: dict[ast.stmt, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            packages = set(import_roots(node))
            if packages & assertions.FROM_UNITTEST:
                edits[node] = "pass"
            elif packages & space.own:
                edits[node] = "; ".join(_from_student(node, space))
    source = edited(source, edits)
    return source, ast.parse(source)


def _from_student(node: ast.Import | ast.ImportFrom, space: Namespace) -> Iterator[str]:
    for alias in node.names:
        if isinstance(node, ast.Import):
            if "." in alias.name and not alias.asname:
                raise NotHere(f"it imports `{alias.name}` by its whole name")
            yield f'{alias.asname or alias.name} = student.module("{alias.name}")'
        elif alias.name == "*":
            raise NotHere("it imports all names of a module")
        elif (whole := f"{node.module}.{alias.name}") in space.modules:
            yield f'{alias.asname or alias.name} = student.module("{whole}")'
        else:
            yield f'{alias.asname or alias.name} = student.module("{node.module}").{alias.name}'


def _of_students_modules(tree: ast.Module) -> set[str]:
    """The names that are taken from ``student.module(...)`` in the test."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and uses(node.value, {"student"})
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _with_our_assertions(source: str, tree: ast.Module, known: set[str], *, ours: bool) -> str:
    edits: dict[ast.stmt, str] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt):
            continue
        simple = assertions.plain(node)
        statement = simple or node
        if ours and (text := assertions.ours(statement, known)):
            edits[node] = text
        elif simple is not None:
            edits[node] = ast.unparse(ast.fix_missing_locations(simple))
        elif isinstance(node, ast.Try) and (text := assertions.ours(node, known)):
            edits[node] = text  # `except Exception` would also hide that a name is missing
    return edited(source, edits)


def edited(source: str, edits: Mapping[ast.stmt, str]) -> str:
    """The source with statements replaced; each begins a line, or stays as it is."""
    lines = source.split("\n")
    for node, text in sorted(edits.items(), key=lambda edit: -edit[0].lineno):
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        indent = indent_of(lines[first])
        tail = lines[last - 1].encode()[node.end_col_offset or 0 :].decode().strip()
        if node.col_offset != len(indent.encode()) or (tail and not tail.startswith("#")):
            raise NotHere("it has several statements in one line")
        lines[first:last] = [f"{indent}{text}{'  ' + tail if tail else ''}"]
    return "\n".join(lines)


class _Vacuous(ast.NodeVisitor):
    """Raises NotHere for what would see the proxy of an object in place of the object, or nothing at all.

    ``students`` are the names with values from student code, ``proxies`` those that are proxies themselves.
    """

    def __init__(self, students: set[str], *, proxies: set[str]) -> None:
        self._students = students
        self._proxies = proxies

    def visit_Assert(self, node: ast.Assert) -> None:
        """An assertion is about the student's values; a type may be asked for, which a proxy never has."""
        self._about_student(node.test)
        for part in node.test.values if isinstance(node.test, ast.BoolOp) else [node.test]:
            self.visit(part) if not _asks_type(part) else None

    def visit_Call(self, node: ast.Call) -> None:
        """Some of Python's functions look at an object itself."""
        owner, name = assertions.called(node)
        if name in assertions.ASSERTING and owner in ("", "self", "np", "testing", "nt", "npt"):
            self._about_student(node)
        if (
            not owner
            and (name in _SEE_THE_PROXY or name in _TYPES)
            and any(uses(argument, self._students) for argument in node.args)
        ):
            raise NotHere(f"it asks `{name}` of the student's own object")
        if name in ("redirect_stdout", "redirect_stderr", "patch"):
            raise NotHere(f"it uses `{name}` around student code")
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        """``is`` and ``not in`` tell a proxy from everything else."""
        for sign in node.ops:
            strict = isinstance(sign, ast.Is | ast.IsNot | ast.NotIn)
            if strict and any(self._is_proxy(side) for side in (node.left, *node.comparators)):
                raise NotHere("it asks whether the student's own object is another one")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        """A name alone fetches nothing."""
        if not isinstance(node.value, ast.Call) and self._is_proxy(node.value):
            raise NotHere("it only names the student's object")
        self.generic_visit(node)

    def visit_Try(self, node: ast.Try) -> None:
        """To catch everything also hides a missing name, unless it becomes assert_raises."""
        if assertions.ours(node, self._students) is None and uses(ast.Module(node.body, []), self._students):
            for handler in node.handlers:
                kinds = set() if handler.type is None else used_or_builtin(handler.type)
                if handler.type is None or kinds & _EVERYTHING:
                    raise NotHere("it catches every exception of the student's code")
        self.generic_visit(node)

    def _about_student(self, node: ast.AST) -> None:
        if not uses(node, self._students):
            raise NotHere("it asserts something that the student's code does not return")

    def _is_proxy(self, node: ast.AST) -> bool:
        """Whether an expression may be a proxy: a student's name, or a path from one of their values."""
        if isinstance(node, ast.Name):
            return node.id in self._proxies
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
            if isinstance(node, ast.Name):
                return node.id in self._students
        return False


def used_or_builtin(tree: ast.AST) -> set[str]:
    """All names in an expression."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _asks_type(node: ast.expr) -> bool:
    """`isinstance(x, C)`, `type(x) == C`, alone or for all of some values."""
    match node:
        case ast.Call(func=ast.Name(id="isinstance")):
            return True
        case ast.Compare(left=ast.Call(func=ast.Name(id="type")), ops=[ast.Eq() | ast.Is()]):
            return True
        case ast.Call(func=ast.Name(id="all"), args=[ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner)]):
            return _asks_type(inner)
    return False


def indented(source: str) -> str:
    """The source as a function's body: texts of several lines keep their lines as they are."""
    inside = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant | ast.JoinedStr) and (node.end_lineno or 0) > node.lineno
        for line in range(node.lineno + 1, (node.end_lineno or 0) + 1)
    }
    return "\n".join(
        line if number in inside or not line.strip() else textwrap.indent(line, _INDENT)
        for number, line in enumerate(source.split("\n"), start=1)
    )


__all__ = ["OURS", "WAYS", "Namespace", "NotHere", "Way", "edited", "indented", "translated"]
