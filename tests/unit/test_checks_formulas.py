"""A wrong array is answered with the formula that gives it, and with nothing if it is no formula."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from grader import Formulas, assert_close, check_gradients
from grader.checks.formula_store import kept_table
from grader.checks.formulas import Answer, WrongArray, formula_of
from grader.checks.mistakes import mistake_of
from grader.checks.operations import DOUBLE, FUNCTIONS, OPERATIONS, TURN, WHOLE
from grader.model.errors import AuthorError, CheckFailed
from grader.model.values import Remote

LAYER = Formulas(X="N D", W="D K", b="1 K", G="N K")
RELU = Formulas(X="...", G="...", using="relu")
MOMENTUM = Formulas(w="...", v="...", g="...", rate="", alpha="")
LOSS = Formulas(P="N K positive", Y="N K one-hot", using="log")
HEAD = Formulas(q="T H", k="T H", v="T H", using="softmax causal")
LOGISTIC = Formulas(X="N D", w="D", y="N", using="sigmoid")

Inputs = Mapping[str, np.ndarray]
Function = Callable[..., np.ndarray]


def drawn(formulas: Formulas, seed: int = 3) -> Inputs:
    """A check's own inputs: other numbers than on the probes, and other sizes."""
    rng = np.random.default_rng(seed)
    sizes = dict(zip(formulas.axes, (7, 5, 3), strict=False))
    return {name: spec.drawn(1, sizes, rng) for name, spec in formulas.specs.items()}


def named(formulas: Formulas, function: Function, *, asks: bool = True) -> str:
    """The formula found for a student's function, which is called with other inputs if ``asks``."""
    inputs = drawn(formulas)

    def ask(number: int) -> Answer | None:
        probe = {name: formulas.probes[number][name] for name in inputs}
        return Answer(np.asarray(function(**probe)), frozenset(probe)) if asks else None

    found = formula_of(np.asarray(function(**inputs)), formulas(**inputs), ask)
    return str(found) if found else ""


WRONG = [
    (LAYER, lambda G, **_: G.mean(0), "G.mean(0)"),
    (LAYER, lambda G, **_: G.mean(0, keepdims=True), "G.mean(0, keepdims=True)"),
    (LAYER, lambda X, G, **_: X.T @ (G - G.mean(0)), "X.T @ (G - G.mean(0))"),
    (LAYER, lambda X, W, b, **_: X @ W - b, "X @ W - b"),
    (LAYER, lambda X, W, b, **_: X @ (W + b), "X @ (W + b)"),
    (LAYER, lambda W, b, G, **_: (G + b) @ W.T, "(b + G) @ W.T"),
    (LAYER, lambda G, **_: G.sum(), "G.sum()"),
    (RELU, lambda G, **_: G * (G > 0), "relu(G)"),
    (RELU, lambda X, G: np.where(X > 0, G, 0.01 * G), "G * where(X > 0, 1, 0.01)"),
    (LOSS, lambda P, Y: -(Y * np.log(P)).sum(), "-(Y * log(P)).sum()"),
    (HEAD, lambda q, k, v: q @ k.T @ v, "q @ k.T @ v"),
    (LOGISTIC, lambda X, w, y: X.T @ (X @ w - y), "X.T @ (X @ w - y)"),
]


@pytest.mark.parametrize("asks", [True, False], ids=["asked again", "here alone"])
@pytest.mark.parametrize(("formulas", "function", "formula"), WRONG, ids=[one[2] for one in WRONG])
def test_the_formula_of_a_wrong_array_is_found(formulas, function, formula, asks):
    assert named(formulas, function, asks=asks) == formula


def test_float32_is_as_good():
    assert named(LAYER, lambda X, G, **_: (X.T @ G).astype(np.float32) / np.float32(len(X))).startswith(
        "X.T @"
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda w, v, g, rate, alpha, **_: w + rate * (alpha * v + g),
        lambda w, v, g, rate, alpha, **_: w - rate * (alpha * v + (1 - alpha) * g),
        lambda w, v, g, alpha, **_: w - (alpha * v + g),
        lambda v, g, rate, alpha, **_: alpha * v - rate * g,
    ],
)
def test_update_rules_are_formulas(function):
    inputs, other = drawn(MOMENTUM), drawn(MOMENTUM, seed=11)

    def ask(number):
        return Answer(function(**MOMENTUM.probes[number]), frozenset(inputs))

    found = formula_of(function(**inputs), MOMENTUM(**inputs), ask)
    assert found is not None
    np.testing.assert_allclose(found.value(other), function(**other))


