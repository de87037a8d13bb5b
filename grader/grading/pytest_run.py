"""Running a folder of checks with pytest, in this process and without output."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from grader.grading.beside import importable, loaded_modules
from grader.grading.bounds import Bounds
from grader.model.errors import ManifestError

QUIET = (
    "--import-mode=importlib",  # sys.path stays as it is; `beside` finds the author's helpers
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
    stopped = Stopped()
    with silence() as said, importable(folder):
        status = pytest.main(arguments(folder), plugins=[plugin, bounds or Bounds(folder), stopped])
    stopped.forget_broken(folder)
    if stopped.interrupted:
        raise KeyboardInterrupt
    if stopped.error is not None:
        raise stopped.error
    if status == pytest.ExitCode.USAGE_ERROR:
        why = " ".join(said.getvalue().split()) or "pytest did not say why"
        raise ManifestError(f"the checks in {folder} cannot be collected: {why[-500:]}")


def arguments(folder: Path) -> list[str]:
    """pytest's command line for the checks below ``folder``."""
    return [
        *QUIET,
        "--continue-on-collection-errors",
        f"--rootdir={folder}",
        f"--confcutdir={folder}",  # a conftest.py above would bring its own plugins
        f"--config-file={os.devnull}",
        str(folder),
    ]


def forget(wanted: Callable[[Path], bool]) -> None:
    """Unload the modules that came from these files: the next run reads them anew."""
    importlib.invalidate_caches()
    for name, module in tuple(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and wanted(Path(file)):
            del sys.modules[name]


def modules_of(folder: Path) -> Iterator[ModuleType]:
    """The modules that files of checks below ``folder`` were imported as."""
    for path, _, module in loaded_modules(folder):
        if getattr(module, "__file__", None) == str(path):
            yield module


class Stopped:
    """A plugin that keeps the error that stopped pytest itself; there is no terminal plugin to show it."""

    error: BaseException | None = None
    is_broken = False
    interrupted = False

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that a person pressed Ctrl-C; pytest itself ends as if all were done."""
        self.interrupted = isinstance(excinfo.value, KeyboardInterrupt)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note that a file could not be imported."""
        self.is_broken = self.is_broken or report.failed

    def forget_broken(self, folder: Path) -> None:
        """Unload the files' modules if one failed: it would stay loaded as a half, and count as whole."""
        for path, name, module in loaded_modules(folder) if self.is_broken else ():
            if getattr(module, "__file__", None) == str(path):
                del sys.modules[name]

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
