"""Mistakes with arrays: axes, sums and means, N, transposes, order, broadcasting, types, softmax."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.authoring.mutation.unit import Change, Unit, keyword, name_of, number

FAMILY = "arrays"

CONFUSED = {
    "sum": ("mean", "max"),
    "mean": ("sum",),
    "max": ("min", "mean"),
    "min": ("max",),
    "std": ("var",),
    "var": ("std",),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "argsort": ("sort",),
    "prod": ("sum",),
    "any": ("all",),
    "all": ("any",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",),
    "exp": ("exp2",),
    "log": ("log2", "log1p"),
    "sqrt": ("square",),
    "square": ("sqrt",),
    "hstack": ("vstack",),
    "vstack": ("hstack",),
    "dot": ("multiply",),
    "matmul": ("multiply",),
    "floor": ("ceil",),
    "ceil": ("floor",),
    "normal": ("uniform",),
    "uniform": ("normal",),
    "randn": ("rand",),
    "rand": ("randn",),
    "eye": ("ones",),
    "outer": ("multiply",),
}
"""Functions and methods, and what people write in their place."""

DROPPED = {
    "exp", "log", "sqrt", "square", "abs", "absolute", "tanh", "sigmoid", "relu", "copy", "clone", "detach",
    "reshape", "flatten", "ravel", "squeeze", "unsqueeze", "expand_dims", "astype", "float", "transpose",
    "clip", "clamp", "round", "log1p", "expm1", "sign", "contiguous", "keepdims", "normalize", "cumsum",
    "maximum", "minimum", "nan_to_num", "sorted", "unique", "repeat", "tile", "pad", "softmax", "log_softmax",
}  # fmt: skip
"""Calls that are left out: the first argument, or what the method belongs to, stays."""

AXES = {0: (1, -1), 1: (0,), 2: (1,), -1: (0, -2), -2: (-1,)}
_COUNTS = {"n", "m", "N", "M", "B", "batch", "batch_size", "count", "size", "num", "n_samples", "num_train"}
_LINEAR = (ast.Sub, ast.Div, ast.MatMult, ast.Pow, ast.FloorDiv, ast.Mod)


def changes(node: ast.stmt | ast.expr, unit: Unit) -> Iterator[Change]:
    """The mistakes with arrays that can be made at a node."""
    match node:
        case ast.Call():
            yield from _of_call(node, unit)
        case ast.BinOp():
            yield from _of_operation(node, unit)
        case ast.Attribute(attr="T", value=value):
            yield _change(unit, node, unit.operand(value), "the transpose is missing")
        case ast.Subscript(slice=index, value=value) if _adds_axis(index):
            yield _change(unit, node, unit.operand(value), "the new axis is missing")
        case ast.Tuple(elts=[first, second]) if isinstance(node.ctx, ast.Load) and not _is_index(node, unit):
            yield _change(
                unit, node, f"({unit.text_of(second)}, {unit.text_of(first)})", "two sizes change places"
            )
    if isinstance(node, ast.expr) and is_value(node, unit):
        yield from _of_value(node, unit)


def is_value(node: ast.expr, unit: Unit) -> bool:
    """Whether a right-hand side, returned value, argument or operand stands here, not a part of a name."""
    if isinstance(
        node, ast.Constant | ast.Tuple | ast.List | ast.Dict | ast.Slice | ast.Starred | ast.Lambda
    ):
        return False
    if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        return False
    match unit.parent(node):
        case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Return():
            return True
        case ast.BinOp():
            return isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript | ast.BinOp)
        case ast.Call(args=arguments):
            return node in arguments and isinstance(
                node, ast.Name | ast.Subscript | ast.BinOp | ast.Attribute
            )
    return False


def _change(unit: Unit, node: ast.stmt | ast.expr, text: str, what: str) -> Change:
    return Change(FAMILY, what, (unit.put(node, text),))


def _of_call(call: ast.Call, unit: Unit) -> Iterator[Change]:
    name = name_of(call.func)
    start, end = unit.span(call.func)
    for other in CONFUSED.get(name, ()) if name else ():
        text = unit.text[start : end - len(name)] + other
        yield Change(FAMILY, f"{other} in place of {name}", (unit.put(call.func, text),))
    inner = _inner(call, unit)
    if name in DROPPED and inner is not None:
        yield _change(unit, call, unit.operand(inner), f"{name} is missing")
    if name == "where" and len(call.args) == 3:  # noqa: PLR2004  # condition, then, else
        condition, then, other_wise = map(unit.text_of, call.args)
        begin = unit.text_of(call.func)
        yield _change(unit, call, f"{begin}({condition}, {other_wise}, {then})", "where: branches swapped")
    yield from _of_axes(call, unit)
    dtype = keyword(call, "dtype")
    if dtype is not None:
        yield _change(unit, dtype.value, "int", "dtype: whole numbers")


def _inner(call: ast.Call, unit: Unit) -> ast.expr | None:
    """What a call works on: the first argument of a library's function, or what a method belongs to."""
    match call.func:
        case ast.Attribute(value=ast.Name(id=owner)) if owner in (unit.arrays, unit.tensors, "F", "nn"):
            return call.args[0] if call.args else None
        case ast.Attribute(value=ast.Attribute()) if call.args and name_of(call.func) in ("softmax", "relu"):
            return call.args[0]
        case ast.Attribute(value=value):
            return value
        case ast.Name() if call.args:
            return call.args[0]
    return None


