"""Running a folder of checks with pytest, in this process and without output."""

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
    "--import-mode=importlib",  # sys.path stays as it is: a file of checks hides no module
    "--capture=no",  # `silence` does it: pytest's own swaps file descriptors for each check
    "--disable-plugin-autoload",  # a plugin that happens to be installed must not change a grade
    # pytest's own plugins: what they print or write nobody sees, and each costs start-up time.
    "-pno:cacheprovider",
    "-pno:terminal",
    "-pno:logging",
    "-pno:doctest",
    "-pno:junitxml",
    "-pno:pastebin",
    "-pno:unittest",
    "-pno:unraisableexception",  # it collects garbage several times: half of pytest's time
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
    """Run every check below ``folder``; the plugin collects the results.

    ``bounds`` is a plugin whose fixture `calibrated` replaces the one for stored bounds.
    Raises ManifestError if the checks do not fit the manifest. A file that cannot be imported leaves its
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
    """Unload modules that an earlier run loaded from a file of the same name in another folder.

    pytest names a module by its path below the root folder, so hidden_tests/test_a.py and
    public_tests/test_a.py are both ``test_a``, and it would use the one that is already loaded.
    """
    for path in folder.rglob("*.py"):
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        loaded = getattr(sys.modules.get(name), "__file__", None)
        if loaded is not None and Path(loaded) != path and Path(loaded).name == path.name:
            del sys.modules[name]


class Stopped:
    """A plugin that keeps the error that stopped pytest itself; there is no terminal plugin to show it."""

    error: BaseException | None = None

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Keep the error and print nothing."""
        error = excinfo.value
        is_ours = isinstance(error, ManifestError)
        self.error = error if is_ours else ManifestError(f"the checks cannot be run: {error}")
        return True


@contextlib.contextmanager
def silence() -> Iterator[io.StringIO]:
    """Keep what checks and pytest print off the screen: `--json` promises nothing but the record."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        yield said
