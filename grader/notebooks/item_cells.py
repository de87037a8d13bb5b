"""Which cell of a student's file each item belongs to: where what is said about it is read best."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypeGuard

from grader.model.assignment import Assignment
from grader.notebooks.answers import Answer, segments
from grader.notebooks.cells import Cell
from grader.notebooks.headings import Heading, HeadingReader
from grader.notebooks.names import asked_in, defined_names
from grader.notebooks.source import python_tree


def asked_by_item(reference: Iterable[Cell], assignment: Assignment) -> dict[str, frozenset[str]]:
    """The names that each item asks for: those with a solution in them below its heading in the reference."""
    reader = HeadingReader([(item.id, item.title) for item in assignment.item])
    heading, found = Heading(), dict[str, frozenset[str]]()
    for cell in reference:
        if cell.kind == "markdown":
            heading = _last_heading(cell.source, heading, reader)
        elif cell.kind == "code":
            for item in heading.items:
                found[item] = found.get(item, frozenset()) | asked_in(cell.source)
    return found


def asked_by_checks(checks: str) -> dict[str, frozenset[str]]:
    """The names that a file of checks takes from ``student``, by the item that ``item("...")`` names."""
    tree = python_tree(checks) or ast.Module(body=[], type_ignores=[])
    of_file = _items_in(tree.body)
    found: dict[str, frozenset[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = frozenset(inner.attr for inner in ast.walk(node) if _is_students(inner))
            for item in (_items_in(node.decorator_list) or of_file)[:1]:
                found[item] = found.get(item, frozenset()) | names
    return found


def _is_students(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "student"


def _items_in(nodes: Iterable[ast.AST]) -> list[str]:
    """The items that decorators name, or a file's ``pytestmark``."""
    marks = [node.value if isinstance(node, ast.Assign) else node for node in nodes]
    calls = [inner for mark in marks if isinstance(mark, ast.expr) for inner in ast.walk(mark)]
    return [
        call.args[0].value
        for call in calls
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "item"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    ]


def cells_of_items(
    cells: Sequence[Cell],
    assignment: Assignment,
    asked: Mapping[str, frozenset[str]],
    answers: Mapping[str, Answer],
) -> dict[str, int]:
    """The number of the cell that each item is answered in; items that nothing is found of are left out.

    That is the last cell with its prose, its plots and recordings, or a name that it asks for; else the last
    one below its heading.
    """
    prose = {cell.number for cell in cells if cell.kind == "markdown"}
    headed = _headed(cells, assignment)
    defined = {cell.number: defined_names([cell]) for cell in cells}
    found = {}
    for item in assignment.item:
        names = asked.get(item.id, frozenset())
        places = [number for number, bound in defined.items() if bound & names]
        if item.id in answers:
            places = _places(answers[item.id], prose if item.kind == "written" else set())
        if place := max(places, default=headed.get(item.id, 0)):
            found[item.id] = place
    return found


def _places(answer: Answer, prose: Collection[int]) -> list[int]:
    """The cells that an answer stands in: those with its prose if there are any, else with what is judged."""
    written = [number for number in answer.cells if number in prose]
    shown = [figure.cell for figure in answer.figures] + [recording.cell for recording in answer.evidence]
    return written or shown or list(answer.cells)


def _headed(cells: Sequence[Cell], assignment: Assignment) -> dict[str, int]:
    """The last cell below each item's heading, or the heading's own."""
    reader = HeadingReader([(item.id, item.title) for item in assignment.item])
    heading, found = Heading(), dict[str, int]()
    for cell in cells:
        if cell.kind == "markdown":
            heading = _last_heading(cell.source, heading, reader)
        found |= dict.fromkeys(heading.items, cell.number)
    return found


def _last_heading(source: str, heading: Heading, reader: HeadingReader) -> Heading:
    return [own for own, _ in segments(source, heading, reader)][-1]
