"""`grade template` writes nothing that would give a solution away, and reads notebooks as references."""

from __future__ import annotations

import json
from pathlib import Path

import jupytext
import pytest
from click.testing import CliRunner
from support.assignments import Item, manifest, write_files
from support.notebooks import as_bytes, code, notebook, prose

from grader.cli.template import command
from grader.model.errors import TemplateError
from grader.notebooks.foreign_markers import foreign_markers

SOLVED = """\
# %% [markdown]
# ## 1 Double (2 points)

# %%
### BEGIN SOLUTION
def double(x):
    return 2 * x
### END SOLUTION

# %% [markdown]
# ## 2 Why (1 point)
#
# Say why.

# %% [markdown]
# #### Answer 2
#
# <!-- BEGIN SOLUTION -->
# Because it is so.
# <!-- END SOLUTION -->

# %%
def run(f):
    return f(3)
six = run(double)
"""
CHECKS = """
@item("1")
def test_double(student):
    assert student.double(2) == 4

@item("3")
def test_six(student):
    assert student.six.value == 6
"""
ITEMS = (Item("1", "Double", points=2), Item("2", "Why", kind="written"), Item("3", "Six"))


def make(folder: Path, reference: str | bytes = SOLVED, *, name: str = "hw.py") -> Path:
    write_files(
        folder,
        {
            "assignment.toml": manifest(*ITEMS, notebook=f"reference/{name}", given=["given/notes.md"]),
            "hidden_tests/test_all.py": CHECKS,
            "given/notes.md": "# Notes\n",
        },
    )
    path = folder / "reference" / name
    path.parent.mkdir()
    path.write_bytes(reference if isinstance(reference, bytes) else reference.encode())
    return folder


def refusal(home: Path) -> str:
    """What `grade template` says, having written nothing."""
    done = CliRunner().invoke(command, ["--assignment", str(home)])
    assert isinstance(done.exception, TemplateError), done.output
    assert not (home / "student_template").exists()
    return str(done.exception)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *(
            ("code", text)
            for text in (
                "x = 3  # SOLUTION",
                "x = 3 #solution no prompt",
                "## Solution ##",
                "# SOLUTION START",
                "# ===== sample solution =====",
                "# to_remove solution",
                "#@title Solution",
                "# BEGIN CODE HERE",
                "### BEGIN HIDDEN TESTS",
                "## HIDDEN TEST ##",
                "# BEGIN TESTS",
                "# ASSIGNMENT CONFIG",
                '""" # BEGIN TEST CONFIG',
                "# BEGIN PROMPT",
                "# HIDDEN",
            )
        ),
        *(
            ("markdown", text)
            for text in (
                "**SOLUTION:** because it is so",
                "## Solution",
                "*Sample answer*: no",
                "<!-- BEGIN QUESTION -->",
                "<summary>Click to see the solution</summary>",
                "<!--\nBEGIN QUESTION\nname: q1",
            )
        ),
        ("raw", "# BEGIN QUESTION\nname: q1"),
        ("raw", "# OTTER CONFIG"),
    ],
)
def test_markers_of_other_tools_are_recognised(kind, text):
    assert list(foreign_markers(f"first\n{text}", kind=kind))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("code", "# TODO: your solution here"),
        ("code", "### YOUR SOLUTION HERE ###"),
        ("code", "# YOUR CODE HERE"),
        ("code", "x = solve(A, b)  # the exact solution of A x = b"),
        ("code", "n = 64  # hidden"),
        ("code", "solution = 3"),
        ("code", "# start testing"),
        ("code", "### BEGIN SOLUTION\nx = 3  # SOLUTION\n### END SOLUTION"),
        ("markdown", "#### Solution 1.2"),
        ("markdown", "## Solution\n\n<!-- BEGIN SOLUTION -->\nNo.\n<!-- END SOLUTION -->"),
        ("markdown", "The solution of this equation is unique."),
        ("markdown", "**Answer:**"),
        ("markdown", "# Hidden layers"),
    ],
)
def test_what_only_resembles_them_is_left_alone(kind, text):
    assert list(foreign_markers(text, kind=kind)) == []


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("return f(3)", "return f(3)  # SOLUTION", ["reference/hw.py, line 24: 'return f(3)  # SOLUTION'"]),
        (
            "# Say why.",
            "# Say why.\n#\n# **Solution:** it is so",
            ["hw.py, line 15: '**Solution:** it is so'", "`<!-- BEGIN SOLUTION -->`"],
        ),
        (
            "# %%\ndef run",
            "# %%\n### BEGIN HIDDEN TESTS\nassert double(2) == 4\n### END HIDDEN TESTS\ndef run",
            ["line 23: '### BEGIN HIDDEN TESTS'", "line 25", "hidden tests become checks in hidden_tests/"],
        ),
        ("# %%\ndef run", '# %% tags=["solution"]\ndef run', ["line 23: a cell tagged 'solution'"]),
        ("### BEGIN SOLUTION\ndef", "def", []),
        ("# <!-- BEGIN SOLUTION -->\n", "", []),
    ],
)
def test_what_is_marked_in_another_way_is_named(tmp_path, old, new, parts):
    assert old in SOLVED
    text = SOLVED.replace(old, new)
    if not parts:  # neither half of the marker
        text = text.replace("### END SOLUTION\n" if "###" in old else "# <!-- END SOLUTION -->\n", "")
        parts = ["item '1': `double`" if "###" in old else "item '2': what stands in its answer's place"]
    said = refusal(make(tmp_path / "home", text))
    assert all(part in said for part in parts), said


