"""Both kinds of users: the walls again without privileges, finding the mode, saying what is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.boxes import ASK_THE_MODE
from support.paths import TESTS
from support.privileges import run_as_ordinary_user

from grader.model.errors import SandboxUnavailable
from grader.model.isolation import Mode
from grader.sandbox import modes
from grader.sandbox.modes import available, choose_mode, remedy
from grader.sandbox.walls import landlock

pytestmark = pytest.mark.sandbox

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="already an ordinary user: the file itself ran as one",
)


@linux_only
@as_root
@pytest.mark.parametrize(
    "file", ["test_sandbox_walls.py", "test_sandbox_life.py", "test_doctor_examination.py"]
)
def test_everything_holds_for_an_ordinary_user(file: str) -> None:
    """The same tests, run by a user who owns nothing: each must pass, none may be skipped."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-k",
        ASK_THE_MODE.get(file, ""),
        str(TESTS / "unit" / file),
    ]
    done = run_as_ordinary_user(command)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert re.search(r"^\d+ passed(, \d+ deselected)? in", done.stdout, re.MULTILINE), done.stdout[-1000:]


@linux_only
def test_the_mode_for_this_user_is_found_by_trying() -> None:
    """Root never gets a user namespace: the kernel would not count its processes."""
    assert choose_mode() is (Mode.NS_ROOT if os.geteuid() == 0 else Mode.NS_USER)


@linux_only
def test_what_is_available_was_tried_and_the_strongest_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mode whose trial fails is not in the list."""
    assert available()[0] is choose_mode()
    monkeypatch.setattr(modes, "probe", lambda _: "no")
    assert available() == ()


@linux_only
def test_the_mode_for_an_ordinary_user_is_found_by_trying() -> None:
    """By the same trial."""
    source = "from grader.sandbox.modes import choose_mode; print(choose_mode())"
    done = run_as_ordinary_user([sys.executable, "-c", source])
    assert (done.stdout, done.stderr) == ("ns-user\n", "")


@linux_only
@as_root
def test_root_without_privileges_gets_an_explanation_and_no_weaker_mode() -> None:
    """As in a container with its default settings: what failed, and what to start it with."""
    source = """
from grader.model.errors import SandboxUnavailable
from grader.sandbox.walls import capabilities
from grader.sandbox.modes import choose_mode
capabilities.empty_bounding_set()
capabilities.drop_all()
try:
    print("chose", choose_mode())
except SandboxUnavailable as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert "unshare" in done.stdout
    assert "not permitted" in done.stdout
    assert "--cap-add SYS_ADMIN" in done.stdout
    assert done.stdout.count("\n") == 1


def test_the_remedy_for_an_ordinary_user_names_ubuntus_setting() -> None:
    """With what failed in front."""
    text = remedy(Mode.NS_USER, "unshare(0x10000000): Operation not permitted")
    assert "unshare(0x10000000)" in text
    assert "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0" in text


def test_a_failed_trial_is_never_answered_with_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fallback to weaker isolation."""
    monkeypatch.setattr(modes, "probe", lambda _: "no")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(SandboxUnavailable, match="--no-sandbox"):
        choose_mode()


@pytest.mark.parametrize(
    ("platform", "name"), [("darwin", "macOS"), ("win32", "Windows"), ("sunos5", "sunos5")]
)
def test_other_systems_are_told_where_to_go(
    monkeypatch: pytest.MonkeyPatch, platform: str, name: str
) -> None:
    """Linux, WSL2, a container, or one's own work without a sandbox."""
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(SandboxUnavailable, match=f"^{name}.*WSL2.*container.*--no-sandbox"):
        choose_mode()


def test_every_module_imports_where_only_python_is() -> None:
    """No module of Unix's or Linux's is needed until something is started, and nothing heavy at all."""
    source = """
import sys
from pathlib import Path
sys.platform = "win32"
for name in ("fcntl", "resource", "pwd", "grp", "termios", "numpy", "IPython", "matplotlib", "torch"):
    sys.modules[name] = None
import importlib, pkgutil
import grader.sandbox
for module in pkgutil.iter_modules(grader.sandbox.__path__):
    importlib.import_module(f"grader.sandbox.{module.name}")
from grader.sandbox.zygote import Zygote
try:
    Zygote.start()
except Exception as error:
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("SandboxUnavailable\n", "")


@linux_only
def test_a_program_that_nobody_may_read_is_measured_all_the_same() -> None:
    """The kernel hides its pages from its own user; counted as nothing, it could hold everything."""
    source = """
import os, shutil, subprocess, tempfile
from grader.sandbox import processes
from grader.sandbox.watchdog import MemoryWatch
with tempfile.TemporaryDirectory() as folder:
    hidden = shutil.copy("/bin/cat", folder)
    os.chmod(hidden, 0o111)
    with subprocess.Popen([hidden], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        started.stdin.write(b"x")
        started.stdin.flush()
        started.stdout.read1()
        try:
            open(f"/proc/{started.pid}/smaps_rollup")
        except PermissionError:
            watch = MemoryWatch(1e-3, os.getpid(), lambda: [os.getpid(), started.pid])
            print("hidden", processes.proportional_mb(started.pid), dict(watch.victims())[started.pid] > 0)
"""
    done = run_as_ordinary_user([sys.executable, "-c", source])
    assert (done.stdout, done.stderr) == ("hidden None True\n", "")


@linux_only
def test_landlock_alone_keeps_reading_and_writing_apart(tmp_path: Path) -> None:
    """The second wall, tried without the first: no mount namespace, no other user."""
    readable, writable, closed = (tmp_path / name for name in ("readable", "writable", "closed"))
    for folder in (readable, writable, closed):
        folder.mkdir()
        (folder / "x").write_text("x")
    source = f"""
from grader.sandbox.walls import capabilities, landlock
capabilities.forbid_new_privileges()
landlock.restrict(read=[{str(readable)!r}], write=[{str(writable)!r}])
for name in ("readable", "writable", "closed"):
    for mode in "ra":
        try:
            open(f"{tmp_path}/{{name}}/x", mode).close()
        except PermissionError:
            continue
        print(name, mode)
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["readable r", "writable r", "writable a"]


@linux_only
def test_a_kernel_without_landlock_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than going on with one wall less."""
    monkeypatch.setattr(landlock, "version", lambda: 0)
    with pytest.raises(OSError, match="no Landlock"):
        landlock.restrict(read=["/"], write=[])
