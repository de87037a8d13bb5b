"""What a check asked is asked again with other inputs, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grader import Formulas, assert_close
from grader.checks.formulas import WrongArray
from grader.grading.naming import Repetition, Translation, lengths, look_up, make_tables
from grader.grading.prepared_checks import PreparedChecks
from grader.grading.pytest_run import modules_of
from grader.model.errors import CheckFailed
from grader.session import history
from grader.session.history import CannotRepeat
from grader.session.in_process import InProcessTransport
from grader.session.session import Session

LAYER = Formulas(X="N D", W="D K", b="1 K", rate="")
CODE = """
import numpy as np
class Layer:
    def __init__(self, inputs, outputs, scale=1.0):
        self.params, self.scale = {"W": np.zeros((inputs, outputs))}, scale
        self.seen = []
    def forward(self, X, b):
        self.seen.append(X)
        return self.scale * (X @ self.params["W"] - b)
    def all(self, X):
        return {"parts": [self.forward(X, 0 * X[:, :1]), "text"]}
    def once(self, X):
        if len(self.seen):
            raise ValueError("again")
        return self.forward(X, 0)
"""


@pytest.fixture
def session() -> Session:
    names: dict[str, object] = {}
    exec(CODE, names)
    return Session(InProcessTransport(names), seconds=5)


@pytest.fixture
def inputs() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    shapes = {"X": (7, 5), "W": (5, 3), "b": (1, 3)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()} | {"rate": np.asarray(0.25)}


def again(session: Session, answer: object, inputs: dict[str, np.ndarray]) -> np.ndarray | None:
    array = np.asarray(answer)
    wrong = WrongArray.of(array, array, LAYER(**inputs), facts="")
    assert wrong is not None
    found = Repetition(wrong, session).ask(0)
    return None if found is None else found.array


def test_objects_sizes_numbers_and_arrays_follow(session, inputs):
    layer = session.student.Layer(5, 3, scale=0.25)
    layer.params["W"] = inputs["W"]
    answer = layer.forward(inputs["X"], inputs["b"].ravel())
    probe = LAYER.probes[0]
    expected = probe["rate"] * (probe["X"] @ probe["W"] - probe["b"])
    np.testing.assert_allclose(again(session, answer, inputs), expected)
    np.testing.assert_allclose(answer, 0.25 * (inputs["X"] @ inputs["W"] - inputs["b"]))


def test_a_value_within_an_answer_is_found_again(session, inputs):
    layer = session.student.Layer(5, 3)
    layer.params["W"] = inputs["W"]
    answer = layer.all(inputs["X"])
    probe = LAYER.probes[0]
    np.testing.assert_allclose(again(session, answer["parts"][0], inputs), probe["X"] @ probe["W"])


def test_what_no_answer_holds_is_not_asked_again(session, inputs):
    session.student.Layer(5, 3).forward(inputs["X"], 0)
    assert again(session, np.ones((7, 3)), inputs) is None


def test_an_array_that_is_not_named_is_another_one_in_the_probe(session, inputs):
    layer = session.student.Layer(5, 3)
    layer.params["W"] = inputs["W"]
    answer = layer.forward(inputs["X"] + 1, 0)
    found = again(session, answer, inputs)
    assert found.shape == (6, 5)
    assert not np.allclose(found, LAYER.probes[0]["X"] @ LAYER.probes[0]["W"])


def test_a_module_that_the_check_provides_is_not_run_anew(session, inputs):
    """It holds no inputs, and running it takes longer than all calls."""
    given = session.student.provide(f"print('ran')\n{CODE}")
    layer = given.Layer(5, 3)
    layer.params["W"] = inputs["W"]
    answer = layer.forward(inputs["X"], inputs["b"])
    probe = LAYER.probes[0]
    np.testing.assert_allclose(again(session, answer, inputs), probe["X"] @ probe["W"] - probe["b"])
    assert session.printed == "ran\n"


def test_many_or_large_requests_are_not_made_again(session, inputs, monkeypatch):
    monkeypatch.setattr(history, "MOST_REQUESTS", 2)
    layer = session.student.Layer(5, 3)
    layer.params["W"] = inputs["W"]
    answer = layer.forward(inputs["X"], inputs["b"])
    assert again(session, answer, inputs) is None


def test_code_that_refuses_the_probe_is_looked_up_on_the_checks_own_inputs(session, inputs):
    layer = session.student.Layer(5, 3)
    layer.params["W"] = inputs["W"]
    answer = layer.once(inputs["X"])
    session.student.Layer.__init__ = None  # nothing can be made again
    with pytest.raises(CheckFailed) as caught:
        assert_close(answer, inputs["X"] @ inputs["W"] + inputs["b"], formulas=LAYER(**inputs))
    look_up(caught.value, session)
    assert str(caught.value).endswith("This is `X @ W`: a term is missing.")
    assert caught.value.mistake == "a term is missing"


def test_sizes_that_cannot_be_told_apart_are_not_translated():
    probe = {"N": 9, "D": 6, "K": 4}
    assert lengths({"N": 7, "D": 5}, probe) == {7: 9, 5: 6}
    assert lengths({"N": 4, "D": 4, "K": 1}, probe) == {4: None, 1: None}
    square = LAYER(X=np.ones((5, 5)))
    with pytest.raises(CannotRepeat):
        Translation(square, 0)(5)
    assert Translation(square, 0)(6) == 6
    assert Translation(square, 0)("X") == "X"
    with pytest.raises(CannotRepeat):
        Translation(square, 0)(np.array(["one", "two"]))


def test_a_batch_makes_the_tables_before_it_forks(tmp_path: Path):
    check = '"""A file of checks."""\nfrom grader import Formulas\n\nLAYER = Formulas(X="N D")\n'
    (tmp_path / "test_tables.py").write_text(check, encoding="utf-8")
    PreparedChecks(tmp_path)
    (module,) = modules_of(tmp_path)
    assert "table" not in vars(module.LAYER)
    make_tables([module])
    assert len(module.LAYER.table) > 100
