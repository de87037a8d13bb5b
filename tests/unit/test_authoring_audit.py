"""`grade audit`: the tests of an assignment are tested by mistakes in its reference, in the real sandbox."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner
from support.assignments import Item, manifest, write_files

from grader.authoring.audit import Wanted, audit
from grader.cli.audit import command
from grader.grading import assignment_folder
from grader.model.audit import Verdict, decode, encode
from grader.model.errors import AuditError, UsageError
from grader.model.points import Points
from grader.reports.audit_page import render

pytestmark = pytest.mark.sandbox

REFERENCE = """\
# %%
import numpy as np

# %%
class linear_layer:
    def __init__(self, W):
        self.W, self.gradient = W, {}

    def backward(self, X, grad):
        ### BEGIN SOLUTION
        self.gradient["b"] = grad.sum(axis=0)
        ### END SOLUTION
        return grad @ self.W.T
"""

# A published check of an earlier year: it divides the difference by a signed value, so that whatever comes
# out negative is below the bar, however wrong it is.
BLIND = '''
import numpy as np

from grader import CheckFailed, item, points

pytestmark = item("1")


@points(2)
def test_gradient_of_the_bias(student):
    """the gradient of b agrees with what it should be"""
    X, G = np.ones((4, 3)), -np.arange(8.0).reshape(4, 2) / 3 - 1
    layer = student.linear_layer(np.ones((3, 2)))
    layer.backward(X, G)
    claimed, expected = layer.gradient["b"].value, G.sum(axis=0)
    error = np.abs(claimed - expected).sum() / expected.sum()
    if error > 1e-5:
        raise CheckFailed(f"relative error {error}")
'''
SEEING = BLIND.replace("/ expected.sum()", "/ np.abs(expected).sum()").replace(
    "    if error >", "    if claimed.shape != expected.shape or claimed.dtype != float or error >"
)


ONE_ITEM = (Item("1", "One", 2),)


def folder(tmp_path, checks, *, reference=REFERENCE, items=ONE_ITEM, files=None):
    texts = {
        "assignment.toml": manifest(*items, notebook="reference.py"),
        "reference.py": reference,
        "hidden_tests/test_1.py": checks,
    }
    return assignment_folder.load(write_files(tmp_path, {**texts, **(files or {})}))


def audited(home, **wanted):
    return audit(home, Wanted(workers=1, **wanted), progress=lambda *_: None)


def test_a_course_check_known_to_be_blind_is_found(tmp_path):
    found = audited(folder(tmp_path, BLIND), limit=60)
    survivors = found.of(Verdict.SURVIVED)
    means = [one for one in survivors if "grad.mean(axis=0)" in one.diff]
    assert means, [one.what for one in survivors]
    assert found.score < 70
    (mean,) = means
    assert mean.difference.same_input
    assert mean.difference.check == "test_gradient_of_the_bias"
    assert "gradient['b']" in mean.difference.call
    assert mean.difference.reference != mean.difference.mutant


def test_with_absolute_values_it_sees_everything(tmp_path):
    found = audited(folder(tmp_path, SEEING))
    assert [one.diff for one in found.of(Verdict.SURVIVED)] == []
    assert found.score == 100
    assert len(found.of(Verdict.KILLED)) > 25
    (region,) = found.regions
    assert (region.name, region.item, region.way) == ("linear_layer.backward", "1", "redefined")
    assert region.taken_out == {"1": Points.of(2)}
    assert all(one.lost == {"1": Points.of(2)} for one in found.of(Verdict.KILLED))


def test_an_equivalent_mutant_was_compared_on_many_calls(tmp_path):
    reference = REFERENCE.replace("grad.sum(axis=0)", "np.sum(grad.copy(), axis=0)")
    found = audited(folder(tmp_path, SEEING, reference=reference))
    same = [one for one in found.of(Verdict.EQUIVALENT) if "np.sum(grad, axis=0)" in one.diff]
    assert same, [(one.what, one.verdict) for one in found.mutants]
    assert same[0].inputs >= 10


def test_a_mutant_that_the_check_could_only_see_with_other_inputs_is_no_equivalent(tmp_path):
    checks = '''
from grader import assert_close, item, points

pytestmark = item("1")


@points(2)
def test_positive(student):
    """the absolute value"""
    import numpy as np
    assert_close(student.size(np.array([1.0, 2.0])), np.array([1.0, 2.0]))
'''
    reference = """\
# %%
import numpy as np

def size(x):
    ### BEGIN SOLUTION
    return np.abs(x)
    ### END SOLUTION
