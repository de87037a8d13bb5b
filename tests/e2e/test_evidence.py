"""Recorded evidence from the saved file through the sandbox to the report, for a course of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.commands import run_grade
from support.evidence_course import REPLAY, STEPS, WALK, make_course, make_notebook, recording, shown

from grader import student_seed
from grader.grading import assignment_folder
from grader.grading.execution import Silent
from grader.grading.grade_job import GradeJob
from grader.grading.opening import WarmProcesses
from grader.grading.pipeline import grade
from grader.grading.seeds import Seeds
from grader.model.records import Grade, ItemResult, decode, encode
from grader.reports.page import render

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
TRUNCATED = json.dumps(recording("2"))[:300]
SOUND = recording("2")


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmProcesses]:
    with WarmProcesses() as processes:
        yield processes


Run = Callable[..., Grade]


@pytest.fixture
def run(warm: WarmProcesses, tmp_path: Path) -> Run:
    """Grades a notebook with these outputs under item 2, in a real sandbox."""
    make_course(tmp_path)

    def graded(*outputs: dict[str, Any], source: str = WALK, replay: str = REPLAY, **job: Any) -> Grade:
        (tmp_path / "hidden_tests/replay.py").write_text(replay)
        path = make_notebook(tmp_path / "a.ipynb", *outputs, source=source)
        opener = warm.open_notebook
        found = grade(
            GradeJob(path, assignment_folder.load(tmp_path), seed=1, **job), opener=opener, progress=Silent()
        )
        assert decode(encode(found)) == found
        return found

    return graded


def curve_of(found: Grade) -> ItemResult:
    """Item 2, after a look at the others: what is wrong with it costs nothing else."""
    assert [(str(item.earned), item.decided) for item in found.items if item.item != "2"] == [
        ("1", True),
        ("2", True),
    ]
    return next(item for item in found.items if item.item == "2")


def test_sound_evidence_earns_its_points_and_is_shown(run: Run) -> None:
    found = run(shown(recording("2", start=5.0), **{"image/png": PNG}))
    item = curve_of(found)
    assert (str(item.earned), item.decided, found.attention) == ("2", True, ())
    assert found.budget == {"STEPS": 2}
    assert len(item.figures) == 1
    assert "chainrule" not in json.dumps([cell.first_line for cell in found.cells])
    page = render(found)
    assert "&lt;s&gt;2&lt;/s&gt;" in page
    assert "<s>2</s>" not in page


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ([], "nothing was recorded for item 2"),
        ([shown(TRUNCATED)], "the recording in cell 3 cannot be read: it is cut short or damaged: not JSON"),
        ([shown(["not", "an object", 1])], "cannot be read: it is no object"),
        ([shown(recording("2", format="chainrule.evidence/9"))], "cell 3: the recording is of version"),
        ([shown(recording("3", run="x"))], "the recording in cell 3 is of item '3'"),
        ([shown(recording("zz"))], "the recording in cell 3 names no item"),
        (
            [shown(SOUND), shown(recording("2", start=5.0))],
            "several different recordings were found",
        ),
        (
            [shown(recording("2", data={**SOUND["data"], "loss": ["NaN"] * STEPS}))],
            "`loss`: entry 1 is the text 'NaN', expected a finite number",
        ),
        ([shown(recording("2", start=0.5))], ""),
        ([shown(recording("2", data={**SOUND["data"], "loss": [7.0] * STEPS}))], "hint"),
    ],
    ids=[
        *("missing", "truncated", "no object", "other version", "wrong item", "unknown item"),
        *("several", "NaN", "refused by the author", "invented"),
    ],
)
def test_bad_evidence_is_one_line_and_costs_its_own_item_alone(
    run: Run, outputs: list[dict[str, Any]], said: str
) -> None:
    found = run(*outputs)
    item = curve_of(found)
    assert (str(item.earned), item.decided, found.attention) == ("0", True, ())
    [check] = item.checks
    if said in ("", "hint"):
        assert check.message == "Run the cell as it is."
    else:
        assert said in check.message
        assert "\n" not in check.message
        assert len(check.message) < 200


def test_a_run_from_another_seed_than_the_students_waits_for_a_person(run: Run, tmp_path: Path) -> None:
    """Where the manifest gives each student a seed; item 3's recording has a seed and names no student."""
    with (tmp_path / "assignment.toml").open("a") as manifest:
        manifest.write('\n[evidence]\nseed = "student"\n')
    own = {"STUDENT": "ada", "SEED": student_seed("ada")}
    assert [item.decided for item in run(shown(recording("2", parameters=own))).items] == [True, True, False]
    found = run(shown(recording("2", parameters=own | {"STUDENT": "bob"})))
    assert [item.decided for item in found.items] == [True, False, False]
    assert "the seed of 'bob' is" in str(found)


def test_the_same_evidence_twice_counts_once(run: Run) -> None:
    again = {**SOUND, "run": "of a copied cell", "recorded_at": "later"}
    assert str(curve_of(run(shown(SOUND), shown(SOUND), shown(again))).earned) == "2"


