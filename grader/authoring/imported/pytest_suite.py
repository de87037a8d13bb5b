"""Packages whose functions students write, tested by pytest or unittest, as deep-learning courses have."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grader.authoring.imported import files, regions
from grader.authoring.imported.described import Course, ForeignItem, ForeignTest
from grader.authoring.imported.names_in_tests import bound_in, used_in
from grader.authoring.imported.regions import indent_of
from grader.authoring.imported.translated import edited
from grader.model.errors import UsageError
from grader.model.points import Points
from grader.notebooks.cells import Cell
from grader.notebooks.solution import MARKERS
from grader.notebooks.source import parse, python_tree

_TESTS = ("test_*.py", "*_test.py")
_BEGIN_WORDS = (
    "BEGIN YOUR SOLUTION",
    "BEGIN SOLUTION",
    "START CODE HERE",
    "BEGIN YOUR CODE",
    "START OF YOUR CODE",
)
_END_WORDS = ("END YOUR SOLUTION", "END SOLUTION", "END CODE HERE", "END YOUR CODE", "END OF YOUR CODE")
NOTEBOOK = "package.ipynb"


def read(source: Path) -> Course:
    """The package and its suite in a folder. Raises UsageError if there is none."""
    if not source.is_dir():
        raise UsageError(f"{source}: is not a folder; name the one that holds the package and its tests")
    suites = sorted({path for pattern in _TESTS for path in files.found_below(source, pattern)})
    if not suites:
        raise UsageError(f"{source}: has no tests: no file is called test_*.py")
    course = Course(origin="pytest", title=source.resolve().name)
    texts = {path.relative_to(source).as_posix(): files.text_of(path) for path in suites}
    helpers = set(suites) | set(files.found_below(source, "conftest.py"))
    beside = dict(files.given_below(source, leaving_out=helpers))
    code = {place: data.decode("utf-8", "replace") for place, data in beside.items() if place.endswith(".py")}
    asked = _modules_of(texts.values(), code)
    called = _called(texts.values())
    modules = {place: _marked(code[known], called, place, course) for place, known in asked.items()}
    course.modules = {place: text for place, text in modules.items() if regions.BEGIN in text}
    if not course.modules:
        raise UsageError(
            f"{source}: the tests import no module of the folder that students could write; "
            "expected a solved package beside its tests"
        )
    roots_of = {known[: -len(place)] for place, known in asked.items()}
    written = {asked[place] for place in course.modules}
    for known, data in beside.items():
        root = max((root for root in roots_of if known.startswith(root)), key=len, default="")
        if known not in written:
            _give(known.removeprefix(root), data, course)
    for place, text in texts.items():
        _read_suite(place, text, course)
    listed = "\n".join(f"- `{place}`" for place in course.modules)
    course.notebooks[NOTEBOOK] = (
        Cell(1, "markdown", f"# {course.title}\n\nWrite your code in\n\n{listed}"),
        *(Cell(0, "markdown", f"## {item.id} {item.title}") for item in course.items),
    )
    return course


def _give(place: str, data: bytes, course: Course) -> None:
    """Add a file that students get, unless it lies among the modules that they write."""
    tops = {module.partition("/")[0] for module in course.modules if "/" in module}
    if place.partition("/")[0] not in tops:
        course.files[place] = data
    elif data.strip():
        course.note(place, "lies among modules that students write, where nothing can be given: left out")


def _modules_of(suites: Iterable[str], code: Mapping[str, str]) -> dict[str, str]:
    """The modules that the tests import, and those that they import in turn.

    The places that their names say, and where they are: a folder above may be on Python's path.
    """
    found: dict[str, str] = {}
    waiting = [name for text in suites if (tree := python_tree(text)) for name in _imported(tree, "")]
    while waiting:
        name = waiting.pop(0)
        for place in (f"{name.replace('.', '/')}.py", f"{name.replace('.', '/')}/__init__.py"):
            known = min(
                (one for one in code if one == place or one.endswith(f"/{place}")), key=len, default=""
            )
            if known and place not in found:
                found[place] = known
                tree = python_tree(code[known])
                package = name if known.endswith("__init__.py") else name.rpartition(".")[0]
                waiting += list(_imported(tree, package)) if tree is not None else []
    return dict(sorted(found.items()))


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    """The modules that code imports, by their whole names; a name of a module may be a module too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join(filter(None, [*above, node.module or ""]))
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _called(suites: Iterable[str]) -> set[str]:
    """All names and attributes in the tests: what of the modules they may call."""
    trees = [tree for text in suites if (tree := python_tree(text))]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name)}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return names | {alias.name for node in froms for alias in node.names}


