"""Where an autograder runs, without its system: Gradescope's folders, a checkout of Classroom 50's."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from .privileges import NOBODY, run_as

MANIFEST = """title = "HW"
points = 4
notebook = "reference/hw.py"

[[item]]
id = "1"
title = "Double"
points = 2

[[item]]
id = "1b"
title = "Half"
points = 1

[[item]]
id = "2"
title = "Why?"
kind = "written"
points = 1
rubric = [{ points = 1, text = "Says why." }]
"""
REFERENCE = """# %% [markdown]
# # HW
# ## 1 Double

# %%
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% [markdown]
# ## 1b Half

# %%
def half(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION

# %% [markdown]
# ## 2 Why?
# Answer 2:
"""
HIDDEN = """from grader import assert_close, item, points

SECRET = 987654.25


@item("1")
@points(1, hint="Twice the number?")
def test_double(student):
    \"\"\"it doubles\"\"\"
    assert_close(student.double(SECRET), 2 * SECRET)


@item("1")
@points(1)
def test_double_of_nothing(student):
    \"\"\"it doubles 0\"\"\"
    assert_close(student.double(0.0), 0.0)


@item("1b")
@points(1)
def test_half(student):
    \"\"\"it halves\"\"\"
    assert_close(student.half(SECRET), SECRET / 2)
"""
PUBLIC = """from grader import assert_close, item

pytestmark = item("1")


def test_double(student):
    \"\"\"it doubles 3\"\"\"
    assert_close(student.double(3.0), 6.0)


def test_triple(student):
    \"\"\"it doubles 0\"\"\"
    assert_close(student.double(0.0), 0.0)
"""
SECRETS = ("987654", "1975308", "493827", "SECRET", "assert_close")


def write_course(home: Path) -> Path:
    """An assignment with three hidden and two public checks."""
    files = {
        "assignment.toml": MANIFEST,
        "reference/hw.py": REFERENCE,
        "hidden_tests/test_1.py": HIDDEN,
        "reference/public_tests/test_1.py": PUBLIC,
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    return home


def unpack_for_gradescope(package: Path, root: Path, *, doctor: int = 0, grades: bool = True) -> None:
    """Its folders as the image has them; this Python in place of what setup.sh would install.

    ``doctor`` is the status of `grade doctor`, which takes too long for a test. Unless it ``grades``, `grade`
    fails.
    """
    for folder in ("source", "submission", "results", "chainrule/bin"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(package) as archive:
        archive.extractall(root / "source")
        for entry in archive.infolist():
            (root / "source" / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
    (root / "run_autograder").write_bytes((root / "source/run_autograder").read_bytes())
    grade = root / "chainrule/bin/grade"
    said = f'[ "$1" != doctor ] || {{ echo "namespaces: missing"; exit {doctor}; }}'
    does = f'exec {sys.executable} -m grader.cli.main "$@"' if grades else "exit 1"
    grade.write_text(f"#!/bin/sh\n{said}\n{does}\n")
    for path in (root / "run_autograder", grade):
        path.chmod(0o755)
    if os.geteuid() == 0:
        for path in (root, *root.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


def run_autograder(root: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Grade what lies in ``submission``, as an ordinary user."""
    how = "ordinary" if os.geteuid() == 0 else ""
    command = ["/bin/sh", "-c", f"cd '{root}' && exec ./run_autograder"]
    return run_as(command, how, timeout=120, CHAINRULE_AUTOGRADER=str(root), **more)
