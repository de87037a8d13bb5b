"""Checks that are collected once, by a process that grades each submission in a fork of itself."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from _pytest.config import _prepareconfig

from grader.grading.beside import importable
from grader.grading.bounds import Bounds
from grader.grading.check_plugin import FIXTURES, CheckPlugin, Fixtures
from grader.grading.pytest_run import Stopped, arguments, run_checks, silence
from grader.model.errors import ManifestError


class PreparedChecks:
    """The checks below a folder, collected: this process, or each fork of it, runs them as they are.

    Where that fails they are collected when they run, which also says what is wrong with them.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._session: pytest.Session | None = None
        stopped = Stopped()
        with silence(), importable(folder), contextlib.suppress(Exception):
            session = started_session(folder, stopped)
            session.config.hook.pytest_collection(session=session)
            self._session = None if stopped.is_broken else session
        stopped.forget_broken(folder)

    def run(self, plugin: CheckPlugin) -> None:
        """Run them as ``run_checks`` does; those that were collected run once."""
        session, self._session = self._session, None
        if session is None:
            run_checks(self._folder, plugin)
            return
        config = session.config
        with silence(), importable(self._folder):
            config.pluginmanager.register(plugin)
            plugin.pytest_collection_modifyitems(session.items)
            try:
                config.hook.pytest_runtestloop(session=session)
            except (pytest.Session.Failed, pytest.exit.Exception):
                return  # a check or the author's conftest.py wants no further checks
            except Exception as error:  # noqa: BLE001  # pytest's own, or of the author's hooks
                raise ManifestError(f"the checks cannot be run: {error}") from None
            finally:
                config.hook.pytest_sessionfinish(session=session, exitstatus=session.exitstatus)
                config._ensure_unconfigure()


def started_session(folder: Path, *plugins: object) -> pytest.Session:
    """What pytest.main makes before it collects; it has no name for these steps."""
    config = _prepareconfig(arguments(folder), [Bounds(folder), *plugins])
    config.pluginmanager.register(Fixtures(), FIXTURES)
    config._do_configure()
    session = pytest.Session.from_config(config)
    session.exitstatus = pytest.ExitCode.OK
    config.hook.pytest_sessionstart(session=session)
    return session
