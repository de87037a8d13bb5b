"""Tables and series: what counts, what does not, and what a message says; with pandas and without."""

from __future__ import annotations

import math

import numpy as np
import pytest

from grader import assert_frame, assert_series
from grader.inside import tables
from grader.model.errors import AuthorError, CheckFailed
from grader.session.in_process import LocalNotebook

pd = pytest.importorskip("pandas")

AGES = {"name": ["Ann", "Bo", "Cy"], "age": [31.0, math.nan, 5.0], "n": [1, 2, 3]}
FRAME = pd.DataFrame(AGES)
LABELLED = FRAME.set_axis(["x", "y", "z"], axis=0)
GRADES = pd.Categorical(["b", "a", "b"], categories=["a", "b"])
DATES = pd.to_datetime(["2026-01-01", None, "2026-02-01"])


@pytest.mark.parametrize(
    "have",
    [
        FRAME,
        AGES,
        FRAME[["n", "age", "name"]],
        FRAME.astype({"n": "int8", "age": "float32"}),
        FRAME.astype({"n": "Int64", "age": "Float64", "name": "string"}),
        FRAME.astype(object),
        FRAME.astype({"name": "category"}),
        {"name": np.array(["Ann", "Bo", "Cy"]), "age": (31.0, None, 5), "n": range(1, 4)},
        FRAME.assign(age=FRAME["age"] * (1 + 1e-9)),
    ],
)
def test_the_same_table_however_it_is_held(have):
    for want in (FRAME, AGES):
        assert_frame(have, want)


@pytest.mark.parametrize(
    ("have", "said"),
    [
        (FRAME.drop(columns="n"), "lacks n; its columns should be name, age, n"),
        (FRAME.assign(extra=0), "has extra besides"),
        (FRAME.rename(columns={"n": "N"}), "lacks n and has N besides"),
        (FRAME[["name", "age", "n", "n"]], "a name comes twice"),
        (FRAME.head(2), "has 2 rows, expected 3"),
        (
            FRAME.assign(n=[1, 2, 4]),
            r"column n of the table: 1 of 3 entries differ.*row 2: got 4, expected 3",
        ),
        (FRAME.assign(age=[31.0, 2.0, 5.0]), "row 1: got 2, expected nan"),
        (FRAME.assign(age=[31.0, None, None]), "row 2: got nan, expected 5"),
        (FRAME.assign(name=["Ann", "Bo", "cy"]), "row 2: got cy, expected Cy"),
        (FRAME.assign(n=["1", "2", "3"]), "column n.*3 of 3 entries differ"),
        (FRAME.iloc[::-1].reset_index(drop=True), "column name"),
        (FRAME.iloc[::-1], "labels of the index differ.*row 0: got 2, expected 0"),
        (LABELLED, "labels of the index differ"),
        (None, "is None .*return.* expected a table"),
        (np.eye(3), r"an array of shape \(3, 3\), expected a table"),
        ([1, 2], "of type list, expected a table"),
        ({"a": [1], "b": [1, 2]}, "columns that differ in length"),
        ({"name": 1, "age": 2, "n": 3}, "of type int, expected a table"),
    ],
)
def test_what_is_wrong_is_named(have, said):
    with pytest.raises(CheckFailed, match=f"(?s){said}"):
        assert_frame(have, FRAME)


def test_what_counts_is_the_authors_choice():
    changed = FRAME[["n", "name", "age"]].astype({"n": "int32"})
    assert_frame(changed, FRAME)
    with pytest.raises(CheckFailed, match="has the columns n, name, age, expected name, age, n"):
        assert_frame(changed, FRAME, column_order=True)
    with pytest.raises(CheckFailed, match="column n of the table is of type int32, expected int64"):
        assert_frame(changed, FRAME, dtype=True)
    with pytest.raises(CheckFailed, match="row 1: got nan, expected nan"):
        assert_frame(FRAME, FRAME, equal_nan=False)
    with pytest.raises(CheckFailed, match="column age"):
        assert_frame(FRAME.assign(age=[31.1, None, 5]), FRAME)
    assert_frame(FRAME.assign(age=[31.1, None, 5]), FRAME, atol=0.2, rtol=0)
    with pytest.raises(CheckFailed, match="the frame that was cleaned: 3 of 3 labels"):
        assert_frame(FRAME, LABELLED, name="the frame that was cleaned")
    with pytest.raises(CheckFailed, match="no index, expected the labels x, y, z"):
        assert_frame(AGES, LABELLED)
    assert_frame(AGES, LABELLED, index=False)
    with pytest.raises(CheckFailed, match=r"row 2 \(index z\)"):
        assert_frame(LABELLED.assign(n=0), LABELLED.assign(n=[0, 0, 1]))


