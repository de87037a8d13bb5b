"""What code says, whatever its names, order and layout: the *shapes* of its statements and expressions.

Two pieces of code have a shape in common where their syntax trees are equal after the following::

    names that the code itself binds   x, total, self.cache     numbered in order of appearance in the shape
    two ways of saying one thing       x += y                   x = x + y
                                       np.sum(x, axis=0)        x.sum(axis=0), x.sum(0)
                                       np.dot(x, y), x.dot(y)   x @ y
                                       x > y                    y < x
                                       [f(x) for x in y]        a `for x in y` and an f(x), each by itself
    comments, docstrings, annotations, `def` lines, imports     left out

A statement with a block is its first line; the block's statements stand by themselves. So a shape does not
know what surrounds it, and stays the same when statements, functions and cells change places, are split or
joined.

Everything takes time and memory linear in the text, and no recursion: the text comes from a submission.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from grader.notebooks.source import parse

MAX_CODE = 400_000
"""Characters of one submission's code that are looked at; a long homework has 30,000."""
SHORTEST = 4
"""Tokens of a shape: `x + y` has three, and everybody writes it."""
LONGEST = 64
"""Tokens of a shape that count; what follows is in shapes of its own."""

_OWN = "\0"
"""Before a name that the code binds itself."""
_PRODUCTS = frozenset({"dot", "matmul"})
_TURNED: dict[type[ast.cmpop], str] = {ast.Gt: "Lt", ast.GtE: "LtE"}
_UNREAD = frozenset(
    {"annotation", "returns", "type_params", "type_comment", "type_ignores"}
    | {"ctx", "op", "ops", "id", "attr", "arg", "name"}  # words and signs, which are read where they belong
)
_NAMING = frozenset(
    {ast.Name, ast.arg, ast.Attribute, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}
    | {ast.ExceptHandler, ast.Import, ast.ImportFrom}
)
_FIELDS = {
    kind: tuple(name for name in kind._fields if name not in _UNREAD)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}
"""Where the nodes are that stand in a node, by its type."""
_BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)
_SHAPED = (ast.expr, ast.stmt, ast.comprehension)
_WITHOUT = (
    *(ast.Import, ast.ImportFrom, ast.Pass, ast.Global, ast.Nonlocal, ast.Break, ast.Continue),
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.arguments, ast.arg),
    *(ast.Module, ast.Expr),
)
"""Nodes without tokens of their own; those of a lambda's value are a shape by themselves."""
_Words = list[str]


class Shape(NamedTuple):
    """A shape, and where it stands: ``piece`` is the index of a piece of code, lines count from 1 in it."""

    key: int
    piece: int
    first: int
    last: int


@dataclass(frozen=True)
class Names:
    """What names in the code refer to.

    ``own`` are names that the code binds, ``fields`` attributes that it sets or defines, ``modules`` names of
    imported modules, ``taken`` names imported from modules, with what they are called there.
    """

    own: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=lambda: {"np", "torch", "plt", "math"})
    taken: dict[str, str] = field(default_factory=dict)


def shapes(pieces: Sequence[str], given: Names | None = None) -> Iterator[Shape]:
    """The shapes in pieces of code, such as a submission's cells, in order.

    Pieces that are not Python have none, nor has what comes after MAX_CODE characters. ``given`` are names of
    code that is not among the pieces.
    """
    orders = _orders(pieces)
    names = _names_of(orders.values(), given or Names())
    for number, order in orders.items():
        yield from _shapes_of(order, number, names)


def names_in(pieces: Sequence[str]) -> Names:
    """What the names in these pieces of code refer to."""
    return _names_of(_orders(pieces).values(), Names())


def _orders(pieces: Sequence[str]) -> dict[int, list[ast.AST]]:
    """The nodes of each piece that is Python."""
    found: dict[int, list[ast.AST]] = {}
    left = MAX_CODE
    for number, text in enumerate(pieces):
        left -= len(text)
        parsed = parse(text) if text and left >= 0 else None
        if parsed is not None:
            found[number] = _in_order(parsed.tree)
    return found


def _names_of(orders: Iterable[Sequence[ast.AST]], given: Names) -> Names:
    names = Names(set(given.own), set(given.fields), set(given.modules), dict(given.taken))
    for order in orders:
        for node in order:
            if type(node) in _NAMING:
                _note_names(node, names)
    return names


def _in_order(tree: ast.Module) -> list[ast.AST]:
    """All nodes that matter, each before its children, which keep their order."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        node = _as_assignment(node) if isinstance(node, ast.AugAssign) else node
        found.append(node)
        waiting += reversed(_children(node))
    return found


def _as_assignment(node: ast.AugAssign) -> ast.Assign:
    """`x = x + y` for `x += y`, in the same lines."""
    value = ast.copy_location(ast.BinOp(node.target, node.op, node.value), node)
    return ast.copy_location(ast.Assign([node.target], value), node)


def _children(node: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    for name in _FIELDS[type(node)]:
        value = getattr(node, name, None)
        if isinstance(value, list):
            found += [one for one in value if isinstance(one, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def _note_names(node: ast.AST, names: Names) -> None:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            names.own.add(name)
        case ast.Attribute(attr=name, ctx=ast.Store()):
            names.fields.add(name)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            names.own.add(name)
            names.fields.add(name)
        case ast.ExceptHandler(name=str() as name):
            names.own.add(name)
        case ast.Import(names=several):
            names.modules.update((one.asname or one.name).partition(".")[0] for one in several)
        case ast.ImportFrom(names=several):
            names.taken.update({one.asname or one.name: one.name for one in several})


def _shapes_of(order: Sequence[ast.AST], piece: int, names: Names) -> Iterator[Shape]:
    tokens, found = _Tokens(names), []
    for node in reversed(order):
        own = tokens.add(node)
        # What an attribute belongs to has a shape by itself, and a method belongs to its call.
        if len(own) >= SHORTEST and isinstance(node, _SHAPED) and not isinstance(node, ast.Attribute):
            line = (node.target if isinstance(node, ast.comprehension) else node).lineno
            found.append(Shape(_key(own), piece, line, _last_line(node, line)))
    yield from reversed(found)


def _last_line(node: ast.AST, line: int) -> int:
    """Of a block's statement, the last line of what stands before the block."""
    body = getattr(node, "body", None)
    if isinstance(body, list):
        return max(line, int(body[0].lineno) - 1)
    return int(getattr(node, "end_lineno", None) or line)


