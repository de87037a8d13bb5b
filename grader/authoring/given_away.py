"""Items that students would get solved: the same in the template as in the reference."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress

from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import UsageError
from grader.notebooks.answers import PLACEHOLDER, find_answers, segments
from grader.notebooks.cells import Cell
from grader.notebooks.foreign_markers import OWN_MARKERS
from grader.notebooks.headings import Heading, HeadingReader
from grader.notebooks.item_cells import asked_by_checks
from grader.notebooks.names import asked_in, bound_by
from grader.notebooks.solution import solution_lines
from grader.notebooks.source import parse

_PLACE = (
    f"{OWN_MARKERS}; a question's text stays above the heading `#### Answer ID`, or `{PLACEHOLDER}` below it"
)


def items_given_away(
    home: AssignmentFolder, reference: Mapping[str, tuple[Cell, ...]]
) -> Iterator[tuple[str, str]]:
    """What is seen of each item whose answer students would find in the template, and what to do.

    A written item's answer is the same text in both. Of a code item, all names that its hidden checks ask
    for are bound by code that holds no solution and uses nothing that students write.
    """
    cells = [cell for part in reference.values() for cell in part]
    yield from _written(home, cells)
    written_by_students, given = _names(home, cells)
    for item, names in _asked(home).items():
        if names & given and not names & written_by_students:
            found = ", ".join(f"`{name}`" for name in sorted(names & given))
            yield f"item {item!r}: {found}, asked for by its checks, is solved in the template", OWN_MARKERS


def _written(home: AssignmentFolder, cells: Iterable[Cell]) -> Iterator[tuple[str, str]]:
    solved = find_answers(cells, home.assignment)
    open_ = find_answers(home.template_cells, home.assignment)
    places = _prose(home)
    for item in home.assignment.of_kind("written"):
        text = open_[item.id].text
        if text and text == solved[item.id].text and PLACEHOLDER not in places.get(item.id, ""):
            yield f"item {item.id!r}: what stands in its answer's place is the same in the template", _PLACE


def _prose(home: AssignmentFolder) -> dict[str, str]:
    """All of the template's prose below each item's headings."""
    reader = HeadingReader([(item.id, item.title) for item in home.assignment.item])
    heading, found = Heading(), dict[str, str]()
    for cell in home.template_cells:
        if cell.kind == "markdown":
            for own, lines in segments(cell.source, heading, reader):
                heading = own
                for item in own.items:
                    found[item] = "\n".join((found.get(item, ""), *lines))
    return found


def _asked(home: AssignmentFolder) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    with suppress(UsageError):  # no hidden checks
        for file in sorted(home.checks(hidden=True).rglob("test_*.py")):
            for item, names in asked_by_checks(file.read_text(encoding="utf-8", errors="replace")).items():
                found[item] = found.get(item, frozenset()) | names
    return found


def _names(home: AssignmentFolder, cells: Iterable[Cell]) -> tuple[set[str], set[str]]:
    """The names that depend on what students write, and those that are bound without it."""
    sources = [cell.source for cell in cells if cell.kind == "code"]
    theirs = {name for source in sources for name in asked_in(source)}
    statements = []
    for source in sources:
        parsed = parse(source)
        regions = solution_lines(source)
        for statement in parsed.tree.body if parsed is not None else ():
            statements.append(statement)
            if any(
                first <= (statement.end_lineno or 0) and statement.lineno <= last for first, last in regions
            ):
                theirs |= _used(statement)
            theirs |= _imported(statement, home.reference_modules)
    bound = {name for statement in statements for name in bound_by(statement)}
    while more := {name for statement in statements for name in _reached(statement, theirs)} - theirs:
        theirs |= more
    return theirs, bound - theirs


def _reached(statement: ast.stmt, theirs: Collection[str]) -> Iterator[str]:
    """The names that depend on students' work by a statement: those it binds, or hands to their functions."""
    if _used(statement, within=True).isdisjoint(theirs):
        return
    yield from bound_by(statement)
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and not _used(node.func).isdisjoint(theirs):
            handed = (*node.args, *(keyword.value for keyword in node.keywords))
            yield from (value.id for value in handed if isinstance(value, ast.Name))


def _used(tree: ast.AST, *, within: bool = False) -> set[str]:
    """The names that code reads; of a function or class only ``within`` it."""
    if not within and isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return set()
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def _imported(statement: ast.stmt, modules: Collection[str]) -> set[str]:
    """The names that a statement imports from modules that students write."""
    roots = {place.removesuffix(".py").split("/")[0] for place in modules}
    match statement:
        case ast.Import(names=names):
            return {
                alias.asname or alias.name.split(".")[0]
                for alias in names
                if alias.name.split(".")[0] in roots
            }
        case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] in roots:
            return {alias.asname or alias.name for alias in names}
    return set()
