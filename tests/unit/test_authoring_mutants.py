"""The mistakes that `grade audit` makes: each family's own, in regions alone, each once, from a seed."""

from __future__ import annotations

import ast
import textwrap

import numpy as np
import pytest

from grader.authoring.cell_names import computed_names, dependents, needed_cells, needed_names, slim_cells
from grader.authoring.mutants import (
    chosen,
    diff_of,
    mutants_of,
    targets_in_cells,
    targets_in_module,
)
from grader.authoring.steps import Step, Trace, varied
from grader.notebooks.cells import Cell

LAYER = '''\
import numpy as np
import torch

class layer:
    """A layer."""

    def backward(self, X, grad):
        """The gradients."""
        count = len(X)
        ### BEGIN SOLUTION
{body}
        ### END SOLUTION
'''


def targets(body, *, text=LAYER):
    source = text.format(body=textwrap.indent(textwrap.dedent(body).strip(), " " * 8))
    return targets_in_cells([Cell(1, "code", source)], file="hw.ipynb")


def changed_lines(body):
    """The lines that mutants of a body have and the body has not, without needless brackets."""
    found = targets(body)
    before = found[0].unit.text.split("\n")
    return {
        plain(line.strip())
        for mutant in mutants_of(found)
        for line in mutant.text.split("\n")
        if line not in before
    }


def plain(line):
    try:
        return ast.unparse(ast.parse(line)) if "#" not in line else line
    except SyntaxError:
        return line


@pytest.mark.parametrize(
    ("family", "body", "mistake"),
    [
        ("arrays", "self.b = grad.sum(axis=0)", "self.b = grad.mean(axis=0)"),
        ("arrays", "self.b = grad.sum(axis=0)", "self.b = grad.sum(axis=1)"),
        ("arrays", "self.b = grad.sum(axis=0, keepdims=True)", "self.b = grad.sum(axis=0, keepdims=False)"),
        ("arrays", "self.W = X.T @ grad / count", "self.W = X.T @ grad"),
        ("arrays", "self.W = X.T @ grad / count", "self.W = (X.T @ grad) / count / count"),
        ("arrays", "self.W = X.T @ grad", "self.W = X @ grad"),
        ("arrays", "self.W = X.T @ grad", "self.W = grad @ X.T"),
        ("arrays", "z = np.exp(X - X.max(axis=1))", "z = np.exp(X)"),
        ("arrays", "z = X[:, None] * grad", "z = X * grad"),
        ("arrays", "z = np.zeros(3, dtype=float)", "z = np.zeros(3, dtype=int)"),
        ("backprop", "self.g = X * grad", "self.g += (X * grad)"),
        ("backprop", "self.g = X * grad", "self.g = X * np.ones_like(grad)"),
        ("backprop", "return grad * (X > 0)", "return grad * (grad > 0)"),
        ("backprop", "return grad * self.mask", "grad *= self.mask"),
        ("backprop", "self.mask = X > 0", "if self.mask is None: self.mask = X > 0"),
        ("checkers", "d = (a - b) / (2 * eps)", "d = (a - b) / 2 * eps"),
        ("checkers", "self.w -= 2 * eps", "self.w -= eps"),
        ("checkers", "self.w += eps", "pass  # self.w stays changed"),
        ("optimisers", "w -= rate * v", "w += rate * v"),
        ("optimisers", "self.v = v", "self.v = self.v"),
        ("optimisers", "optimizer.zero_grad()", "pass"),
        ("optimisers", "model.eval()", "model.train()"),
        ("optimisers", "v = alpha * v + grad", "v = alpha * v + (1 - alpha) * grad"),
        ("attention", "s = s.masked_fill(future, -1e9)", "s = s"),
        ("attention", "m = torch.ones(3, 3).triu(diagonal=1)", "m = torch.ones(3, 3).triu(diagonal=1 + 1)"),
        ("attention", "m = torch.tril(x)", "m = torch.triu(x)"),
        ("attention", "s = q @ k / np.sqrt(d)", "s = (q @ k) / d"),
        ("attention", "h = x.view(b, t, n, d)", "h = x.view(b, n, t, d)"),
        ("attention", "p = torch.softmax(s, dim=-1)", "p = torch.softmax(s, dim=-2)"),
        ("data", "order = np.random.permutation(count)", "order = np.arange(count)"),
        ("data", "order = np.random.permutation(count)", "np.random.seed(0)"),
        (
            "data",
            "for i in range(0, count, size): pass",
            "for i in range(0, count - count % size, size): pass",
        ),
        ("python", "if count > 3: pass", "if count >= 3: pass"),
        ("python", "return grad", "return None"),
    ],
)
def test_each_family_makes_its_mistakes(family, body, mistake):
    assert plain(mistake) in changed_lines(body), (family, sorted(changed_lines(body)))


def test_leaks_are_made_where_a_function_has_both_parts_of_the_data():
    text = """\
import numpy as np

def standardise(X_train, X_test):
    ### BEGIN SOLUTION
    mean = X_train.mean(0)
    ### END SOLUTION
    return X_test - mean
"""
    found = targets_in_cells([Cell(1, "code", text)], file="hw.ipynb")
    lines = {mutant.text.split("\n")[2].strip() for mutant in mutants_of(found)}
    assert "mean = X_test.mean(0)" in lines


def test_mistakes_stay_in_the_regions_and_every_mutant_is_another_program():
    found = targets("self.W = X.T @ grad\nreturn grad @ self.W.T")
    mutants = mutants_of(found)
    assert len(mutants) > 50
    assert len({mutant.text for mutant in mutants}) == len(mutants)
    for mutant in mutants:
        compile(mutant.text, "mutant", "exec")
        assert "count = len(X)" in mutant.text
        assert '"""The gradients."""' in mutant.text
        assert all(line in (8, 9) for line in mutant.lines)


