"""A check's text as a function for tools that run it beside the student's code."""

from __future__ import annotations

import textwrap

from benchmarks.peers.homework import Check

WORDS = """
import types
import numpy as np
rng = np.random.default_rng(1)
def array(value, shape):
    value = np.asarray(value)
    assert value.shape == shape, f"the shape is {value.shape}, not {shape}"
    return value
def close(actual, wanted, rtol=1e-9):
    assert np.shape(actual) == np.shape(wanted), "the shape is another"
    np.testing.assert_allclose(actual, wanted, rtol=rtol)
def holds(condition, message):
    assert condition, message
def beside(source):
    names = {}
    exec(source, names)
    return types.SimpleNamespace(**names)
"""


def function(check: Check, arguments: str = "") -> str:
    """The source of a function that raises where the check fails; it brings its own helpers."""
    given = f"given = beside({check.given.strip()!r})\n" if check.given else ""
    body = f"{WORDS.strip()}\n{given}{check.body.strip()}"
    return f"def check_{check.name}({arguments}):\n{textwrap.indent(body, '    ')}"
