"""Copies of code as people disguise them: six transformations of pieces of Python, such as cells.

The copies parse; whether they still compute the same was not the aim, and nothing runs them.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Sequence

Pieces = list[str]
Transformation = Callable[[Pieces, random.Random], Pieces]

_WORDS = ("data", "value", "res", "temp", "my", "new", "out", "item", "part", "info", "calc", "buf")
_COMMENTS = ("compute this", "the next step", "see the lecture", "do it", "update", "now the main part")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def renamed(pieces: Pieces, rng: random.Random) -> Pieces:
    """Every variable, argument, function, class and attribute that the code binds has a new name."""
    trees = [ast.parse(one) for one in pieces]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {
        node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    bound |= {node.name for node in nodes if isinstance(node, (*_FUNCTIONS, ast.ClassDef))}
    new = {
        old: _new_name(rng, number) for number, old in enumerate(sorted(bound)) if not old.startswith("__")
    }
    for node in nodes:
        for name in ("id", "arg", "attr", "name"):
            if isinstance(getattr(node, name, None), str) and not isinstance(node, ast.alias):
                setattr(node, name, new.get(getattr(node, name), getattr(node, name)))
    return list(map(ast.unparse, trees))


def _new_name(rng: random.Random, number: int) -> str:
    return f"{rng.choice(_WORDS)}_{rng.choice(_WORDS)}{number}"


def reordered(pieces: Pieces, rng: random.Random) -> Pieces:
    """Cells and functions are shuffled, and neighbouring statements that do not need each other swapped."""
    trees = [ast.parse(one) for one in pieces]
    rng.shuffle(trees)
    for tree in trees:
        for node in ast.walk(tree):
            for name in ("body", "orelse"):
                body = getattr(node, name, None)
                if isinstance(body, list):
                    setattr(node, name, _swapped(body, rng))
    return list(map(ast.unparse, trees))


def _swapped(body: list[ast.stmt], rng: random.Random) -> list[ast.stmt]:
    found = list(body)
    if all(isinstance(one, (*_FUNCTIONS, ast.ClassDef)) for one in found):
        rng.shuffle(found)
        return found
    for place in range(len(found) - 1):
        first, second = found[place : place + 2]
        if (
            rng.random() < 0.6
            and not _touched(first) & _written(second)
            and not _written(first) & _touched(second)
        ):
            found[place : place + 2] = second, first
    return found


def _touched(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}


def _written(statement: ast.stmt) -> set[str]:
    if not isinstance(statement, ast.Assign | ast.AugAssign):
        return _touched(statement) | {"everything"}
    return {
        node.id
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        for node in ast.walk(target)
        if isinstance(node, ast.Name)
    }


def padded(pieces: Pieces, rng: random.Random) -> Pieces:
    """As much dead code again: unused variables, branches that are never taken, functions nobody calls."""
    made = []
    for piece in pieces:
        tree = ast.parse(piece)
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list) and not isinstance(node, ast.ClassDef):
                for place in range(len(body) - 1, -1, -1):
                    body[place:place] = _dead(rng) if rng.random() < 0.6 else []
        made.append(ast.unparse(tree))
    return made


def _dead(rng: random.Random) -> list[ast.stmt]:
    a, b, c = (f"{rng.choice(_WORDS)}{rng.randrange(99)}" for _ in range(3))
    n, m = rng.randrange(1, 99), round(rng.random(), 3)
    text = rng.choice(
        (
            f"{a} = [{b} * {m} for {b} in range({n})]",
            f"if {n} < 0:\n    {a} = np.zeros(({n}, {n + 1}))\n    print({a}.mean() + {m})",
            f"{a} = {{'{b}': {n}, '{c}': {m}}}\n{b} = {a}.get('{b}', {m}) ** {n}",
            f"def {a}({b}, {c}={m}):\n    while {b} < {n}:\n        {b} += {c} * {m}\n    return {b} - {n}",
            f"{a} = str({n}) + '{b}{n}'\n{c} = len({a}) // {n}",
        )
    )
    return ast.parse(text).body


def restyled(pieces: Pieces, rng: random.Random) -> Pieces:
    """The same said otherwise: loops as comprehensions, `x += y` as `x = x + y`, methods as functions, ..."""
    made = []
    for piece in pieces:
        tree = ast.fix_missing_locations(_Restyle(rng).visit(ast.parse(piece)))
        made.append(ast.unparse(tree))
    return made


class _Restyle(ast.NodeTransformer):
    METHODS = frozenset({"sum", "mean", "max", "min", "argmax", "reshape", "dot", "var", "std", "prod"})

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        read = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.Assign([node.target], ast.BinOp(read, node.op, node.value), lineno=node.lineno)

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        match node.body:
            case [ast.Expr(ast.Call(ast.Attribute(ast.Name() as target, "append"), [value], []))]:
                part = ast.comprehension(node.target, node.iter, [], 0)
                store = ast.Name(target.id, ast.Store())
                return ast.Assign([store], ast.ListComp(value, [part]), lineno=node.lineno)
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.MatMult):
            return _numpy("dot", [node.left, node.right])
        if (
            isinstance(node.op, ast.Pow)
            and ast.unparse(node.right) == "2"
            and isinstance(node.left, ast.Name)
        ):
            return ast.BinOp(node.left, ast.Mult(), node.left)
        if isinstance(node.op, ast.Mult) and self.rng.random() < 0.3:
            return ast.BinOp(node.right, node.op, node.left)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.Call(ast.Attribute(ast.Name("np"), "dot"), [left, right], []):
                return ast.BinOp(left, ast.MatMult(), right)
            case ast.Call(ast.Attribute(ast.Name("np"), name), [ast.Name() as first, *rest]) if (
                name in self.METHODS
            ):
                return ast.Call(ast.Attribute(first, name, ast.Load()), rest, node.keywords)
            case ast.Call(ast.Attribute(ast.Name(owner) as first, name), args) if (
                name in self.METHODS and owner != "np"
            ):
                return _numpy(name, [first, *args], node.keywords)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        turned = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}.get(type(node.ops[0]))
        if len(node.ops) == 1 and turned:
            return ast.Compare(node.comparators[0], [turned()], [node.left])
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        match node:
            case ast.If(
                test, [ast.Assign([ast.Name(one) as target], yes)], [ast.Assign([ast.Name(other)], no)]
            ):
                if one == other:
                    return ast.Assign([target], ast.IfExp(test, yes, no), lineno=node.lineno)
        return node

    def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.AST]:
        self.generic_visit(node)
        if node.value is None or isinstance(node.value, ast.Name):
            return node
        store, load = ast.Name("answer", ast.Store()), ast.Name("answer", ast.Load())
        return [ast.Assign([store], node.value, lineno=node.lineno), ast.Return(load)]


def _numpy(name: str, args: Sequence[ast.expr], keywords: Sequence[ast.keyword] = ()) -> ast.Call:
    return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load()), list(args), list(keywords))


def reformatted(pieces: Pieces, rng: random.Random) -> Pieces:
    """Comments, blank lines and annotations everywhere, other quotes and indents, other brackets."""
    made = []
    for piece in pieces:
        tree = ast.parse(piece)
        for node in ast.walk(tree):
            for one in node.args.args if isinstance(node, _FUNCTIONS) else ():
                one.annotation = ast.Name("object", ast.Load()) if rng.random() < 0.5 else None
        lines = []
        for line in ast.unparse(tree).split("\n"):
            indent = line[: len(line) - len(line.lstrip())]
            if rng.random() < 0.4 and '"""' not in line:
                lines += [f"{indent}# {rng.choice(_COMMENTS)}"]
            lines.append(line.replace("    ", "   "))
        made.append("\n".join(lines) if _parses("\n".join(lines)) else ast.unparse(tree))
    return made


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def regrouped(pieces: Pieces, rng: random.Random) -> Pieces:
    """Halves of long functions become helpers of their own, and all cells one."""
    tree = ast.parse("\n".join(pieces))
    helpers: list[ast.stmt] = []
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS) and len(node.body) >= 4:
            _split(node, helpers, rng)
    tree.body[:0] = helpers
    return [ast.unparse(ast.fix_missing_locations(tree))]