@pytest.mark.parametrize("asks", [True, False])
def test_what_is_no_formula_gets_no_name(asks):
    rng = np.random.default_rng(8)
    assert named(LAYER, lambda W, **_: rng.normal(size=W.shape), asks=asks) == ""
    assert (
        named(LAYER, lambda X, G, **_: (X.T @ G) * (1 + 1e-3 * rng.normal(size=(X.T @ G).shape)), asks=asks)
        == ""
    )


def test_a_constant_that_meets_a_size_by_chance_is_told_from_it():
    """The check has 7 examples: a division by 7 is one by N there and nowhere else."""
    assert named(LAYER, lambda X, G, **_: X.T @ G / len(X)) == "X.T @ G / N"
    assert named(LAYER, lambda X, G, **_: X.T @ G / 7) == ""


def test_a_second_probe_decides_where_the_first_has_the_checks_sizes():
    rng = np.random.default_rng(2)
    inputs = {"X": rng.normal(size=(6, 4)), "G": rng.normal(size=(6, 5))}

    def ask(number, divide):
        X, G = LAYER.probes[number]["X"], LAYER.probes[number]["G"]
        return Answer(X.T @ G / divide(X), frozenset("XG"))

    wrong = inputs["X"].T @ inputs["G"] / 6
    assert formula_of(wrong, LAYER(**inputs), lambda number: ask(number, len)).__str__() == "X.T @ G / N"
    assert formula_of(wrong, LAYER(**inputs), lambda number: ask(number, lambda _: 6)) is None


@pytest.mark.parametrize(
    "answer",
    [
        np.full((5, 3), np.nan),
        np.full((5, 3), -np.inf),
        np.diag([1e308, -1e308, 5e-324, 1, 2]),
        np.full((5, 3), 1e308),
        np.zeros((5, 3)),
        np.zeros((0, 3)),
        np.ones((5, 3), complex),
        np.array(["a", "b"]),
        np.ones((1, 1, 1, 1, 1, 1)),
        np.ones((1 << 20,)),
        np.int64(3),
        np.ones((), bool),
    ],
    ids=str,
)
def test_hostile_answers_are_not_looked_up_and_break_nothing(answer):
    with np.errstate(all="ignore"):
        answer = np.asarray(answer)
    found = formula_of(answer, LAYER(**drawn(LAYER)), lambda _: Answer(answer, frozenset()))
    assert found is None or answer.size == 1
    wrong = np.random.default_rng(1).normal(size=(5, 3))
    assert formula_of(wrong, LAYER(**drawn(LAYER)), lambda _: Answer(answer, frozenset())) is None


KINDS = [
    (LAYER, lambda G, **_: G.mean(0), lambda G, **_: G.sum(0), "a mean where a sum belongs"),
    (LAYER, lambda G, **_: G.sum(1), lambda G, **_: G.sum(0), "a sum over the wrong axis"),
    (LAYER, lambda G, **_: G, lambda G, **_: G.sum(0), "a sum is missing"),
    (LAYER, lambda X, G, **_: X.T @ G / len(X), lambda X, G, **_: X.T @ G, "a division by N too many"),
    (LAYER, lambda X, G, **_: X.T @ G, lambda X, G, **_: X.T @ G / len(X), "a division by N is missing"),
    (LAYER, lambda X, G, **_: -(X.T @ G), lambda X, G, **_: X.T @ G, "the sign is flipped"),
    (LAYER, lambda X, G, **_: G.T @ X, lambda X, G, **_: X.T @ G, "a transpose is missing"),
    (LAYER, lambda X, W, **_: X @ W, lambda X, W, b, **_: X @ W + b, "a term is missing"),
    (
        LAYER,
        lambda X, W, b, **_: X @ W - b,
        lambda X, W, b, **_: X @ W + b,
        "a difference where a sum belongs",
    ),
    (LAYER, lambda X, W, G, **_: X.T @ G + W, lambda X, G, **_: X.T @ G, "a term too many"),
    (RELU, lambda G, **_: G, lambda X, G: G * (X > 0), "a mask is missing"),
    (RELU, lambda G, **_: G * (G > 0), lambda X, G: G * (X > 0), "another formula"),
    (RELU, lambda X, G: G * (X < 0), lambda X, G: G * (X > 0), "another mask"),
    (HEAD, lambda q, k, **_: q @ k.T @ k, lambda q, k, v: q @ k.T @ v, "one input where another belongs"),
    (LOSS, lambda P, Y: P - Y, lambda P, Y: (P - Y) / len(P), "a division by N is missing"),
]


@pytest.mark.parametrize(("formulas", "wrong", "right", "kind"), KINDS, ids=[str(one[3]) for one in KINDS])
def test_the_kind_of_mistake_is_the_change_that_makes_it_right(formulas, wrong, right, kind):
    inputs = drawn(formulas)
    found = formula_of(wrong(**inputs), formulas(**inputs), lambda _: None)
    assert found is not None
    assert mistake_of(found, formulas(**inputs), np.asarray(right(**inputs))) == kind.replace(
        "another formula", ""
    )


