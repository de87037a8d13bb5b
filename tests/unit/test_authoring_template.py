"""The reference becomes a template that parses, gives nothing away and is the same on each run."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from pathlib import Path

import jupytext
import msgspec
import nbformat
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from support.assignments import Item, manifest, write_files

from grader.authoring import template, template_folder
from grader.cli.template import command
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.assignment import Assignment, SubmissionRules, parse
from grader.model.errors import TemplateError, UsageError
from grader.notebooks.answers import find_answers
from grader.notebooks.percent import read_percent
from grader.notebooks.solution import without_solution
from grader.notebooks.submission_file import read
from grader.notebooks.template_cells import template_cells


def build(assignment: Assignment, folder: Path) -> dict[str, bytes]:
    return template.build(AssignmentFolder(folder, assignment, ""))


REFERENCE = """# ---
# jupyter: {}
# ---

# %% [markdown]
# # HW: layers (3 points)

# %%
import numpy as np
# %matplotlib inline

# %% tags=["parameters"]
EPOCHS = 3

# %% [markdown]
# ### 1.1 Layer (2 points)

# %%
class layer:
    def forward(self, X):
        # TODO: return "X W",
        # plus b
        ### BEGIN SOLUTION
        secret_product = X @ self.W
        return secret_product + self.b
        ### END SOLUTION

    def backward(self, X, grad):
        ### BEGIN SOLUTION
        # TODO: the gradient's value
        if X is not None:
            return grad @ self.W.T  # secret

        raise ValueError("secret")
        ### END SOLUTION


# %%
check("1.1")

# %%
check("1.1")

# %% [markdown]
# ### 1.2 Why (1 point)

# %% [markdown]
# #### Answer 1.2
#
# <!-- BEGIN SOLUTION -->
# Because of a secret reason.
#
# And another secret.
# <!-- END SOLUTION -->
"""
MANIFEST = manifest(
    Item("1.1", "Layer", points=2),
    Item("1.2", "Why", kind="written"),
    title="HW: layers",
    notebook="reference/hw.py",
    given=["reference/utils.py", "reference/data"],
)
ASSIGNMENT = parse(MANIFEST)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "assignment.toml": MANIFEST,
        "reference/hw.py": REFERENCE,
        "reference/utils.py": "def helper(): pass\n",
        "reference/data/small/a.txt": "data\n",
        "reference/data/.hidden": "x",
        "reference/public_tests/test_1.py": "def test(): pass\n",
        "reference/public_tests/__pycache__/test_1.pyc": "x",
        "hidden_tests/test_hidden.py": "secret",
    }
    return write_files(tmp_path / "hw", files)


def stub(source: str, *, kind: str = "code") -> str:
    return without_solution(textwrap.dedent(source), kind=kind, where="hw.py", line=10)


class TestStubs:
    def test_the_comment_above_says_what_to_do(self):
        assert stub("""\
            def f():
                # TODO: return 1
                ### BEGIN SOLUTION
                return 1
                ### END SOLUTION
            """) == textwrap.dedent("""\
            def f():
                # TODO: return 1
                raise NotImplementedError("TODO: return 1")
            """)

    def test_the_comment_inside_is_kept(self):
        found = stub('### BEGIN SOLUTION\n# TODO: say \\ "it\'s"\nx = 1\n### END SOLUTION')
        assert found.startswith("# TODO: say")
        with pytest.raises(NotImplementedError, match="it's"):
            exec(found, {})

    def test_a_region_without_instructions(self):
        assert stub("x = 1\n### BEGIN SOLUTION\ny = 2\n### END SOLUTION\nz = 3").split("\n") == [
            "x = 1",
            "# TODO: write your code here",
            'raise NotImplementedError("TODO: write your code here")',
            "z = 3",
        ]

    def test_an_empty_region(self):
        ast.parse(stub("if x:\n    ### BEGIN SOLUTION\n    ### END SOLUTION"))

    def test_prose(self):
        source = "#### Answer 1\n\n<!-- BEGIN SOLUTION -->\nNo.\n<!-- END SOLUTION -->"
        assert stub(source, kind="markdown") == "#### Answer 1\n\n*Write your answer here.*"

    @pytest.mark.parametrize(
        ("source", "kind", "line", "part"),
        [
            ("x\n### BEGIN SOLUTION\ny", "code", 11, "without '### END SOLUTION'"),
            ("x\n### END SOLUTION", "code", 11, "without '### BEGIN SOLUTION'"),
            (
                "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
                "code",
                11,
                "line 10; regions do not nest",
            ),
            ("### BEGIN SOLUTION\n### END SOLUTION\n### END SOLUTION", "code", 12, "without"),
            ("## BEGIN SOLUTION\ny\n## END SOLUTION", "code", 10, "looks like a marker"),
            ("### begin solution\ny", "code", 10, "looks like a marker"),
            ("### BEGIN YOUR SOLUTION\ny", "code", 10, "looks like a marker"),
            ("### START CODE HERE ###\ny", "code", 10, "looks like a marker"),
            ("# *****START OF YOUR CODE*****\ny", "code", 10, "looks like a marker"),
            ("    # YOUR CODE STARTS HERE\ny", "code", 10, "looks like a marker"),
            ("<!-- start of your answer -->", "markdown", 10, "looks like a marker"),
            ("x = 1  ### BEGIN SOLUTION", "code", 10, "alone on a line"),
            ("<!-- BEGIN SOLUTION -->", "code", 10, "looks like a marker"),
            ("### BEGIN SOLUTION\ny\n### END SOLUTION", "markdown", 10, "<!-- BEGIN SOLUTION -->"),
            ("<!-- BEGIN SOLUTION -->\ny", "markdown", 10, "without '<!-- END SOLUTION -->'"),
            ("### BEGIN SOLUTION", "raw", 10, "neither code nor Markdown"),
        ],
    )
    def test_markers_that_do_not_fit_name_their_line(self, source, kind, line, part):
        with pytest.raises(TemplateError, match=re.escape(part)) as caught:
            stub(source, kind=kind)
        assert str(caught.value).startswith(f"hw.py, line {line}: ")

    @settings(derandomize=True, deadline=None, max_examples=200)
    @given(
        st.lists(
            st.sampled_from(
                [
                    "### BEGIN SOLUTION",
                    "### END SOLUTION",
                    "    ### BEGIN SOLUTION",
                    "# END SOLUTION",
                    "# TODO: x",
                    "y = 1",
                    "",
                ]
            ),
            max_size=10,
        )
    )
    def test_no_marker_and_no_line_of_a_region_survives(self, lines):
        """Either an error, or everything between markers is gone and everything else stays."""
        numbered = [f"{line}  # {n}" if line == "y = 1" else line for n, line in enumerate(lines)]
        try:
            found = without_solution("\n".join(numbered), kind="code", where="x")
        except TemplateError:
            return
        inside = False
        for line in numbered:
            inside = ("BEGIN" in line) or (inside and "END" not in line)
            if line.startswith("y"):
                assert (line in found.split("\n")) is not inside
        assert "SOLUTION" not in found


class TestBuild:
    def test_the_files(self, folder):
        assert list(build(ASSIGNMENT, folder)) == [
            "README.md",
            "assignment.toml",
            "conftest.py",
            "data/small/a.txt",
            "hw.ipynb",
            "public_tests/test_1.py",
            "utils.py",
        ]

    def test_the_notebook_is_valid_and_written_as_nbformat_writes_it(self, folder):
        text = build(ASSIGNMENT, folder)["hw.ipynb"].decode()
        tree = nbformat.reads(text, as_version=4)
        nbformat.validate(tree)
        assert nbformat.writes(tree).rstrip("\n") + "\n" == text
        assert tree.metadata.kernelspec.name == "python3"
        assert all(
            not cell.outputs and cell.execution_count is None
            for cell in tree.cells
            if cell.cell_type == "code"
        )

    def test_a_raw_cell_stays_raw(self, folder):
        (folder / "reference/hw.py").write_text(REFERENCE + "\n# %% [raw]\n# raw text\n")
        tree = json.loads(build(ASSIGNMENT, folder)["hw.ipynb"])
        assert tree["cells"][-1] == {
            "cell_type": "raw",
            "id": tree["cells"][-1]["id"],
            "metadata": {},
            "source": ["raw text"],
        }
        assert tree["nbformat_minor"] == 5

    def test_ids_are_unique_and_stay_when_cells_move(self):
        cells = template_cells(REFERENCE, where="hw.py")
        assert len({cell.id for cell in cells}) == len(cells)
        assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", cell.id) for cell in cells)
        longer = REFERENCE.replace("# %%\ncheck", "# %%\nnew = 1\n\n# %%\ncheck", 1)
        assert {cell.id for cell in cells} < {cell.id for cell in template_cells(longer, where="hw.py")}

    def test_many_cells_alike_keep_valid_ids(self):
        text = f"# %% [markdown]\n# # {'long title ' * 20}\n" + "# %%\nx = 1\n" * 120
        ids = [cell.id for cell in template_cells(text, where="hw.py")]
        assert len(set(ids)) == 121
        assert max(map(len, ids)) <= 64

    def test_magics_tags_and_text_reach_the_student(self, folder, tmp_path):
        (tmp_path / "hw.ipynb").write_bytes(build(ASSIGNMENT, folder)["hw.ipynb"])
        cells = read(tmp_path / "hw.ipynb").cells
        assert cells[1].source == "import numpy as np\n%matplotlib inline"
        assert cells[2].tags == ("parameters",)
        assert "raise NotImplementedError('TODO: return \"X W\", plus b')" in cells[4].source
        assert cells[-1].source == "#### Answer 1.2\n\n*Write your answer here.*"

    def test_nothing_of_a_solution_is_in_any_file(self, folder):
        everything = b"\n".join(build(ASSIGNMENT, folder).values()).decode()
        assert "secret" not in everything
        assert "SOLUTION" not in everything
        for line in ("self.W.T", "return grad", "if X is not None"):
            assert line not in everything

    def test_the_same_bytes_each_time(self, folder):
        assert build(ASSIGNMENT, folder) == build(ASSIGNMENT, folder)

    def test_line_ends_of_windows_change_nothing(self, folder):
        before = build(ASSIGNMENT, folder)["hw.ipynb"]
        (folder / "reference/hw.py").write_bytes(REFERENCE.replace("\n", "\r\n").encode())
        assert build(ASSIGNMENT, folder)["hw.ipynb"] == before

    def test_the_readme_tells_how_to_check_and_what_to_hand_in(self, folder):
        text = build(ASSIGNMENT, folder)["README.md"].decode()
        for part in (
            "# HW: layers",
            'check("1.1")',
            "grade --public hw.ipynb",
            "`pytest`",
            "`utils.py`, `data`",
            "\n$ python -m pip install chainrule jupyterlab\n",
        ):
            assert part in text

    def test_the_readme_has_one_command_that_installs_what_the_code_imports(self, folder):
        needs = "### BEGIN SOLUTION\nimport cv2\n### END SOLUTION\nimport torch.nn as nn, numpy, utils\n"
        (folder / "reference/hw.py").write_text(f"{REFERENCE}\n# %%\n{needs}from PIL import Image\n")
        text = build(ASSIGNMENT, folder)["README.md"].decode()
        assert "\n$ python -m pip install chainrule jupyterlab pillow torch\n" in text

    @pytest.mark.parametrize(
        ("old", "new", "part"),
        [
            ("import numpy as np", "import numpy as (", "hw.py, line 9: this cell is not Python"),
            (
                'tags=["parameters"]',
                'tags=["a, b"]',
                "hw.py: does not make a valid notebook: 'a, b' does not",
            ),
            ("    def backward", "  def backward", "line 19: this cell is not Python"),
            ("# <!-- END SOLUTION -->", "#", "without '<!-- END SOLUTION -->'"),
            (
                "class layer:\n",
                "### BEGIN SOLUTION\nclass layer:\n    ### END SOLUTION\n",
                "once its solution is taken out",
            ),
        ],
    )
    def test_what_cannot_become_a_template_names_file_and_line(self, folder, old, new, part):
        assert old in REFERENCE
        (folder / "reference/hw.py").write_text(REFERENCE.replace(old, new, 1))
        with pytest.raises(TemplateError, match=re.escape(part)):
            build(ASSIGNMENT, folder)

    @pytest.mark.parametrize(
        "name", ["reference/utils.py", "reference/public_tests/test_1.py", "reference/data/small/a.txt"]
    )
    def test_a_marker_in_a_copied_file_is_refused(self, folder, name):
        (folder / name).write_text("### BEGIN SOLUTION\nsecret\n")
        with pytest.raises(TemplateError, match="solution marker"):
            build(ASSIGNMENT, folder)

    @pytest.mark.parametrize("name", ["reference/utils.py", "reference/hw.py"])
    def test_a_missing_file_is_named(self, folder, name):
        (folder / name).unlink()
        with pytest.raises(TemplateError, match=re.escape(Path(name).name)):
            build(ASSIGNMENT, folder)

    def test_modules_beside_the_reference_are_stubbed_if_the_manifest_names_them(self, folder):
        (folder / "reference/layers").mkdir()
        (folder / "reference/layers/conv.py").write_text(
            "def conv(X):\n    # TODO: slide\n"
            "    ### BEGIN SOLUTION\n    return secret\n    ### END SOLUTION\n"
        )
        (folder / "reference/layers/plain.py").write_text("secret = 1\n")
        rules = SubmissionRules(files=("layers/*.py",))
        assignment = msgspec.structs.replace(ASSIGNMENT, submission=rules)
        files = build(assignment, folder)
        assert b'raise NotImplementedError("TODO: slide")' in files["layers/conv.py"]
        assert b"secret" not in b"".join(files.values())
        assert "`hw.ipynb` and `layers/conv.py`, each in its folder" in files["README.md"].decode()
        assert parse(files["assignment.toml"].decode()).submission == rules
        home = AssignmentFolder(folder, assignment, "")
        assert "conv" in home.asked_names
        assert "layers/conv.py" not in build(ASSIGNMENT, folder)

    def test_a_module_whose_solution_is_half_a_statement_is_named(self, folder):
        (folder / "reference/a.py").write_text(
            "### BEGIN SOLUTION\ndef f():\n    ### END SOLUTION\n    pass\n"
        )
        assignment = msgspec.structs.replace(ASSIGNMENT, submission=SubmissionRules(files=("a.py",)))
        with pytest.raises(TemplateError, match=r"reference/a\.py: is not Python once"):
            build(assignment, folder)

    def test_every_notebook_is_made_from_the_reference_of_its_name(self, folder):
        (folder / "reference/part2.py").write_text("# %% [markdown]\n# ## 1 Part two\n\n# %%\nx = 1\n")
        rules = SubmissionRules(notebooks=("hw.ipynb", "part2.ipynb"))
        files = build(msgspec.structs.replace(ASSIGNMENT, submission=rules), folder)
        assert "Part two" in files["part2.ipynb"].decode()
        assert "hw.ipynb" in files

    @pytest.mark.parametrize(("data", "part"), [(b"", "no cells"), (b"\xff\xfe", "not UTF-8")])
    def test_a_reference_that_is_no_percent_file(self, folder, data, part):
        (folder / "reference/hw.py").write_bytes(data)
        with pytest.raises(TemplateError, match=part):
            build(ASSIGNMENT, folder)


@pytest.fixture(scope="module")
def own() -> tuple[Assignment, str, dict[str, bytes]]:
    """The homework that this repository carries: manifest, reference, generated files."""
    home = Path(__file__).parents[2]
    assignment = parse((home / "assignment.toml").read_text())
    return assignment, (home / assignment.notebook).read_text(), build(assignment, home)


class TestOwnReference:
    def test_reads_as_jupytext_does(self, own):
        theirs = [(cell.cell_type, cell.source) for cell in jupytext.reads(own[1], fmt="py:percent").cells]
        assert [(c.kind, c.source) for c in read_percent(own[1], uncomment_magics=True)] == theirs

    def test_no_line_of_a_solution_survives(self, own):
        """Every line of a region that stands nowhere outside the regions is gone from every file."""
        inside, solution, given = False, set(), set()
        for line in own[1].split("\n"):
            inside = "BEGIN SOLUTION" in line or (inside and "END SOLUTION" not in line)
            (solution if inside else given).add(line.strip("# \t"))
        lines = {line.strip("# \t") for data in own[2].values() for line in json_lines(data)}
        hidden = {line for line in solution - given if "SOLUTION" not in line and "TODO" not in line}
        assert len(hidden) > 40
        assert not hidden & lines

    def test_the_reference_answers_every_written_item_and_the_template_none(self, own, tmp_path):
        assignment, text, files = own
        (tmp_path / "hw3.py").write_text(text)
        (tmp_path / "hw3.ipynb").write_bytes(files["hw3.ipynb"])
        for name, expected in (("hw3.py", True), ("hw3.ipynb", False)):
            answers = find_answers(read(tmp_path / name).cells, assignment)
            assert {answers[item.id].found for item in assignment.of_kind("written")} == {expected}


def json_lines(data: bytes) -> list[str]:
    """A file's lines; those of a notebook's cells for a notebook."""
    text = data.decode("utf-8", "replace")
    if text.startswith('{\n "cells"'):
        return [line.rstrip("\n") for cell in json.loads(text)["cells"] for line in cell["source"]]
    return text.split("\n")


class TestFolder:
    def test_write_then_nothing_differs(self, folder, tmp_path):
        files, out = build(ASSIGNMENT, folder), tmp_path / "out"
        assert template_folder.differences(out, files) == [f"missing: {name}" for name in files]
        assert template_folder.write(out, files) == []
        assert template_folder.differences(out, files) == []

    def test_stale_missing_and_extra_are_named(self, folder, tmp_path):
        files, out = build(ASSIGNMENT, folder), tmp_path / "out"
        template_folder.write(out, files)
        (out / "utils.py").write_text("changed")
        (out / "README.md").unlink()
        (out / "data/more.txt").write_text("more")
        (out / ".ipynb_checkpoints").mkdir()
        (out / ".ipynb_checkpoints/hw.ipynb").write_text("x")
        assert template_folder.differences(out, files) == [
            "missing: README.md",
            "stale: utils.py",
            "extra: data/more.txt",
        ]

    def test_line_ends_that_git_changed_are_not_stale(self, folder, tmp_path):
        files, out = build(ASSIGNMENT, folder), tmp_path / "out"
        template_folder.write(out, files)
        (out / "README.md").write_bytes(files["README.md"].replace(b"\n", b"\r\n"))
        assert template_folder.differences(out, files) == []

    def test_what_is_no_longer_generated_goes_and_the_rest_stays(self, folder, tmp_path):
        files, out = build(ASSIGNMENT, folder), tmp_path / "out"
        template_folder.write(out, files)
        (out / "mine.txt").write_text("mine")
        (folder / "reference/data/small/a.txt").unlink()
        assert template_folder.write(out, build(ASSIGNMENT, folder)) == ["data/small/a.txt"]
        assert (out / "mine.txt").exists()

    def test_a_folder_with_other_things_is_not_touched(self, folder, tmp_path):
        out = tmp_path / "out"
        out.mkdir()
        (out / "thesis.txt").write_text("x")
        with pytest.raises(UsageError, match="--out"):
            template_folder.write(out, build(ASSIGNMENT, folder))
        assert [path.name for path in out.iterdir()] == ["thesis.txt"]

    @pytest.mark.parametrize(
        "marked", ["[]", "{", '{"metadata": {"chainrule": 3}}', '{"metadata": {"chainrule": {"files": 3}}}']
    )
    def test_a_notebook_that_we_did_not_make_is_no_permission(self, folder, tmp_path, marked):
        out = tmp_path / "out"
        out.mkdir()
        (out / "hw.ipynb").write_text(marked)
        with pytest.raises(UsageError):
            template_folder.write(out, build(ASSIGNMENT, folder))

    def test_a_file_is_no_folder(self, folder, tmp_path):
        (tmp_path / "out").write_text("x")
        with pytest.raises(UsageError):
            template_folder.write(tmp_path / "out", build(ASSIGNMENT, folder))

    def test_an_edited_list_of_files_removes_nothing_outside(self, folder, tmp_path):
        files, out = build(ASSIGNMENT, folder), tmp_path / "out"
        template_folder.write(out, files)
        (tmp_path / "precious.txt").write_text("x")
        tree = json.loads((out / "hw.ipynb").read_text())
        listed = ["../precious.txt", str(tmp_path / "precious.txt"), "a/../../precious.txt", 3, "", "C:\\x"]
        tree["metadata"]["chainrule"]["files"] = listed
        (out / "hw.ipynb").write_text(json.dumps(tree))
        assert template_folder.write(out, files) == []
        assert (tmp_path / "precious.txt").exists()


class TestCommand:
    def test_writes_checks_and_rewrites(self, folder):
        run = CliRunner()
        options = ["--assignment", str(folder)]
        assert run.invoke(command, options, catch_exceptions=False).exit_code == 0
        assert (folder / "student_template/hw.ipynb").exists()
        fresh = run.invoke(command, [*options, "--check"], catch_exceptions=False)
        assert (fresh.exit_code, "up to date" in fresh.output) == (0, True)
        (folder / "reference/data/small/a.txt").unlink()
        stale = run.invoke(command, [*options, "--check"])
        assert isinstance(stale.exception, TemplateError)
        assert "extra: data/small/a.txt" in str(stale.exception)
        again = run.invoke(command, options, catch_exceptions=False)
        assert "removed, no longer generated: data/small/a.txt" in again.output

    def test_out(self, folder, tmp_path):
        out = tmp_path / "elsewhere"
        result = CliRunner().invoke(
            command, ["--assignment", str(folder), "--out", str(out)], catch_exceptions=False
        )
        assert result.exit_code == 0
        assert (out / "utils.py").exists()
        assert not (folder / "student_template").exists()

    def test_help_shows_examples(self):
        assert "grade template --check" in CliRunner().invoke(command, ["--help"]).output
