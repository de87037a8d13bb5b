"""Cells in pieces, scripts in cells, and the budget's values in both."""

from __future__ import annotations

import ast
import contextlib

import jupytext
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.model.errors import SubmissionError
from grader.notebooks import script
from grader.notebooks.cells import Cell, first_line, split_imports
from grader.notebooks.parameters import literal, overridden, with_budget
from grader.notebooks.percent import read_percent
from grader.notebooks.script import split_statements
from grader.notebooks.source import parse
from grader.notebooks.submission_file import from_bytes


class TestFirstLine:
    def test_skips_blank_lines_and_cuts_long_ones(self):
        assert first_line("\n  \n  x = 1\ny") == "x = 1"
        assert first_line("") == ""
        assert first_line("a" * 200) == "a" * 99 + "…"


class TestSplitImports:
    @pytest.mark.parametrize(
        ("source", "pieces"),
        [
            ("import a\nimport b", ("import a", "import b")),
            ("import a; import b  # both", ("import a;", "import b  # both")),
            (
                "import a  # one\n\n# two\nfrom b import (\n  c,\n)\n",
                ("import a  # one", "# two\nfrom b import (\n  c,\n)"),
            ),
            (
                "%matplotlib inline\nimport a\n!pip install b",
                ("%matplotlib inline", "import a", "!pip install b"),
            ),
            ("!pip install a \\\n  b\nimport a", ("!pip install a \\\n  b", "import a")),
            ("import a\nx = 1\nimport b", ("import a", "x = 1\nimport b")),
            ("import é; é.x = 'ß'; y = 1", ("import é;", "é.x = 'ß'; y = 1")),
            ("import a\n# the end", ("import a\n# the end",)),
            ("import a;\nimport b", ("import a;", "import b")),
            ("\n\nimport a", ("import a",)),
            ("files = !ls\nimport a", ("files = !ls", "import a")),
        ],
    )
    def test_each_import_at_the_beginning_is_a_piece(self, source, pieces):
        assert split_imports(source) == pieces

    @pytest.mark.parametrize(
        "source",
        [
            "",
            "x = 1\nimport a",
            "%%time\nimport a\nimport b",
            "import a\nimport (",
            "# only\n",
            "%%bash\nls",
            "\0",
        ],
    )
    def test_other_cells_stay_whole(self, source):
        assert split_imports(source) == (source,)

    @settings(derandomize=True, deadline=None, max_examples=200)
    @given(
        st.lists(
            st.sampled_from(
                [
                    "import os",
                    "import sys; import re",
                    "from os import (path,\n sep)",
                    "# c",
                    "",
                    "x = 1",
                    "%time y",
                    "!ls",
                    "é = 'ß'; import os",
                    "import os;",
                    "if 1:\n    pass",
                ]
            ),
            max_size=8,
        )
    )
    def test_the_pieces_together_say_what_the_cell_says(self, lines):
        source = "\n".join(lines)
        parsed = parse(source)
        assert parsed is not None
        pieces = [parse(piece) for piece in split_imports(source)]
        assert all(piece is not None for piece in pieces)
        dumped = [ast.dump(node) for piece in pieces if piece for node in piece.tree.body]
        assert dumped == [ast.dump(node) for node in parsed.tree.body]

    def test_many_imports_are_split_in_linear_time(self):
        assert len(split_imports("import os\n" * 20_000)) == 20_000


class TestParse:
    def test_magics_hide_nothing(self):
        parsed = parse("%matplotlib inline\n!pip install x\nfiles = !ls\nnp.dot?\nx = 1")
        assert parsed is not None
        assert parsed.magics == {1, 2, 3, 4}
        assert isinstance(parsed.tree.body[-1], ast.Assign)

    def test_modulo_and_unequal_at_a_line_start_are_python(self):
        parsed = parse("x = (a\n  % b\n  != c)\n")
        assert parsed is not None
        assert not parsed.magics

    @pytest.mark.parametrize(
        "bomb", ["(" * 5000, "-" * 100_000 + "1", "1" + "+1" * 100_000, "9" * 10_000, "\0"]
    )
    def test_bombs_are_no_python(self, bomb):
        assert parse(bomb) is None

    def test_a_students_bad_escape_is_no_warning_here(self):
        assert parse(r"x = '\d'") is not None

    def test_a_foreign_cell_magic_holds_no_python(self):
        parsed = parse("%%bash\nEPOCHS=3")
        assert parsed is not None
        assert parsed.cell_magic
        assert not parsed.tree.body


