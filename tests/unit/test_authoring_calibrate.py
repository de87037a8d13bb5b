"""`grade calibrate`: bounds from the reference, their evidence, and when they may be used."""

from __future__ import annotations

import contextlib
import json
import pathlib

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from support.assignments import Item, manifest, write_files

from grader.authoring import calibrate
from grader.checks.thresholds import Seen
from grader.cli import calibrate as cli
from grader.grading import assignment_folder, bounds, opening
from grader.grading.check_plugin import CheckPlugin
from grader.grading.execution import Silent
from grader.grading.pytest_run import run_checks
from grader.model.calibration import Side, decode, encode
from grader.model.errors import CalibrationError, Fault
from grader.model.records import CellStatus
from grader.session.in_process import LocalNotebook
from grader.session.notebook import CellRun

MANIFEST = manifest(Item("1", "One"), notebook="reference.py", given=["data"], budget={"STEPS": 2})
REFERENCE = "def noisy(x):\n    return x\n"
CHECKS = '''
from grader import assert_beats_baseline, assert_loss_falls, assert_mostly, item, points

pytestmark = item("1")


@points(1)
def test_noise(student, rng, calibrated):
    """two statistics"""
    assert_loss_falls([2.0, student.noisy(rng.uniform(0.5, 0.6))], steps=1, share=calibrated("share"))
    assert_mostly(
        lambda k: student.noisy(rng.random()) < 0.95, at_least=calibrated("rate"), against=0.2, limit=20
    )


def test_certain(student):
    """asks for no bound: it is not run for calibration"""
    assert student.noisy(1.0) == 2.0
'''
OTHER = "from grader import item\npytestmark = item('1')\n\ndef test_plain(student):\n    pass\n"


class Plain(LocalNotebook):
    """A notebook without a shell: a hundred of them take no time."""

    def run_cell(self, source, *, seconds, cell=0, line=0):  # noqa: ARG002
        exec(source, self._names)
        return CellRun(CellStatus.OK)


@pytest.fixture
def home(tmp_path):
    files = {
        "assignment.toml": MANIFEST,
        "reference.py": REFERENCE,
        "data/numbers.txt": "1 2 3",
        "hidden_tests/test_noise.py": CHECKS,
        "hidden_tests/test_other.py": OTHER,
    }
    return write_files(tmp_path, files)


def calibrated(home, *, seeds=100, opener=lambda *_: Plain({}), environ=None):
    loaded = assignment_folder.load(home)
    files = calibrate.files_to_calibrate(loaded, ())
    return calibrate.calibrate(loaded, files, seeds=seeds, opener=opener, progress=Silent(), environ=environ)


class Opened:
    """Opens notebooks and notes for which seeds; the reference of the seeds in ``broken`` raises."""

    def __init__(self, *broken):
        self.seeds, self.broken = [], broken

    def __call__(self, job, *_):
        self.seeds.append(job.seed)
        if job.seed in self.broken:
            raise CalibrationError(f"seed {job.seed}: broken")
        return Plain({})


def results(home, source=REFERENCE, seed=5):
    names = {}
    exec(source, names)
    plugin = CheckPlugin(LocalNotebook(names), seed=seed, seconds=5, hidden=True)
    run_checks(home / "hidden_tests", plugin)
    return {result.check: result for result in plugin.results}


def test_bounds_with_their_evidence_are_written_used_and_held_against_their_sources(home, monkeypatch):
    monkeypatch.setattr(opening.WarmProcesses, "open_notebook", lambda *_: Plain({}))
    done = CliRunner().invoke(cli.command, ["test_noise", "--assignment", str(home), "--seeds", "100"])
    assert done.exception is None
    assert "test_noise.calibration.json: 2 bounds from 100 seeds" in done.output
    assert "test_noise  share: at least 0.6" in done.output

    found = bounds.read(bounds.file_of(home / "hidden_tests/test_noise.py"))

    assert [bound.check for bound in found.bounds] == ["test_noise", "test_noise"]
    share, rate = found.bounds
    assert share.risk == rate.risk == 5e-5  # shared out
    assert 0.6 < share.bound < 0.7 < share.quantiles["0"] <= share.mean <= 0.75
    assert (share.values, rate.values) == (100, 2000)
    assert 0.93 < rate.bound < 0.95
    assert decode(encode(found)) == found
    assert found.seeds == 100
    assert {"grader", "python", "numpy"} <= set(found.versions)

    assert results(home)["test_noise"].outcome == "passed"
    wrong = results(home, REFERENCE.replace("return x", "return x + 0.9"))["test_noise"]
    assert wrong.fault is Fault.STUDENT
    assert "a correct solution fails with probability at most 5e-05" in wrong.detail

    check_freshness(home, expected="all up to date")
    changes = {
        "reference.py": (REFERENCE + "\n# later", "the reference has changed since"),
        "data/numbers.txt": ("1 2 4", "the reference has changed since"),
        "assignment.toml": (MANIFEST.replace("STEPS = 2", "STEPS = 3"), "the reference has changed since"),
        "hidden_tests/test_noise.py": (CHECKS + "\n# later", "the checks have changed since"),
    }
    for name, (changed, why) in changes.items():
        before = (home / name).read_text()
        (home / name).write_text(changed)
        assert_attention(home, f"stale: {why}; run: grade calibrate test_noise.py")
        check_freshness(home, expected=f"test_noise.py: stale: {why}; run: grade calibrate test_noise.py")
        (home / name).write_text(before)
    assert results(home)["test_noise"].outcome == "passed"

    path = bounds.file_of(home / "hidden_tests/test_noise.py")
    tree = json.loads(path.read_text())
    path.write_text(json.dumps({**tree, "bounds": tree["bounds"][1:]}))
    assert_attention(home, "no calibrated bound 'share'")
    path.write_text("{}")
    assert_attention(home, "cannot be read")
    path.unlink()
    assert_attention(home, "its bounds are missing")


