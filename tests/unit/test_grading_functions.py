"""The author's file that shows which functions were recorded: it may fail, and never costs a submission."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.checks.evidence import FORMAT, Recording
from grader.grading.functions import ShownFunction, sketched
from grader.model.errors import AuthorError

GOOD = """
import numpy as np
from grader import BadEvidence, Sketch, sketch

def sketches(recordings):
    print("not on standard output")
    return {
        item: {"whole": Sketch(sketch(recording.curve("y")), 0.5, recording.parameters.get("SEED"))}
        for item, recording in recordings.items()
    }
"""


def recorded(values: list[Any], seed: int = 1) -> dict[str, Recording]:
    tables: dict[str, Any] = {"data": {"y": values}, "parameters": {"SEED": seed}, "code": {}, "machine": {}}
    return {"1": Recording.of({"format": FORMAT, "item": "1", "run": "r", "recorded_at": "x", **tables})}


def shown(folder: Path, source: str, recordings: dict[str, Recording]) -> frozenset[tuple[str, str]]:
    (folder / "likeness.py").write_text(source)
    return sketched(folder, recordings)


def test_a_model_becomes_a_line_of_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    values = np.random.default_rng(1).normal(size=40).tolist()
    [(item, fingerprint)] = shown(tmp_path, GOOD, recorded(values))
    found = ShownFunction.of(fingerprint)
    assert found is not None
    assert (item, found.label, found.least) == ("1", "whole", 0.5)
    [(_, again)] = shown(tmp_path, GOOD, recorded(values, seed=2))
    other = ShownFunction.of(again)
    assert other is not None
    assert other.text == found.text
    assert other.seed != found.seed
    assert capsys.readouterr().out == ""


def test_no_file_and_nothing_to_compare_give_nothing(tmp_path: Path) -> None:
    assert sketched(tmp_path, recorded([1.0, 2.0])) == frozenset()
    assert shown(tmp_path, GOOD, recorded([1.0, 1.0])) == frozenset()
    assert shown(tmp_path, GOOD, {}) == frozenset()


def test_recordings_that_cannot_be_believed_are_no_error(tmp_path: Path) -> None:
    assert shown(tmp_path, GOOD, recorded(["text"])) == frozenset()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("x = 1", "has no function sketches"),
        ("def sketches(r): return 1", "must give a mapping"),
        ("def sketches(r): return {'1': 2}", "must give a mapping"),
        ("def sketches(r): return {'1': {'a': 2}}", "no Sketch"),
        ("def sketches(r): raise SystemExit(3)", "SystemExit: 3 \\(line 1\\)"),
        ("from grader import Sketch\ndef sketches(r): return {'1': {'a b': Sketch('', 1)}}", "a label"),
        ("from grader import Sketch\ndef sketches(r): return {'1': {'a': Sketch('?', 1)}}", "not made by"),
        ("from grader import Sketch\ndef sketches(r): return {'1': {'a': Sketch('', 0)}}", "`least`"),
        (
            "from grader import Sketch\n"
            "def sketches(r): return {'1': {str(k): Sketch('', 1) for k in range(33)}}",
            "33 sketches, and 32",
        ),
    ],
)
def test_a_file_that_fails_says_so_in_one_line(tmp_path: Path, source: str, why: str) -> None:
    with pytest.raises(AuthorError, match=f"likeness.py: .*{why}") as raised:
        shown(tmp_path, source, {})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("other", ["run abc", "numbers abc", "", "function", "function a b"])
def test_other_fingerprints_are_no_functions(other: str) -> None:
    assert ShownFunction.of(other) is None