SCRIPT = '''#!/usr/bin/env python
"""Homework."""
import numpy as np
from utils import softmax_cross_entropy, data_loader_mnist

# the layer
@decorated(
    1)
class linear_layer:
    """Doc
at column 0
    """

    def forward(self, X):
        return X

x = 1; y = 2
z = [
1,
]
if x:
    pass
elif y:
    pass
else:
    pass
# last
if __name__ == "__main__":
    main()
# the end
'''


class TestScript:
    def test_one_cell_per_statement_with_its_comments_and_decorators(self):
        blocks = split_statements(SCRIPT)
        assert [(line, kind, source.split("\n")[0]) for line, kind, source in blocks] == [
            (1, "markdown", "Homework."),
            (3, "code", "import numpy as np"),
            (4, "code", "from utils import softmax_cross_entropy, data_loader_mnist"),
            (6, "code", "# the layer"),
            (17, "code", "x = 1; y = 2"),
            (18, "code", "z = ["),
            (21, "code", "if x:"),
            (27, "code", "# last"),
        ]
        assert blocks[3][2].endswith("return X")
        assert blocks[-1][2].endswith("# the end")

    def test_ids_name_lines(self):
        assert from_bytes(SCRIPT.encode(), name="a.py").cells[1].id == "line-3"

    @pytest.mark.parametrize(
        "broken",
        [
            "def g(:\n    pass",
            "x = np.array([1,\n2",
            "s = 'open",
            'def g():\n    """open\n    return 1',
            "class A\n    x = 1",
            "    unexpected = 1",
            "for i in range(3)\n    print(i)",
            "s = ('",
        ],
    )
    def test_a_broken_block_costs_only_itself(self, broken):
        first, second = 'def f():\n    """Doc."""\n    return 1', "class B:\n    x = 2"
        sources = [
            source for _, _, source in split_statements(f"{first}\n\n{broken}\n\n{second}\n\ny = f()\n")
        ]
        assert first in [source[: len(first)] for source in sources]
        assert "y = f()" in sources
        names: dict[str, object] = {}
        for source in sources:
            with contextlib.suppress(SyntaxError):
                exec(compile(source, "cell", "exec"), names)
        assert names["y"] == 1
        assert "B" in names

    def test_every_line_stays_in_some_cell(self):
        text = SCRIPT.partition('Homework."""')[2].replace("z = [", "z = [(")
        kept = "\n".join(source for _, _, source in split_statements(text))
        assert [
            line for line in text.split("\n") if line.strip() and line not in kept and '"""' not in line
        ] == []

    def test_many_broken_blocks_are_cut_in_bounded_time(self, monkeypatch):
        monkeypatch.setattr(script, "_MAX_PARSED", 100_000)
        assert len(split_statements("x = (\n" * 3000)) == 3000

    @pytest.mark.parametrize("text", ["", "\n\n", "   "])
    def test_nothing(self, text):
        assert split_statements(text) == []

    def test_only_comments_or_only_indented_lines(self):
        assert [source for *_, source in split_statements("# a\n# b\n")] == ["# a\n# b"]
        assert len(split_statements("    x = 1\n    y = 2\n")) == 1

    def test_prose_that_colab_writes_as_strings(self):
        text = 'x = 1\n"""### Answer 3.2.3.i\n\nNo."""\ny = "value"\n'
        assert [kind for _, kind, _ in split_statements(text)] == ["code", "markdown", "code"]

    @settings(derandomize=True, deadline=None, max_examples=200)
    @given(
        st.lists(st.sampled_from([*SCRIPT.split("\n"), "x = (", "'''", "def f(", "import a"]), max_size=15)
    )
    def test_any_lines_are_split_without_loss(self, lines):
        text = "\n".join(lines)
        blocks = split_statements(text)
        code = [
            line
            for _, kind, source in blocks
            if kind == "code"
            for line in source.split("\n")
            if line.strip()
        ]
        if all(kind == "code" for _, kind, _ in blocks):
            assert [line.rstrip() for line in code] == [line.rstrip() for line in lines if line.strip()]


