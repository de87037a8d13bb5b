"""What student code can not do, tried from inside a real sandbox.

``test_sandbox_users`` runs this file again as an ordinary user, so each wall is pinned in both modes.
"""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.boxes import Inside, start_zygote
from support.paths import ROOT

from grader.model.errors import InfrastructureError
from grader.model.isolation import Ending, EndReason
from grader.sandbox.modes import usual_mode
from grader.sandbox.spec import BoxSpec, ProcessLimits
from grader.sandbox.zygote import Zygote

pytestmark = pytest.mark.sandbox

LIMITS = ProcessLimits(memory_mb=256, disk_mb=16, file_mb=8, processes=32, wall_seconds=60)


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    os.environ["CHAINRULE_TEST_SECRET"] = "the host's own"  # noqa: S105
    with start_zygote("numpy") as started:
        yield started
    del os.environ["CHAINRULE_TEST_SECRET"]


@pytest.fixture
def inside(zygote: Zygote) -> Iterator[Inside]:
    with zygote.spawn(BoxSpec(mode=usual_mode(), limits=LIMITS)) as box:
        yield Inside(box)


@pytest.mark.parametrize(
    "path",
    [
        str(ROOT / "README.md"),
        str(ROOT / "pyproject.toml"),
        str(ROOT / "reference"),
        str(ROOT / "hidden_tests"),
        "/etc/shadow",
        "/etc/hostname",
        "/usr/bin",
        "/usr/src",
        "/sys",
        "/run",
        "/var",
        "/dev/kmsg",
    ],
)
def test_the_machines_files_do_not_exist_inside(inside: Inside, path: str) -> None:
    """Not readable, not even visible."""
    assert inside.run(f"import os; answer = os.path.lexists({path!r})") is False


def test_python_itself_works(inside: Inside) -> None:
    """A module that nobody preloaded imports from the installation."""
    assert inside.run("import sqlite3, wave, numpy.polynomial; answer = numpy.ones(3).sum()") == 3


def test_a_hidden_folder_inside_the_installation_is_covered(zygote: Zygote) -> None:
    """An assignment that lies below a folder of Python's is still out of reach."""
    folder = Path(np.__file__).resolve().parent / "testing"
    spec = BoxSpec(mode=usual_mode(), limits=LIMITS, hidden=(folder,))
    with zygote.spawn(spec) as box:
        assert Inside(box).run(f"import os; answer = os.listdir({str(folder)!r})") == []
        assert "linalg" in Inside(box).run(f"answer = os.listdir({str(folder.parent)!r})")


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET"])
def test_no_socket_can_be_made(inside: Inside, family: str) -> None:
    """No TCP, UDP, DNS, local services or kernel interfaces."""
    error = inside.error(f"import socket; socket.socket(socket.{family}, socket.SOCK_DGRAM)")
    assert error.startswith("PermissionError")


def test_there_is_no_network_behind_the_filter(inside: Inside) -> None:
    """The network namespace holds a loopback device and no route."""
    devices = inside.run("answer = open('/proc/net/dev').read()")
    assert [line.split(":")[0].strip() for line in devices.splitlines()[2:]] == ["lo"]


def test_a_pair_of_sockets_is_allowed(inside: Inside) -> None:
    """Harmless: both ends are inside."""
    assert inside.run("a, b = socket = __import__('socket').socketpair(); a.send(b'x'); answer = 1") == 1


@pytest.mark.parametrize(
    "path",
    [
        "/x",
        "/usr/lib/x",
        "/etc/passwd",
        "/home/x",
        "/proc/sys/kernel/hostname",
        sysconfig.get_path("purelib") + "/x",
    ],
)
def test_nothing_outside_the_scratch_folders_can_be_written(inside: Inside, path: str) -> None:
    """Read-only by mount, by owner and by Landlock."""
    assert "Error" in inside.error(f"open({path!r}, 'a').write('x')")


@pytest.mark.parametrize("folder", [".", "/tmp", "/dev/shm"])
def test_scratch_folders_can_be_written(inside: Inside, folder: str) -> None:
    """The working directory and the usual temporary places."""
    assert inside.run(f"open('{folder}/x', 'w').write('y'); answer = open('{folder}/x').read()") == "y"


