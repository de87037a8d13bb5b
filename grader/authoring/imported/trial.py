"""Which form of each test is right: all are tried on the reference and the template, in the sandbox.

The form that is kept is the first that the reference passes and the template does not. Foreign code runs in
the sandbox alone.
"""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grader.authoring.check import SEED, Planned, graded_in, reference_of, template_of
from grader.authoring.imported import writing
from grader.authoring.imported.beside import beside
from grader.authoring.imported.described import Course, ForeignItem, ForeignTest
from grader.authoring.imported.names_in_tests import bound_in, used_in
from grader.authoring.imported.translated import WAYS, Namespace, NotHere, translated
from grader.authoring.imported.writing import WrittenCheck
from grader.files import write_whole
from grader.grading import assignment_folder
from grader.grading.execution import Progress
from grader.grading.opening import WarmProcesses
from grader.grading.pipeline import Graded, run_of
from grader.model.errors import Outcome, TemplateError
from grader.model.points import ZERO, Points
from grader.model.records import CheckResult
from grader.notebooks.cells import Cell
from grader.notebooks.names import bound_by
from grader.notebooks.source import parse

_ITEM = ForeignItem("trial", "Trial", Points.of(1), "")
_NOTHING = 'def test_nothing(student):\n    """nothing"""\n'


@dataclass(frozen=True)
class Form:
    """One way to write a test: its body, or why it cannot be written so. ``review`` as in WrittenCheck."""

    body: str
    review: str = ""


@dataclass(frozen=True)
class Candidate:
    """One form of a test that is tried."""

    test: ForeignTest
    is_public: bool
    form: Form


Key = tuple[ForeignTest, bool]
"""A test, and whether it is its public part."""


@dataclass(frozen=True)
class Settled:
    """What became of a test: its form, or None and ``why`` not; ``free`` if the template passes it."""

    test: ForeignTest
    form: Form | None
    why: str = ""
    free: bool = False


@dataclass(frozen=True)
class Trial:
    """What came of all tests, hidden and public, and what is wrong with the reference itself."""

    hidden: tuple[Settled, ...]
    public: tuple[Settled, ...]
    problems: tuple[str, ...] = ()


def namespaces(course: Course) -> dict[str, Namespace]:
    """What tests find in each notebook."""
    places = [
        place.removesuffix(".py") for place in (*course.files, *course.modules) if place.endswith(".py")
    ]
    modules = frozenset(place.replace("/", ".") for place in places)
    return {name: _namespace(cells, modules) for name, cells in course.notebooks.items()}


