"""What a student has to install before the students' folder works."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from grader.doctor.packages import TO_INSTALL
from grader.notebooks.names import imported_packages

_COME_ALONG = frozenset({"grader", "numpy", "IPython", "pytest", "google"})
"""Ours, what it needs itself, and Colab's own."""


def to_install(files: Mapping[str, bytes]) -> list[str]:
    """pip's names of the packages that a folder's code imports and that do not come with Chainrule.

    ``files`` are those of the folder: path to content, notebooks and modules among them.
    """
    beside = {part.removesuffix(".py") for path in files for part in PurePosixPath(path).parts}
    found = {name for source in _sources(files) for name in imported_packages(source)}
    left = found - beside - _COME_ALONG - sys.stdlib_module_names
    return sorted(TO_INSTALL.get(name, name) for name in left)


def _sources(files: Mapping[str, bytes]) -> Iterator[str]:
    for path, data in files.items():
        if path.endswith(".py"):
            yield data.decode()
        elif path.endswith(".ipynb"):
            for cell in json.loads(data)["cells"]:
                if cell["cell_type"] == "code":
                    yield "".join(cell["source"])