def assert_attention(home, why):
    result = results(home)["test_noise"]
    assert result.fault is Fault.AUTHOR
    assert why in result.detail


def check_freshness(home, *, expected):
    done = CliRunner().invoke(cli.command, ["--assignment", str(home), "--check"])
    assert expected in (str(done.exception) if done.exception else done.output)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ('calibrated("rate")', 'calibrated("share")', "'share' is used twice"),
        ("rng.uniform(0.5, 0.6)", "float('nan')", "seed 1: check `test_noise`: the loss is not finite"),
        ("student.noisy(rng.u", "student.missing(rng.u", "seed 1: check `test_noise`: `missing` is not"),
        ("from grader", "import nothing_of_this_name\nfrom grader", "cannot be imported"),
    ],
)
def test_a_check_that_goes_wrong_on_the_reference_is_an_error_in_words(home, before, after, why):
    assert before in CHECKS
    (home / "hidden_tests/test_noise.py").write_text(CHECKS.replace(before, after, 1))
    with pytest.raises(CalibrationError, match=why):
        calibrated(home)


def seen(values, *, side=Side.LEAST, worthless=0.0, trials=0):
    return [Seen(value=value, side=side, worthless=worthless, trials=trials) for value in values]


NORMAL = np.random.default_rng(1).normal(1, 0.01, size=100)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (seen(NORMAL, worthless=0.95), "a solution that learns nothing passes .0.95."),
        (seen(NORMAL, side=Side.MOST, worthless=1.05), "a solution that learns nothing passes .1.05."),
        (seen([9] * 100, side=Side.RATE, trials=20, worthless=0.44), "learns nothing passes .0.44."),
        (seen([0.5] * 100), "the same value"),
        (seen(NORMAL[:99]), "not seen in the same way with every seed"),
        ([*seen(NORMAL[:99]), *seen([1.0], side=Side.MOST)], "not seen in the same way with every seed"),
    ],
)
def test_what_was_seen_may_support_no_bound(values, why):
    with pytest.raises(CalibrationError, match=f"check `c`: statistic 's'.*{why}"):
        calibrate.bound_of("c", "s", values, seeds=100, risk=1e-4)


def test_bounds_lie_on_the_side_where_a_wrong_solution_is():
    least = calibrate.bound_of("c", "s", seen(NORMAL), seeds=100, risk=1e-4)
    most = calibrate.bound_of("c", "s", seen(NORMAL, side=Side.MOST, worthless=2.0), seeds=100, risk=1e-4)
    assert 0.9 < least.bound < NORMAL.min() < NORMAL.max() < most.bound < 1.1


def test_a_reference_that_does_not_run_is_an_error_in_words(home):
    (home / "reference.py").write_text("# %%\n1 / 0\n")
    job_opener = lambda job, submission, _watch: opening.open_in_process(job, submission)  # noqa: E731
    with pytest.raises(CalibrationError, match=r"seed 1: cell 1 of the reference: ZeroDivisionError"):
        calibrated(home, opener=job_opener)
    (home / "reference.py").unlink()
    with pytest.raises(CalibrationError, match="no reference to calibrate on"):
        calibrated(home)


def test_what_is_asked_for_has_to_make_sense(home):
    with pytest.raises(CalibrationError, match="99 seeds are too few"):
        calibrated(home, seeds=99)
    with pytest.raises(CalibrationError, match=r"'test_b' that asks for a bound; there are: test_noise.py"):
        calibrate.files_to_calibrate(assignment_folder.load(home), ["test_b"])
    for name in ("test_noise", "test_noise.py", "hidden_tests/test_noise.py"):
        [path] = calibrate.files_to_calibrate(assignment_folder.load(home), [name])
        assert path.name == "test_noise.py"


@pytest.fixture
def environ(tmp_path_factory):
    return {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("cache"))}


def test_finished_runs_are_kept_and_not_made_again(home, environ):
    first, second, more, changed = Opened(70), Opened(), Opened(), Opened(1)
    with pytest.raises(CalibrationError, match="seed 70: broken; 69 finished runs are kept"):
        calibrated(home, opener=first, environ=environ)
    found = calibrated(home, opener=second, environ=environ)
    assert second.seeds == [*range(70, 101), 0]
    assert [[bound.values for bound in file.bounds] for file in found.values()] == [[100, 2000]]
    calibrated(home, seeds=103, opener=more, environ=environ)
    assert more.seeds == [101, 102, 103, 0]
    (home / "hidden_tests/test_noise.py").write_text(CHECKS + "\n# changed\n")
    begun(home, environ, changed)
    assert changed.seeds == [1]


def begun(home, environ, opened):
    """A calibration that ends with the first seed that is broken."""
    with pytest.raises(CalibrationError, match="broken"):
        calibrated(home, opener=opened, environ=environ)


@pytest.mark.parametrize("what", ["reference.py", "data/numbers.txt", "hidden_tests/helper.py"])
def test_kept_runs_count_only_for_the_same_reference_and_helpers(home, environ, what):
    same, changed = Opened(4), Opened(1)
    begun(home, environ, Opened(3))
    begun(home, environ, same)
    assert same.seeds == [3, 4]
    with (home / what).open("a") as file:
        file.write("\n# changed\n")
    begun(home, environ, changed)
    assert changed.seeds == [1]


def test_kept_runs_that_were_cut_off_or_damaged_are_made_again(home, environ):
    begun(home, environ, Opened(8))
    [path] = pathlib.Path(environ["XDG_CACHE_HOME"]).glob("chainrule/calibration-*.jsonl")
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:5], b"[]", lines[6][:40]]))
    again = Opened(7)
    begun(home, environ, again)
    assert again.seeds == [5, 6, 7]


CERTAIN = (
    CHECKS
    + '''

def test_more(student, rng, calibrated):
    """one that never varies"""
    assert_loss_falls([2.0, 1.0], steps=1, by=calibrated("fall"))
'''
)


def test_one_statistic_without_a_bound_costs_the_others_nothing(home, monkeypatch):
    monkeypatch.setattr(opening.WarmProcesses, "open_notebook", lambda *_: Plain({}))
    (home / "hidden_tests/test_noise.py").write_text(CERTAIN)
    done = CliRunner().invoke(cli.command, ["--assignment", str(home), "--seeds", "100"])
    assert isinstance(done.exception, CalibrationError)
    assert "1 statistic has no bound: check `test_more`: statistic 'fall': every seed gave" in str(
        done.exception
    )
    assert "test_noise  share: at least 0.6" in done.output
    found = results(home)
    assert found["test_noise"].outcome == "passed"
    assert found["test_more"].fault is Fault.AUTHOR
    assert (
        "no calibrated bound 'fall' (check `test_more`: statistic 'fall': every seed"
        in found["test_more"].detail
    )
    check_freshness(home, expected="incomplete: check `test_more`: statistic 'fall'")


def test_the_power_of_a_bound_is_what_it_refuses_of_weaker_runs():
    runs = [
        Seen(value=1.0, side=Side.LEAST, weaker=(("half", 0.5 + k / 100), ("none", 0.0))) for k in range(10)
    ]
    assert calibrate.power_of(0.545, runs) == {"half": 0.5, "none": 1.0}
    most = [Seen(value=1.0, side=Side.MOST, weaker=(("twice", 2.0),))] * 3
    assert calibrate.power_of(1.5, most) == {"twice": 1.0}
    assert calibrate.power_of(2.5, most) == {"twice": 0.0}


def test_the_power_is_shown_beside_the_risk():
    bound = calibrate.bound_of("c", "s", seen(NORMAL), seeds=100, risk=1e-4)
    power = {
        "a step 2 times too small": 0.1,
        "a step 10 times too small": 0.995,
        "a step 100 times too small": 1.0,
    }
    shown = cli.power_in_words(msgspec.structs.replace(bound, power=power))
    assert shown == (
        "notices a step 10 times too small, a step 100 times too small; "
        "still passes a step 2 times too small (90 %)"
    )


@pytest.mark.sandbox
def test_the_command_runs_the_reference_in_the_sandbox_and_stops_where_it_goes_wrong(home):
    """Seed 1 alone: the check then fails, which no seed of the reference may."""
    wrong = CHECKS.replace('"""two statistics"""', "assert student.noisy(41) == 42, 'inside'")
    (home / "hidden_tests/test_noise.py").write_text(wrong)
    done = CliRunner().invoke(cli.command, ["--assignment", str(home), "--seeds", "100"])
    assert isinstance(done.exception, CalibrationError)
    assert "seed 1: check `test_noise`: inside" in str(done.exception)
    with contextlib.suppress(FileNotFoundError):
        bounds.file_of(home / "hidden_tests/test_noise.py").unlink()
        pytest.fail("nothing may be written")