def test_a_picture_without_a_recording_waits_for_a_person(run: Run) -> None:
    item = curve_of(run(shown(None, **{"image/png": PNG})))
    assert (str(item.earned), item.decided) == ("0", False)
    assert item.waits_for == "a person's look (a figure, but no recorded evidence)"


def test_evidence_of_100_mb_is_refused_in_one_line(run: Run) -> None:
    item = curve_of(run(shown(recording("2", data={"loss": "x" * 100_000_000}))))
    [check] = item.checks
    assert check.message.startswith("the recording in cell 3 cannot be read: it holds 100,000,")
    assert check.message.endswith("at most 4,000,000 are read")


@pytest.mark.parametrize(
    ("replay", "said"),
    [
        (
            REPLAY.replace("import recorder", "import nothing_at_all"),
            "did not run through: raised: ",
        ),
        (REPLAY.replace("import recorder;", "import os; os._exit(1) #"), "did not run through: crashed: "),
        ("def prepare(recordings):\n    return recordings['9']", "replay.py: KeyError: '9' (line 2)"),
        ("import sys\nsys.exit(3)", "replay.py: SystemExit: 3 (line 2)"),
        ("def prepare(recordings:", "replay.py: SyntaxError"),
        ("x = 1", "replay.py: has no function prepare(recordings)"),
        ("def prepare(recordings): return 5", "prepare gave int, expected grader.Replay"),
        (
            "from grader import Replay\ndef prepare(recordings): return Replay(budget={'A': float('nan')})",
            "budget: A is neither a finite number",
        ),
        (
            "from grader import Replay\ndef prepare(recordings): return Replay(meanwhile=5)",
            "meanwhile is int, expected a function",
        ),
    ],
)
def test_a_replay_that_fails_is_the_authors_and_costs_no_points(run: Run, replay: str, said: str) -> None:
    found = run(shown(SOUND), replay=replay)
    for item in found.items[1:]:
        assert (item.decided, str(item.earned), item.checks[0].fault) == (False, "0", "author")
    assert (str(found.items[0].earned), found.budget) == ("1", {"STEPS": 3})
    assert said in found.attention[0]
    assert "\n" not in found.attention[0]


def test_without_a_replay_the_manifests_budget_holds(run: Run, tmp_path: Path) -> None:
    replay = "from grader import Replay\ndef prepare(recordings):\n    print(recordings)\n    return Replay()"
    assert str(curve_of(run(shown(SOUND), replay=replay)).earned) == "2"


def test_what_a_replay_does_meanwhile_draws_what_the_check_draws_and_may_fail(
    run: Run, tmp_path: Path
) -> None:
    place, check = tmp_path / "drawn", "test_walk.py::test_step"
    meanwhile = f"""
def draw(rng_of):
    from pathlib import Path
    Path({str(place)!r}).write_text(str(rng_of({check!r}).normal()))
    raise MemoryError
"""
    replay = REPLAY.replace("Replay(budget", "Replay(meanwhile=draw, budget") + meanwhile
    assert str(curve_of(run(shown(SOUND), replay=replay)).earned) == "2"
    assert float(place.read_text()) == np.random.default_rng(Seeds(1).of_check(check)).normal()


def test_a_cell_that_no_longer_records_is_no_proof(run: Run) -> None:
    item = curve_of(run(shown(SOUND), source="x = '{item}'"))
    assert str(item.earned) == "0"
    assert "the cell recorded nothing while grading" in item.checks[0].detail


HOSTILE = """\
from IPython.display import display
kind = "application/vnd.chainrule.evidence+json"
for value in ("{{", "[1]", "x" * 5_000_000, '{{"item": "2"}}', "\\\\ud800", "[" * 100_000, '{{"a": ' * 900):
    display({{kind: value}}, raw=True)
for _ in range(9):
    display({{kind: "[" + "0," * 200_000 + "0]"}}, raw=True)
display({{kind: {{"a": object()}}}}, raw=True)"""


def test_what_the_sandbox_sends_as_evidence_is_never_believed(run: Run) -> None:
    item = curve_of(run(shown(SOUND), source=HOSTILE))
    assert (str(item.earned), item.checks[0].fault) == ("0", "student")


def test_a_student_can_see_on_their_own_machine_whether_it_is_complete(run: Run, tmp_path: Path) -> None:
    (tmp_path / "recorder.py").write_text((tmp_path / "given/recorder.py").read_text())
    (tmp_path / "public_tests").mkdir()
    (tmp_path / "public_tests/test_curve.py").write_text(
        "from grader import item\n"
        "@item('2')\ndef test_complete(evidence):\n"
        "    evidence.recorded.curve('loss', length=40)\n"
        "    assert len(evidence.replayed.curve('loss')) == 3\n"
    )
    assert [check.outcome for check in run(shown(SOUND), public=True).items[0].checks] == ["passed"]
    [check] = run(shown(TRUNCATED), public=True).items[0].checks
    assert "cut short" in check.message


