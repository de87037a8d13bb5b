"""A Python file of the author's beside the checks that grading loads for one function of a known name."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from typing import Any

from grader.grading.beside import importable
from grader.model.errors import AuthorError


def load_function(path: Path, name: str, *, of: str) -> Any:
    """The file's function, from a module that nothing else can import.

    ``of`` says in an error what it is called with. Raises AuthorError without such a function, and whatever
    the file raises.
    """
    module_name = f"chainrule_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise AuthorError("is not Python source")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their own module up
    try:
        with importable(path.parent):
            spec.loader.exec_module(module)
    finally:
        del sys.modules[module_name]
    if not callable(getattr(module, name, None)):
        raise AuthorError(f"has no function {name}({of})")
    return getattr(module, name)


def in_one_line(error: BaseException, path: Path) -> str:
    """An error from the author's file: what it says, and the last line of that file that it went through."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next((frame for frame in reversed(frames) if Path(frame.filename).name == path.name), None)
    kind = "" if isinstance(error, AuthorError) else f"{type(error).__name__}: "
    at = f" (line {place.lineno})" if place else ""
    return " ".join(f"{kind}{error}".split())[:300] + at
