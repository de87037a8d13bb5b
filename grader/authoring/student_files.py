"""What stands beside the students' notebook so that the public checks run: a manifest and a conftest.py."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

from grader.model.assignment import Assignment, Limits

CONFTEST = b'''"""Lets plain `pytest` run this folder's public checks on the notebook."""

pytest_plugins = ["grader.public_checks.in_pytest"]
'''


def manifest_for_students(assignment: Assignment) -> bytes:
    """assignment.toml without what only graders may know: rubrics, and where the solution is."""
    lines = [
        "# Made by `grade template`: what the public checks need to know of the assignment.",
        f"title = {_toml(assignment.title)}",
        f"points = {assignment.points}",
        f"given = {_toml([PurePosixPath(entry).name for entry in assignment.given])}",
    ]
    for item in assignment.item:
        lines += ["", "[[item]]", f"id = {_toml(item.id)}", f"title = {_toml(item.title)}"]
        lines += [f"kind = {_toml(item.kind)}", f"points = {item.points}"]
    lines += ["", "[limits]"]
    lines += [f"{name} = {_toml(getattr(assignment.limits, name))}" for name in Limits.__struct_fields__]
    lines += ["", "[budget]"]
    lines += [f"{name} = {_toml(value)}" for name, value in assignment.budget.items()]
    return ("\n".join(lines) + "\n").encode()


def _toml(value: object) -> str:
    """A TOML value; JSON's strings, numbers, booleans and lists of them are TOML too."""
    return json.dumps(value)
