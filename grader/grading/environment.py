"""What a grade was made with: versions, platform, isolation."""

from __future__ import annotations

import importlib.metadata
import platform

import grader
from grader.model.records import Environment

PACKAGES = ("ipython", "matplotlib", "numpy", "pytest", "torch")


def describe_environment(isolation: str) -> Environment:
    """The versions of this process and of the packages that student code meets."""
    return Environment(
        grader=grader.__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        isolation=isolation,
        packages={name: version for name in PACKAGES if (version := version_of(name))},
    )


def version_of(package: str) -> str | None:
    """The installed version, read without importing the package; None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