def _of_axes(call: ast.Call, unit: Unit) -> Iterator[Change]:
    axis = keyword(call, "axis", "dim")
    if axis is not None:
        value = number(axis.value)
        for other in AXES.get(int(value), ()) if value is not None else ():
            yield _change(unit, axis.value, str(other), f"axis {other} in place of {value}")
        yield _change(unit, axis.value, "None", "all axes at once")
    keepdims = keyword(call, "keepdims", "keepdim")
    if keepdims is not None:
        kept = isinstance(keepdims.value, ast.Constant) and keepdims.value.value is True
        what = "keepdims is missing" if kept else "keepdims, where it does not belong"
        yield _change(unit, keepdims.value, str(not kept), what)
    reduces = name_of(call.func) in ("sum", "mean", "max", "min", "argmax", "std", "var")
    if (
        reduces
        and axis is None
        and not call.keywords
        and len(call.args) <= 1
        and isinstance(call.func, ast.Attribute)
    ):
        of_library = isinstance(call.func.value, ast.Name) and call.func.value.id in (
            unit.arrays,
            unit.tensors,
        )
        if len(call.args) == int(of_library):
            inner = "".join(f"{unit.text_of(argument)}, " for argument in call.args)
            yield _change(unit, call, f"{unit.text_of(call.func)}({inner}axis=0)", "over the first axis only")


