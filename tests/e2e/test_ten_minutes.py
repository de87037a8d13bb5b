"""From an empty folder to a first graded submission of one's own: the script of the docs, as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.authoring.autograders.own_wheel import WHEEL, wheel, zipped

SCRIPT = Path(__file__).parents[2] / "docs" / "ten_minutes.sh"


def borrowed() -> bytes:
    """A wheel that lets whoever installs it import what can be imported here."""
    info = "borrowed-1.dist-info"
    files = {
        "borrowed.pth": "\n".join(path for path in sys.path if path.endswith("site-packages")),
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: borrowed\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    return zipped({name: text.encode() for name, text in files.items()})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")
def test_seven_commands_lead_to_a_graded_submission(tmp_path):
    """Only what the package needs is borrowed from here instead of being fetched again."""
    wheels = {WHEEL: wheel(), "borrowed-1-py3-none-any.whl": borrowed()}
    for name, data in wheels.items():
        (tmp_path / name).write_bytes(data)
    home = tmp_path / "empty"
    home.mkdir()
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}

    done = subprocess.run(
        ["sh", str(SCRIPT), *(str(tmp_path / name) for name in wheels)],
        cwd=home,
        env={**os.environ, **offline},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert re.search(r"^7 commands, \d+ s$", done.stdout, re.MULTILINE), done.stdout + done.stderr
    assert len(re.findall(r"^run ", SCRIPT.read_text(), re.MULTILINE)) == 7
    assert "earns nothing: fails 2 checks" in done.stdout
    assert "2 of 3 points, all decided" in done.stdout
    assert (home / "scaling/student_template/scaling.ipynb").is_file()
    assert (home / "scaling/reports/answer/report.html").is_file()
