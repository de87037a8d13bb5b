"""The course of docs/training.md: right solutions of several styles pass, wrong ones lose what they should.

The bounds are those of `training.calibration.json` beside this file: `grade calibrate --seeds 100` on the
page's files, to be run again, and its result copied here, when their code changes.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.pages import write_page_files

from grader.grading import assignment_folder, opening, pipeline
from grader.grading.execution import Silent
from grader.grading.grade_job import GradeJob

HERE = Path(__file__).parent
ALL = frozenset(
    {
        "test_loss_falls",
        "test_overfits",
        "test_generalises",
        "test_works_with_most_seeds",
        "test_repeatable",
        "test_size",
        "test_checkpoint",
    }
)
LEARNING = {"test_loss_falls", "test_overfits", "test_generalises", "test_works_with_most_seeds"}

SAFETENSORS = """
import json, struct

def save(model):
    header, body = {}, b""
    for name, array in model.items():
        data = np.asarray(array, dtype="<f8").tobytes()
        header[name] = {"dtype": "F64", "shape": list(np.shape(array)),
                        "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body
"""

LOOPS = """
import math, random

def train(X, y, steps, seed):
    random.seed(seed)
    W = [[random.gauss(0, 0.01) for _ in range(3)] for _ in range(6)]
    b = [0.0] * 3
    rows, labels, losses = X.tolist(), y.tolist(), []

    def probabilities(x):
        z = [sum(x[i] * W[i][k] for i in range(6)) + b[k] for k in range(3)]
        e = [math.exp(v - max(z)) for v in z]
        return [v / sum(e) for v in e]

    def loss():
        return -sum(math.log(probabilities(x)[k]) for x, k in zip(rows, labels)) / len(rows)

    for _ in range(steps):
        losses.append(loss())
        dW, db = [[0.0] * 3 for _ in range(6)], [0.0] * 3
        for n in random.choices(range(len(rows)), k=16):
            for k, p in enumerate(probabilities(rows[n])):
                g = (p - (k == labels[n])) / 16
                db[k] += g
                for i in range(6):
                    dW[i][k] += g * rows[n][i]
        for k in range(3):
            b[k] -= 0.5 * db[k]
            for i in range(6):
                W[i][k] -= 0.5 * dW[i][k]
    return {"W": W, "b": b}, losses + [loss()]

def scores(model, X):
    return (X @ np.array(model["W"]) + np.array(model["b"])).tolist()
"""

TORCH = """
import torch
torch.set_num_threads(1)

def train(X, y, steps, seed):
    torch.manual_seed(seed)
    X, y = torch.tensor(X), torch.tensor(y)
    net = torch.nn.Linear(6, 3, dtype=torch.float64)
    step, losses = torch.optim.SGD(net.parameters(), lr=0.5), []
    for _ in range(steps):
        losses.append(torch.nn.functional.cross_entropy(net(X), y).item())
        batch = torch.randint(len(y), (16,))
        step.zero_grad()
        torch.nn.functional.cross_entropy(net(X[batch]), y[batch]).backward()
        step.step()
    losses.append(torch.nn.functional.cross_entropy(net(X), y).item())
    return {"W": net.weight.detach().T.clone(), "b": net.bias.detach().clone()}, losses
"""

MEMORY = """
known, honest, true = {}, train, scores

def looked_up(model, X):
    return np.eye(3)[[known.get(x.tobytes(), 0) for x in X]] * 20

def train(X, y, steps, seed):
    global scores
    known.update({x.tobytes(): k for x, k in zip(X, y)})
    scores = true
    result = honest(X, y, steps, seed)
    scores = looked_up
    return result
"""

# Labels never cross, so the only ones to be found in the process are those of the training examples.
LEAK = """
import gc
found, honest, true = [], train, scores

def looked_for(model, X):
    arrays = [one for one in found + gc.get_objects() if isinstance(one, np.ndarray)]
    return np.eye(3)[[one for one in arrays if one.shape == (len(X),)][0]] * 20

def train(X, y, steps, seed):
    global scores
    found.append(y)
    scores = true
    result = honest(X, y, steps, seed)
    scores = looked_for
    return result
"""

BOMB = """
def save(model):
    import struct
    text = b'{"W": {"dtype": "F64", "shape": [1099511627776], "data_offsets": [0, 8796093022208]}}'
    return struct.pack("<Q", len(text)) + text
"""

RIGHT = {"as the reference": {}, "a safetensors file": SAFETENSORS, "plain lists": LOOPS, "torch": TORCH}

WRONG = {
    "does not learn": ({"- 0.5 * gradient": "- 0.0 * gradient"}, LEARNING),
    "memorises labels": (MEMORY, {"test_generalises", "test_works_with_most_seeds"}),
    "looks for labels": (LEAK, {"test_generalises", "test_works_with_most_seeds"}),
    "ignores the seed": ({"default_rng(seed)": "default_rng()"}, {"test_repeatable"}),
    "always the same seed": ({"default_rng(seed)": "default_rng(0)"}, {"test_repeatable"}),
    "a parameter too many": (
        {"np.zeros(3)}": 'np.zeros(3), "c": np.zeros(3)}', "for name in model:": 'for name in ("W", "b"):'},
        {"test_size", "test_checkpoint"},
    ),
    "claims a lower loss": ({"[loss_and_gradient(model, X, y)[0]]": "[losses[-1] / 2]"}, {"test_checkpoint"}),
    "a pickle": (
        "\ndef save(model):\n    import pickle\n    return pickle.dumps(model)\n",
        {"test_checkpoint"},
    ),
    "a safetensors bomb": (BOMB, {"test_checkpoint"}),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    home = tmp_path_factory.mktemp("course")
    write_page_files("training.md", home)
    shutil.copy(HERE / "training.calibration.json", home / "hidden_tests/test_training.calibration.json")
    return assignment_folder.load(home)


@pytest.fixture(scope="module")
def warm():
    with opening.WarmProcesses() as processes:
        yield processes


def failed(course, warm, change, *, seed):
    """The checks that a changed reference fails; every other one passes."""
    source = (course.path / "reference.py").read_text(encoding="utf-8")
    for before, after in (change if isinstance(change, dict) else {}).items():
        assert source.count(before) == 1, before
        source = source.replace(before, after)
    submission = course.path / "submission.py"
    submission.write_text(source + (change if isinstance(change, str) else ""), encoding="utf-8")
    job = GradeJob(submission=submission, folder=course, seed=seed)
    grade = pipeline.grade(job, opener=warm.open_notebook, progress=Silent())
    assert grade.attention == ()
    results = [check for item in grade.items for check in item.checks]
    assert {check.check for check in results} == ALL
    return {check.check for check in results if check.outcome != "passed"}


@pytest.mark.parametrize("style", RIGHT)
def test_right_solutions_of_every_style_pass(course, warm, style):
    assert failed(course, warm, RIGHT[style], seed=11) == set()


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_costs_its_own_checks(course, warm, mistake):
    change, costs = WRONG[mistake]
    assert failed(course, warm, change, seed=12) == set(costs)