def test_a_reference_with_no_solution_marked_is_refused(tmp_path):
    text = "\n".join(line for line in SOLVED.split("\n") if "SOLUTION" not in line)
    assert "reference/hw.py: no solution is marked" in refusal(make(tmp_path / "home", text))


def test_a_marked_file_beside_it_is_refused(tmp_path):
    home = make(tmp_path / "home")
    (home / "given/notes.md").write_text("# Notes\n\n## Solution\n\nTwo.\n", encoding="utf-8")
    assert "notes.md, line 3: '## Solution'" in refusal(home)


def test_a_given_cell_that_runs_what_students_write_gives_nothing_away(tmp_path):
    home = make(tmp_path / "home")
    assert CliRunner().invoke(command, ["--assignment", str(home)]).exit_code == 0


class TestNotebookAsReference:
    def test_it_makes_the_template_of_the_same_script(self, tmp_path):
        as_notebook = jupytext.writes(jupytext.reads(SOLVED, fmt="py:percent"), fmt="ipynb").encode()
        made = []
        for home in (make(tmp_path / "a"), make(tmp_path / "b", as_notebook, name="hw.ipynb")):
            done = CliRunner().invoke(command, ["--assignment", str(home)])
            assert done.exit_code == 0, done.exception
            made.append(json.loads((home / "student_template/hw.ipynb").read_bytes())["cells"])
        assert made[0] == made[1]

    def test_cells_are_named_in_errors(self, tmp_path):
        cells = [prose("## 1 Double"), code("x = 1"), code("x = 2\n### BEGIN SOLUTION\ny = 3")]
        home = make(tmp_path / "home", as_bytes(notebook(cells)), name="hw.ipynb")
        assert "reference/hw.ipynb, cell 3, line 2: '### BEGIN SOLUTION' without" in refusal(home)

    def test_answer_cells_of_nbgrader_and_pasted_pictures_are_named(self, tmp_path):
        abstract = "def base():\n    raise NotImplementedError\n"
        cells = [code(f"{abstract}def double(x):\n    return 2 * x"), prose("Look: ![](attachment:a.png)")]
        cells[0].metadata["nbgrader"] = {"grade_id": "double", "solution": True}
        cells[1]["attachments"] = {"a.png": {"image/png": "iVBORw0KGgo="}}
        said = refusal(make(tmp_path / "home", as_bytes(notebook(cells)), name="hw.ipynb"))
        assert "hw.ipynb, cell 1, line 1: an answer cell of nbgrader" in said
        assert "cell 2, line 1: a pasted picture: save" in said

    def test_what_is_no_notebook_is_named(self, tmp_path):
        said = refusal(make(tmp_path / "home", "{", name="hw.ipynb"))
        assert "reference/hw.ipynb: is not a notebook" in said
