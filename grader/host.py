"""What the machine says about itself and about who runs this program."""

from __future__ import annotations

import getpass
import importlib.util
import os


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


def is_installed(package: str) -> bool:
    """Whether Python here would find a top-level package; nothing is imported."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError, AttributeError):
        return False
