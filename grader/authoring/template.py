"""The students' folder, generated from the reference: the notebook without solutions, and what goes with it.

The same reference gives the same bytes: cell ids come from the cells, and the notebook's format is fixed.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import nbformat
from nbformat import v4

from grader.authoring.needed import to_install
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.assignment import Assignment, EnvironmentRules, Limits, SubmissionRules
from grader.model.errors import TemplateError
from grader.notebooks.cells import Cell
from grader.notebooks.solution import has_marker, without_solution
from grader.notebooks.source import python_tree
from grader.notebooks.template_cells import template_cells

PUBLIC_TESTS = "public_tests"
METADATA_KEY = "chainrule"
"""Where a generated notebook's metadata names its source and the files generated beside it."""

CONFTEST = b'''"""Lets plain `pytest` run this folder's public checks on the notebook."""

pytest_plugins = ["grader.public_checks.in_pytest"]
'''

README = "README.md"
_MINOR = 5
"""nbformat 4.5, the first with cell ids; a newer nbformat must not change the template's bytes."""
_SKIPPED = {"__pycache__"}

_README = """\
# {title}

{work}

## Set up

Install Python 3.11 or newer. One command installs the rest, Chainrule's public checks among it:

```console
$ python -m pip install {packages}
```

Then {begin}.

## Check your work

The public tests ask for a part of what is graded; the hidden ones use other inputs. Run them

- from the notebook, with a cell such as `from grader import check; check("{item}")`;
- on the saved notebook: `grade --public {notebook}`;
- on the saved notebook, with pytest: `pytest`.

All three say the same: what was expected, what came, and what often causes it.

## Hand in

{hand_in}
"""

_WORK = (
    "This folder is everything you need. Work in {files}; {places} say where (`TODO`), and answers in words "
    "go under the headings that begin with *Answer*."
)
_HAND_IN = (
    "Hand in {files}{alone}, saved with its outputs: plots and numbers of long runs are taken from the saved "
    "notebook and not computed again. Restart the kernel and run all cells once before you save. A cell that "
    "raises costs only what depends on it, so hand in unfinished work too."
)


def build(home: AssignmentFolder) -> dict[str, bytes]:
    """All files of the students' folder: relative path (with ``/``) to content.

    Reads the reference notebooks and modules, the manifest's ``given`` files and ``public_tests/`` beside the
    reference. Raises TemplateError, with file and line, for anything that would give away a solution or leave
    a cell that is not Python.
    """
    assignment, folder = home.assignment, home.path
    reference = folder / assignment.notebook
    if not home.references:
        _text(reference)  # says what is missing
    files = dict(_given(assignment, folder))
    tests = reference.parent / PUBLIC_TESTS
    if tests.is_dir():
        files |= dict(_tree(tests, PUBLIC_TESTS))
    modules = {place: _module(folder / path, path) for place, path in home.reference_modules.items()}
    files["assignment.toml"] = _manifest(assignment)
    files["conftest.py"] = CONFTEST
    for path, data in files.items():
        if path.endswith((".py", ".md", ".txt", ".ipynb")) and has_marker(data.decode("utf-8", "replace")):
            raise TemplateError(
                f"{path}: holds a solution marker, but is copied as it is; take the region out"
            )
    files |= modules
    beside = sorted([*files, README])
    notebooks = {
        name: _notebook(template_cells(_text(folder / path), where=path), source=path, beside=beside)
        for name, path in home.references.items()
    }
    files |= notebooks
    work = [*home.references, *modules]
    files[README] = _readme(assignment, work, packages=to_install(files)).encode()
    return dict(sorted(files.items()))


def _module(path: Path, where: str) -> bytes:
    """A reference module with stubs in place of its solutions."""
    text = _text(path)
    source = without_solution(text, kind="code", where=where)
    if python_tree(source) is None:
        part = (
            ""
            if python_tree(text) is None
            else " once its solution is taken out; regions are whole statements"
        )
        raise TemplateError(f"{where}: is not Python{part}")
    return source.encode()


def _given(assignment: Assignment, folder: Path) -> Iterator[tuple[str, bytes]]:
    for entry in assignment.beside:
        path = folder / entry
        if path.is_dir():
            yield from _tree(path, path.name)
        else:
            yield path.name, _data(path)


