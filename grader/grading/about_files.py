"""What is said about the files of a submission: modules missing, left out, or named like Python's."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence

from grader.host import is_installed
from grader.model.records import CellResult
from grader.notebooks.cells import Cell
from grader.notebooks.names import imported_packages
from grader.notebooks.submission_file import SubmissionFile
from grader.notebooks.submission_files import SubmissionFiles

OURS = frozenset({"grader", "numpy", "matplotlib", "torch", "IPython", "pandas", "scipy", "sklearn"})
SHOWN = 8
_NOT_FOUND = re.compile(r"ModuleNotFoundError: No module named '([\w.]{1,200})'")


def notices_of_files(
    file: SubmissionFile,
    submission: SubmissionFiles,
    given: Mapping[str, object],
    results: Sequence[CellResult],
    left_out: Sequence[str],
) -> Iterator[str]:
    """One line for each thing that a person should know about what lies around a graded file."""
    around = submission.around(file)
    own = {place.split("/")[0].removesuffix(".py") for place in around if place.endswith(".py")}
    shadows = sorted(name for name in own if name in OURS or name in sys.stdlib_module_names)
    if shadows:
        yield (
            f"{_some(shadows)}: handed in under the name of an installed module; an import that comes first "
            "gets the student's, as in Jupyter"
        )
    if left_out:
        yield f"{_some(left_out)}: could not be laid beside {file.name}"
    for name, number in missing_modules(file.cells, results):
        if name not in own and f"{name}.py" not in given and name not in given:
            yield f"`{name}` is imported ({number}) and was not handed in; no installed package has that name"


def missing_modules(cells: Sequence[Cell], results: Sequence[CellResult]) -> Iterator[tuple[str, str]]:
    """The modules that an import did not find, each with its first place: the text names them, not the error.

    Whether an installed package has the name is looked up without importing anything.
    """
    raised = {
        result.cell: found[1].split(".")[0] for result in results if (found := _NOT_FOUND.match(result.error))
    }
    seen = set[str]()
    for cell in cells:
        name = raised.get(cell.number, "")
        if name and name not in seen and name in imported_packages(cell.source) and not is_installed(name):
            seen.add(name)
            yield name, f"line {cell.line}" if cell.line else f"cell {cell.number}"


def _some(names: Sequence[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + rest
