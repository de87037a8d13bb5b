"""What student code can not do, tried from inside a real sandbox.

``test_sandbox_users`` runs this file again as an ordinary user, so each wall is pinned in both modes.
"""

from __future__ import annotations

import os
import platform
import re
import signal
import socket
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
from grader.sandbox.supervisor import MOST_SOCKETS
from grader.sandbox.walls import given
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
        "/usr/sbin",
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


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET"])
def test_no_socket_to_anywhere_can_be_made(inside: Inside, family: str) -> None:
    """No TCP, UDP, DNS or kernel interfaces."""
    error = inside.error(f"import socket; socket.socket(socket.{family}, socket.SOCK_DGRAM)")
    assert error.startswith("PermissionError")


@pytest.mark.parametrize("name", ["'here'", "'\\0chainrule-test'"], ids=["path", "abstract"])
def test_local_sockets_reach_their_own_process(inside: Inside, name: str) -> None:
    """As multiprocessing's managers and torch's workers use them."""
    source = f"""
import socket
listener = socket.socket(socket.AF_UNIX)
listener.bind({name})
listener.listen()
ours = socket.socket(socket.AF_UNIX)
ours.connect({name})
ours.send(b"x")
answer = listener.accept()[0].recv(9).decode()
"""
    assert inside.run(source) == "x"


@pytest.mark.parametrize("kind", ["path", "abstract", "datagrams"])
def test_local_sockets_reach_nothing_of_the_machines(inside: Inside, tmp_path: Path, kind: str) -> None:
    """Open to everyone; where there are no walls the same connection is made."""
    name = f"\0{tmp_path}" if kind == "abstract" else str(tmp_path / "service")
    with socket.socket(
        socket.AF_UNIX, socket.SOCK_DGRAM if kind == "datagrams" else socket.SOCK_STREAM
    ) as service:
        service.bind(name)
        if kind != "datagrams":
            service.listen()
        source = f"""
import socket
with socket.socket(socket.AF_UNIX, {int(service.type)}) as ours:
    ours.connect({name!r})
"""
        exec(source, {})
        assert re.match("(FileNotFound|ConnectionRefused|Permission)Error", inside.error(source))


