"""The manifest: what is accepted, and that every mistake names file and key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model.assignment import parse
from grader.model.errors import ManifestError
from grader.model.points import Points

GOOD = """
title = "T"
points = 3.5

[[item]]
id = "a"
title = "A"
points = 2

[[item]]
id = "b"
title = "B"
points = 1.5
rubric = [{ points = 1, text = "one" }, { points = 0.5, text = "half" }]

[limits]
cell_seconds = 2.5

[budget]
EPOCHS = 1
RATES = [0.1, 0.2]
"""


def test_a_manifest_is_read_with_exact_points_and_plain_numbers():
    assignment = parse(GOOD)
    assert [(item.id, item.kind, str(item.points)) for item in assignment.item] == [
        ("a", "code", "2"),
        ("b", "written", "1.5"),
    ]
    assert assignment.budget == {"EPOCHS": 1, "RATES": [0.1, 0.2]}
    assert (assignment.limits.cell_seconds, assignment.limits.memory_mb) == (2.5, 2048)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("points = 3.5", "points = 4", "`points`"),
        ("points = 3.5", "points = 3.555", "`points`"),
        ("points = 2", "points = 0", "`points`"),
        ("points = 2", "point = 2", "`item[0].point`"),
        ("points = 2", "", "`item[0].points`"),
        ('title = "T"', 'titel = "T"', "`titel`"),
        ('id = "b"', 'id = "a"', "`id`"),
        ("points = 2", 'points = 2\nkind = "spoken"', "`kind`"),
        ("points = 0.5, text", "points = 1, text", "`rubric`"),
        ("cell_seconds = 2.5", "cell_seconds = 0", "`limits.cell_seconds`"),
        ("cell_seconds = 2.5", "cell_second = 2", "`limits.cell_second`"),
        ("cell_seconds = 2.5", 'cell_seconds = "long"', "`limits.cell_seconds`"),
        ("EPOCHS = 1", '"a b" = 1', "`budget.a b`"),
        ("[limits]", '[submission]\nnotebooks = ["../a.ipynb"]\n[limits]', "`submission.notebooks`"),
        ("[limits]", '[submission]\nnotebooks = ["a.py"]\n[limits]', "`submission.notebooks`"),
        ("[limits]", '[submission]\nnotebooks = ["a.ipynb", "A.ipynb"]\n[limits]', "`submission.notebooks`"),
        ("[limits]", '[submission]\nfiles = ["../*.py"]\n[limits]', "`submission.files`"),
        ("[limits]", '[submission]\nfiles = ["/etc/*"]\n[limits]', "`submission.files`"),
        ("[limits]", '[submission]\nfiles = "*"\n[limits]', "`submission.files`"),
        ("[limits]", '[environment]\ncuda = "gpu"\n[limits]', "`environment.cuda`"),
        ("[limits]", '[evidence]\nseed = "own"\n[limits]', "`evidence.seed`"),
        ("[limits]", '[evidence]\nseed = "student"\nseeds = []\n[limits]', "`evidence.seeds`"),
        ("[limits]", '[environment]\npackages = ["a b"]\n[limits]', "`environment.packages`"),
        ("points = 2", 'points = 2\nnotebook = "other.ipynb"', "`notebook`"),
    ],
)
def test_every_mistake_names_the_file_and_the_key(old, new, key):
    with pytest.raises(ManifestError) as caught:
        parse(GOOD.replace(old, new, 1), source="hw/assignment.toml")
    assert str(caught.value).startswith("hw/assignment.toml: ")
    assert key in str(caught.value)


def test_text_that_is_not_toml_names_the_file():
    with pytest.raises(ManifestError, match=r"assignment\.toml: not valid TOML"):
        parse("title =")


@given(st.integers(0, 10**6))
def test_points_survive_their_decimal_form(hundredths):
    points = Points(hundredths)
    assert Points.of(points.decimal) == Points.of(str(points)) == points


@pytest.mark.parametrize("value", [True, "x", None, float("nan"), float("inf"), 0.125, "1e999999999", [1]])
def test_what_is_no_number_of_points_is_refused(value):
    with pytest.raises(ValueError, match="points"):
        Points.of(value)


def test_data_names_a_file_by_its_digest() -> None:
    head = 'title = "T"\npoints = 1\ngiven = ["a"]\n[[item]]\nid = "1"\ntitle = "One"\npoints = 1\n[data]\n'
    inside, own = (
        '{ path = "a/x", sha256 = "%s" }' % ("0" * 64),
        '{ path = "b/y", sha256 = "%s" }' % ("f" * 64),
    )
    found = parse(f"{head}x = {inside}\ny = {own}\n")
    assert found.beside == ("a", "b/y")
    with pytest.raises(ManifestError, match="data 'x': key `sha256`: not 64 hexadecimal digits"):
        parse(f'{head}x = {{ path = "a/x", sha256 = "short" }}\n')


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"bonus": -1}, "key `bonus`"),
        (
            {"bonus": 1, "kind": "written", "rubric": '[{ points = 1, text = "a" }]'},
            "the item has 2 with its bonus of 1",
        ),
        ({"points": 0}, "key `points`: must be more than 0"),
        ({"points": -1, "bonus": 2}, "key `points`"),
    ],
)
def test_a_bonus_is_given_above_no_less_than_nothing(item, said):
    lines = {"id": '"a"', "title": '"A"', "points": 1} | {
        key: f'"{value}"' if isinstance(value, str) and value[0] != "[" else value
        for key, value in item.items()
    }
    table = "\n".join(f"{key} = {value}" for key, value in lines.items())
    with pytest.raises(ManifestError, match=said):
        parse(f'title = "T"\npoints = {lines["points"]}\n[[item]]\n{table}')


def test_a_bonus_does_not_count_among_the_assignments_points():
    text = 'title = "T"\npoints = 1\n[[item]]\nid = "a"\ntitle = "A"\npoints = 1\nbonus = 0.5\n'
    found = parse(text + '[[item]]\nid = "b"\ntitle = "B"\npoints = 0\nbonus = 2\n')
    assert (str(found.points), [str(item.bonus) for item in found.item]) == ("1", ["0.5", "2"])