def test_categories_count_where_they_are_asked_for():
    have, want = pd.Series(["b", "a", "b"]), pd.Series(GRADES)
    assert_series(have, want)
    with pytest.raises(CheckFailed, match="has no categories, expected the categories a, b"):
        assert_series(have, want, categorical=True)
    assert_series(pd.Series(GRADES).cat.reorder_categories(["b", "a"]), want, categorical=True)
    with pytest.raises(CheckFailed, match="ordered categories"):
        assert_series(pd.Series(GRADES).cat.as_ordered(), want, categorical=True)
    with pytest.raises(CheckFailed, match="categories a, b, c"):
        assert_series(pd.Series(GRADES).cat.add_categories("c"), want, categorical=True)


@pytest.mark.parametrize(
    ("have", "want"),
    [
        ([1, 2, 3], pd.Series([1, 2, 3])),
        (np.array([1.0, np.nan]), pd.Series([1.0, None])),
        (pd.Series([1.0, None], name="other"), [1.0, math.nan]),
        (pd.Series([True, False]), [True, False]),
        (pd.Series([True, None], dtype="boolean"), pd.Series([True, None], dtype=object)),
        (pd.Series(DATES), pd.Series(DATES)),
        (pd.Series(DATES).to_numpy("M8[s]"), pd.Series(DATES)),
        (pd.Index([1, 2]), [1, 2]),
        (pd.Series([], dtype=float), []),
        (pd.Series(["a", None]), ["a", None]),
        (pd.Series([2**70, 1]), [2**70, 1]),
    ],
)
def test_series_that_are_equal(have, want):
    assert_series(have, want)


@pytest.mark.parametrize(
    ("have", "want", "said"),
    [
        ([1, 2], pd.Series([1, 3]), "1 of 2 entries differ.*row 1: got 2, expected 3"),
        ([1, 2, 3], pd.Series([1, 2, 3], index=[5, 6, 7]), "no index"),
        (pd.Series(DATES), pd.Series(DATES[[0, 1, 0]]), "row 2"),
        (pd.Series(DATES[[0, 0, 2]]), pd.Series(DATES), "row 1"),
        (pd.Series([2**70]), [2**70 + 1], "row 0"),
        (pd.Series(["1"]), [1], "row 0"),
        (np.ones((2, 2)), [1, 1], r"an array of shape \(2, 2\), expected a series"),
        ({"a": 1}, [1], "of type dict, expected a series"),
        ("abc", ["a", "b", "c"], "of type str"),
    ],
)
def test_series_that_are_not(have, want, said):
    with pytest.raises(CheckFailed, match=f"(?s){said}"):
        assert_series(have, want)


def test_what_a_student_sends_is_compared_as_it_crossed():
    names = {
        "make": LABELLED.copy,
        "kept": type("Kept", (), {"table": FRAME.copy(), "s": FRAME["n"]}),
    }
    with LocalNotebook(names).copy(seed=1, seconds=5) as session:
        student = session.student
        assert_frame(student.make(), LABELLED)
        assert_frame(student.kept.table, FRAME)
        assert_series(student.kept.s, [1, 2, 3])
        assert_frame({"n": student.kept.s}, {"n": [1, 2, 3]})
        with pytest.raises(AuthorError, match=r"\.value"):
            assert_frame(FRAME, student.kept.table)


@pytest.mark.parametrize("want", [None, 5, np.eye(2), {"a": [1], "b": []}])
def test_what_is_expected_must_be_a_table(want):
    with pytest.raises(AuthorError, match="the expected value is"):
        assert_frame(FRAME, want)


def test_a_hostile_name_is_shown_cut_and_cleaned():
    with pytest.raises(CheckFailed) as caught:
        assert_frame(FRAME.rename(columns={"n": "\x1b[31m" + "n" * 10_000}), FRAME)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_without_pandas_a_table_is_a_dict_of_columns(monkeypatch):
    """As the codec gives it where pandas cannot be imported."""
    form, tree = tables.as_tree(LABELLED)
    monkeypatch.setattr(tables.importlib, "import_module", no_pandas)
    have = tables.from_tree(form, tree)
    assert isinstance(have, dict)
    assert_frame(have, AGES)
    with pytest.raises(CheckFailed, match="column n"):
        assert_frame(have, AGES | {"n": [1, 2, 4]})


def no_pandas(name):
    raise ImportError(name)