def test_all_scratch_folders_share_one_quota(inside: Inside) -> None:
    """16 MB in all, whichever folder they are written to."""
    source = """
import itertools
written = 0
try:
    for n in itertools.count():
        with open(("/tmp", ".", "/dev/shm")[n % 3] + f"/{n}", "wb", buffering=0) as f:
            written += f.write(bytes(1 << 20))
except OSError as error:
    answer = [written >> 20, error.errno]
"""
    megabytes, number = inside.run(source)
    assert 12 <= megabytes <= 16
    assert number == 28


def test_one_file_has_a_largest_size(inside: Inside) -> None:
    """Beyond 8 MB the kernel refuses."""
    assert "File too large" in inside.error("f = open('x', 'wb'); f.write(bytes(9 << 20)); f.flush()")


@pytest.mark.parametrize(
    "source",
    [
        "import os; os.execv('/proc/self/exe', ['python', '-c', ''])",
        "import os; os.posix_spawn('/proc/self/exe', ['python', '-c', ''], {})",
        "import os; os.setuid(0)",
        "import os; os.chroot('/tmp')",
        "import os; os.mknod('/tmp/y', 0o20644, 0x103)",
        "import os; os.memfd_create('x')",
        "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (99999, 99999))",
        "import os; os.nice(-5)",
    ],
)
def test_privileged_calls_are_refused(inside: Inside, source: str) -> None:
    """No programs, no other users, no devices, no memory out of the watchdog's sight, no higher limits."""
    assert re.match(
        "(PermissionError|OSError|ValueError).*([Nn]ot permitted|not allowed)", inside.error(source)
    )


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("unshare(0x10000000)", 1),
        ("mount(b'none', b'/tmp', b'tmpfs', 0, None)", 1),
        ("umount2(b'/tmp', 2)", 1),
        ("ptrace(0, 0, 0, 0)", 1),
        ("shmget(0, 4096, 0o1600)", 1),
        ("personality(0xffffffff)", 1),
        ("klogctl(1, 0, 0)", 1),
        ("prctl(1, 0, 0, 0, 0)", 1),
        ("prctl(22, 0, 0, 0, 0)", 1),
        ("syscall(435, 0, 0)", 38),  # clone3
        ("syscall(425, 1, 0)", 38),  # io_uring_setup
        ("syscall(434, 1, 0)", 38),  # pidfd_open
        ("syscall(429, 0, 0, 0, 0, 0)", 38),  # move_mount
    ],
)
def test_dangerous_calls_are_refused_by_the_filter(inside: Inside, call: str, number: int) -> None:
    """Namespaces, mounts, tracing, System V memory, clearing the death signal, and what is newer."""
    source = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
answer = [libc.{call}, ctypes.get_errno()]
"""
    assert inside.run(source) == [-1, number]


def test_a_new_namespace_by_clone_is_refused_and_a_fork_is_not(inside: Inside) -> None:
    """The flags decide: a check's copy of the state is a fork."""
    number = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    source = f"""
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
refused = libc.syscall({number}, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
child = os.fork()
if child == 0:
    os._exit(5)
answer = [refused, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]
"""
    assert inside.run(source) == [-1, 5]


def test_no_privilege_is_left(inside: Inside) -> None:
    """No capability, no way to regain one, not root, in the filter."""
    status = dict(
        line.split(":\t", 1) for line in inside.run("answer = open('/proc/self/status').read()").splitlines()
    )
    assert {status[f"Cap{kind}"].strip() for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip(), status["Pid"].strip()) == ("1", "2", "1")
    assert "0" not in status["Uid"].split()
    assert "0" not in status["Gid"].split()