def test_several_submissions_are_graded_and_copied_evidence_is_named(tmp_path: Path) -> None:
    make_course(tmp_path)
    (tmp_path / "other").mkdir()
    for name, evidence in (("a", SOUND), ("b", recording("2", start=5.0, run="own")), ("other/a", SOUND)):
        path = make_notebook(tmp_path / f"{name}.ipynb", shown(evidence))
        if name == "b":
            path.write_text(
                path.read_text().replace(recording("3")["run"], "own too").replace("00:00:00", "9")
            )
    (tmp_path / "broken.ipynb").write_text("{")
    files = ["a.ipynb", "broken.ipynb", "b.ipynb", "other/a.ipynb"]
    done = run_grade(*files, cwd=tmp_path)
    assert done.returncode == 2
    said = done.stderr.strip().splitlines()
    assert said[0].startswith("grade: broken.ipynb: not a notebook: not JSON")
    told = (
        "the same recorded evidence in several submissions: a.ipynb, other/a.ipynb (items 2, 3); "
        "equal recorded numbers, as in a copy or in runs from one seed: "
        "a.ipynb, b.ipynb, other/a.ipynb (items 3)"
    )
    assert said[1:] == [f"grade: {told}"]
    notices = {
        name: decode((tmp_path / f"reports/{name}/grade.json").read_bytes()).notices
        for name in ("a", "b", "a-2")
    }
    equal = "item 3: the recorded numbers are equal to those of {}, as in a copy or in runs from one seed"
    assert sorted(notices["a"]) == sorted(
        [f"item {item}: the recorded evidence is the same as that of other/a.ipynb" for item in "23"]
        + [equal.format("b.ipynb, other/a.ipynb")]
    )
    assert (notices["b"], len(notices["a-2"])) == ((equal.format("a.ipynb, other/a.ipynb"),), 3)


LIKENESS = """
from grader import Sketch, sketch

def sketches(recordings):
    return {
        item: {"walk": Sketch(sketch(recording.curve("trained")), 0.5, recording.parameters["SEED"])}
        for item, recording in recordings.items()
        if item == "2"
    }
"""


def trained(seed: int, outputs: np.ndarray) -> dict[str, Any]:
    """A recording of item 2 with a trained model."""
    sound = recording("2", run=f"own {seed}", parameters={"SEED": seed})
    return {**sound, "data": {**sound["data"], "trained": outputs.tolist()}}


def test_a_model_that_goes_on_from_anothers_is_named_and_costs_no_point(tmp_path: Path) -> None:
    make_course(tmp_path)
    (tmp_path / "hidden_tests/likeness.py").write_text(LIKENESS)
    a, b, c = np.random.default_rng(1).normal(size=(3, 300))
    models = {"a": a, "honest": b, "later": a + 0.5 * c}
    folder = tmp_path / "in"
    for seed, (name, outputs) in enumerate(models.items()):
        (folder / name).mkdir(parents=True)
        path = make_notebook(folder / name / "hw.ipynb", shown(trained(seed, outputs)))
        path.write_text(path.read_text().replace(recording("3")["run"], f"third {seed}"))
    files = [f"in/{name}/hw.ipynb" for name in models]
    one_by_one = said_by(tmp_path, *files)
    class_of_all = said_by(tmp_path, "batch", str(folder))
    near = (
        "nearly the same trained models or parts of them from different seeds, as where one run goes on "
        "from another: "
    )
    assert f"{near}{files[0]}, {files[2]} (items 2)" in one_by_one
    assert near in class_of_all
    assert "honest" not in class_of_all.partition(near)[2].partition(" (items 2)")[0]
    grades = [decode(path.read_bytes()) for path in tmp_path.glob("reports/hw*/grade.json")]
    assert [str(one.earned) for one in grades] == ["5"] * 3
    assert (
        sum("the trained model or a part of it is nearly that of" in " ".join(one.notices) for one in grades)
        == 2
    )


def test_an_authors_file_of_sketches_that_fails_is_a_notice(tmp_path: Path) -> None:
    make_course(tmp_path)
    (tmp_path / "hidden_tests/likeness.py").write_text("def sketches(recordings):\n    return 1 / 0\n")
    make_notebook(tmp_path / "a.ipynb", shown(SOUND))
    make_notebook(tmp_path / "b.ipynb", shown(SOUND))
    said_by(tmp_path, "a.ipynb")
    assert not decode((tmp_path / "reports/a/grade.json").read_bytes()).notices  # compared with nobody
    said_by(tmp_path, "a.ipynb", "b.ipynb")
    found = decode((tmp_path / "reports/a/grade.json").read_bytes())
    assert str(found.earned) == "5"
    assert found.notices[-1:] == (
        "copies of trained models were not looked for: likeness.py: ZeroDivisionError: division by zero "
        "(line 2)",
    )


def said_by(folder: Path, *arguments: str) -> str:
    """What `grade` says on both streams; it must have graded all."""
    done = run_grade(*arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr
