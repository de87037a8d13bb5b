"""A piece of the reference that is mutated and run again as a whole: a function, a class or a cell.

Mutants are edits of its text, so that a diff shows the mistake and nothing else.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass

from grader.notebooks.source import Parsed, Positions, parse, python_tree

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
_ATOMS = (
    ast.Name,
    ast.Call,
    ast.Attribute,
    ast.Subscript,
    ast.List,
    ast.Dict,
    ast.Set,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.JoinedStr,
)
_BINDS = (
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.Attribute,
    ast.Subscript,
    ast.Call,
    ast.Starred,
    ast.Await,
    ast.IfExp,
)


@dataclass(frozen=True, order=True)
class Edit:
    """The characters from ``start`` to ``end`` of a text, replaced."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Change:
    """One mistake: its family, what it is in a few words, and how it is made in a unit's text."""

    family: str
    what: str
    edits: tuple[Edit, ...]

    def overlaps(self, other: Change) -> bool:
        """Whether both touch the same text."""
        return any(
            mine.start <= theirs.end and theirs.start <= mine.end
            for mine in self.edits
            for theirs in other.edits
        )


def edited(text: str, edits: tuple[Edit, ...]) -> str:
    """The text with these edits, which do not overlap."""
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class Unit:
    """A unit's text with its syntax tree; ``regions`` are the lines (from 1) in which mistakes are made.

    ``arrays`` and ``tensors`` are the names under which the notebook has numpy and torch; "" for none.
    """

    def __init__(
        self, text: str, regions: list[tuple[int, int]], *, arrays: str = "", tensors: str = ""
    ) -> None:
        parsed = parse(text) or Parsed(ast.Module(body=[], type_ignores=[]))
        self.text, self.tree, self.regions = text, parsed.tree, regions
        self.arrays, self.tensors = arrays, tensors
        self._positions = Positions(text)
        self._parents = {
            child: node for node in ast.walk(parsed.tree) for child in ast.iter_child_nodes(node)
        }
        self._magics = parsed.magics

    # -- the tree ----------------------------------------------------------------------------------------

    def nodes(self) -> Iterator[ast.stmt | ast.expr]:
        """The statements and expressions that lie in a region, in the order of the text; no annotations."""
        found = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.stmt | ast.expr) and self.is_in_region(node) and not self._is_apart(node)
        ]
        yield from sorted(found, key=lambda node: (node.lineno, node.col_offset))

    def is_in_region(self, node: ast.stmt | ast.expr) -> bool:
        """Whether a node lies in a region as a whole."""
        last = node.end_lineno or node.lineno
        return any(first <= node.lineno and last <= end for first, end in self.regions)

    def _is_apart(self, node: ast.AST) -> bool:
        """Inside a formatted string (which has no positions of its own), an annotation, or a docstring."""
        if getattr(node, "lineno", 0) in self._magics:
            return True
        child: ast.AST = node
        for parent in self.above(node):
            if isinstance(parent, ast.JoinedStr | ast.FormattedValue):
                return True
            if isinstance(parent, ast.arg | ast.AnnAssign) and child is getattr(parent, "annotation", None):
                return True
            if isinstance(parent, ast.Expr) and isinstance(parent.value, ast.Constant):
                return True
            child = parent
        return False

    def parent(self, node: ast.AST) -> ast.AST | None:
        """The node above."""
        return self._parents.get(node)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes above, the nearest first."""
        found = self._parents.get(node)
        while found is not None:
            yield found
            found = self._parents.get(found)

    def function_of(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The innermost function around a node."""
        return next((above for above in self.above(node) if isinstance(above, FUNCTIONS)), None)

    def siblings(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements of the block in which a statement stands."""
        parent = self._parents.get(statement)
        for part in ("body", "orelse", "finalbody", "handlers"):
            block = getattr(parent, part, [])
            if isinstance(block, list) and statement in block:
                return block
        return [statement]

    def is_callee(self, node: ast.AST) -> bool:
        """Whether a node is what is called."""
        parent = self._parents.get(node)
        return isinstance(parent, ast.Call) and parent.func is node

    @functools.cached_property
    def keys(self) -> list[str]:
        """The texts by which something is looked up."""
        found = [
            node.slice.value
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
        ]
        return list(dict.fromkeys(found))

    def data_names(self, node: ast.AST) -> list[str]:
        """The names of data that a function has at a node: parameters, and what it assigned above."""
        function = self.function_of(node)
        if function is None:
            return []
        given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        names = [argument.arg for argument in given if argument.arg not in ("self", "cls")]
        line = getattr(node, "lineno", 0)
        names += [
            inner.id
            for inner in ast.walk(function)
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store) and inner.lineno < line
        ]
        return list(dict.fromkeys(names))

    # -- the text ----------------------------------------------------------------------------------------

    def span(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        """Where a node's text begins and ends."""
        last = node.end_lineno or node.lineno
        return (
            self._positions.at(node.lineno, node.col_offset),
            self._positions.at(last, node.end_col_offset or 0),
        )

    def text_of(self, node: ast.stmt | ast.expr) -> str:
        """A node's text, without brackets around it."""
        start, end = self.span(node)
        return self.text[start:end]

    def operand(self, node: ast.expr) -> str:
        """An expression's text, in brackets unless it is one word or call."""
        text = self.text_of(node)
        return text if isinstance(node, _ATOMS) or _is_plain_number(node) else f"({text})"

    def put(self, node: ast.stmt | ast.expr, text: str) -> Edit:
        """Another text in a node's place; in brackets where the text around it would else take part of it."""
        if isinstance(node, ast.expr) and isinstance(self._parents.get(node), _BINDS):
            tree = python_tree(f"({text})")
            value = tree.body[0].value if tree and isinstance(tree.body[0], ast.Expr) else None
            if value is not None and not isinstance(value, _ATOMS) and not _is_plain_number(value):
                text = f"({text})"
        return Edit(*self.span(node), text)

    def indent(self, node: ast.stmt | ast.expr) -> str:
        """What stands before a node's line's first word."""
        line = self._positions.lines[node.lineno - 1]
        return line[: len(line) - len(line.lstrip())]


def _is_plain_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, complex)


def name_of(function: ast.expr) -> str:
    """The last word of what is called: "sum" of ``np.sum`` and of ``x.sum``."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def keyword(call: ast.Call, *names: str) -> ast.keyword | None:
    """The first of a call's keywords that has one of these names."""
    return next((one for one in call.keywords if one.arg in names), None)


def number(node: ast.expr | None) -> float | None:
    """The number that is written out here, with its sign; None for anything else."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
    return None


def without_region(unit: Unit) -> str:
    """The unit as the template has it: its regions raise NotImplementedError."""
    lines = unit.text.split("\n")
    for first, last in sorted(unit.regions, reverse=True):
        code = [line for line in lines[first - 1 : last] if line.strip()]
        indent = code[0][: len(code[0]) - len(code[0].lstrip())] if code else ""
        body = f'{indent}raise NotImplementedError("taken out")'
        tree = parse(unit.text)
        is_definition = tree is not None and any(node.lineno == first for node in tree.tree.body)
        if is_definition and not unit.text.lstrip().startswith("#") and first == 1 and last >= len(lines):
            return f"{_header(unit)}\n    raise NotImplementedError('taken out')"
        lines[first - 1 : last] = [body]
    return "\n".join(lines)


def _header(unit: Unit) -> str:
    """The first lines of a definition that is a region as a whole, with a body that raises when called."""
    node = unit.tree.body[0]
    name = getattr(node, "name", "_")
    return f"def {name}(*_, **__):"
