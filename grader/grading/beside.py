"""The author's modules beside the checks: ``import helpers`` in one of them finds hidden_tests/helpers.py.

Only code in that folder finds them, and no folder is put on ``sys.path``: what a student handed in can
neither take a helper's place nor import one. Python's own modules keep their names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import FrameType, ModuleType


class Beside(MetaPathFinder):
    """Finds the modules and packages in one folder, for code in that folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """See MetaPathFinder. What is in a package, Python finds from the package's own place."""
        del target
        if path is not None or name in sys.stdlib_module_names or not self._is_asked_from_here():
            return None
        for file in (self.folder / f"{name}.py", self.folder / name / "__init__.py"):
            if file.is_file():
                return spec_from_file_location(name, file)
        return None

    def _is_asked_from_here(self) -> bool:
        """Whether the import statement is in a file below the folder."""
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        return frame is not None and Path(frame.f_code.co_filename).is_relative_to(self.folder)


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """While it lasts, files below ``folder`` import each other. Namesakes from elsewhere are unloaded."""
    forget_namesakes(folder)
    finder = Beside(folder)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def forget_namesakes(folder: Path) -> None:
    """Unload modules that an earlier run loaded from a file of the same name in another folder.

    A module's name is its path below the folder, so hidden_tests/test_a.py and public_tests/test_a.py are
    both ``test_a``, and the one that is already loaded would be used.
    """
    for path, name, module in loaded_modules(folder):
        file = getattr(module, "__file__", None)
        if file is not None and Path(file) != path and Path(file).name == path.name:
            del sys.modules[name]


def loaded_modules(folder: Path) -> Iterator[tuple[Path, str, ModuleType]]:
    """The files below ``folder`` whose modules' names are taken, by whichever file."""
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name in sys.modules:
            yield path, name, sys.modules[name]