PERCENT = '''# ---
# jupyter:
#   jupytext: {}
# ---

"""Before the first marker."""

# %% [markdown]
# # Title
#
# text with `# %%` inside
#no blank

# %% tags=["parameters"]
EPOCHS = 3

# %matplotlib inline
# !pip install x

# %%
# %% a title [markdown] tags=["a", "b"]
"""
prose in a string
"""

# %% [raw]
# raw text

#%%
x = 1


def f():
    return x
'''


class TestPercent:
    def test_reads_as_jupytext_does(self):
        text = PERCENT.replace("#%%", "# %%")
        theirs = [cell for cell in jupytext.reads(text, fmt="py:percent").cells if cell.source]
        ours = read_percent(text, uncomment_magics=True)
        assert [(c.kind, c.source) for c in ours] == [(c.cell_type, c.source) for c in theirs]
        assert [c.tags for c in ours] == [tuple(c.metadata.get("tags", ())) for c in theirs]

    def test_spyders_marker(self):
        assert read_percent(PERCENT)[-1].source.startswith("x = 1")

    def test_lines_are_those_of_the_file(self):
        for cell in read_percent(PERCENT):
            line = PERCENT.split("\n")[cell.line - 1]
            assert cell.source.split("\n")[0] in line or line == '"""'

    def test_cells_of_a_percent_submission(self):
        cells = from_bytes(PERCENT.encode(), name="hw3.py").cells
        assert [cell.kind for cell in cells] == ["code", "markdown", "code", "markdown", "raw", "code"]
        assert [cell.number for cell in cells] == [1, 2, 3, 4, 5, 6]
        assert cells[2].tags == ("parameters",)

    @pytest.mark.parametrize(
        "options", ['tags=["a"', "tags=[1, 2]", "tags=[[[", '{"tags": ["a"]}', "tags=['a']"]
    )
    def test_odd_options(self, options):
        (cell,) = read_percent(f"# %% {options}\nx = 1")
        assert cell.tags in {(), ("a",)}

    def test_a_cell_of_a_million_characters_is_left_out(self):
        found = from_bytes(("# %%\nx = 1\n# %%\n#" + "a" * 1_000_001).encode(), name="a.py")
        assert len(found.cells) == 1
        assert "left out" in found.notices[0]

    def test_too_many_cells(self):
        with pytest.raises(SubmissionError, match="10,000"):
            from_bytes(b"# %%\nx\n" * 10_001, name="a.py")


def run(source: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(source, "cell", "exec"), names)
    return names


BUDGET = {"EPOCHS": 1, "LR": 0.5}


