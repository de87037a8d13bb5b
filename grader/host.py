"""What the machine says about itself and about who runs this program."""

from __future__ import annotations

import functools
import getpass
import importlib.util
import os
import sys


def processors() -> int:
    """The number of processors that this process may use: fewer than the machine has, in a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def login() -> str:
    """The login of whoever runs this; in a container it may have none, only a number."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown user"


@functools.cache
def is_installed(package: str) -> bool:
    """Whether the Python that grades, which is also the submissions', has a top-level package or module.

    Nothing is imported.
    """
    try:
        return package.isidentifier() and importlib.util.find_spec(package) is not None
    except (ImportError, ValueError, AttributeError):
        return package in sys.stdlib_module_names  # __main__ and its like have no spec
