"""Imports from the repository's packages that are not installed: ``benchmarks`` and ``reference``."""

from __future__ import annotations

import contextlib
import importlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from .paths import ROOT


@contextlib.contextmanager
def importing(*packages: str) -> Iterator[Callable[[str], Any]]:
    """Yield a function that imports a module of these ``packages`` by its full name; forget them at the end.

    The repository's root does not join ``sys.path``: its ``grader`` would go before the installed one.
    """
    for package in packages:
        module = types.ModuleType(package)
        module.__path__ = [str(ROOT / package)]
        sys.modules[package] = module
    try:
        yield importlib.import_module
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
            del sys.modules[name]
