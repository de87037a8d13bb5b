"""Running a folder of checks with pytest, inside this process and without its screen output."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.grading.bounds import Bounds
from grader.model.errors import ManifestError

QUIET = (
    "--import-mode=importlib",
    "--capture=no",
    "--disable-plugin-autoload",
    "-pno:cacheprovider",
    "-pno:terminal",
    "-pno:logging",
    "-pno:doctest",
    "-pno:junitxml",
    "-pno:pastebin",
    "-pno:unittest",
    "-pno:unraisableexception",  # it collects garbage several times over: half of all that pytest took
    "-pno:threadexception",
    "-pno:warnings",
    "-pno:faulthandler",
    "-pno:stepwise",
    "-pno:setuponly",
    "-pno:setupplan",
    "-pno:legacypath",
    "-pno:debugging",
)


def run_checks(folder: Path, plugin: object, *, bounds: object = None) -> None:
    """Run every check below ``folder``; the plugin holds the results.

    ``bounds`` is a plugin with another `calibrated` fixture than that for stored bounds.
    Raises ManifestError when the checks do not fit the manifest. A file that cannot be imported leaves its
    message in ``plugin.errors``; the other files' checks still run.
    """
    forget_namesakes(folder)
    stopped = Stopped()
    arguments = [
        *QUIET,
        "--continue-on-collection-errors",
        f"--rootdir={folder}",
        f"--confcutdir={folder}",  # a conftest.py above would bring its own plugins
        f"--config-file={os.devnull}",
    ]
    with silence() as said:
        status = pytest.main([*arguments, str(folder)], plugins=[plugin, bounds or Bounds(folder), stopped])
    if stopped.error is not None:
        raise stopped.error
    if status == pytest.ExitCode.USAGE_ERROR:
        why = " ".join(said.getvalue().split()) or "pytest did not say why"
        raise ManifestError(f"the checks in {folder} cannot be collected: {why[-500:]}")


def forget_namesakes(folder: Path) -> None:
    """Forget modules that an earlier run loaded from another folder's file of the same name.

    pytest names a module by its path below the root folder, so that hidden_tests/test_a.py and
    public_tests/test_a.py are both ``test_a``, and it takes the one that is loaded already.
    """
    for path in folder.rglob("*.py"):
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        loaded = getattr(sys.modules.get(name), "__file__", None)
        if loaded is not None and Path(loaded) != path and Path(loaded).name == path.name:
            del sys.modules[name]


class Stopped:
    """Keeps the error that stopped pytest itself; without a terminal plugin nobody else would show it."""

    error: BaseException | None = None

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Keep it and print nothing."""
        error = excinfo.value
        is_ours = isinstance(error, ManifestError)
        self.error = error if is_ours else ManifestError(f"the checks cannot be run: {error}")
        return True


@contextlib.contextmanager
def silence() -> Iterator[io.StringIO]:
    """What checks and pytest print is kept off the screen: `--json` promises the record alone."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        yield said