def _marked(text: str, called: set[str], place: str, course: Course) -> str:
    """A module with our markers: where it has others, there; else around the bodies that the tests call."""
    begin, end = MARKERS["code"]
    lines = []
    for line in text.split("\n"):
        indent = indent_of(line)
        is_comment = line.lstrip().startswith("#")
        words = line.upper()
        if is_comment and any(word in words for word in _BEGIN_WORDS):
            lines.append(indent + begin)
        elif is_comment and any(word in words for word in _END_WORDS):
            lines.append(indent + end)
        else:
            lines.append(line)
    if begin in text or any(line.strip() == begin for line in lines):
        return "\n".join(lines)
    bodies = list(_bodies(python_tree(text), called))
    if bodies:
        course.note(
            place, "marks no solution: students write the bodies of the functions that the tests call"
        )
    for first, last in sorted(bodies, reverse=True):
        indent = indent_of(lines[first - 1])
        lines[last:last] = [indent + end]
        lines[first - 1 : first - 1] = [indent + begin]
    return "\n".join(lines)


def _bodies(tree: ast.Module | None, called: set[str]) -> Iterator[tuple[int, int]]:
    """First and last line of each function's body that is called, below its docstring."""
    for node in tree.body if tree is not None else ():
        inner = node.body if isinstance(node, ast.ClassDef) and node.name in called else [node]
        for one in inner:
            if isinstance(one, ast.FunctionDef) and (one.name in called or one is not node):
                body = one.body[1:] if ast.get_docstring(one) is not None else one.body
                if body and body[0].lineno > one.lineno:
                    yield body[0].lineno, one.end_lineno or body[-1].lineno


def _without_stars(text: str, tree: ast.Module, course: Course) -> str:
    """The suite with the names that ``from module import *`` takes from a module of the course."""
    edits: dict[ast.stmt, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and node.module:
            place = f"{node.module.replace('.', '/')}.py"
            code = course.modules.get(place) or course.files.get(place, b"").decode("utf-8", "replace")
            made = python_tree(code)
            names = sorted(bound_in(ast.Module(_shallow(made), []))) if made is not None else []
            edits[node] = f"from {node.module} import {', '.join(names)}" if names else "pass"
    return edited(text, edits)


def _shallow(tree: ast.Module) -> list[ast.stmt]:
    """Definitions and assignments, without what is inside them."""
    return [
        ast.Assign([ast.Name(node.name, ast.Store())], ast.Constant(None))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        else node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign)
    ]


@dataclass(frozen=True)
class _Found:
    """A test function with what stands around it."""

    name: str
    body: list[ast.stmt]
    parameters: tuple[str, ...]
    decorators: tuple[str, ...]
    cases: int
    said: str
    line: int


def _read_suite(place: str, text: str, course: Course) -> None:
    """Add one file of tests as an item; each of its tests is worth a point for each case."""
    parsed = parse(text)
    if parsed is None:
        course.note(place, "is not Python: left out")
        return
    spelled = _without_stars(text, parsed.tree, course)
    tests = []
    for found in _tests(parsed.tree, place, course):
        course.seen += 1
        tests.append(
            ForeignTest(
                Path(place).stem.removeprefix("test_"),
                found.name,
                found.said or found.name.removeprefix("test_").replace("_", " "),
                Points.of(found.cases),
                "\n".join(ast.unparse(statement) for statement in found.body),
                f"{place}, line {found.line}",
                helpers=spelled,
                parameters=found.parameters,
                decorators=found.decorators,
                cases=found.cases,
            )
        )
    if not tests:
        return
    taken = {item.id for item in course.items}
    name = tests[0].item if tests[0].item not in taken else f"{tests[0].item}-{len(taken) + 1}"
    worth = Points(sum(test.points.hundredths for test in tests))
    course.items.append(ForeignItem(name, name.replace("_", " "), worth, NOTEBOOK))
    course.tests += [replace(test, item=name) for test in tests]


