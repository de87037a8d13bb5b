"""The files of each system's autograder, and what is checked of them before they are written."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from importlib import resources
from pathlib import Path, PurePosixPath

from grader.authoring.autograders.own_wheel import WHEEL, imported, python_here, requirements, wheel, zipped
from grader.authoring.template import PUBLIC_TESTS, build
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.errors import UsageError
from grader.model.version import __version__

GRADER_MB = 500
"""Memory that grading takes beside the notebook."""
FETCHED_MB = 10
"""What Classroom 50's runner fetches at most."""
_PUBLIC = (f"{PUBLIC_TESTS}/", "assignment.toml")


def gradescope(home: AssignmentFolder, needed: Mapping[str, Path], *, seed: int, visibility: str) -> bytes:
    """A zip with `setup.sh` and `run_autograder` at its root, Chainrule, and what grading needs.

    ``visibility`` is Gradescope's word for when students see the results.
    """
    values = {
        "PYTHON": python_here(),
        "GIVEN": " ".join(map(shlex.quote, home.assignment.beside)),
        "NEEDED_MB": str(home.assignment.limits.memory_mb + GRADER_MB),
        "SEED": str(seed),
        "VISIBILITY": visibility,
    }
    assignment = {f"assignment/{name}": path.read_bytes() for name, path in sorted(needed.items())}
    files = {
        "setup.sh": filled("setup.sh", values),
        "run_autograder": filled("run_autograder", values),
        **chainrule(home, assignment),
        **assignment,
    }
    return zipped(files, programs=("setup.sh", "run_autograder"))


def classroom50(home: AssignmentFolder) -> dict[str, bytes]:
    """`autograder.py` with Chainrule and the public checks. Raises UsageError if they are too large."""
    public = build(home)
    given = [PurePosixPath(entry).name for entry in home.assignment.beside]
    values = {"NOTEBOOK": json.dumps(home.assignment.notebooks[0]), "GIVEN": json.dumps(given)}
    files = {
        "autograder.py": filled("autograder.py", values),
        **chainrule(home, public),
        **{f"assignment/{name}": data for name, data in public.items() if name.startswith(_PUBLIC)},
    }
    size = sum(map(len, files.values()))
    if size > FETCHED_MB << 20:
        raise UsageError(f"the autograder is {size >> 20} MB; Classroom 50 fetches at most {FETCHED_MB} MB")
    return files


def github(home: AssignmentFolder) -> dict[str, bytes]:
    """A workflow for the students' repositories, and Chainrule, which it installs."""
    values = {"PYTHON": python_here(), "NOTEBOOK": shlex.quote(home.assignment.notebooks[0])}
    inside = {f".github/chainrule/{name}": data for name, data in chainrule(home, build(home)).items()}
    return {".github/workflows/checks.yml": filled("checks.yml", values), **inside}


def chainrule(home: AssignmentFolder, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Chainrule's wheel, what the ``files`` and students import, and the versions of everything."""
    sources = [data for name, data in files.items() if name.endswith(".py")]
    notebooks = [code_of(data) for name, data in files.items() if name.endswith(".ipynb")]
    packages = {*home.assignment.environment.packages, *imported([*sources, *notebooks])}
    return {WHEEL: wheel(), **requirements(packages)}


def code_of(notebook: bytes) -> bytes:
    """The code of a notebook that `grade template` made."""
    cells = json.loads(notebook)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code").encode()


def filled(name: str, values: Mapping[str, str]) -> bytes:
    """A template of this folder with its values in place."""
    text = resources.files(__package__).joinpath(f"{name}.in").read_text(encoding="utf-8")
    for key, value in {**values, "VERSION": __version__}.items():
        text = text.replace(f"@@{key}@@", value)
    return text.encode()
