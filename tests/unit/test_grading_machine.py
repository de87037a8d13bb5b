"""What the grading machine lacks is never charged to a student; their own mistakes are."""

from __future__ import annotations

import sys

import pytest

from grader.grading.machine import Machine
from grader.model.assignment import EnvironmentRules
from grader.model.errors import Fault, Outcome
from grader.model.points import Points
from grader.model.records import CellResult, CellStatus, CheckResult
from grader.notebooks.submission_file import SubmissionFile, from_bytes

NEWER = f"{sys.version_info[0]}.{sys.version_info[1] + 1}"
SAME = f"{sys.version_info[0]}.{sys.version_info[1]}"


def machine(**rules: object) -> Machine:
    return Machine(EnvironmentRules(**rules), frozenset({"layers", "utils"}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("ModuleNotFoundError: No module named 'fairly_rare'", "`fairly_rare`, which students may use"),
        ("ModuleNotFoundError: No module named 'fairly_rare.nets'", "`fairly_rare`, which students may use"),
        ("ModuleNotFoundError: No module named 'numpy.dual'", "has no `numpy.dual`"),
        ("ImportError: cannot import name 'plot_it' from 'numpy.linalg' (/usr/lib/x.py)", "no `plot_it`"),
        ("ImportError: cannot import name 'Iterable' from 'collections'", "no `Iterable`"),
        ("AttributeError: module 'numpy' has no attribute 'product'", "no `product`"),
        (
            "AttributeError: module 'numpy' has no attribute 'float'.\n`np.float` was a deprecated alias",
            "`float`",
        ),
        ("AttributeError: `np.Inf` was removed in the NumPy 2.0 release. Use `np.inf`", "no longer has"),
        ("OSError: ./own.so: failed to map segment from shared object", "compiles"),
        (
            "CalledProcessError: Command 'gcc x.c\n./a.out\n' returned non-zero exit status 126.",
            "cannot be started",
        ),
        ("PermissionError: [Errno 1] Operation not permitted\n  File x", "forbids this (Operation not"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'", "no program `ffmpeg`"),
        (
            "ExecutableNotFound: failed to execute PosixPath('dot'), make sure the Graphviz executables are "
            "on your systems' PATH",
            "no program `dot`",
        ),
        ("OSError: [Errno 30] Read-only file system: 'data/a.npy'", "Read-only file system"),
    ],
)
def test_what_the_machine_lacks_is_named(error: str, told: str) -> None:
    assert told in machine(packages=("fairly_rare",)).lacks(error)


@pytest.mark.parametrize(
    "error",
    [
        "ModuleNotFoundError: No module named 'fairly_common'",
        "FileNotFoundError: [Errno 2] No such file or directory: 'weights'",
        "FileNotFoundError: [Errno 2] No such file or directory: 'git/config'",
        "ModuleNotFoundError: No module named 'layers'",
        "ModuleNotFoundError: No module named 'layers.conv'",
        "ImportError: cannot import name 'forward' from 'layers'",
        "AttributeError: module 'numpy' has no attribute 'arrray'",
        "AttributeError: 'NoneType' object has no attribute 'float'",
        "AttributeError: module 'utils' has no attribute 'product'",
        "NameError: name 'x' is not defined",
        "PermissionError: [Errno 13] Permission denied: 'mine.csv'",
        "ValueError: PermissionError: [Errno 1] Operation not permitted",
        "ValueError: No module named",
        "CalledProcessError: Command 'false' returned non-zero exit status 1.",
        "CalledProcessError: " * 20_000,
        "",
        "ImportError: cannot import name '" + "x" * 500_000,
    ],
    ids=lambda error: error[:60],
)
def test_what_is_the_students_own_stays_theirs(error: str) -> None:
    assert machine(packages=("fairly_rare",)).lacks(error) == ""


@pytest.mark.parametrize(
    "error",
    [
        "AssertionError: Torch not compiled with CUDA enabled",
        "RuntimeError: Found no NVIDIA driver on your system.",
        "RuntimeError: No CUDA GPUs are available",
        "RuntimeError: Attempting to deserialize on a CUDA device but torch.cuda.is_available() is False",
        "RuntimeError: PyTorch was compiled without CUDA support",
        "RuntimeError: torch.cuda.Stream requires CUDA support",
        "RuntimeError: Cannot get CUDA generator without ATen_cuda library.",
        "RuntimeError: Cannot access accelerator device when none is available.",
        "RuntimeError: Tried to instantiate dummy base class Event",
    ],
)
@pytest.mark.parametrize("cuda", ["cpu", "undecided"])
def test_a_missing_gpu_is_the_machines(error: str, cuda: str) -> None:
    assert "GPU" in machine(cuda=cuda).lacks(error)


def notebook(version: object) -> SubmissionFile:
    import json  # noqa: PLC0415

    info = {"name": "python", "version": version}
    return from_bytes(json.dumps({"cells": [], "metadata": {"language_info": info}}).encode(), name="a.ipynb")


def cell(error: str) -> CellResult:
    return CellResult(cell=3, status=CellStatus.RAISED, error=error)


def test_syntax_of_a_newer_python_is_the_machines() -> None:
    assert notebook(f"{NEWER}.5").python == NEWER
    (reason,) = machine().reasons(notebook(f"{NEWER}.5"), [cell("SyntaxError: expected '('")])
    assert f"saved with Python {NEWER} and is run by {SAME}" in reason
    assert machine().reasons(notebook(f"{NEWER}.5"), [cell("ValueError: x")]) == ()


@pytest.mark.parametrize("version", [f"{SAME}.1", "3.6.9", "", None, 3, "3", "٣.١٣", "9" * 100, ["3.13"]])
def test_syntax_errors_of_no_newer_python_are_the_students(version: object) -> None:
    assert machine().reasons(notebook(version), [cell("SyntaxError: invalid syntax")]) == ()


def check(outcome: Outcome, fault: Fault | None, detail: str = "") -> CheckResult:
    zero = Points.of(0)
    return CheckResult("test_a", "a", "1", outcome, zero, Points.of(1), fault=fault, detail=detail)


def test_what_fails_after_such_a_cell_is_put_down_to_the_machine() -> None:
    results = [
        check(Outcome.PASSED, None),
        check(Outcome.ERRORED, Fault.STUDENT, "NameError: name 'f' is not defined"),
        check(Outcome.ERRORED, Fault.AUTHOR),
    ]
    failed = [(notebook(None), [cell("ModuleNotFoundError: No module named 'fairly_rare'")])]
    judged, lacking = machine(packages=("fairly_rare",)).judged(results, failed)
    assert [result.fault for result in judged] == [None, Fault.INFRASTRUCTURE, Fault.AUTHOR]
    assert judged[1].detail.startswith("a.ipynb: `fairly_rare`")
    assert "costs nothing" in judged[1].message
    assert lacking == ["a.ipynb: `fairly_rare`, which students may use, is not installed"]
    assert machine().judged(results, failed) == (results, [])
    assert machine(packages=("fairly_rare",)).judged(results[:1], failed) == (results[:1], [])


def test_one_call_that_needs_what_is_gone_excuses_that_check_alone() -> None:
    results = [
        check(
            Outcome.ERRORED, Fault.STUDENT, "AttributeError: module 'numpy' has no attribute 'product'\n..."
        ),
        check(Outcome.FAILED, Fault.STUDENT, "wrong"),
    ]
    judged, _ = machine().judged(results, [])
    assert [result.fault for result in judged] == [Fault.INFRASTRUCTURE, Fault.STUDENT]
