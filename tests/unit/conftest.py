"""Unit tests that start a sandbox carry the marker ``sandbox``; those without it run anywhere, and quickly.

The rule is held here and not by a list: without the marker no program of the sandbox can be started.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
STARTS_A_SANDBOX = re.compile(r"\bgrader\.sandbox\.(warm|mode_probe|zygote|modes)\b")
"""In a program's arguments, also in the text after ``-c``: modules that are a warm process or start one."""

_popen = subprocess.Popen.__init__


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a sandbox where there is none."""
    if not sys.platform.startswith("linux"):
        for item in items:
            if item.get_closest_marker("sandbox"):
                item.add_marker(pytest.mark.skip(reason="the sandbox is Linux's"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Refuse sandboxes to a test without the marker, and to its fixtures of whatever scope."""
    unit = HERE in item.path.parents  # pytest calls this hook for the tests of all folders
    with pytest.MonkeyPatch.context() as patch:
        if unit and item.get_closest_marker("sandbox") is None:
            patch.setattr(subprocess.Popen, "__init__", _popen_without_sandbox)
        return (yield)


def _popen_without_sandbox(process: subprocess.Popen[Any], args: Any, *rest: Any, **options: Any) -> None:
    words = [args] if isinstance(args, str | bytes) else args
    if any(STARTS_A_SANDBOX.search(str(word)) for word in words):
        process.returncode = 0  # nothing was started: there is nothing to wait for
        pytest.fail("This test starts a sandbox: give it `@pytest.mark.sandbox`.")
    _popen(process, args, *rest, **options)