def test_too_many_sockets_end_it(zygote: Zygote) -> None:
    """What waits in them is memory that only a control group counts, and one listener can hold thousands."""
    roomy = ProcessLimits(memory_mb=4096, open_files=256)
    source = """
import socket, time
listeners = [*globals().get("listeners", []), socket.socket(socket.AF_UNIX)]
listeners[-1].bind(f"{{len(listeners)}}")
listeners[-1].listen(4096)
for _ in range({pending}):  # each counts twice: the end that connected lives until it is accepted
    end = socket.socket(socket.AF_UNIX)
    end.connect(f"{{len(listeners)}}")
    end.close()
time.sleep({seconds})
"""
    with zygote.spawn(BoxSpec(mode=usual_mode(), limits=roomy)) as box:
        inside = Inside(box)
        inside.run(source.format(pending=MOST_SOCKETS // 2 - 50, seconds=1))
        inside.send(source.format(pending=100, seconds=60))
        assert inside.reply() == {"gone": True}
        assert box.ending(wait=5) == Ending(EndReason.MEMORY, -signal.SIGKILL)


EXECVEAT = {"x86_64": 322, "aarch64": 281}.get(platform.machine(), -1)

PROGRAM = """
import os, socket, sys
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines())
def attempt(do):
    try:
        do()
    except OSError as error:
        return type(error).__name__
    return "went through"
print([status[name].strip() for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp")])
print("0" in status["Uid"].split(), sorted(map(int, os.listdir("/proc/self/fd")))[3:])
print(attempt(lambda: open(sys.argv[1])), attempt(lambda: socket.socket(socket.AF_INET)))
print(attempt(lambda: os.setuid(0)), attempt(lambda: open("/usr/bin/x", "w")))
"""


@pytest.mark.parametrize("start", ["subprocess.run", "os.system", "os.posix_spawn", "os.fork"])
def test_a_program_stands_behind_the_same_walls(inside: Inside, start: str) -> None:
    """However it is started: privileges, files, sockets; and it does not hold the grader's connection."""
    secret = str(ROOT / "README.md")
    source = f"""
import os, shlex, subprocess, sys
open("program.py", "w").write({PROGRAM!r})
command = [sys.executable, "-I", "-S", "program.py", {secret!r}]
shell = "exec " + shlex.join(command) + " > out"
if {start!r} == "subprocess.run":
    subprocess.run(command, stdout=open("out", "w"), close_fds=False)
elif {start!r} == "os.system":
    os.system(shell)
else:
    child = os.posix_spawn("/bin/sh", ["sh", "-c", shell], os.environ) if "spawn" in {start!r} else os.fork()
    if child == 0:
        os.execv("/bin/sh", ["sh", "-c", shell])
    os.waitpid(child, 0)
answer = open("out").read()
"""
    lines = inside.run(source).splitlines()
    assert lines[0] == str(["0" * 16, "0" * 16, "1", "2"])
    assert lines[1].startswith(
        "False [3"
    )  # the folder that it lists; no socket, which would have come before
    assert lines[1].count(",") == 0
    assert lines[2] == "FileNotFoundError PermissionError"
    assert lines[3].split()[0] == "PermissionError"
    assert lines[3].split()[1] in ("OSError", "PermissionError")


def test_a_program_in_the_agents_place_ends_the_session(inside: Inside) -> None:
    """The connection closes with it: nothing else can answer for the notebook by accident."""
    inside.send("import os; os.execv('/bin/sh', ['sh', '-c', 'exit 5'])")
    assert inside.reply() == {"gone": True}
    assert inside.box.ending(wait=5) == Ending(EndReason.EXITED, 5)


def test_a_named_semaphore_can_be_made(inside: Inside) -> None:
    """By a hard link, as the C library does it: multiprocessing's locks and queues need one."""
    source = """
import multiprocessing, os
lock = multiprocessing.get_context("fork").Lock()
with lock:
    taken = lock.acquire(block=False)
answer = [taken, os.listdir("/dev/shm")]
"""
    assert inside.run(source) == [False, []]


def test_a_hard_link_reaches_no_other_file_system(zygote: Zygote, tmp_path: Path) -> None:
    """Its own files under another name, and nothing that is shown, in no direction."""
    (tmp_path / "given.txt").write_bytes(bytes(given.MAX_FILE + 1))
    for path in (tmp_path, tmp_path / "given.txt"):
        path.chmod(0o755)
    files = {"given.txt": tmp_path / "given.txt"}
    with zygote.spawn(BoxSpec(mode=usual_mode(), limits=LIMITS, files=files)) as box:
        inside = Inside(box)
        inside.run(
            "import os; open('own', 'w').write('own'); os.mkdir('below'); os.link('own', 'below/link')"
        )
        assert inside.run("answer = open('below/link').read()") == "own"
        for source in ("given.txt", "/usr/bin/env", "/etc/passwd", "/proc/self/status", "/dev/null"):
            assert "Error" in inside.error(f"os.link({source!r}, 'stolen')")
            assert "Error" in inside.error(f"os.link({source!r}, '/tmp/stolen')")
        for target in ("given.txt", "/usr/bin/new", "/etc/new"):
            assert "Error" in inside.error(f"os.link('own', {target!r})")
        assert "Error" in inside.error("os.rename('below/link', 'given.txt')")
        assert inside.run("answer = len(open('given.txt').read())") == given.MAX_FILE + 1


def test_memory_counts_across_programs(zygote: Zygote) -> None:
    """Each of them stays below the limit; together they are too much."""
    source = """
import subprocess, sys, time
program = [sys.executable, "-I", "-S", "-c", "import time; held = b'x' * (80 << 20); time.sleep(20)"]
started = [subprocess.Popen(program) for _ in range(6)]
deadline = time.monotonic() + 15
while all(each.poll() is None for each in started) and time.monotonic() < deadline:
    time.sleep(0.01)
answer = sorted({each.poll() for each in started} - {None})
for each in started:
    each.kill()
"""
    with zygote.spawn(BoxSpec(mode=usual_mode(), limits=LIMITS)) as box:
        assert Inside(box).run(source) == [-9]


def test_processes_count_across_programs(inside: Inside) -> None:
    """32 of them, programs or not."""
    source = """
import subprocess
started = []
try:
    while len(started) < 60:
        started.append(subprocess.Popen(["/bin/sleep", "20"]))
except OSError as error:
    answer = [len(started), type(error).__name__]
for each in started:
    each.kill()
"""
    count, error = inside.run(source)
    assert 20 <= count < 32
    assert error == "BlockingIOError"


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
        "import os; os.setuid(0)",
        "import os; os.chroot('/tmp')",
        "import os; os.mknod('/tmp/y', 0o20644, 0x103)",
        "import os; os.memfd_create('x')",
        "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (99999, 99999))",
        "import os; os.nice(-5)",
    ],
)
def test_privileged_calls_are_refused(inside: Inside, source: str) -> None:
    """No other users, no devices, no memory out of sight, no higher limits."""
    refused = "(PermissionError|OSError|ValueError).*([Nn]ot permitted|not allowed|denied)"
    assert re.match(refused, inside.error(source))


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("unshare(0x10000000)", 1),
        ("mount(b'none', b'/tmp', b'tmpfs', 0, None)", 1),
        ("umount2(b'/tmp', 2)", 1),
        ("ptrace(0, 0, 0, 0)", 1),
        ("syscall(execveat, -1, b'', 0, 0, 0x1000)", 1),
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
execveat = {EXECVEAT}
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


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a course gives: a module, and a folder with a small and a large file and one that is read-only."""
    folder = tmp_path_factory.mktemp("course")
    data = folder / "data"
    (data / "inner").mkdir(parents=True)
    (folder / "utils.py").write_text("x = 1")
    (data / "inner" / "small.csv").write_text("1,2")
    (data / "large.npy").write_bytes(bytes(given.MAX_FILE + 1))
    (data / "link").symlink_to("inner/small.csv")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return folder


def given_to(course: Path) -> BoxSpec:
    files = {"utils.py": course / "utils.py", "data": course / "data"}
    return BoxSpec(mode=usual_mode(), limits=LIMITS, files=files)


def test_what_is_given_is_the_students_own_copy(zygote: Zygote, course: Path) -> None:
    """As in Jupyter: written over, beside it and into a copy, moved away. The course's own stays."""
    with zygote.spawn(given_to(course)) as box:
        inside = Inside(box)
        source = """
import os, shutil
shutil.copytree("data", "mine")
for path in (
    "utils.py", "data/inner/small.csv", "data/link", "mine/inner/small.csv", "data/inner/new", "data/new"
):
    with open(path, "a") as file:
        file.write(",3")
os.unlink("data/inner/new")
os.rename("utils.py", "tools.py")
answer = [open(path).read() for path in ("tools.py", "data/link", "mine/inner/small.csv")]
"""
        assert inside.run(source) == ["x = 1,3", "1,2,3,3", "1,2,3"]
        assert inside.run(f"answer = os.path.lexists({str(course)!r})") is False
    assert (course / "utils.py").read_text() == "x = 1"
    assert (course / "data" / "inner" / "small.csv").read_text() == "1,2"