def _tree(folder: Path, prefix: str) -> Iterator[tuple[str, bytes]]:
    """The regular files below a folder, except hidden and compiled ones."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(part.startswith(".") or part in _SKIPPED for part in parts):
            yield "/".join((prefix, *parts)), _data(path)


def _data(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TemplateError(f"{path}: cannot be read ({error.strerror}); the template needs it") from None


def _text(path: Path) -> str:
    try:
        return _data(path).decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise TemplateError(f"{path}: is not UTF-8 text") from None


def _notebook(cells: tuple[Cell, ...], *, source: str, beside: list[str]) -> bytes:
    metadata = {
        METADATA_KEY: {"files": beside, "generated_from": source},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    try:
        notebook = v4.new_notebook(cells=list(map(_cell, cells)), metadata=metadata, nbformat_minor=_MINOR)
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:  # a tag given twice, or one with a comma
        raise TemplateError(f"{source}: does not make a valid notebook: {error.message}") from None
    text: str = nbformat.writes(notebook)
    return (text + "\n").encode()


def _cell(cell: Cell) -> nbformat.NotebookNode:
    makers: dict[str, Callable[..., nbformat.NotebookNode]] = {
        "code": v4.new_code_cell,
        "markdown": v4.new_markdown_cell,
        "raw": v4.new_raw_cell,
    }
    metadata = {"tags": list(cell.tags)} if cell.tags else {}
    return makers[cell.kind](cell.source, id=cell.id, metadata=metadata)


def _readme(assignment: Assignment, work: Sequence[str], *, packages: Sequence[str]) -> str:
    given = ", ".join(f"`{PurePosixPath(entry).name}`" for entry in assignment.beside)
    item = next((item.id for item in assignment.item if item.kind == "code"), assignment.item[0].id)
    names = [f"`{name}`" for name in work]
    files = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    alone, places = (" alone", "the cells") if len(work) == 1 else (", each in its folder", "they")
    jupyter = [name for name in work if name.endswith(".ipynb")]
    opened = "the notebook" if len(jupyter) == 1 else "the notebooks"
    begin = f"open {opened} from this folder" if jupyter else "start Python in this folder"
    begin += f", so that the files beside it are found: {given}" if given else ""
    return _README.format(
        title=assignment.title,
        packages=" ".join(["chainrule", *(["jupyterlab"] if jupyter else []), *packages]),
        begin=begin,
        notebook=work[0],
        item=item,
        work=textwrap.fill(_WORK.format(files=files, places=places), 112, break_long_words=False),
        hand_in=textwrap.fill(_HAND_IN.format(files=files, alone=alone), 112, break_long_words=False),
    )


def _manifest(assignment: Assignment) -> bytes:
    """assignment.toml without what students must not see: rubrics, and where the solution is."""
    lines = [
        "# Made by `grade template`: what the public checks need to know of the assignment.",
        f"title = {_toml(assignment.title)}",
        f"points = {assignment.points}",
        f"given = {_toml([PurePosixPath(entry).name for entry in assignment.beside])}",
    ]
    for item in assignment.item:
        lines += ["", "[[item]]", f"id = {_toml(item.id)}", f"title = {_toml(item.title)}"]
        lines += [f"kind = {_toml(item.kind)}", f"points = {item.points}"]
        lines += [f"bonus = {item.bonus}"] if item.bonus else []
        lines += [f"notebook = {_toml(item.notebook)}"] if item.notebook else []
    lines += ["", "[limits]"]
    lines += [f"{name} = {_toml(getattr(assignment.limits, name))}" for name in Limits.__struct_fields__]
    lines += ["", "[budget]"]
    lines += [f"{name} = {_toml(value)}" for name, value in assignment.budget.items()]
    for title, table, usual in (
        ("submission", assignment.submission, SubmissionRules()),
        ("environment", assignment.environment, EnvironmentRules()),
    ):
        names = [name for name in table.__struct_fields__ if getattr(table, name) != getattr(usual, name)]
        lines += ["", f"[{title}]"] if names else []
        lines += [f"{name} = {_toml(getattr(table, name))}" for name in names]
    return ("\n".join(lines) + "\n").encode()


def _toml(value: object) -> str:
    """A TOML value: JSON's strings, numbers, booleans and lists of them are TOML too."""
    return json.dumps(value)
