"""assignment.toml and the notebook agree: the homework's items, titles, points and budgeted names."""

from __future__ import annotations

import ast

import pytest
from support.paths import ROOT
from support.reference_files import cells, parameters_cell

from grader.model.assignment import Assignment, parse
from grader.model.points import Points, total

CODE = {"3.1.1": 6, "3.1.2": 4, "3.1.4": 4, "3.1.5": 4, "3.4.momentum": 2}
EVIDENCE = {
    "3.3.i": 2,
    "3.4.i": 2,
    "4.1.i.generation": 1,
    "4.1.ii": 1,
    "4.1.iii.curves": 2,
    "4.1.iv.curves": 2,
}
WRITTEN = {
    "3.2.3.i": 2,
    "3.2.3.ii": 2,
    "3.2.3.iii": 2,
    "3.3.ii": 2,
    "3.3.iii": 2,
    "3.4.ii": 2,
    "4.1.i.answer": 2,
    "4.1.iii.answer": 1,
    "4.1.iv.answer": 1,
}


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return parse((ROOT / "assignment.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("kind", "expected"), [("code", CODE), ("evidence", EVIDENCE), ("written", WRITTEN)])
def test_each_item_of_the_homework_has_its_kind_and_points(
    assignment: Assignment, kind: str, expected: dict[str, int]
) -> None:
    found = {item.id: item.points for item in assignment.of_kind(kind)}
    assert found == {name: Points.of(points) for name, points in expected.items()}


def test_30_of_46_points_are_for_code_and_evidence(assignment: Assignment) -> None:
    by_machine = [item.points for item in assignment.item if item.kind != "written"]
    assert (assignment.points, total(by_machine)) == (Points.of(46), Points.of(30))


def test_written_items_and_only_they_have_a_rubric(assignment: Assignment) -> None:
    assert [item.id for item in assignment.item if item.rubric] == list(WRITTEN)


def test_each_item_has_one_heading_with_its_title_and_points_in_the_manifests_order(
    assignment: Assignment,
) -> None:
    first_lines = [str(cell.source).splitlines()[0] for cell in cells("markdown")]
    wanted = []
    for item in assignment.item:
        unit = "point" if item.points == Points.of(1) else "points"
        wanted.append(f"### {item.id} {item.title} ({item.points} {unit})")
    ids = {item.id for item in assignment.item}
    headings = [line for line in first_lines if line.startswith("### ") and line.split()[1] in ids]
    assert headings == wanted


def test_each_written_item_has_one_answer_cell_that_answers_it(assignment: Assignment) -> None:
    answers = [cell.source for cell in cells("markdown") if cell.source.startswith("#### Answer")]
    assert [answer.splitlines()[0] for answer in answers] == [f"#### Answer {name}" for name in WRITTEN]
    for answer in answers:
        body = answer.split("<!-- BEGIN SOLUTION -->")[1].split("<!-- END SOLUTION -->")[0]
        assert len(body.split()) >= 20


def test_each_budgeted_name_is_a_parameter_and_keeps_its_type(assignment: Assignment) -> None:
    parameters: dict[str, object] = {}
    for node in ast.parse(parameters_cell()).body:
        assert isinstance(node, ast.Assign)
        assert isinstance(node.targets[0], ast.Name)
        parameters[node.targets[0].id] = ast.literal_eval(node.value)
    assert assignment.budget.keys() <= parameters.keys()
    assert {name: type(value) for name, value in assignment.budget.items()} == {
        name: type(parameters[name]) for name in assignment.budget
    }


def test_the_defaults_are_the_homeworks_own() -> None:
    names: dict[str, object] = {}
    exec(parameters_cell(), names)
    assert (names["SEED"], names["LEARNING_RATE"], names["BATCH_SIZE"]) == (42, 0.01, 5)
    assert (names["MAX_EPOCHS"], names["PATIENCE"], names["EARLY_STOP_EPOCHS"]) == (200, 3, 30)
    assert (names["BATCH_SIZES"], names["ALPHAS"]) == ([1, 5, 50, 500, 5000], [0.1, 0.3, 0.5, 0.7, 0.9])
    assert (names["TRANSFORMER_SEED"], names["TRANSFORMER_STEPS"]) == (1337, 5000)
    assert (names["EVAL_EVERY"], names["EVAL_BATCHES"], names["TRANSFORMER_BATCH"]) == (100, 200, 16)
    assert (names["UPDATES_PER_EPOCH"], names["EVAL_EXAMPLES"], names["EVAL_USED"]) == (10_000, 10_000, 200)
    assert (names["BLOCK_SIZE"], names["N_HEADS"], names["LAYERS"], names["EMBEDDING"]) == (32, 4, 4, 64)
    assert (names["BLOCK_SIZES"], names["HEADS"], names["DATA"]) == ([2, 16, 64], [2, 4, 8], "full")


def test_what_students_are_given_exists_and_holds_no_solution(assignment: Assignment) -> None:
    assert assignment.given == ("reference/utils.py", "reference/data")
    for given in assignment.given:
        path = ROOT / given
        files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
        assert files
        for file in files:
            assert b"SOLUTION" not in file.read_bytes()
