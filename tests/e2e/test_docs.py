"""Every example in the README and in docs/ is run, parsed or held against the program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
from support.commands import run_grade
from support.pages import BLOCKS, FENCE, GUIDES, PAGES, write_page_files
from support.paths import ROOT

from grader.cli.main import COMMANDS, DEFAULT, cli
from grader.model import assignment as manifest

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)(?P<target>[^)#]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
SUBMISSIONS = r"(?:SUBMISSION|\S+\.(?:ipynb|py))\b"
OTHER_PROGRAMS = {
    "benchmarks.md": {"--only", "--rounds", "--tools"},  # python -m benchmarks.peers
    "operators.md": {"--security-opt", "--user"},  # docker, systemd-run
    "reference-run.md": {"--data", "--device", "--jobs", "--quick"},  # python -m reference.fast
    "running.md": {"--failed"},  # systemctl
    "scale.md": {"--lifetime", "--nthreads", "--nworkers"},  # dask worker
}
"""Options that a page names by themselves and that belong to another program."""
FRAGMENT = '''\
"""Checks from the documentation."""

import numpy as np
import pytest

from grader import (
    as_array, assert_close, assert_frame, assert_parameter_count, assert_raises, assert_same_set,
    assert_series, assert_text, award, check_gradients, item, points
)

pytestmark = item("1")


'''


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


def grade(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command as a person runs it. The pages' own examples need no isolation."""
    return run_grade(*arguments, cwd=folder, env={**os.environ, "COLUMNS": "80"})


def test_every_block_says_what_it_is():
    known = {"python", "toml", "console", "sh", "text", "ini", "yaml", "dockerfile"}
    assert [block for block in BLOCKS if block.language not in known] == []


def test_the_readmes_first_assignment_is_graded_as_it_says(tmp_path):
    """The three files of the README give the report that the README shows."""
    write_page_files("README.md", tmp_path)
    shown = next(block for block in BLOCKS if block.page == "README.md" and block.language == "text")

    done = grade("answer.py", "--seed", "1", "--no-sandbox", folder=tmp_path)

    assert done.returncode == 0, done.stderr
    assert [line.strip() for line in shown.text.splitlines() if line.strip() not in done.stdout] == []
    assert (tmp_path / "reports/answer/grade.json").is_file()
    assert (tmp_path / "reports/answer/report.html").is_file()


def test_the_check_authors_example_earns_what_the_page_says(tmp_path):
    write_page_files("check-authors.md", tmp_path)

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
    write_page_files("check-authors.md", tmp_path)
    submission = tmp_path / "submission.py"
    text = submission.read_text(encoding="utf-8")
    assert text.count(right) == 1
    submission.write_text(text.replace(right, wrong), encoding="utf-8")

    done = grade("submission.py", "--json", "--no-sandbox", "--seed", "5", folder=tmp_path)

    assert json.loads(done.stdout)["earned"] == earned


def test_every_other_check_on_the_check_authors_page_passes(tmp_path):
    write_page_files("check-authors.md", tmp_path)
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
    written = [name for block in fragments for name in re.findall(r"def (test_\w+)", block.text)]
    ran = {check["check"].partition("[")[0].rpartition("::")[2] for check in checks}
    assert (ran, len(ran)) == (set(written), len(written))


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


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], click.Command]:
    """Every command by the words that call it: ("marks", "export")."""
    found = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found[(*path, name)] = command
        if isinstance(command, click.Group):
            found |= commands(command, (*path, name))
    return found


CALLED = commands()


def options_of(command: click.Command) -> set[str]:
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    return {name for option in options for name in option.opts} - {"--help", "-h"}


def resolve(words: list[str]) -> tuple[click.Command | None, list[str]]:
    """The command that these words call, and the rest of them; None where the first word is neither.

    Pages write SUBMISSION, FILE and ... for what a person fills in; a path has a dot or a slash.
    """
    if tuple(words[:2]) in CALLED:
        return CALLED[tuple(words[:2])], words[2:]
    if tuple(words[:1]) in CALLED:
        return CALLED[tuple(words[:1])], words[1:]
    stands_for_a_file = words[0].isupper() or set("./") & set(words[0])
    is_default = words[0].startswith("-") or stands_for_a_file
    return (CALLED[DEFAULT,] if is_default else None), words