def _key(tokens: _Words) -> int:
    """64 bits of a digest, so that nobody can write code for the sake of its key."""
    numbers: dict[str, str] = {}
    words = [numbers.setdefault(one, f"{_OWN}{len(numbers)}") if one[:1] == _OWN else one for one in tokens]
    text = "\n".join(words).encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


class _Tokens:
    """The tokens of nodes, made of those of their children, which are added before them."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._of: dict[ast.AST, _Words] = {}

    def add(self, node: ast.AST) -> _Words:
        """A node's tokens, at most LONGEST."""
        made = _MADE_BY.get(type(node), _Tokens.plain)(self, node)
        if len(made) > LONGEST:
            del made[LONGEST:]
        self._of[node] = made
        return made

    def joined(self, nodes: Iterable[ast.AST]) -> _Words:
        """Those of several nodes, without what stands in a block."""
        found: _Words = []
        for node in nodes:
            if not isinstance(node, _BLOCKS):
                found += self._of[node]
                if len(found) >= LONGEST:
                    break
        return found

    def plain(self, node: ast.AST) -> _Words:
        return [type(node).__name__, *self.joined(_children(node))]

    def nothing(self, _: ast.AST) -> _Words:
        """Also of a statement that is an expression: a call has its own shape, and a text is a docstring."""
        return []

    def name(self, node: ast.Name) -> _Words:
        if node.id in self._names.own:
            return [_OWN + node.id]
        return [self._names.taken.get(node.id, node.id)]

    def constant(self, node: ast.Constant) -> _Words:
        value = node.value
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                value = float(value)
            except OverflowError:
                return ["a huge number"]
        return [repr(value)[:200]]

    def attribute(self, node: ast.Attribute) -> _Words:
        """An attribute and whose it is; a module's stands alone: `np.random.normal` is `normal`."""
        word = f"{_OWN}.{node.attr}" if node.attr in self._names.fields else node.attr
        inner = node.value
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        of_module = isinstance(inner, ast.Name) and inner.id in self._names.modules
        return [word] if of_module else [word, *self._of[node.value]]

    def call(self, node: ast.Call) -> _Words:
        values = self.joined([*node.args, *(one.value for one in node.keywords)])
        called = self._of[node.func]
        if isinstance(node.func, ast.Attribute):
            if called[0] in _PRODUCTS:
                return ["MatMult", *called[1:], *values]
            if called[0] == "transpose" and len(node.args) + len(called) == 2:  # noqa: PLR2004  # no axes
                return ["T", *called[1:], *values]
        return ["call", *called, *values]

    def binary(self, node: ast.BinOp) -> _Words:
        return [type(node.op).__name__, *self.joined([node.left, node.right])]

    def unary(self, node: ast.UnaryOp) -> _Words:
        return [type(node.op).__name__, *self._of[node.operand]]

    def logic(self, node: ast.BoolOp) -> _Words:
        return [type(node.op).__name__, *self.joined(node.values)]

    def comparison(self, node: ast.Compare) -> _Words:
        if len(node.ops) == 1 and (turned := _TURNED.get(type(node.ops[0]))):
            return [turned, *self.joined([node.comparators[0], node.left])]
        signs = [type(one).__name__ for one in node.ops]
        return [*signs, *self.joined([node.left, *node.comparators])]

    def assignment(self, node: ast.Assign | ast.AnnAssign) -> _Words:
        if node.value is None:  # an annotation alone
            return []
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return ["=", *self.joined([*targets, node.value])]

    def loop(self, node: ast.For | ast.AsyncFor | ast.comprehension) -> _Words:
        return ["for", *self.joined([node.target, node.iter])]

    def condition(self, node: ast.If | ast.IfExp | ast.While) -> _Words:
        return ["if", *self._of[node.test]]

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> _Words:
        return ["made", *self._of[node.elt]]


_MADE_BY: dict[type[ast.AST], Callable[[_Tokens, Any], _Words]] = {
    **dict.fromkeys(_WITHOUT, _Tokens.nothing),
    ast.Name: _Tokens.name,
    ast.Constant: _Tokens.constant,
    ast.Attribute: _Tokens.attribute,
    ast.Call: _Tokens.call,
    ast.BinOp: _Tokens.binary,
    ast.UnaryOp: _Tokens.unary,
    ast.BoolOp: _Tokens.logic,
    ast.Compare: _Tokens.comparison,
    ast.Assign: _Tokens.assignment,
    ast.AnnAssign: _Tokens.assignment,
    **dict.fromkeys((ast.For, ast.AsyncFor, ast.comprehension), _Tokens.loop),
    **dict.fromkeys((ast.If, ast.IfExp, ast.While), _Tokens.condition),
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.GeneratorExp), _Tokens.comprehension),
}