def _tests(tree: ast.Module, place: str, course: Course) -> Iterator[_Found]:
    fixtures = {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and _is_fixture(node)
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield from _found(node, [], fixtures, place, course)
        elif isinstance(node, ast.ClassDef):
            methods = {inner.name: inner for inner in node.body if isinstance(inner, ast.FunctionDef)}
            setup = [*_body(methods.get("setUp")), *_body(methods.get("setup_method"))]
            for inner in methods.values():
                if inner.name.startswith("test"):
                    yield from _found(inner, setup, fixtures, place, course, of=node.name)


def _body(node: ast.FunctionDef | None) -> list[ast.stmt]:
    return node.body if node is not None else []


def _is_fixture(node: ast.FunctionDef) -> bool:
    return any("fixture" in ast.unparse(mark) for mark in node.decorator_list)


def _found(
    node: ast.FunctionDef,
    setup: list[ast.stmt],
    fixtures: Mapping[str, ast.FunctionDef],
    place: str,
    course: Course,
    *,
    of: str = "",
) -> Iterator[_Found]:
    marks = [
        mark for mark in node.decorator_list if isinstance(mark, ast.Call) and _mark(mark) == "parametrize"
    ]
    names = tuple(name for mark in marks for name in _parameters(mark))
    sizes = [_size(mark) for mark in marks]
    where = f"{place}, line {node.lineno}"
    if None in sizes or (marks and used_in(ast.Module([ast.Expr(mark) for mark in marks], [])) - {"pytest"}):
        course.note(where, f"`{node.name}`: its parameters are computed, so it is left out; write them out")
        course.seen += 1
        return
    arguments = [argument.arg for argument in node.args.args if argument.arg not in (*names, "self", "cls")]
    unknown = [name for name in arguments if name not in fixtures or not _returns(fixtures[name])]
    if unknown:
        course.note(where, f"`{node.name}` uses the fixture `{unknown[0]}`, which is not taken over")
        course.seen += 1
        return
    made = [statement for name in arguments for statement in _as_value(fixtures[name])]
    body = node.body[1:] if (said := ast.get_docstring(node)) else node.body
    cases = 1
    for size in sizes:
        cases *= size or 1
    tree = _WithoutSelf().visit(ast.Module([*setup, *made, *body], []))
    yield _Found(
        f"{of}_{node.name}" if of else node.name,
        list(ast.fix_missing_locations(tree).body) or [ast.Pass()],
        names,
        tuple(f"@{ast.unparse(mark)}" for mark in marks),
        cases,
        (said or "").split("\n")[0].strip(),
        node.lineno,
    )


def _mark(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _parameters(call: ast.Call) -> list[str]:
    match call.args[:1]:
        case [ast.Constant(value=str(text))]:
            return [name.strip() for name in text.split(",") if name.strip()]
        case [ast.List(elts=parts) | ast.Tuple(elts=parts)]:
            return [
                part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
    return []


def _size(call: ast.Call) -> int | None:
    match call.args[1:2]:
        case [ast.List(elts=parts) | ast.Tuple(elts=parts)]:
            return len(parts)
    return None


def _returns(node: ast.FunctionDef) -> bool:
    """Whether a fixture only makes a value, from no other fixture."""
    ends = [inner for inner in ast.walk(node) if isinstance(inner, ast.Return | ast.Yield)]
    return not node.args.args and len(ends) == 1 and isinstance(node.body[-1], ast.Return)


def _as_value(node: ast.FunctionDef) -> list[ast.stmt]:
    last = node.body[-1]
    value = last.value if isinstance(last, ast.Return) else None
    return [*node.body[:-1], ast.Assign([ast.Name(node.name, ast.Store())], value or ast.Constant(None))]


class _WithoutSelf(ast.NodeTransformer):
    """`self.x` of a test class is a plain name; assertions of unittest keep their own."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """See the class."""
        self.generic_visit(node)
        is_self = isinstance(node.value, ast.Name) and node.value.id == "self"
        if is_self and not node.attr.startswith("assert"):
            return ast.Name(f"own_{node.attr}", node.ctx)
        return node