def _namespace(cells: Iterable[Cell], modules: frozenset[str]) -> Namespace:
    imports = {"award": "from grader import award"}
    variables: set[str] = set()
    seen: set[str] = set()
    for cell in cells:
        parsed = parse(cell.source) if cell.kind == "code" else None
        if parsed is None:
            continue
        for node in ast.walk(parsed.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports |= dict(_imports(node))
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                seen |= used_in(node) - (bound_in(node) - {node.name})
        for statement in parsed.tree.body:
            if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
                variables |= set(bound_by(statement))
    own = frozenset(name.partition(".")[0] for name in modules)
    return Namespace(imports, frozenset(variables), frozenset(seen), own, modules)


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """Each name that a statement imports, with a statement for it alone."""
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        if isinstance(node, ast.Import):
            yield name, ast.unparse(ast.Import([alias]))
        elif alias.name != "*" and not node.level:
            yield name, ast.unparse(ast.ImportFrom(node.module, [alias], 0))


def forms(test: ForeignTest, source: str, space: Namespace) -> list[Form]:
    """The ways to write a test, the best first. Raises NotHere if there is none."""
    found: dict[str, Form] = {}
    reason = "no form of it that runs apart passed the reference"
    for way in WAYS:
        try:
            body = translated(_awarding(test, source), test.helpers, space, way, parameters=test.parameters)
        except NotHere as why:
            reason = str(why)
        except (SyntaxError, ValueError, RecursionError):
            reason = "its source could not be rewritten"
        else:
            found.setdefault(body, Form(body))
    last = beside(source, test.helpers, parameters=test.parameters, awards=test.awards)
    return [*found.values(), Form(last, reason)]


def _awarding(test: ForeignTest, source: str) -> str:
    """The source with its last expression as the points of the check, where it is that."""
    parsed = parse(source)
    if not test.awards or parsed is None or not isinstance(parsed.tree.body[-1], ast.Expr):
        return source
    last = parsed.tree.body[-1]
    lines = source.split("\n")[: last.lineno - 1]
    return "\n".join([*lines, f'award(float({ast.unparse(last)}), "as the test counted")'])


def settle(
    course: Course,
    *,
    run: Planned,
    warm: WarmProcesses,
    progress: Progress,
    on_run: Callable[[str], None] = lambda _what: None,
) -> Trial:
    """Try all forms of all tests of a course at once. Raises CannotGrade if nothing can be tried."""
    candidates, settled = _candidates(course)
    with tempfile.TemporaryDirectory(prefix="chainrule-import-") as folder:
        _write(Path(folder), course, candidates)
        home = assignment_folder.load(Path(folder))
        on_run("reference")
        graded = graded_in(home, reference_of(home), run, warm=warm, progress=progress)
        ended = _ended(graded.results)
        on_run("untouched template")
        gifts = _passes(home, run, warm, progress)
    for key, names in _grouped(candidates).items():
        settled[key] = _chosen(key[0], [(name, candidates[name].form) for name in names], ended, gifts)
    hidden, public = (
        tuple(settled[test, part] for test in course.tests if (test, part) in settled)
        for part in (False, True)
    )
    return Trial(hidden, public, run_of(graded, seed=SEED).problems)


def _name(result: CheckResult) -> str:
    """The function of a check, without what tells its cases apart."""
    return result.check.rpartition("::")[2].partition("[")[0]


def _ended(results: Iterable[CheckResult]) -> dict[str, CheckResult]:
    """How each function ended: as its first case that did not pass, if any."""
    found: dict[str, CheckResult] = {}
    for result in results:
        name = _name(result)
        if name not in found or found[name].outcome is Outcome.PASSED:
            found[name] = result
    return found


def _candidates(course: Course) -> tuple[dict[str, Candidate], dict[Key, Settled]]:
    """All forms by the names of their functions, and the tests that have none."""
    spaces = namespaces(course)
    notebook_of = {item.id: item.notebook for item in course.items}
    found: dict[str, Candidate] = {}
    without: dict[Key, Settled] = {}
    for test in course.tests:
        for is_public, source in ((False, test.source), (True, test.public)):
            try:
                ways = forms(test, source, spaces[notebook_of[test.item]]) if source.strip() else []
            except NotHere as why:
                without[test, is_public] = Settled(test, None, str(why))
            else:
                found |= {
                    f"test_{len(found) + number}": Candidate(test, is_public, form)
                    for number, form in enumerate(ways)
                }
    return found, without


def _grouped(candidates: Mapping[str, Candidate]) -> dict[Key, list[str]]:
    found: dict[Key, list[str]] = {}
    for name, one in candidates.items():
        found.setdefault((one.test, one.is_public), []).append(name)
    return found


def _chosen(
    test: ForeignTest, ways: list[tuple[str, Form]], ended: Mapping[str, CheckResult], gifts: set[str]
) -> Settled:
    """The first form that the reference passes; preferred is one that the template does not."""
    passed = [(name, form) for name, form in ways if name in ended and ended[name].outcome is Outcome.PASSED]
    for name, form in passed:
        if name not in gifts:
            return Settled(test, form)
    if passed:
        return Settled(test, passed[0][1], free=True)
    last = ended.get(ways[-1][0])
    said = " ".join((last.detail or str(last.outcome)).split()) if last is not None else "it did not run"
    return Settled(test, None, f"the reference does not pass it: {said[:300]}")


def _write(folder: Path, course: Course, candidates: Mapping[str, Candidate]) -> None:
    """An assignment in which every form is a check that is worth nothing."""
    notebook_of = {item.id: item.notebook for item in course.items}
    checks = [
        WrittenCheck(
            replace(one.test, item=_item_of(notebook_of[one.test.item], course)), name, one.form.body, ZERO
        )
        for name, one in candidates.items()
    ]
    items = [replace(_ITEM, id=_item_of(name, course), notebook=name) for name in course.notebooks]
    written = dict(writing.reference(course))
    written["assignment.toml"] = writing.manifest(course, items).encode()
    of_trial = {item.id: item.notebook for item in items}
    for name, text in writing.files_of_checks(checks, origin=course.origin, notebook_of=of_trial).items():
        written[f"{writing.HIDDEN}/{name}"] = text.encode()
    for number, item in enumerate(items):
        text = f"from grader import item, points\n\n\n@item({item.id!r})\n@points(1)\n{_NOTHING}"
        written[f"{writing.HIDDEN}/test_nothing_{number}.py"] = text.encode()
    for place, data in written.items():
        write_whole(folder / place, data)


def _item_of(notebook: str, course: Course) -> str:
    return f"trial-{list(course.notebooks).index(notebook) + 1}"


def _passes(
    home: assignment_folder.AssignmentFolder, run: Planned, warm: WarmProcesses, progress: Progress
) -> set[str]:
    """The checks that the untouched template passes; none if there is no template."""
    try:
        files = template_of(home)
    except TemplateError:
        return set()
    graded: Graded = graded_in(home, files, run, warm=warm, progress=progress)
    return {_name(result) for result in graded.results if result.outcome is Outcome.PASSED}
