"""Public checks on a student's own machine: any platform, nothing left changed afterwards."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
from support.other_systems import run_elsewhere

from grader.model.errors import StudentError
from grader.session.in_process import LocalNotebook


def test_names_are_put_back_after_each_check():
    def rebind() -> None:
        names["value"] = "rebound"
        names["new"] = 1

    names = {"value": 1, "rebind": rebind, "other": 2}
    with LocalNotebook(names).copy(seed=1, seconds=5) as session:
        session.student.value = 5
        session.student.rebind()
        del names["other"]
        assert names["value"] == "rebound"
    assert names == {"value": 1, "rebind": rebind, "other": 2}


def test_names_are_put_back_after_a_check_that_fails():
    names: dict[str, object] = {"value": 1}

    def check() -> None:
        with LocalNotebook(names).copy(seed=1, seconds=5) as session:
            session.student.value = 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check()
    assert names == {"value": 1}


def test_draws_depend_on_the_seed_and_leave_no_trace():
    notebook = LocalNotebook({"draw": lambda: [random.random(), float(np.random.rand())]})  # noqa: S311

    def drawn(seed: int) -> list[float]:
        with notebook.copy(seed=seed, seconds=5) as session:
            return session.student.draw()

    before = random.getstate(), np.random.get_state()[1].tolist()
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert before == (random.getstate(), np.random.get_state()[1].tolist())


def test_calls_work_in_a_thread_where_no_timer_can():
    answers: list[object] = []

    def check() -> None:
        with LocalNotebook({"f": abs}).copy(seed=1, seconds=5) as session:
            answers.append(session.student.f(-2))

    thread = threading.Thread(target=check)
    thread.start()
    thread.join()
    assert answers == [2]


def test_a_name_that_is_missing_is_the_students(tmp_path):
    with (
        LocalNotebook({}).copy(seed=1, seconds=5) as session,
        pytest.raises(StudentError, match="not defined"),
    ):
        session.student.linear_layer(1, 2)


def test_nothing_that_only_linux_has_is_imported(tmp_path):
    """A laptop with macOS or Windows serves: the same checks run with those modules out of reach."""
    (tmp_path / "test_double.py").write_text(
        textwrap.dedent('''
            """Doubling."""
            import numpy as np
            from grader import assert_close, item, points
            pytestmark = item("1")

            @points(1)
            def test_double(student, rng):
                """double doubles"""
                X = rng.normal(size=(3, 2))
                assert_close(student.double(X), 2 * X)

            def test_triple(student):
                """triple triples"""
                assert_close(student.triple(1.0), 3.0)
        ''')
    )
    program = f"""
        from pathlib import Path
        import grader.public_checks.in_pytest
        from grader.public_checks.run import check_names
        names = {{"double": lambda X: 2 * X, "triple": lambda x: 2 * x}}
        for result in check_names(names, Path({str(tmp_path)!r}), item=None, seed=1):
            print(result.check, result.outcome, result.fault)
    """
    done = run_elsewhere(program, blocked=("grader.sandbox", "grader.session.sandboxed_notebook"))
    assert done.stderr == ""
    assert done.stdout.split() == ["test_double", "passed", "None", "test_triple", "failed", "student"]


def test_the_in_process_session_loads_nothing_heavy():
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import grader.session.in_process"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=root,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "pytest", "grader.sandbox", "grader.grading", "matplotlib.pyplot"}
