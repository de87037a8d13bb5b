"""Every example in the README and in docs/ is run, parsed or held against the program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from grader.cli.main import COMMANDS, DEFAULT, cli
from grader.model import assignment as manifest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
FENCE = re.compile(r"^```(?P<language>\w*) ?(?P<rest>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)(?P<target>[^)#]+)(?:#[^)]*)?\)")
FRAGMENT = '''\
"""Checks from the documentation."""

import numpy as np

from grader import as_array, assert_close, assert_parameter_count, assert_gradient, item, points

pytestmark = item("1")


'''


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; ``rest`` is what stands behind the language."""

    page: str
    line: int
    language: str
    rest: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that the block shows whole, if it does."""
        found = re.search(r'title="([^"]+)"', self.rest)
        return found[1] if found else None


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page.name, text.count("\n", 0, found.start()) + 1, found["language"], found["rest"], found["text"]
        )
        for found in FENCE.finditer(text)
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
COMMAND_LINES = [
    pytest.param(line.removeprefix("$ "), id=f"{block.page}:{block.line}:{line[:40]}")
    for block in BLOCKS
    if block.language in ("console", "sh")
    for line in block.text.splitlines()
    if block.language == "sh" or line.startswith("$ ")
]


def named(language: str) -> list[pytest.param]:
    return [
        pytest.param(block, id=f"{block.page}:{block.line}") for block in BLOCKS if block.language == language
    ]


def write_files(page: str, folder: Path) -> None:
    """The files that a page shows, below ``folder``."""
    for block in BLOCKS:
        if block.page == page and block.file:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")


def grade(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it. The pages' own examples need no isolation."""
    return subprocess.run(
        [sys.executable, "-m", "grader.cli.main", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_block_says_what_it_is():
    known = {"python", "toml", "console", "sh", "text"}
    assert [block for block in BLOCKS if block.language not in known] == []


def test_the_readmes_first_assignment_is_graded_as_it_says(tmp_path):
    """The three files of the README give the report that the README shows."""
    write_files("README.md", tmp_path)
    shown = next(block for block in BLOCKS if block.page == "README.md" and block.language == "text")

    done = grade("answer.py", "--seed", "1", "--no-sandbox", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert [line.strip() for line in shown.text.splitlines() if line.strip() not in done.stdout] == []
    assert (tmp_path / "reports/answer/grade.json").is_file()
    assert (tmp_path / "reports/answer/report.html").is_file()


def test_the_check_authors_example_earns_what_the_page_says(tmp_path):
    write_files("check-authors.md", tmp_path)

    done = grade("submission.py", "--json", "--no-sandbox", folder=tmp_path)

    record = json.loads(done.stdout)
    assert done.returncode == 0, record["attention"]
    assert (record["earned"], record["possible"]) == (5, 5)


@pytest.mark.parametrize(
    ("right", "wrong", "earned"),
    [
        ("X - X.max(axis=1, keepdims=True)", "X", 3),
        ("X * self.params", "X + self.params", 4),
        ("(X * grad).sum(axis=0)", "(X * grad).mean(axis=0)", 4),
        ("np.clip(gradient, -limit, limit)", "np.minimum(gradient, limit)", 4),
    ],
)
def test_the_check_authors_example_notices_mistakes(tmp_path, right, wrong, earned):
    write_files("check-authors.md", tmp_path)
    submission = tmp_path / "submission.py"
    text = submission.read_text(encoding="utf-8")
    assert text.count(right) == 1
    submission.write_text(text.replace(right, wrong), encoding="utf-8")

    done = grade("submission.py", "--json", "--no-sandbox", "--seed", "5", folder=tmp_path)

    assert json.loads(done.stdout)["earned"] == earned


def test_every_other_check_on_the_check_authors_page_passes(tmp_path):
    write_files("check-authors.md", tmp_path)
    fragments = [
        block
        for block in BLOCKS
        if block.page == "check-authors.md" and block.language == "python" and not block.file
    ]
    (tmp_path / "public_tests").mkdir()
    for block in fragments:
        path = tmp_path / f"public_tests/test_line_{block.line}.py"
        path.write_text(FRAGMENT + block.text, encoding="utf-8")

    done = grade("submission.py", "--public", "--json", folder=tmp_path)

    record = json.loads(done.stdout)
    checks = [check for item in record["items"] for check in item["checks"]]
    assert [check for check in checks if check["outcome"] != "passed"] == []
    assert len(checks) == sum(block.text.count("def test_") for block in fragments)


@pytest.mark.parametrize("block", named("python"))
def test_python_is_python(block):
    compile(block.text, f"{block.page}:{block.line}", "exec")


@pytest.mark.parametrize("block", named("toml"))
def test_toml_is_toml_and_a_manifest_where_it_says_so(block):
    tomllib.loads(block.text)
    if block.file == "assignment.toml" or block.rest == "manifest":
        manifest.parse(block.text)


def test_the_instructors_manifest_shows_every_key_and_the_real_defaults():
    block = next(block for block in BLOCKS if block.rest == "manifest")
    shown = manifest.parse(block.text)

    assert shown.limits == manifest.Limits()
    for struct in (manifest.Assignment, manifest.Item, manifest.RubricLine, manifest.Limits):
        for key in struct.__struct_fields__:
            assert re.search(rf"\b{key}\b", block.text), f"{struct.__name__}.{key} is not shown"
    assert {item.kind for item in shown.item} == set(manifest.KINDS)


def options_of(command: str) -> set[str]:
    loaded = cli.get_command(click.Context(cli), command)
    inner = list(loaded.commands.values()) if isinstance(loaded, click.Group) else []
    parameters = [parameter for one in (loaded, *inner) for parameter in one.params]
    return {option for parameter in parameters for option in parameter.opts} | {"--help", "-h"}


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_command_lines_use_options_that_exist(line):
    for call in re.findall(r"(?:^|[\s/])grade (?P<arguments>[^&|]+)", line):
        first, *words = call.split()
        command = first if first in COMMANDS else DEFAULT
        used = {word.partition("=")[0] for word in (first, *words) if word.startswith("-")}
        assert used <= options_of(command), line


@pytest.mark.parametrize("command", list(COMMANDS))
def test_every_option_of_every_command_is_documented(command):
    """A new option needs a line in docs/ or the README."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [option for option in options_of(command) - {"--help", "-h"} if option not in text] == []


def test_the_example_that_the_readme_grades_exists():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"grade (examples/\S+)", text)
    assert examples
    assert [name for name in examples if not (ROOT / name).is_file()] == []


def test_continuous_integration_runs_the_readmes_test_command():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line[2:] for line in text.splitlines() if line.startswith("$ ") and "/tox" in line]
    assert len(commands) == 1
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == commands[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = [found["target"] for found in LINK.finditer(text)]
    assert [target for target in targets if not (page.parent / target).exists()] == []