def mistakes_in(line: str) -> list[str]:
    """What a line of a page gets wrong about `grade`: commands and options that do not exist."""
    wrong = []
    for call in re.findall(r"(?:^|[\s/(])grade (?P<arguments>[^&|;>`]+)", line):
        command, rest = resolve(call.split())
        if command is None:
            wrong.append(f"no such command: grade {call}")
            continue
        used = {word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"}
        known = (
            options_of(command) | {"--help", "-h"} | ({"--version"} if command is CALLED[DEFAULT,] else set())
        )
        wrong += [f"no such option: grade {call}: {option}" for option in used - known]
    return wrong


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("grade hw3.ipynb --json", False),
        ("$ .venv/bin/grade marks export a.csv --all", False),
        ("grade --version", False),
        ("grade SUBMISSION --public", False),
        ("grade hw3.ipynb --roster a.csv", True),
        ("grade marks import a.csv --all", True),
        ("grade table --choose=best && grade regrade --deadline x", True),
        ("grade tabel", True),
    ],
)
def test_a_wrong_command_line_is_noticed(line, wrong):
    assert bool(mistakes_in(line)) == wrong


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_command_lines_use_commands_and_options_that_exist(line):
    assert mistakes_in(line) == []


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_what_the_text_says_about_the_command_exists(page):
    """`grade ...` within a sentence, and `--option` by itself wherever the page is about `grade` alone."""
    spans = CODE.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    every_option = {option for command in CALLED.values() for option in options_of(command)}
    alone = {span.split()[0] for span in spans if span.startswith("--")}

    assert [mistake for span in spans if span.startswith("grade ") for mistake in mistakes_in(span)] == []
    assert alone - every_option <= OTHER_PROGRAMS.get(page.name, set())


@pytest.mark.parametrize("words", list(CALLED), ids=" ".join)
def test_the_help_of_every_command_shows_calls_that_work(words):
    lines = [line.strip() for line in (CALLED[words].help or "").splitlines()]
    examples = [line.partition("   ")[0] for line in lines if line.startswith("grade ")]
    assert [mistake for line in examples for mistake in mistakes_in(line)] == []


def test_the_help_of_grade_shows_calls_that_work():
    examples = [line for line in (cli.epilog or "").splitlines() if line.startswith("  grade ")]
    assert len(examples) >= 5
    assert [mistake for line in examples for mistake in mistakes_in(line[:42])] == []


def test_the_readmes_table_of_commands_is_that_of_grade_help():
    section = README.partition("## Commands")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    named = [name for row in rows for name in re.findall(r"`grade ([a-z]+)`", row)]
    assert sorted(named) == sorted(COMMANDS)
    assert "`grade SUBMISSION`" in rows[0]


@pytest.mark.parametrize("words", list(CALLED), ids=" ".join)
def test_every_command_and_each_of_its_options_is_documented(words):
    """A page that calls the command also names the option: `--csv` of another command does not count."""
    called = "grade " + (SUBMISSIONS if words == (DEFAULT,) else re.escape(" ".join(words)) + r"\b")
    texts = [page.read_text(encoding="utf-8") for page in GUIDES]
    pages = "\n".join(text for text in texts if re.search(called, text))

    assert pages, f"grade {' '.join(words)} is on no page"
    missing = [one for one in options_of(CALLED[words]) if not re.search(rf"(?<![\w-]){one}(?![\w-])", pages)]
    assert missing == []


def test_every_example_that_a_page_grades_exists():
    called = [
        name for page in GUIDES for name in re.findall(r"grade (examples/\S+)", page.read_text("utf-8"))
    ]
    assert re.search(r"grade (examples/\S+)", README)
    assert [name for name in called if not (ROOT / name).is_file()] == []


def test_continuous_integration_runs_the_readmes_test_command():
    lines = [line[2:] for line in README.splitlines() if line.startswith("$ ") and "/tox" in line]
    assert len(lines) == 1
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == lines[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = [found["target"] for found in LINK.finditer(text)]
    assert [target for target in targets if not (page.parent / target).exists()] == []
