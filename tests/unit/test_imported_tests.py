"""Which foreign tests may run in the trusted process, and what they become there."""

from __future__ import annotations

import pytest

from grader.authoring.imported.translated import Namespace, NotHere, Way, translated

SPACE = Namespace(imports={"np": "import numpy as np"}, variables=frozenset({"x"}), seen=frozenset({"rate"}))
OURS = Way(fetched=True, ours=True)


@pytest.mark.parametrize(
    "source",
    [
        "np.linalg.solve = None\nassert f(1) == 1",
        "other = np.linalg\nother.solve = None\nassert f(1) == 1",
        "open('a')\nassert f(1) == 1",
        "assert f(np.load('a.npy')) == 1",
        "assert f.__globals__['x'] == 1",
        "import subprocess\nassert f(1) == 1",
        "rate = 2\nassert f(1) == 1",
        "del f\nassert g(1) == 1",
        "assert callable(f)",
        "assert f is not None",
        "kept = [1]\nf(kept)\nassert kept == [1]",
        "try:\n    f(1)\nexcept Exception:\n    pass\nassert f(1) == 1",
    ],
)
def test_what_could_harm_or_would_always_pass_does_not_run_here(source):
    with pytest.raises(NotHere):
        translated(source, "", SPACE, OURS)


@pytest.mark.parametrize(
    ("source", "body"),
    [
        ("assert f(2) == 0.5", "f = student.f\nassert_close(f(2), 0.5, name='f(2)')"),
        ("assert x == [1]  # kept", "x = student.x.value\nassert x == [1]  # kept"),
        (
            "assert np.allclose(f(x), 1, atol=2)",
            "import numpy as np\nf = student.f\nx = student.x.value\n"
            "assert_close(f(x), 1, atol=2, rtol=1e-05, name='f(x)')",
        ),
        (
            "made = f(1)\nmade.size = 3\nassert g(made) == 'a'",
            "f = student.f\ng = student.g\nmade = f(1)\nmade.size = 3\n"
            "assert_text(g(made), 'a', name='g(made)')",
        ),
    ],
)
def test_assertions_become_ours_and_names_the_students(source, body):
    assert translated(source, "", SPACE, OURS) == body
