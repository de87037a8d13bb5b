"""A course whose long run is a walk downhill: the assignment, a recorder, and notebooks with evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from grader.inside.media_types import EVIDENCE

from .assignments import Item, manifest, write_files
from .notebooks import code, prose, write_notebook

CPU, STEPS = "a processor", 40

MANIFEST = manifest(
    Item("1", "Step"),
    Item("2", "Loss curve", points=2, kind="evidence"),
    Item("3", "Another curve", points=2, kind="evidence"),
    title="Downhill",
    given=["given/recorder.py"],
    budget={"STEPS": 3},
)

RECORDER = f'''
import os, sys
from IPython.display import display

START = 4.0


def record(item, **data):
    bundle = {{
        "format": "chainrule.evidence/1", "item": item, "data": data, "code": {{}},
        "parameters": {{"SEED": sys.modules["__main__"].__dict__.get("SEED", 0)}},
        "machine": {{"cpu": "{CPU}"}}, "run": os.urandom(16).hex(),
        "recorded_at": "2026-01-01T00:00:00+00:00",
    }}
    display({{"text/plain": item, "{EVIDENCE}": bundle}}, raw=True)
'''

HIDDEN = '''
"""1 Step, 2 and 3 Curves."""
from grader import assert_close, item, points


@item("1")
@points(1)
def test_step(student, rng):
    """step goes downhill"""
    x = rng.normal()
    assert_close(student.step(x), 0.9 * x, name="step(x)")


def assert_replay(evidence):
    recorded = evidence.recorded
    curve = recorded.curve("loss", length=40)
    replayed = evidence.replayed
    assert replayed is not None, "the cell recorded nothing while grading"
    short = replayed.curve("loss")
    assert_close(curve[: len(short)], short, name="the beginning of the recorded curve")


@item("2")
@points(2, hint="Run the cell as it is.")
def test_curve(evidence):
    """the recorded curve is that of the code"""
    assert_replay(evidence)


@item("3")
@points(2, hint="Run the cell as it is.")
def test_other_curve(evidence):
    """the other recorded curve is that of the code"""
    assert_replay(evidence)
'''

REPLAY = '''
"""The replayed walk starts where the recorded one did."""
from grader import BadEvidence, Replay, Recording


def prepare(recordings):
    starts = {Recording.of(recording).number("start") for recording in recordings.get("2", ())}
    if any(not 1 <= start <= 9 for start in starts):
        raise BadEvidence("`start` is out of its range")
    start = starts.pop() if starts else 4.0
    return Replay(budget={"STEPS": 2}, prelude=f"import recorder; recorder.START = {start!r}")
'''

WALK = """\
import recorder
STEPS, x, loss = 40, recorder.START, []
for _ in range(STEPS):
    loss.append(x * x)
    x = step(x)
recorder.record("{item}", loss=loss, start=recorder.START, text="at `{item}` ```<s>{item}</s>")"""


def make_course(folder: Path) -> Path:
    """Write the assignment into ``folder``, and return the folder."""
    files = {
        "assignment.toml": MANIFEST,
        "hidden_tests/test_walk.py": HIDDEN,
        "hidden_tests/replay.py": REPLAY,
        "given/recorder.py": RECORDER,
    }
    return write_files(folder, files)


def recording(item: str, *, start: float = 4.0, run: str = "", **changes: Any) -> dict[str, Any]:
    """What `record` left in the file after all steps."""
    loss, x = [], start
    for _ in range(STEPS):
        loss.append(x * x)
        x = 0.9 * x
    return {
        "format": "chainrule.evidence/1",
        "item": item,
        "data": {"loss": loss, "start": start, "text": f"at `{item}` ```<s>{item}</s>"},
        "parameters": {"SEED": 0},
        "code": {},
        "machine": {"cpu": CPU},
        "run": run or f"{item}{start}",
        "recorded_at": "2026-01-01T00:00:00+00:00",
        **changes,
    }


def make_notebook(path: Path, *outputs: dict[str, Any], source: str = WALK) -> Path:
    """Write a notebook with a walk for item 2 (these outputs) and a sound one for item 3; return its path."""
    cells = [
        code("def step(x):\n    return 0.9 * x"),
        prose("### 2 Loss curve"),
        code(source.format(item="2"), *outputs),
        prose("### 3 Another curve"),
        code(WALK.format(item="3").replace("recorder.START", "4.0"), shown(recording("3"))),
    ]
    return write_notebook(path, cells)


def shown(evidence: object, **data: str) -> dict[str, Any]:
    """An output that holds evidence, and maybe a picture."""
    held = {EVIDENCE: evidence} if evidence is not None else {}
    return {"output_type": "display_data", "metadata": {}, "data": {**held, **data}}
