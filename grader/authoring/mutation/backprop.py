"""Mistakes in backpropagation: what was kept, which mask, arrays shared, gradients added up, their source."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader.authoring.mutation.unit import Change, Unit

FAMILY = "backprop"
_UPSTREAM = ("grad", "upstream", "dout", "delta", "gy")
_IN_PLACE = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}


def changes(node: ast.stmt | ast.expr, unit: Unit) -> Iterator[Change]:
    """The mistakes in backpropagation that can be made at a node."""
    match node:
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript() as target], value=value):
            yield from _of_kept(node, target, value, unit)
        case ast.AugAssign(target=ast.Attribute() | ast.Subscript() as target, op=ast.Add(), value=value):
            text = f"{unit.text_of(target)} = {unit.text_of(value)}"
            yield _change(unit, node, text, "assigned, not added up")
        case ast.Name(id=name) if isinstance(node.ctx, ast.Load) and is_upstream(name):
            library = unit.arrays or unit.tensors
            if library and not unit.is_callee(node):
                yield _change(unit, node, f"{library}.ones_like({name})", "an upstream gradient of ones")
        case ast.Compare(left=left, comparators=[right], ops=[_]):
            yield from _of_mask(left, right, unit)
    if isinstance(node, ast.Return | ast.Assign) and node.value is not None:
        yield from _in_place(node, node.value, unit)
    if isinstance(node, ast.stmt):
        yield from _out_of_order(node, unit)


def _of_mask(left: ast.expr, right: ast.expr, unit: Unit) -> Iterator[Change]:
    for other in unit.data_names(left):
        if isinstance(left, ast.Name) and left.id != other:
            yield _change(unit, left, other, f"a mask of {other}, not of {left.id}")
        if isinstance(right, ast.Name) and right.id != other:
            yield _change(unit, right, other, f"compared with {other}, not with {right.id}")


def is_upstream(name: str) -> bool:
    """Whether a name says that it is the gradient of what comes after."""
    lower = name.lower()
    return (
        name == "G"
        or any(word in lower for word in _UPSTREAM)
        or (lower[:1] == "d" and lower[1:2] in "_xyzaho")
    )


def _change(unit: Unit, node: ast.stmt | ast.expr, text: str, what: str) -> Change:
    return Change(FAMILY, what, (unit.put(node, text),))


def _of_kept(
    node: ast.Assign, target: ast.Attribute | ast.Subscript, value: ast.expr, unit: Unit
) -> Iterator[Change]:
    name, text, indent = unit.text_of(target), unit.text_of(value), unit.indent(node)
    yield _change(unit, node, f"{name} += {unit.operand(value)}", "added up, not assigned")
    stale = (
        f"try:\n{indent}    if {name} is None: {name} = {text}\n{indent}except (AttributeError, KeyError):"
    )
    yield _change(unit, node, f"{stale}\n{indent}    {name} = {text}", "kept from the first call on")
    yield _change(unit, node, f"{name}[...] = {text}", "written into the array that was there")
    yield _change(unit, node, f"{name} = {name}", "never stored")


def _in_place(node: ast.Return | ast.Assign, value: ast.expr, unit: Unit) -> Iterator[Change]:
    """The first operand's own array receives the result."""
    match value:
        case ast.BinOp(left=ast.Name() | ast.Attribute() | ast.Subscript() as left, op=op, right=right):
            sign = _IN_PLACE.get(type(op))
            if sign is not None:
                first = unit.text_of(left)
                line = f"{first} {sign} {unit.text_of(right)}"
                rest = unit.text_of(node).replace(unit.text_of(value), first, 1)
                yield _change(unit, node, f"{line}\n{unit.indent(node)}{rest}", "computed in place")
        case ast.Call(func=ast.Attribute(attr="copy"), args=[]):
            pass  # among the arrays' own: copy is missing


def _out_of_order(node: ast.stmt, unit: Unit) -> Iterator[Change]:
    block = unit.siblings(node)
    place = block.index(node) if node in block else -1
    if place < 0 or place + 1 >= len(block) or isinstance(node, ast.Return | ast.FunctionDef | ast.ClassDef):
        return
    after = block[place + 1]
    if unit.is_in_region(after) and unit.indent(node) == unit.indent(after):
        if isinstance(after, ast.Return):
            return
        edits = (unit.put(node, unit.text_of(after)), unit.put(after, unit.text_of(node)))
        yield Change(FAMILY, "two steps in the other order", edits)