class TestBudget:
    def test_follows_the_tagged_cell_with_every_name(self):
        tagged = Cell(1, "code", "OTHER = 2", tags=("parameters",))
        (found,) = with_budget([tagged], BUDGET)
        assert found.pieces == ("OTHER = 2", "EPOCHS = 1\nLR = 0.5")

    def test_a_tagged_cell_that_does_not_parse_still_gets_it(self):
        (found,) = with_budget([Cell(1, "code", "EPOCHS = (", tags=("parameters",))], BUDGET)
        assert found.pieces[-1] == "EPOCHS = 1\nLR = 0.5"

    def test_without_the_tag_only_what_is_assigned(self):
        runs = with_budget([Cell(1, "code", "EPOCHS = 30\nX = 2"), Cell(2, "code", "print(LR)")], BUDGET)
        assert [found.pieces for found in runs] == [("EPOCHS = 30; EPOCHS = 1\nX = 2",), ("print(LR)",)]

    def test_training_in_the_very_cell_that_sets_the_name(self):
        source = overridden("EPOCHS = 30\ndone = [e for e in range(EPOCHS)]", {"EPOCHS": 1})
        assert run(source)["done"] == [0]

    @pytest.mark.parametrize(
        "source",
        [
            "EPOCHS = 30  # many; EPOCHS",
            "EPOCHS = LR = 3",
            "(EPOCHS, [*LR]) = 1, [2, 3]",
            "EPOCHS: int = 3",
            "EPOCHS = 3\nEPOCHS += 4",
            "if True: EPOCHS = 3; x = 4",
            "if False:\n    pass\nelse:\n    EPOCHS = 30",
            "try:\n    1/0\nexcept ZeroDivisionError:\n    EPOCHS = 30",
            "try:\n    pass\nfinally:\n    EPOCHS = 30",
            "for i in range(2):\n    EPOCHS = 30",
            "while True:\n    EPOCHS = 3\n    break",
            "match 1:\n    case 1:\n        EPOCHS = 30",
            "EPOCHS = (1 +\n   2)",
            "é = 'ß'; EPOCHS = 3; z = 'ß'",
            "EPOCHS = 30;",
            "EPOCHS = int('30')",
            "EPOCHS, data = max(3, 4), object()",
            "many = EPOCHS = 10 ** 3 * -1",
        ],
    )
    def test_after_every_assignment_at_the_top_level(self, source):
        changed = overridden(source, BUDGET)
        assert run(changed)["EPOCHS"] == 1
        assert changed.count("\n") == source.count("\n")

    @pytest.mark.parametrize(
        "source",
        [
            "def f():\n    EPOCHS = 3",
            "class A:\n    EPOCHS = 3",
            "f(EPOCHS=3)",
            "x.EPOCHS = 3",
            "EPOCHS: int",
            "print('EPOCHS = 3')",
            "d['EPOCHS'] = 3",
            "EPOCHS = (",
            "%%bash\nEPOCHS=3",
            "EPOCHS = !ls",
            "EPOCHS_2 = 3",
        ],
    )
    def test_nothing_else_is_touched(self, source):
        assert overridden(source, {"EPOCHS": 1}) == source

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("DATA = dict(a=1)", {"a": 1}),
            ("DATA = [1, 2][0]", 1),
            ("DATA = str('full')", "subset"),
            ("SIZES = tuple([3, 4])", [1]),
            ("SIZES = range(9)", [1]),
            ("SIZES = 'abc'.upper()", "ABC"),
        ],
    )
    def test_a_name_that_the_student_gave_to_something_else_stays(self, source, expected):
        name = source.split()[0]
        assert run(overridden(source, {"DATA": "subset", "SIZES": [1]}))[name] == expected

    def test_magics_in_the_cell_do_not_hide_the_assignment(self):
        source = "%matplotlib inline\n!pip install x\nEPOCHS = 30\nmodel?"
        assert "EPOCHS = 30; EPOCHS = 1" in overridden(source, {"EPOCHS": 1})
        assert overridden("%%time\nEPOCHS = 30", {"EPOCHS": 1}) == "%%time\nEPOCHS = 30; EPOCHS = 1"

    def test_prose_is_not_run(self):
        assert with_budget([Cell(1, "markdown", "EPOCHS = 3"), Cell(2, "raw", "x")], BUDGET) == ()

    @pytest.mark.parametrize(
        "value", [3, -2, 0.1, 1e-300, True, "a'b\n\"", [1, "x", [2.5]], float("inf"), float("-inf")]
    )
    def test_literals_come_back(self, value):
        assert run(f"x = {literal(value)}")["x"] == value

    @pytest.mark.parametrize("value", [None, object(), {"a": 1}, (1,), type("int2", (int,), {})(3)])
    def test_other_values_are_refused(self, value):
        with pytest.raises(ValueError, match="budget"):
            literal(value)