def test_a_region_belongs_to_its_innermost_function_though_its_end_marker_stands_below():
    text = """\
class one:
    def f(self):
        ### BEGIN SOLUTION
        return 1
        ### END SOLUTION

    def g(self):
        ### BEGIN SOLUTION
        return 2
        ### END SOLUTION


### BEGIN SOLUTION
total = 3
### END SOLUTION
"""
    found = targets_in_cells([Cell(4, "code", text, line=40)], file="hw.py")
    assert [target.name for target in found] == ["one.f", "one.g", "cell 4"]
    assert [target.place.whole for target in found] == [False, False, True]
    assert [target.place.file_line for target in found] == [40, 40, 40]


def test_a_call_that_draws_is_made_once_in_every_mutant():
    found = targets("self.W = np.random.normal(size=(2, 3))")
    branches = "kept from the first call on"  # one call in each of two
    for mutant in mutants_of(found):
        assert mutant.text.count("random.normal(") <= 1 + (mutant.what == branches)


def test_a_sample_has_every_kind_first_and_is_the_same_for_the_same_seed():
    found = targets("self.W = X.T @ grad\nreturn grad @ self.W.T")
    every = mutants_of(found)
    some = chosen(every, found, limit=30, seed=1)
    assert [mutant.text for mutant in some] == [
        mutant.text for mutant in chosen(every, found, limit=30, seed=1)
    ]
    assert some != chosen(every, found, limit=30, seed=2)
    assert len({(mutant.family, mutant.what) for mutant in some}) == 30


def test_beyond_all_single_mistakes_there_are_pairs():
    found = targets("self.W = X.T @ grad\nreturn grad @ self.W.T")
    every = mutants_of(found)
    more = chosen(every, found, limit=len(every) + 20, seed=1)
    assert len({mutant.text for mutant in more}) == len(every) + 20
    assert {mutant.family for mutant in more[len(every) :]} == {"two mistakes"}


def test_a_diff_names_the_line_in_the_reference():
    text = (
        "import numpy as np\n\n\ndef f(x):\n    ### BEGIN SOLUTION\n    return x + 1\n    ### END SOLUTION\n"
    )
    found = targets_in_cells([Cell(2, "code", text, line=11)], file="hw.py")
    mutant = next(one for one in mutants_of(found) if one.text.endswith("return None"))
    assert diff_of(mutant, found[0]).split("\n")[0] == "@@ line 14 of hw.py"


def test_the_regions_of_a_module_are_found():
    region = "    ### BEGIN SOLUTION\n    return np.sum(x)\n    ### END SOLUTION\n"
    text = f"import numpy as np\n\ndef f(x):\n{region}"
    (target,) = targets_in_module(text, place="layers/conv.py")
    assert (target.name, target.place.module, target.place.line) == ("f", True, 3)
    assert "    return np.mean(x)" in {mutant.text.split("\n")[2] for mutant in mutants_of([target])}


def test_labels_keep_as_many_rows_as_their_examples():
    X, labels = np.ones((4, 3)), np.array([0, 1, 2, 1])
    trace = Trace("test_f", "f", 0, [Step("call", (None, [X, labels, 4], {}), 1.0)])
    for variation, rows in (("one more along each axis", 5), ("a single example", 1)):
        (step,) = varied(trace, variation, seed=0)
        assert [len(step.arguments[1][0]), len(step.arguments[1][1])] == [rows, rows]
    (step,) = varied(trace, "with the other sign", seed=0)
    assert np.array_equal(step.arguments[1][1], labels)


# -- which cells matter --------------------------------------------------------------------------------------

CELLS = [
    Cell(1, "code", "import numpy as np"),
    Cell(2, "code", "def f(x):\n    return x"),
    Cell(3, "code", "def g(x):\n    y = f(x)\n    return y"),
    Cell(4, "code", "total = g(3)"),
    Cell(5, "code", "def h():\n    return total"),
    Cell(6, "code", "other = 1"),
]


def test_what_depends_on_a_cell():
    assert [cell.number for cell in dependents(CELLS, 2)] == [3, 4, 5]
    assert computed_names(dependents(CELLS, 2), CELLS) == {"total"}


def test_what_a_check_needs_of_a_notebook():
    assert "total" in needed_names(CELLS, ["h"])
    assert "total" not in needed_names(CELLS, ["g"])
    assert "y" not in needed_names(CELLS, ["g"])
    assert [cell.number for cell in needed_cells(tuple(CELLS), {"g"}, {2})] == [1, 2, 3]


def test_what_a_notebook_does_with_its_functions_is_left_out():
    cells = (
        Cell(1, "code", "import numpy as np\nimport helpers"),
        Cell(2, "code", "import torch"),
        Cell(3, "code", "np.random.seed(0)"),
        Cell(4, "code", "rate = 0.1"),
        Cell(5, "code", "def f(x):\n    return rate * x"),
        Cell(6, "code", "class g:\n    pass"),
        Cell(7, "code", "g.forward = f"),
        Cell(8, "code", "data = np.zeros(10)\ntotal = f(data)"),
        Cell(9, "code", "model = torch.nn.Linear(2, 2)"),
    )
    assert [cell.number for cell in slim_cells(cells, {"f"}, {5})] == [1, 3, 4, 5]
    assert [cell.number for cell in slim_cells(cells, {"g"}, set())] == [1, 3, 4, 5, 6, 7]
    assert [cell.number for cell in slim_cells(cells, {"total"}, set())] == [1, 3, 4, 5, 8]