def test_a_check_keeps_what_a_look_up_needs_and_goes_on_with_its_arrays():
    inputs = {name: array.copy() for name, array in drawn(LAYER).items()}
    with pytest.raises(CheckFailed) as caught:
        assert_close(inputs["G"].mean(0), inputs["G"].sum(0), formulas=LAYER(**inputs))
    wrong = caught.value.wrong
    inputs["G"][:] = 0
    assert isinstance(wrong, WrongArray)
    assert formula_of(wrong.answer, wrong.named, lambda _: None).__str__() == "G.mean(0)"


def test_a_suspect_says_it_better_and_is_counted_by_its_words():
    inputs = drawn(LAYER)
    with pytest.raises(CheckFailed) as caught:
        assert_close(
            inputs["X"] @ inputs["W"],
            inputs["X"] @ inputs["W"] + inputs["b"],
            suspects={"b is not added": inputs["X"] @ inputs["W"]},
            formulas=LAYER(**inputs),
        )
    assert (caught.value.wrong, caught.value.mistake) == (None, "b is not added")


def test_gradients_are_looked_up_too():
    inputs = drawn(LAYER)
    X, W, G = (inputs[name] for name in "XWG")
    with pytest.raises(CheckFailed) as caught:
        check_gradients(lambda w: np.sum(G * (X @ w)), W, X.T @ (G + G**2), formulas=LAYER(X=X, W=W, G=G))
    assert isinstance(caught.value.wrong, WrongArray)


def test_arrays_that_take_megabytes_are_not_kept():
    X = np.ones((1000, 1000))
    with pytest.raises(CheckFailed) as caught:
        assert_close(X[:, :3], 2 * X[:, :3], formulas=LAYER(X=X))
    assert caught.value.wrong is None


def test_naming_inputs_makes_no_table():
    formulas = Formulas(X="N D", W="D K")
    assert_close(np.ones((2, 2)), np.ones((2, 2)), formulas=formulas(X=np.ones((4, 3)), W=np.ones((3, 2))))
    assert "table" not in vars(formulas)


class Theirs(Remote):
    """A student's object."""


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Formulas, "name some arrays"),
        (lambda: Formulas(X=3), "write the axes as text"),
        (lambda: Formulas(X="N-D"), "up to three axes"),
        (lambda: Formulas(X="A B C D"), "up to three axes"),
        (lambda: Formulas(X="N D", N="D"), "'N' is an array and an axis"),
        (lambda: Formulas(X="N", using="relu gelu"), "using='gelu' is none of relu"),
        (lambda: LAYER(Z=np.ones(3)), "'Z' is none of X, W, b, G"),
        (lambda: LAYER(X=np.ones(3)), r"X has shape \(3,\), but is 'N D'"),
        (
            lambda: LAYER(X=np.ones((7, 5)), W=np.ones((4, 3))),
            r"W has shape \(4, 3\), but is 'D K' \(N = 7, D = 5\)",
        ),
        (lambda: LAYER(b=np.ones((2, 3))), "b has shape"),
        (lambda: RELU(X=np.ones(3), G=np.ones(4)), "G has shape"),
        (lambda: LAYER(X=Theirs()), "a student's object"),
        (lambda: LAYER(X=np.ones((2, 2), complex)), "no array of real numbers"),
    ],
)
def test_what_an_author_writes_wrongly_is_said(make, words):
    with pytest.raises(AuthorError, match=words):
        make()


def test_a_table_is_kept_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = []

    def make():
        made.append(Formulas(x="N D", y="N D", rate="", using="relu sigmoid").make_table())
        return made[-1]

    first, again = kept_table(["x"], make), kept_table(["x"], make)
    assert len(made) == 1
    assert again.columns().keys() == first.columns().keys()
    assert all((again.columns()[name] == column).all() for name, column in first.columns().items())
    assert str(again.formula(len(again) - 1)) == str(first.formula(len(first) - 1))
    (kept,) = tmp_path.glob("chainrule/*")
    for damaged in (b"", b"no archive", kept.read_bytes()[:-2000]):
        kept.write_bytes(damaged)
        assert len(kept_table(["x"], make)) == len(first)
    kept_table(["y"], make)
    assert len(made) == 5


def test_every_operation_has_a_text_of_its_own():
    several = [one for functions in FUNCTIONS.values() for one in functions]
    assert all(OPERATIONS[one.text] is one for one in several)
    assert {DOUBLE, TURN, *WHOLE} <= set(OPERATIONS.values())