def test_only_four_file_descriptors_are_open(inside: Inside) -> None:
    """Nothing of the host's or the zygote's was inherited; standard streams lead nowhere."""
    source = "import os; answer = {n: os.readlink(f'/proc/self/fd/{n}') for n in '0123'}"
    found = inside.run(source)
    assert set(found) == {"0", "1", "2", "3"}
    assert {found[n] for n in "012"} == {"/dev/null"}
    assert found["3"].startswith("socket:")
    assert len(inside.run("answer = os.listdir('/proc/self/fd')")) == 5  # the fifth lists the others


def test_the_environment_is_built_from_scratch(inside: Inside) -> None:
    """Neither this process's variables nor those of the zygote's start name anything of the host."""
    environment = inside.run("import os; answer = dict(os.environ)")
    assert (
        environment["HOME"] == environment["TMPDIR"] == inside.run("answer = os.getcwd()") == "/home/student"
    )
    assert not {key for key in environment if key.startswith(("CHAINRULE", "PYTEST", "VIRTUAL"))}
    at_start = inside.run("answer = open('/proc/self/environ').read()")
    assert "SECRET" not in at_start
    assert "PYTEST" not in at_start


def test_the_zygote_holds_nothing_of_the_tests(inside: Inside) -> None:
    """What student code inherits was imported before, and apart from, any test or submission."""
    modules = inside.run("import sys; answer = sorted(sys.modules)")
    assert not {
        name for name in modules if name.startswith(("pytest", "test_", "grader.grading", "grader.checks"))
    }


def test_no_other_process_is_visible(inside: Inside) -> None:
    """Its own process namespace, of which it is the first."""
    assert inside.run("import os; answer = [n for n in os.listdir('/proc') if n.isdigit()]") == ["1"]


def test_given_files_can_be_read_and_not_changed(zygote: Zygote, tmp_path: Path) -> None:
    """By base name in the working directory, files and folders."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "numbers.txt").write_text("1 2 3")
    for folder in (tmp_path, tmp_path / "deep"):
        folder.chmod(0o755)
    files = {"numbers.txt": tmp_path / "deep" / "numbers.txt", "data": tmp_path / "deep"}
    with zygote.spawn(BoxSpec(mode=usual_mode(), limits=LIMITS, files=files)) as box:
        inside = Inside(box)
        assert (
            inside.run("answer = open('numbers.txt').read() + open('data/numbers.txt').read()")
            == "1 2 31 2 3"
        )
        assert "Error" in inside.error("open('numbers.txt', 'w')")
        assert "Error" in inside.error("import os; os.unlink('data/numbers.txt')")
        assert "Error" in inside.error("os.rename('numbers.txt', 'other')")
        assert inside.run(f"answer = os.path.lexists({str(tmp_path)!r})") is False
    assert (tmp_path / "deep" / "numbers.txt").read_text() == "1 2 3"


def test_a_given_file_that_does_not_exist_is_a_failed_set_up(zygote: Zygote) -> None:
    """Told apart from a crash of the student's, with the path."""
    spec = BoxSpec(mode=usual_mode(), limits=LIMITS, files={"x": Path("/no/such/file")})
    with zygote.spawn(spec) as box:
        with pytest.raises(InfrastructureError, match="/no/such/file"):
            box.wait_started()
        assert box.ending(wait=5) == Ending(EndReason.NOT_STARTED)


def test_a_given_file_that_the_sandboxs_user_cannot_read_is_a_failed_set_up(
    zygote: Zygote, tmp_path: Path
) -> None:
    """The person is told which one and what to do; the student's code never meets it."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0)
    spec = BoxSpec(mode=usual_mode(), limits=LIMITS, files={"secret": secret})
    with zygote.spawn(spec) as box, pytest.raises(InfrastructureError, match="chmod -R a"):
        box.wait_started()


def test_seeds_start_the_generators(zygote: Zygote) -> None:
    """Equal seeds, equal numbers; forks of one zygote do not share a state otherwise."""
    source = "import random, numpy; answer = [random.random(), float(numpy.random.rand())]"

    def drawn(seed: int) -> list[float]:
        with zygote.spawn(BoxSpec(mode=usual_mode(), limits=LIMITS, seed=seed)) as box:
            return Inside(box).run(source)

    first, again, other = drawn(7), drawn(7), drawn(2**40 + 8)
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]