def _of_operation(node: ast.BinOp, unit: Unit) -> Iterator[Change]:
    left, right = unit.operand(node.left), unit.operand(node.right)
    if isinstance(node.op, _LINEAR):
        sign = {ast.Sub: "-", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**", ast.FloorDiv: "//", ast.Mod: "%"}
        yield _change(unit, node, f"{right} {sign[type(node.op)]} {left}", "operands change places")
    match node.op:
        case ast.Div():
            counts = _is_count(node.right)
            yield _change(unit, node, left, "1/N is missing" if counts else "the division is missing")
            yield _change(
                unit, node, f"{left} / {right} / {right}", "1/N twice" if counts else "divided twice"
            )
            yield _change(unit, node, f"{left} * {right}", "multiplied, not divided")
            yield _change(unit, node, f"{left} // {right}", "whole-number division")
        case ast.Mult():
            yield _change(unit, node, left, "the second factor is missing")
            yield _change(unit, node, right, "the first factor is missing")
            yield _change(unit, node, f"{left} + {right}", "added, not multiplied")
            yield _change(unit, node, f"{left} / {right}", "divided, not multiplied")
            yield _change(unit, node, f"{left} @ {right}", "matrix product, not entry by entry")
        case ast.MatMult():
            yield _change(unit, node, f"{left} * {right}", "entry by entry, not a matrix product")
            yield _change(unit, node, f"{left}.T @ {right}", "the left is transposed")
            yield _change(unit, node, f"{left} @ {right}.T", "the right is transposed")
            yield _change(unit, node, f"({right} @ {left}).T", "the product is the other one, transposed")
        case ast.Sub() if _is_maximum(node.right):
            yield _change(unit, node, left, "no shift by the maximum")
        case ast.Add() | ast.Sub():
            what = "the small number is missing" if _is_small(node.right) else "the second term is missing"
            yield _change(unit, node, left, what)
            negative = "-" if isinstance(node.op, ast.Sub) else ""
            yield _change(unit, node, f"{negative}{right}", "the first term is missing")
        case ast.Pow():
            yield _change(unit, node, left, "the power is missing")
            yield _change(unit, node, f"{left} * {right}", "multiplied, no power")


def _is_count(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _COUNTS
        case ast.Call(func=ast.Name(id="len" | "float" | "max")):
            return True
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            return True
    return False


def _is_maximum(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and name_of(node.func) in ("max", "amax", "logsumexp")


def _is_small(node: ast.expr) -> bool:
    value = number(node)
    is_named = isinstance(node, ast.Name | ast.Attribute) and name_of(node).lower() in ("eps", "epsilon", "e")
    return is_named or (value is not None and 0 < abs(value) <= 1e-3)  # noqa: PLR2004


def _adds_axis(index: ast.expr) -> bool:
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    return any(
        (isinstance(part, ast.Constant) and part.value is None)
        or (isinstance(part, ast.Attribute) and part.attr == "newaxis")
        for part in parts
    )


def _is_index(node: ast.Tuple, unit: Unit) -> bool:
    parent = unit.parent(node)
    return not (isinstance(parent, ast.Call | ast.keyword))


def _of_value(node: ast.expr, unit: Unit) -> Iterator[Change]:
    """A whole array or number that is another one: what no text of the mistake shows."""
    text, operand = unit.text_of(node), unit.operand(node)
    library = unit.arrays or unit.tensors
    yield _change(unit, node, f"-{operand}", "the sign is wrong")
    yield _change(unit, node, f"2 * {operand}", "twice as much")
    yield _change(unit, node, f"1.01 * {operand}", "one percent too much")
    if not library:
        return
    for formula, what in (
        ("{v} / len({v})", "1/N where none belongs"),
        ("{v} * len({v})", "N where none belongs"),
        ("{v} - {v}.mean()", "centred, where it is not"),
    ):
        once = not isinstance(node, ast.Name | ast.Attribute)  # a call must not be made twice
        twice = f"(lambda v: {formula.format(v='v')})({text})" if once else formula.format(v=text)
        yield _change(unit, node, twice, what)
    yield _change(unit, node, f"{operand} + 1e-3", "a little is added")
    yield _change(unit, node, f"{library}.abs({text})", "the sign is lost")
    yield _change(unit, node, f"{library}.zeros_like({text})", "zeros")
    yield _change(unit, node, f"{library}.ones_like({text})", "ones")
    yield _change(unit, node, f"{library}.flip({text}, (0,))", "the rows in reverse")
    yield _change(unit, node, f"{operand}[:1]", "the first row only")
    yield _change(unit, node, f"{library}.round({text})", "rounded")
    yield _change(unit, node, f"{library}.clip({text}, -1, 1)", "clipped")
    if unit.arrays:
        yield _change(
            unit, node, f"{unit.arrays}.asarray({text}, dtype={unit.arrays}.float16)", "in half precision"
        )
        yield _change(unit, node, f"{unit.arrays}.asarray({text}).T", "transposed")
        yield _change(unit, node, f"{unit.arrays}.asarray({text}).astype(int)", "whole numbers")
        yield _change(
            unit, node, f"{unit.arrays}.asarray({text}).mean(0, keepdims=True)", "the mean over examples"
        )
        yield _change(
            unit, node, f"{unit.arrays}.asarray({text}).sum(-1, keepdims=True)", "summed over the last axis"
        )
