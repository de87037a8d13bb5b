"""Submissions that are Python files."""

from __future__ import annotations

from .official import official, script


def neural_networks_script() -> str:
    return script()


def script_without_momentum() -> str:
    return script(without=("def sgd_with_momentum",))


def script_with_syntax_error() -> str:
    return script(edits=(("/ (2 * epsilon_value)", "/ (2 * epsilon_value]"),))


def script_from_windows() -> str:
    return "\ufeff" + script().replace("\n", "\r\n")


def percent_script() -> str:
    parts = ["# ---\n# jupyter:\n#   kernelspec:\n#     name: python3\n# ---\n"]
    for cell in official().cells:
        if cell.kind == "code":
            parts.append(f"# %%\n{cell.source}\n")
        else:
            prose = "\n".join(f"# {line}".rstrip() for line in cell.source.split("\n"))
            parts.append(f"# %% [markdown]\n{prose}\n")
    return "\n".join(parts)