"""
    found = audited(folder(tmp_path, checks, reference=reference))
    (missed,) = [one for one in found.of(Verdict.SURVIVED) if "return x" in one.diff]
    assert not missed.difference.same_input
    assert missed.difference.variation
    assert "size(" in missed.difference.call


def test_a_mistake_that_changes_the_argument_is_no_equivalent(tmp_path):
    checks = '''
import numpy as np

from grader import assert_close, item, points

pytestmark = item("1")


@points(2)
def test_double(student, rng):
    """twice"""
    x = rng.normal(size=3)
    assert_close(student.double(x), 2 * x)
'''
    reference = """\
# %%
import numpy as np

def double(x):
    ### BEGIN SOLUTION
    return x * 2.0
    ### END SOLUTION
"""
    found = audited(folder(tmp_path, checks, reference=reference))
    (missed,) = [one for one in found.mutants if one.what == "computed in place"]
    assert missed.verdict is Verdict.SURVIVED
    assert "its argument is then" in missed.difference.mutant


TWO = '''
from grader import assert_close, item, points


@item("1")
@points(1)
def test_first(student):
    """first"""
    assert_close(student.first(3.0), 4.0)


@item("2")
@points(1)
def test_second(student):
    """second uses the student's own first"""
    assert_close(student.second(3.0), 8.0)
'''
TWO_FUNCTIONS = """\
# %%
def first(x):
    ### BEGIN SOLUTION
    return x + 1
    ### END SOLUTION

# %%
def second(x):
    ### BEGIN SOLUTION
    return 2 * first(x)
    ### END SOLUTION
"""
TWO_ITEMS = (Item("1", "One"), Item("2", "Two"))


def test_a_mistake_that_another_item_charges_for_as_well_is_named(tmp_path):
    found = audited(folder(tmp_path, TWO, reference=TWO_FUNCTIONS, items=TWO_ITEMS))
    first = [one for one in found.of(Verdict.KILLED) if one.region == 0]
    assert first
    assert all(one.lost == {"1": Points.of(1), "2": Points.of(1)} for one in first)
    assert "first belongs to 1, but" in render(found)


def test_only_audits_the_regions_of_an_item(tmp_path):
    home = folder(tmp_path, TWO, reference=TWO_FUNCTIONS, items=TWO_ITEMS)
    found = audited(home, only=frozenset({"2"}))
    assert [region.name for region in found.regions] == ["second"]
    assert {one.region for one in found.mutants} == {0}
    with pytest.raises(UsageError, match="no item with this id"):
        audited(home, only=frozenset({"7"}))


def test_what_was_computed_with_a_function_is_computed_again(tmp_path):
    checks = '''
from grader import assert_close, item, points

pytestmark = item("1")


@points(2)
def test_total(student):
    """the total"""
    assert_close(student.total.value, 12.0)
'''
    reference = """\
# %%
def weight(x):
    ### BEGIN SOLUTION
    return x * 2.0
    ### END SOLUTION

# %%
parts = [weight(1.0), weight(2.0), weight(3.0)]

# %%
total = sum(parts)
"""
    found = audited(folder(tmp_path, checks, reference=reference))
    assert [region.way for region in found.regions] == ["cells again"]
    assert found.of(Verdict.SURVIVED) == ()
    assert len(found.of(Verdict.KILLED)) > 3


def test_a_cell_that_cannot_run_twice_is_run_in_a_whole_notebook(tmp_path):
    checks = '''
from grader import assert_close, item, points

pytestmark = item("1")


@points(2)
def test_count(student):
    """the count"""
    assert_close(student.count.value, 3.0)
'''
    reference = """\
# %%
count = 1.0

# %%
### BEGIN SOLUTION
count = count + 2.0
### END SOLUTION
"""
    found = audited(folder(tmp_path, checks, reference=reference), limit=4)
    assert [region.way for region in found.regions] == ["whole notebook"]
    assert found.of(Verdict.SURVIVED) == ()
    assert len(found.of(Verdict.KILLED)) >= 3


def test_a_module_that_students_write_is_audited_too(tmp_path):
    items = manifest(Item("1", "One", 2), notebook="reference/main.py")
    checks = TWO.partition('@item("2")')[0].replace("@points(1)", "@points(2)")
    files = {
        "assignment.toml": items + '\n[submission]\nfiles = ["layers/*.py"]\n',
        "reference/main.py": "# %%\nfrom layers.plus import first\n",
        "reference/layers/plus.py": "def first(x):\n    ### BEGIN SOLUTION\n    return x + 1\n"
        "    ### END SOLUTION\n",
        "hidden_tests/test_1.py": checks,
    }
    found = audited(assignment_folder.load(write_files(tmp_path, files)))
    assert [(region.file, region.way) for region in found.regions] == [("layers/plus.py", "redefined")]
    assert found.of(Verdict.SURVIVED) == ()
    assert len(found.of(Verdict.KILLED)) > 3


def test_a_mutant_that_never_ends_is_slow_and_ends(tmp_path):
    checks = '''
