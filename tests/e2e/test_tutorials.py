"""Each tutorial's commands do what its page shows."""

from __future__ import annotations

import sys

import pytest
from support.tutorial import TUTORIALS, follow


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_command_prints_what_the_page_shows(page, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")
    home = tmp_path / "course"
    home.mkdir()

    steps = list(follow(page, home))

    assert {step.command: (step.unsaid, step.printed) for step in steps if step.unsaid} == {}
    assert (home / f"{steps[1].command.removeprefix('cd ')}/grades.csv").is_file()
