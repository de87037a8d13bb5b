"""The environment that a grade records: versions, platform, isolation."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
from collections.abc import Mapping

from grader.doctor.verdicts import recall
from grader.model.isolation import Mode
from grader.model.records import Environment
from grader.model.version import __version__

PACKAGES = ("ipython", "matplotlib", "numpy", "pytest", "torch")


def describe_environment(isolation: Mode, *, environ: Mapping[str, str]) -> Environment:
    """The versions of Python and of the packages that student code uses, and doctor's verdict.

    ``environ`` says where the verdict is stored.
    """
    return Environment(
        grader=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        isolation=isolation,
        packages={name: version for name in PACKAGES if (version := version_of(name))},
        doctor=recall(isolation, environ=environ),
    )


@functools.cache  # a worker needs it for every submission
def version_of(package: str) -> str | None:
    """The installed version, without importing the package; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
