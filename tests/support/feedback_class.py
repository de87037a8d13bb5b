"""A small class that is graded: notebooks on disk, records without runs, in a gradebook."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import msgspec

from grader.gradebook.rows import ItemPoints, NewSubmission, StoredResult, Student
from grader.gradebook.store import Gradebook
from grader.model.assignment import Assignment
from grader.model.errors import Fault, Outcome
from grader.model.points import ZERO, Points
from grader.model.records import CellResult, CellStatus, CheckResult, Grade, encode
from support.assignments import Item, manifest, write_files
from support.marked_class import record
from support.notebooks import code, prose, write_notebook
from support.report_samples import png

REFERENCE = '''\
# %% [markdown]
# ### 1 Doubling (3 points)
# %%
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return x + x
    ### END SOLUTION
# %% [markdown]
# ### 2 Why (2 points)
# %% [markdown]
# #### Answer 2
# %% [markdown]
# ### 3.i Curves (2 points)
'''
MANIFEST = manifest(
    Item("1", "Doubling", points=3),
    Item("2", "Why", points=2, rubric="names the reason"),
    Item("3.i", "Curves", kind="evidence", points=2),
)
PLOT = png()
ALERT = "<script>document.title='owned'</script><img src=http://example.org/x.png onerror=alert(1)>"
"""What a page must not run or fetch."""


def make_course(folder: Path) -> Path:
    """Write the assignment into a folder."""
    return write_files(
        folder,
        {"assignment.toml": MANIFEST, "reference/notebook.py": REFERENCE, "hidden_tests/test_1.py": ""},
    )


def hand_in(path: Path) -> Path:
    """A notebook with an answer, a plot, output with HTML in it, and cells of no item."""
    picture = base64.b64encode(PLOT).decode()
    return write_notebook(
        path,
        [
            code("import numpy as np"),
            prose("### 1 Doubling"),
            code(
                "def double(x):\n    return x * 3",
                {"output_type": "stream", "name": "stdout", "text": f"printed {ALERT}\n"},
                {
                    "output_type": "display_data",
                    "metadata": {},
                    "data": {"text/html": ALERT, "text/plain": "a table"},
                },
            ),
            prose(f"#### Answer 2\n\nBecause **it** is so. {ALERT}"),
            prose("### 3.i Curves"),
            code("plot()", {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}}),
            code("done = True"),
        ],
    )


def graded(assignment: Assignment, sha256: str, *, earned: int = 1) -> Grade:
    """The record of such a notebook: a check passed and another failed, a cell that raised, no evidence."""
    checks = (
        CheckResult("test_a", "double(0) is 0", "1", Outcome.PASSED, Points.of(earned), Points.of(1)),
        CheckResult(
            "test_b[3-7]",
            "double(x) is twice x",
            "1",
            Outcome.FAILED,
            ZERO,
            Points.of(2),
            Fault.STUDENT,
            message=f"Is it *twice* x? {ALERT}",
            detail="expected 6, got 9",
        ),
    )
    base = record(assignment, "hw.ipynb", sha256, {"2": "Because it is so."})
    items = tuple(
        msgspec.structs.replace(item, checks=checks, earned=Points.of(earned))
        if item.item == "1"
        else msgspec.structs.replace(item, found=False, earned=ZERO, checks=())
        if item.item == "3.i"
        else item
        for item in base.items
    )
    cells = (CellResult(7, CellStatus.RAISED, error=f"NameError: {ALERT}", traceback="line 1"),)
    return msgspec.structs.replace(
        base, items=items, earned=Points.of(earned), cells=cells, notices=(f"data.csv was left out {ALERT}",)
    )


def add(
    book: Gradebook, grade: Grade, path: Path, student: Student, *, name: str, reason: str = "batch"
) -> int:
    """Hand in and grade one file; the row of the submission."""
    book.add_students([student])
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    new = NewSubmission(grade.assignment, name, sha256, student.id, str(path))
    return store(book, grade, new, reason=reason)


def store(book: Gradebook, grade: Grade, new: NewSubmission, *, reason: str = "batch") -> int:
    """Make this the grade of a submission; its row."""
    own = msgspec.structs.replace(grade.submission, name=new.name)
    grade, row = msgspec.structs.replace(grade, submission=own), book.add_submission(new)
    result = StoredResult(
        hashlib.sha256(encode(grade)).hexdigest(),
        grade.assignment,
        new.sha256,
        {},
        tuple(map(ItemPoints.of, grade.items)),
        (),
        encode(grade),
        grade.earned,
        grade.possible,
        grade.decided,
    )
    book.store_result(result, [row], author="batch", reason=reason)
    return row
