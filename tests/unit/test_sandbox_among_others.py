"""The modes without namespaces, where namespaces are forbidden as in a container with Docker's defaults."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.boxes import ASK_THE_MODE
from support.filter_machine import ALLOW, ERRNO, decide
from support.paths import TESTS
from support.privileges import run_without_namespaces

from grader.model.isolation import Mode
from grader.sandbox import modes
from grader.sandbox.modes import available, choose_mode, weaker
from grader.sandbox.spec import BoxSpec
from grader.sandbox.supervisor import claim_slot
from grader.sandbox.walls import shared_folder
from grader.sandbox.walls.seccomp import allow_list, assemble
from grader.sandbox.walls.seccomp_table import ALLOWED, BY_ARGUMENT

pytestmark = pytest.mark.sandbox

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can take namespaces away like that"
)

OWN = 4321
NO_FORKS = "not fork and not processes_is_limited and not daemons"
NO_COPIES = "not descriptors"


def run_file(file: str, *, ordinary: bool, choice: str) -> subprocess.CompletedProcess[str]:
    """One file of tests, run where there are no namespaces."""
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-k", choice]
    return run_without_namespaces(
        [sys.executable, "-m", "pytest", *options, str(TESTS / "unit" / file)], ordinary=ordinary
    )


@linux_only
@as_root
@pytest.mark.parametrize(
    ("file", "ordinary", "choice"),
    [
        ("test_doctor_examination.py", False, ""),
        ("test_doctor_examination.py", True, ""),
        ("test_sandbox_life.py", False, ""),
        ("test_sandbox_life.py", True, f" and {NO_FORKS}"),
        ("test_session_sandboxed.py", False, ""),
        ("test_session_sandboxed.py", True, f" and {NO_COPIES}"),
    ],
)
def test_the_same_holds_without_namespaces(file: str, ordinary: bool, choice: str) -> None:  # noqa: FBT001
    """Each of the tests passes, but for those of what a mode does not have: see docs/operators.md."""
    done = run_file(file, ordinary=ordinary, choice=f"({ASK_THE_MODE[file]}){choice}")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert re.search(r"^\d+ passed(, \d+ deselected)? in", done.stdout, re.MULTILINE), done.stdout[-1000:]


GRADE = """
import json, subprocess, sys
from pathlib import Path
from support.notebooks import code, write_notebook
from support.tiny import RIGHT, make_tiny
home = Path(sys.argv[1])
make_tiny(home)
wrong = [*RIGHT[:2], code("def double(x):\\n    return 3 * x"), RIGHT[3]]
for name, cells in {"right": RIGHT, "wrong": wrong}.items():
    write_notebook(home / f"{name}.ipynb", cells)
    command = [sys.executable, "-m", "grader.cli.main", f"{name}.ipynb", "--json", "--seed", "3"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True)
    record = json.loads(done.stdout)
    print(record["environment"]["isolation"], record["earned"], done.returncode)
"""


@linux_only
@as_root
@pytest.mark.parametrize(("ordinary", "mode"), [(False, "setuid"), (True, "landlock")])
def test_a_grade_names_the_weaker_mode_and_is_the_same(ordinary: bool, mode: str) -> None:  # noqa: FBT001
    """The whole command, a right and a wrong submission."""
    with tempfile.TemporaryDirectory(dir="/tmp") as home:
        Path(home).chmod(0o777)
        done = run_without_namespaces([sys.executable, "-c", GRADE, home], ordinary=ordinary)
    assert done.stdout.splitlines() == [f"{mode} 3 0", f"{mode} 1 0"], done.stderr


@linux_only
@as_root
@pytest.mark.parametrize(("ordinary", "mode"), [(False, "setuid"), (True, "landlock")])
def test_what_is_available_without_namespaces(ordinary: bool, mode: str) -> None:  # noqa: FBT001
    """The stronger one was tried and does not work."""
    source = "from grader.sandbox import modes; print(*modes.available(), modes.choose_mode())"
    done = run_without_namespaces([sys.executable, "-c", source], ordinary=ordinary)
    assert done.stdout == f"{mode} {mode}\n", done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")
def test_less_is_used_only_when_more_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spec that cannot be set up is no reason to weaken anything."""
    works: dict[Mode, str | None] = dict.fromkeys(Mode)
    monkeypatch.setattr(modes, "usual_mode", lambda: Mode.NS_USER)
    monkeypatch.setattr(modes, "probe", works.__getitem__)
    assert weaker(Mode.NS_USER) is None
    assert choose_mode() is Mode.NS_USER
    works[Mode.NS_USER] = "unshare: no"
    assert weaker(Mode.NS_USER) is choose_mode() is Mode.LANDLOCK
    assert available() == (Mode.LANDLOCK,)
    assert weaker(Mode.LANDLOCK) is None
    works[Mode.LANDLOCK] = "no Landlock"
    assert weaker(Mode.NS_USER) is weaker(Mode.LANDLOCK) is None