def _split(
    function: ast.FunctionDef | ast.AsyncFunctionDef, helpers: list[ast.stmt], rng: random.Random
) -> None:
    """The middle of a function as a helper that is handed what it reads and returns what it writes."""
    first = rng.randrange(1, len(function.body) - 2)
    moved = function.body[first:-1]
    if any(isinstance(node, ast.Return | ast.Yield) for one in moved for node in ast.walk(one)):
        return
    names = sorted(
        {node.id for one in moved for node in ast.walk(one) if isinstance(node, ast.Name)} - {"np"}
    )
    if not names:
        return
    listed = ", ".join(names)
    helper = f"{function.name}_part{len(helpers)}"
    made = ast.parse(f"def {helper}({listed}):\n    return ({listed},)").body[0]
    assert isinstance(made, ast.FunctionDef)
    made.body[:0] = moved
    helpers.append(made)
    function.body[first:-1] = ast.parse(f"({listed},) = {helper}({listed})").body


TRANSFORMATIONS: dict[str, Transformation] = {
    "renamed": renamed,
    "reordered": reordered,
    "padded": padded,
    "restyled": restyled,
    "reformatted": reformatted,
    "regrouped": regrouped,
}


def all_at_once(pieces: Pieces, rng: random.Random) -> Pieces:
    """One transformation after the other."""
    for one in TRANSFORMATIONS.values():
        pieces = one(pieces, rng)
    return pieces
