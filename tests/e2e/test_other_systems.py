"""macOS and Windows: everything that needs no sandbox works there, and what needs one says so.

Simulated on Linux, by taking away what Windows does not have.
"""

from __future__ import annotations

import socket

import pytest
from support.feedback_class import add, graded, hand_in, make_course
from support.other_systems import run_elsewhere

from grader.gradebook.rows import Student
from grader.gradebook.store import Gradebook
from grader.grading.assignment_folder import load

THIRD_PARTY = (
    "IPython", "pytest", "rich.progress", "sqlalchemy", "matplotlib.figure", "nbformat", "nbconvert",
    "jinja2", "starlette.applications", "uvicorn", "pygments", "PIL.Image",
)  # fmt: skip


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory):
    """An assignment's folder with two students' notebooks, graded on another machine."""
    folder = make_course(tmp_path_factory.mktemp("course"))
    assignment = load(folder).assignment
    reports = folder / "reports"
    reports.mkdir()
    with Gradebook.open(str(reports / "gradebook.sqlite")) as book:
        for name in ("ada", "bo"):
            path = hand_in(reports / f"{name}.ipynb")
            add(book, graded(assignment, name * 8), path, Student(name, name.title()), name=path.name)
    return folder


def test_a_class_is_shown_marked_and_sent_out_where_no_sandbox_is_needed(graded_class):
    """One program for all commands: importing them takes longest."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = run_elsewhere(
        f"""
        import _thread, threading, time, urllib.request
        from grader.cli.main import main

        def read_the_page():
            for _ in range(300):
                time.sleep(0.1)
                try:
                    urllib.request.urlopen("http://127.0.0.1:{port}/", timeout=5)
                except urllib.error.HTTPError as answer:
                    print("the page answered", answer.code)
                    break
                except OSError:
                    pass
            _thread.interrupt_main()

        where = ["--assignment", {str(graded_class)!r}]
        sheet = {str(graded_class / "sheet.csv")!r}
        for line in (
            ["table"], ["marks", "export", sheet], ["marks", "import", sheet], ["export", "csv", sheet],
            ["feedback", "--workers", "1"], ["report"], ["similar"], ["rubric", "export"],
            ["review", "--by", "eve", "--port", "{port}"], ["batch", {str(graded_class / "reports")!r}],
        ):
            if line[0] == "review":
                threading.Thread(target=read_the_page).start()
            try:
                main(line + where)
            except SystemExit as end:
                print(line[0], "ended with", end.code or 0)
        """,
        third_party=THIRD_PARTY,
    )
    assert "Traceback" not in done.stderr + done.stdout
    ended = [tuple(line.split(" ended with ")) for line in done.stdout.splitlines() if " ended with " in line]
    assert ended == [
        ("table", "0"), ("marks", "0"), ("marks", "0"), ("export", "1"),  # 1: points of both are open
        ("feedback", "0"), ("report", "0"), ("similar", "0"), ("rubric", "0"), ("review", "0"),
        ("batch", "2"),
    ], done.stderr  # fmt: skip
    assert "the page answered 403" in done.stdout
    assert "Windows has no sandbox" in done.stderr