@pytest.mark.parametrize("column", [0, 1], ids=["x86-64", "aarch64"])
def test_the_filter_among_others_names_no_other_process(column: int) -> None:
    """Threads but no forks; signals, limits and processors of its own process only; no times, no rights."""
    program = assemble(allow_list(column, among_others=True, alone=OWN))
    refused = ERRNO | errno.EPERM

    def decided(name: str, *arguments: int) -> int:
        number = (ALLOWED | BY_ARGUMENT)[name][column]
        assert number is not None
        return decide(column, number, *arguments, program=program)

    assert decided("clone", 0x003D0F00) == ALLOW
    for flags in (0x01200011, 17, 0x10000000, 0x10010000):
        assert decided("clone", flags) == refused
    for name in ("kill", "tgkill"):
        assert [decided(name, number, 9) for number in (OWN, 0, 1, 0xFFFFFFFF)] == [ALLOW] + [refused] * 3
    for name in ("prlimit64", "sched_setaffinity", "get_robust_list"):
        assert [decided(name, number) for number in (OWN, 0, 1)] == [ALLOW, ALLOW, refused]
    assert [decided("fcntl", 3, command) for command in (1, 4, 8, 10, 15, 1024)] == [ALLOW] * 2 + [
        refused
    ] * 4
    for name in ("fchmod", "fchmodat", "utimensat"):
        assert decided(name) == refused
    assert (
        decide(
            column, ALLOWED["fchmod"][column] or 0, program=assemble(allow_list(column, among_others=True))
        )
        == ALLOW
    )
    assert decided("openat") == ALLOW


@linux_only
def test_a_folder_is_removed_whatever_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deeper than any recursion, closed, with links to what must stay."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("x")
    (tmp_path / "kept").chmod(0o755)
    place = shared_folder.build(
        BoxSpec(mode=Mode.LANDLOCK, files={"given": tmp_path / "kept"}), user=os.getuid()
    )
    assert (Path(place.work) / "given" / "file").read_text() == "x"
    (Path(place.work) / "link").symlink_to(tmp_path / "kept")
    here = os.open(place.work, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.mkdir("closed", 0, dir_fd=here)
    os.close(here)
    shared_folder.remove(place)
    assert not os.path.lexists(place.base)
    assert (tmp_path / "kept" / "file").read_text() == "x"


@linux_only
def test_an_assignment_that_cannot_be_hidden_is_refused(tmp_path: Path) -> None:
    """Without a file system of its own nothing can be covered up."""
    inside_python = Path(json.__file__).parent
    with pytest.raises(OSError, match="cannot hide it"):
        shared_folder.build(BoxSpec(mode=Mode.LANDLOCK, hidden=(inside_python,)), user=os.getuid())
    with pytest.raises(FileNotFoundError, match="does not exist"):
        shared_folder.build(BoxSpec(mode=Mode.LANDLOCK, files={"x": tmp_path / "x"}), user=os.getuid())


@linux_only
def test_no_two_sandboxes_share_a_user() -> None:
    """Also two whose supervisors' numbers are alike; a user is free again when its holder is closed."""
    first, holder = claim_slot()
    second, other = claim_slot()
    with other:
        assert first != second
    with holder:
        third, again = claim_slot()
        again.close()
    assert third == second