def test_a_large_given_file_is_shown_read_only_in_its_place(zygote: Zygote, course: Path) -> None:
    """Others can be written beside it."""
    with zygote.spawn(given_to(course)) as box:
        inside = Inside(box)
        assert inside.run("answer = len(open('data/large.npy').read())") == given.MAX_FILE + 1
        assert "Error" in inside.error("open('data/large.npy', 'a')")
        assert "Error" in inside.error("import os; os.unlink('data/large.npy')")


@pytest.mark.parametrize("bound", ["MAX_COPIED", "MAX_ENTRIES", "MAX_SHOWN"])
def test_a_given_folder_of_very_much_is_shown_as_a_whole(
    course: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bound: str
) -> None:
    monkeypatch.setattr(given, bound, 0)
    shown: list[tuple[str, str]] = []
    given.lay(str(course / "data"), str(tmp_path / "data"), show=lambda *views: shown.append(views))
    assert shown == [(str(course / "data"), str(tmp_path / "data"))]


def test_what_student_code_wrote_can_be_started_and_loaded(inside: Inside) -> None:
    """It can do no more than code in the process itself: the walls are inherited."""
    source = """
import _ctypes, ctypes, os, shutil, subprocess
open("x", "w").write("#!/bin/sh\\ncat /etc/shadow; echo $?")
os.chmod("x", 0o755)
shutil.copy(_ctypes.__file__, "own.so")
answer = [subprocess.run(["./x"], capture_output=True, text=True).stdout, ctypes.CDLL("./own.so") is not None]
"""
    assert inside.run(source) == ["1\n", True]


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
