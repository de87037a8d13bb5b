"""Objects that a request names are the student's own, not copies, and a path that leads nowhere says so."""

from __future__ import annotations

import numpy as np
import pytest

from grader.model.errors import StudentError
from grader.session.in_process import LocalNotebook

NOTEBOOK = """
def zero_first(X):
    X[0] = 0.0

def store(memory, key, X):
    memory[key] = X
"""


@pytest.fixture
def student():
    names: dict[str, object] = {}
    exec(NOTEBOOK, names)
    with LocalNotebook(names).copy(seed=1, seconds=5) as session:
        yield session.student


def test_a_kept_array_shows_what_student_code_did_to_it(student):
    kept = student.put(np.ones(3))
    student.zero_first(kept)
    assert kept.value.tolist() == [0.0, 1.0, 1.0]


def test_a_plain_array_is_the_callers_own(student):
    mine = np.ones(3)
    student.zero_first(mine)
    assert mine.tolist() == [1.0, 1.0, 1.0]


def test_an_array_inside_an_object_is_passed_as_itself(student):
    given = student.provide("import numpy as np\nmemory = {'W': np.ones(2)}")
    student.zero_first(given.memory["W"])
    assert given.memory["W"].value.tolist() == [0.0, 1.0]


def test_a_dictionary_is_passed_as_itself_also_inside_a_list(student):
    given = student.provide("memory = {}\ndef store_in_first(entries): entries[0]['w'] = 4\n")
    student.store(given.memory, "v", 3)
    given.store_in_first([given.memory])
    assert given.memory.value == {"v": 3, "w": 4}


def test_an_assigned_object_stays_one_object(student):
    given = student.provide("memory = {}")
    given.alias = given.memory
    student.store(given.alias, "v", 3)
    assert given.memory.value == {"v": 3}


def test_a_missing_key_on_the_path_of_an_argument_is_a_key_error_of_the_students(student):
    given = student.provide("memory = {}")
    with pytest.raises(StudentError, match="missing") as caught:
        student.store({"in a dict": given.memory["missing"]}, "v", 3)
    assert caught.value.kind == "KeyError"
    with pytest.raises(KeyError, match="missing"):
        _ = given.memory["missing"].value
