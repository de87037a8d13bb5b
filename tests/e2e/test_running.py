"""The examples of docs/running.md, each run as far as a test can."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile

import pytest
import yaml
from support.pages import BLOCKS
from support.paths import ROOT

from grader.authoring.new_assignment import make
from grader.cli import main

SHOWN = {block.file: block.text for block in BLOCKS if block.page == "running.md" and block.file}
ACCOUNT = "/srv/grading/venv/bin/grade"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs Debian's systemd")
def test_systemd_takes_the_units(tmp_path):
    for name in ("chainrule.service", "chainrule.timer"):
        text = SHOWN[name].replace(ACCOUNT, sys.executable).replace("User=grading\n", "")
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "chainrule.service", "chainrule.timer"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "chainrule" in line]
    assert (done.returncode, said) == (0, [])


def test_every_shell_line_is_one():
    lines = [block.text for block in BLOCKS if block.page == "running.md" and block.language == "sh"]
    runs = [line.removeprefix("RUN ") for line in SHOWN["Dockerfile"].splitlines() if line.startswith("RUN ")]
    assert len(runs) == 2
    for text in (*lines, *runs):
        subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def test_an_entry_point_that_exists():
    (entry,) = [line for line in SHOWN["Dockerfile"].splitlines() if line.startswith("ENTRYPOINT ")]
    (program,) = json.loads(entry.removeprefix("ENTRYPOINT "))
    assert f"\n{program} = " in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_what_students_pack_is_collected(tmp_path):
    """A stand-in for runuser runs its command as this account."""
    (tmp_path / "runuser").write_text('#!/bin/sh\nshift 3\nexec "$@"\n', encoding="utf-8")
    (tmp_path / "runuser").chmod(0o755)
    (tmp_path / "students.csv").write_text("id,name\ns1,\ns2,\n", encoding="utf-8")
    for student in ("s1", "s2"):
        (tmp_path / f"home/{student}/hw1").mkdir(parents=True)
        (tmp_path / f"home/{student}/hw1/hw1.py").write_text("x = 1\n", encoding="utf-8")
    script = SHOWN["collect.sh"].replace("/home/", f"{shlex.quote(str(tmp_path))}/home/")
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(["bash", "-euc", script], cwd=tmp_path, env={"PATH": path}, check=True)
    packed = sorted(tmp_path.glob("handed_in/*"))
    assert [one.name for one in packed] == ["s1.tar.gz", "s2.tar.gz"]
    for one in packed:
        with tarfile.open(one) as archive:
            assert archive.getnames() == ["hw1", "hw1/hw1.py"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")
def test_the_workflows_lines_pass_on_a_new_assignment(tmp_path, monkeypatch):
    workflow = yaml.safe_load(SHOWN[".github/workflows/assignment.yml"])
    steps = workflow["jobs"]["check"]["steps"]
    lines = [step["run"] for step in steps if step.get("run", "").startswith("grade ")]
    assert lines == ["grade doctor", "grade check", "grade template --check"]
    make(tmp_path / "hw1", kind="notebook")
    monkeypatch.chdir(tmp_path / "hw1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert {line: main.run(line.split()[1:]) for line in lines[1:]} == dict.fromkeys(lines[1:], 0)


def test_the_page_says_of_each_example_where_it_was_tried():
    page = (ROOT / "docs/running.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")][1:]
    assert rows == ["systemd", "Docker", "JupyterHub", "GitHub Actions"]
