"""Running folders of checks one after the other in one process."""

from __future__ import annotations

import os

import numpy as np

from grader.grading.check_plugin import CheckPlugin
from grader.grading.prepared_checks import PreparedChecks
from grader.grading.pytest_run import run_checks
from grader.inside.generators import undisturbed
from grader.session.in_process import LocalNotebook

CHECK = """
from grader import item
pytestmark = item("1")

def test_{name}(student):
    assert student.answer.value == {value}
"""


def results_of(folder):
    plugin = CheckPlugin(LocalNotebook({"answer": 42}), seed=1, seconds=5, hidden=True)
    run_checks(folder, plugin)
    assert not plugin.errors
    return {result.check: result.outcome.value for result in plugin.results}


def folder_with(parent, *, name, value, below=""):
    folder = parent / f"checks_{name}"
    (folder / below).mkdir(parents=True)
    (folder / below / "test_same_name.py").write_text(CHECK.format(name=name, value=value))
    return folder


def test_files_of_the_same_name_in_two_folders_are_told_apart(tmp_path):
    right = folder_with(tmp_path, name="right", value=42)
    wrong = folder_with(tmp_path, name="wrong", value=41)
    assert results_of(right) == {"test_right": "passed"}
    assert results_of(wrong) == {"test_wrong": "failed"}
    assert results_of(right) == {"test_right": "passed"}


def test_files_below_a_folder_are_told_apart_too(tmp_path):
    first = folder_with(tmp_path, name="first", value=42, below="part")
    second = folder_with(tmp_path, name="second", value=42, below="part")
    assert results_of(first) == {"test_first": "passed"}
    assert results_of(second) == {"test_second": "passed"}


SEEDS = """
from grader import item, keep_seeds
pytestmark = item("1")

@keep_seeds
def test_kept(student):
    assert student.random() == 0.3745401188473625  # numpy's first after seed 42

def test_own(student):
    assert student.random() != 0.3745401188473625
"""


def test_a_check_sees_the_students_own_seed_where_it_asks_for_it(tmp_path):
    (tmp_path / "test_seeds.py").write_text(SEEDS)
    with undisturbed():
        np.random.seed(42)  # as students do
        plugin = CheckPlugin(LocalNotebook({"random": np.random.random}), seed=1, seconds=5, hidden=True)
        run_checks(tmp_path, plugin)
    assert [result.outcome.value for result in plugin.results] == ["passed", "passed"]


def test_checks_imported_beforehand_are_not_imported_again(tmp_path):
    folder = folder_with(tmp_path, name="counted", value=42)
    count = tmp_path / "count"
    with (folder / "test_same_name.py").open("a") as file:
        file.write(f"with open({str(count)!r}, 'a') as file: file.write('i')\n")
    PreparedChecks(folder)
    assert results_of(folder) == {"test_counted": "passed"}
    assert count.read_text() == "i"


def test_a_file_that_cannot_be_imported_is_told_by_the_run_though_it_was_tried_before(tmp_path):
    folder = folder_with(tmp_path, name="whole", value=42)
    (folder / "test_broken.py").write_text("import nothing_of_this_name")
    PreparedChecks(folder)
    plugin = CheckPlugin(LocalNotebook({"answer": 42}), seed=1, seconds=5, hidden=True)
    run_checks(folder, plugin)
    assert [result.check for result in plugin.results] == ["test_whole"]
    assert "nothing_of_this_name" in plugin.errors[0]


COLLECTED = """
def count(what):
    with open({count!r}, "a") as file:
        file.write(what)

def pytest_sessionstart():
    count("s")

def pytest_itemcollected(item):
    count("c")

def pytest_sessionfinish():
    count("f")
"""


def test_checks_are_collected_once_for_all_forks_and_run_in_each_with_its_own_values(tmp_path):
    folder = folder_with(tmp_path, name="collected", value=42)
    (folder / "conftest.py").write_text(COLLECTED.format(count=str(tmp_path / "count")))
    checks = PreparedChecks(folder)
    for answer in (41, 42):
        child = os.fork()
        if not child:
            plugin = CheckPlugin(LocalNotebook({"answer": answer}), seed=1, seconds=5, hidden=True)
            checks.run(plugin)
            (result,) = plugin.results
            os._exit(result.outcome.value == "passed")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == (answer == 42)
    assert (tmp_path / "count").read_text() == "scff"


def test_what_was_collected_runs_once_and_is_collected_again_for_the_next_run(tmp_path):
    checks = PreparedChecks(folder_with(tmp_path, name="again", value=42))
    for answer, outcome in ((42, "passed"), (41, "failed"), (42, "passed")):
        plugin = CheckPlugin(LocalNotebook({"answer": answer}), seed=1, seconds=5, hidden=True)
        checks.run(plugin)
        assert [result.outcome.value for result in plugin.results] == [outcome]
