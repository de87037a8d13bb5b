"""What a stranger meets first: the map of the root, how to report, what runs at a commit and at a push."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_readmes_map_names_every_folder_of_the_root_in_six_lines():
    """Folders of tools begin with a dot; of those the map names only what continuous integration runs."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    folders = {name.partition("/")[0] for name in listed.stdout.split("\0") if "/" in name}
    table = text_of("README.md").partition("| | where | what |\n|---|---|---|\n")[2].partition("\n\n")[0]
    rows = table.splitlines()
    places = re.findall(r"`([^`]+)`", " ".join(row.split("|")[2] for row in rows))

    assert len(rows) == 6
    assert [place for place in places if not (ROOT / place).exists()] == []
    assert {place.rstrip("/") for place in places if place.endswith("/")} == {
        folder for folder in folders if not folder.startswith(".")
    }


def test_ruff_before_a_commit_is_the_ruff_of_continuous_integration():
    pinned = re.search(r"^ruff==(.+)$", text_of("constraints.txt"), re.MULTILINE)[1]
    used = re.findall(r'"ruff==([^"]+)"', text_of(".pre-commit-config.yaml"))
    assert used
    assert set(used) == {pinned}


def test_the_workflow_runs_what_continuous_integration_runs():
    """Nothing but .ci/run is checked there, in a container with the options of the operators' page."""
    workflow = text_of(".github/workflows/ci.yml")
    assert workflow.rstrip().endswith("- run: bash .ci/run")
    options = re.search(r"options: (.+)", workflow)[1].split("--")[1:]
    page = text_of("docs/operators.md")
    assert [option for option in options if f"--{option.strip()}" not in page] == []


def test_contributing_sets_up_every_tool_that_it_calls():
    """Each program below .venv/bin is brought in by the page's own installation."""
    called = set(re.findall(r"\.venv/bin/([\w-]+)", text_of("CONTRIBUTING.md"))) - {"pip", "python", "grade"}
    groups = tomllib.loads(text_of("pyproject.toml"))["dependency-groups"]
    assert "--group dev" in text_of("CONTRIBUTING.md")
    parts = [
        requirement
        for one in groups["dev"]
        for requirement in ([one] if isinstance(one, str) else groups[one["include-group"]])
    ]
    distributions = {re.split(r"[<>=]", requirement)[0] for requirement in parts} | {"pytest"}
    assert {{"lint-imports": "import-linter"}.get(name, name) for name in called} <= distributions


def test_both_security_pages_lead_to_each_other():
    assert "docs/security.md" in text_of("SECURITY.md")
    assert "../SECURITY.md" in text_of("docs/security.md")