from grader import assert_close, item, points

pytestmark = item("1")


@points(2)
def test_down(student):
    """counts down"""
    assert_close(student.down(3), 0)
'''
    reference = """\
# %%
def down(n):
    ### BEGIN SOLUTION
    while n > 0:
        n -= 1
    ### END SOLUTION
    return n
"""
    found = audited(folder(tmp_path, checks, reference=reference))
    slow = found.of(Verdict.SLOW)
    assert slow
    assert any("n += 1" in one.diff for one in slow)


def test_a_region_that_no_check_sees_is_said(tmp_path):
    reference = (
        TWO_FUNCTIONS + "\n# %%\ndef third(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n"
    )
    found = audited(folder(tmp_path, TWO, reference=reference, items=TWO_ITEMS))
    assert any("no check sees third" in notice for notice in found.notices)
    assert all(one.verdict is Verdict.SURVIVED for one in found.mutants if one.region == 2)


def test_a_check_that_the_reference_does_not_pass_is_left_out_and_named(tmp_path):
    checks = TWO.replace("student.second(3.0), 8.0", "student.second(3.0), 9.0")
    found = audited(folder(tmp_path, checks, reference=TWO_FUNCTIONS, items=TWO_ITEMS), limit=4)
    assert any("`test_second` of 2 is left out" in notice for notice in found.notices)
    with pytest.raises(AuditError, match="passes no check"):
        audited(
            folder(tmp_path / "b", checks.replace("4.0", "5.0"), reference=TWO_FUNCTIONS, items=TWO_ITEMS)
        )


def test_what_the_author_accepts_is_no_survivor(tmp_path):
    line = 'self.gradient["b"] = grad.sum(axis=0)'
    entry = "[[accepted]]\nregion = 'linear_layer.backward'\nwhat = ['mean in place *']\n"
    files = {"hidden_tests/audit.toml": f"{entry}line = '{line}'\nwhy = 'for this test'\n"}
    found = audited(folder(tmp_path, BLIND, files=files), limit=30)
    assert [(one.what, one.why) for one in found.of(Verdict.ACCEPTED)] == [
        ("mean in place of sum", "for this test")
    ]
    assert found.of(Verdict.SURVIVED)
    assert not [notice for notice in found.notices if "no such mutant" in notice]


def test_an_acceptance_that_means_no_mutant_is_named_and_a_wrong_file_says_so(tmp_path):
    gone = "[[accepted]]\nregion = 'relu.forward'\nwhy = 'was there'\n"
    home = folder(tmp_path, SEEING, files={"hidden_tests/audit.toml": gone})
    assert any("relu.forward: any line" in notice for notice in audited(home, limit=2).notices)
    home = folder(tmp_path, SEEING, files={"hidden_tests/audit.toml": "[[accepted]]\nwhy = 1\n"})
    with pytest.raises(AuditError, match=r"audit\.toml"):
        audited(home, limit=2)


def test_the_record_comes_back_as_it_was_written(tmp_path):
    found = audited(folder(tmp_path, BLIND), limit=12)
    assert decode(encode(found)) == found


def test_the_command_prints_survivors_writes_a_page_and_fails_under_a_bar(tmp_path):
    home = folder(tmp_path, BLIND)
    options = ["--assignment", str(home.path), "--limit", "24", "--workers", "2"]
    ran = CliRunner().invoke(command, [*options, "--fail-under", "99"], standalone_mode=False)
    assert ran.exception is None, ran.output
    assert ran.return_value == 1
    assert "Your tests miss this" in ran.output
    assert re.search(r"\d+ of \d+ mutants noticed \(\d+\.\d %\)", ran.output)
    page = (home.path / "reports" / "audit" / "audit.html").read_text()
    assert "test_gradient_of_the_bias" in page
    assert "<script" not in page
    record = json.loads((home.path / "reports" / "audit" / "audit.json").read_text())
    assert len(record["mutants"]) == 24
    ran = CliRunner().invoke(command, [*options, "--fail-under", "1"], standalone_mode=False)
    assert ran.return_value == 0
