"""What a sandbox promises, each promise with a probe that tries to break it.

Data, and what an answer means. A probe assigns to ``answer`` the list of what it managed to do: an empty list
when the promise holds. Its source finds ``bait`` defined: paths, ports and processes of the host that it may
try itself on (``grader.doctor.bait``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from grader.doctor.probing import ProbeResult
from grader.model.isolation import EndReason, Mode
from grader.sandbox.modes import advice
from grader.sandbox.spec import ProcessLimits
from grader.sandbox.walls import cgroup

LIMITS = ProcessLimits(memory_mb=256, disk_mb=16, file_mb=8, processes=32, wall_seconds=30, cpu_seconds=30)
"""What the probes' sandboxes may use."""

NAMESPACES = frozenset({Mode.NS_USER, Mode.NS_ROOT})
EVERYWHERE = frozenset(mode for mode in Mode if mode.isolates)
# Little memory (192 MB with a cgroup's margin), and room for much that is held outside of processes.
_ROOMY = replace(LIMITS, memory_mb=128, disk_mb=512, file_mb=64, open_files=4096)

_TRY = """
answer = []
def attempt(what, do):
    try:
        do()
    except Exception:
        return
    answer.append(what)
"""

# What a program tries that a notebook starts; it writes what it managed to do, a line each, and that it ran.
_PROGRAM = """
import os, signal, socket, sys
bait = eval(sys.argv[1])
def attempt(what, do):
    try:
        do()
    except Exception:
        return
    print(what)
attempt("read a file", lambda: open(bait["secret"]).read())
attempt("made a file", lambda: open(bait["open folder"] + "/new", "w").close())
attempt("connected to a service", lambda: socket.socket(socket.AF_UNIX).connect(bait["service"]))
attempt("connected by TCP", lambda: socket.create_connection(("127.0.0.1", bait["tcp"]), 2))
attempt("signalled a process", lambda: os.kill(bait["process"], signal.SIGCONT))
print("ran")
"""


def listed(result: ProbeResult) -> str:
    """What the probe managed to do, in words; "" for nothing. A probe that did not answer proves nothing."""
    if result.ended or result.error or type(result.answer) is not list:
        return f"the probe gave no answer ({result.ended or result.error or repr(result.answer)})"
    return ", ".join(map(str, result.answer))


@dataclass(frozen=True, kw_only=True)
class Promise:
    """One promise. ``broken`` reads a result and says how the promise was broken, "" if it holds.

    ``given_by`` are the modes that make it. With ``control`` the same probe must succeed without a sandbox
    ("always", or where the machine itself "may" refuse it), so that one which cannot fail is noticed.
    Of several ``runs``, each in a sandbox of its own, the last counts. ``given_here`` says whether the
    machine has what the promise takes besides a mode, ``mend`` how to come by what is missing.
    """

    name: str
    title: str
    source: str
    broken: Callable[[ProbeResult], str] = listed
    given_by: Collection[Mode] = EVERYWHERE
    control: str = ""
    seconds: float = 10.0
    runs: int = 1
    limits: ProcessLimits = LIMITS
    given_here: Callable[[], bool] = lambda: True
    mend: Callable[[Mode], str] = advice

    def given(self, mode: Mode) -> bool:
        """Whether a sandbox of ``mode`` makes the promise on this machine."""
        return mode in self.given_by and self.given_here()


def _is_out_of_memory(result: ProbeResult) -> bool:
    return result.ended is not None and result.ended.reason is EndReason.MEMORY


def _ended_by_memory(result: ProbeResult) -> str:
    return "" if _is_out_of_memory(result) else _but("600 MB were held at a limit of 256", result)


def _held_outside(result: ProbeResult) -> str:
    return "" if _is_out_of_memory(result) else listed(result)


def _interrupted(result: ProbeResult) -> str:
    return "" if result.error.startswith("KeyboardInterrupt") else _but("the loop was not stopped", result)


def _killed(result: ProbeResult) -> str:
    return "" if result.ended and not result.left else _but("the deaf loop lives on", result)


def _heard(result: ProbeResult) -> str:
    return "" if result.printed == "kept\n" else _but(f"what came is {result.printed!r}", result)


def _nothing_left(result: ProbeResult) -> str:
    return "processes were left behind" if result.left else listed(result)


def _but(what: str, result: ProbeResult) -> str:
    return f"{what} ({result.ended or result.error})" if result.ended or result.error else what


PROMISES = (
    Promise(
        name="read-files",
        title="reads no file of the machine's: no assignment, no other submission",
        control="always",
        source="""
attempt("read a file", lambda: open(bait["secret"]).read())
attempt("listed a folder", lambda: os.listdir(bait["folder"]))
attempt("read a process's environment", lambda: open(f"/proc/{bait['process']}/environ").read())
""",
    ),
    Promise(
        name="see-files",
        title="cannot even see which files exist",
        given_by=NAMESPACES,
        control="always",
        source='attempt("asked for a file\'s size and time", lambda: os.stat(bait["secret"]))',
    ),
    Promise(
        name="write-files",
        title="writes, renames, deletes nothing outside its own folder",
        control="always",
        source="""
attempt("changed a file", lambda: open(bait["secret"], "a").close())
attempt("cut a file", lambda: os.truncate(bait["secret"], 0))
attempt("made a file", lambda: open(bait["open folder"] + "/new", "w").close())
attempt("changed rights", lambda: os.chmod(bait["secret"], 0o644))
attempt("changed a time", lambda: os.utime(bait["secret"]))
attempt("renamed a file", lambda: os.rename(bait["victim"], bait["victim"] + "2"))
attempt("deleted a file", lambda: os.unlink(bait["victim"] + "2"))
""",
    ),
    Promise(
        name="fill-disk",
        title="cannot fill the disk",
        given_by=NAMESPACES,
        control="always",
        source="""
def fill():
    for number in range(6):
        with open(f"fill{number}", "wb", buffering=0) as file:
            assert file.write(bytes(6 << 20)) == 6 << 20
attempt("wrote 36 MB where 16 are allowed", fill)
""",
    ),
    Promise(
        name="tcp",
        title="no network: TCP",
        control="always",
        source="""
attempt("connected by TCP", lambda: socket.create_connection(("127.0.0.1", bait["tcp"]), 2))
attempt("listens for TCP", lambda: socket.create_server(("127.0.0.1", 0)))
""",
    ),
    Promise(
        name="udp",
        title="no network: UDP, and so no DNS",
        control="always",
        source="""
def send():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", bait["udp"]))
attempt("sent by UDP", send)
""",
    ),
    Promise(
        name="unix-sockets",
        title="no sockets of services on the machine (Docker's, the desktop's)",
        control="always",
        source="""
attempt("connected to a service", lambda: socket.socket(socket.AF_UNIX).connect(bait["service"]))
def send():
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(b"x", bait["datagrams"])
attempt("sent to a service", send)
attempt("connected to an abstract socket", lambda: socket.socket(socket.AF_UNIX).connect(bait["abstract"]))
""",
    ),
    Promise(
        name="processes",
        title="signals, traces, limits no process of the machine's",
        control="always",
        source="""
import resource
attempt("signalled a process", lambda: os.kill(bait["process"], signal.SIGCONT))
attempt("limited a process", lambda: resource.prlimit(bait["process"], resource.RLIMIT_CORE))
attempt("moved a process", lambda: os.sched_setaffinity(bait["process"], os.sched_getaffinity(0)))
attempt("read a process's memory", lambda: open(f"/proc/{bait['process']}/mem", "rb"))
""",
    ),
    Promise(
        name="see-processes",
        title="cannot even see which processes exist",
        given_by=NAMESPACES,
        control="always",
        source="""
attempt("found a process", lambda: os.stat(f"/proc/{bait['process']}"))
attempt("asked for a process's session", lambda: os.getsid(bait["process"]))
""",
    ),
    Promise(
        name="privileges",
        title="no privileges, and none to gain by a program's file",
        control="always",
        source="""
libc = ctypes.CDLL(None)
if os.geteuid() == 0:
    answer.append("it is root")
attempt("became root", lambda: os.setuid(0))
if libc.prctl(39, 0, 0, 0, 0) != 1:
    answer.append("setuid programs would work")
def start():
    number = {"x86_64": 322, "aarch64": 281}[os.uname().machine]
    opened = os.open(bait["python"], os.O_RDONLY)
    child = os.fork()
    if child == 0:
        libc.syscall(number, opened, b"", (ctypes.c_char_p * 3)(b"python", b"-V", None), None, 0x1000)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
attempt("started a program without a name", start)
""",
    ),
    Promise(
        name="programs",
        title="programs that it starts stand behind the same walls",
        control="always",
        source=f"program = {_PROGRAM!r}\n"
        + """
import subprocess
command = [bait["python"], "-I", "-S", "-c", program, repr(bait)]
try:
    done = subprocess.run(command, capture_output=True, text=True, close_fds=False)
except PermissionError:
    done = None  # a mode in which no program starts
if done:
    said = done.stdout.split("\\n")[:-1]
    answer += said[:-1] if said[-1:] == ["ran"] else [f"the program did not run: {done.stderr[-300:]}"]
""",
    ),
    Promise(
        name="namespaces",
        title="no namespaces and no mounts of its own",
        control="may",
        source="""
libc = ctypes.CDLL(None)
for name, flags in {"user": 0x10000000, "mount": 0x20000, "network": 0x40000000}.items():
    if libc.unshare(flags) == 0:
        answer.append(f"made a {name} namespace")
if not answer and libc.mount(b"none", os.fsencode(os.getcwd()), b"tmpfs", 0, None) == 0:
    answer.append("mounted a file system")
""",
    ),
    Promise(
        name="leftovers",
        title="leaves nothing for the next submission",
        control="always",
        runs=2,
        source="""
for folder in ("/tmp", "/dev/shm", "/var/tmp"):
    path = f"{folder}/{bait['token']}"
    if os.path.exists(path):
        answer.append(f"found {path}")
    try:
        open(path, "w").close()
    except OSError:
        pass
""",
    ),
    Promise(
        name="memory",
        title="too much memory ends it",
        broken=_ended_by_memory,
        source="""
import time
held = []
for _ in range(60):
    held.append(bytearray(b"x") * (10 << 20))
    time.sleep(0.005)
time.sleep(2)
""",
    ),
    Promise(
        name="files-in-memory",
        title="files count as memory too, where they are held in it",
        given_by=NAMESPACES,
        control="always",
        limits=_ROOMY,
        given_here=cgroup.available,
        mend=lambda mode: cgroup.advice() if mode.namespaces else advice(mode),
        broken=_held_outside,
        source="""
for number in range(4):
    with open(f"held{number}", "wb", buffering=0) as file:
        for _ in range(15):
            assert file.write(bytes(4 << 20)) == 4 << 20
answer.append("held 240 MB in files where 192 are allowed")
""",
    ),
    Promise(
        name="socket-buffers",
        title="so does what waits in its sockets",
        control="always",
        limits=_ROOMY,
        given_here=cgroup.available,
        mend=lambda _: cgroup.advice(),
        broken=_held_outside,
        source="""
pairs, sent = [], 0
while sent < 240 << 20:
    pairs.append(socket.socketpair())
    for end in pairs[-1]:
        # Large buffers: with the usual ones, their number alone would be noticed first.
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        try:
            while True:
                sent += end.send(bytes(1 << 16), socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
answer.append("held 240 MB in sockets where 192 are allowed")
""",
    ),
    Promise(
        name="forks",
        title="a fork bomb stays small",
        control="always",
        source="""
import time
count = 0
try:
    while count < 60:
        if os.fork() == 0:
            time.sleep(30)
            os._exit(0)
        count += 1
except OSError:
    pass
if count >= 32:
    answer.append(f"{count} processes where 32 are allowed")
""",
    ),
    Promise(
        name="threads",
        title="so does a bomb of threads",
        control="always",
        source="""
import threading, time
def wait():
    time.sleep(10)
count = 0
try:
    while count < 60:
        threading.Thread(target=wait, daemon=True).start()
        count += 1
except RuntimeError:
    pass
if count >= 48:  # some of the person's own may have ended since they were counted
    answer.append(f"{count} threads where 32 are allowed")
""",
    ),
    Promise(
        name="interrupt",
        title="an endless loop is stopped",
        broken=_interrupted,
        source="while True: pass",
        seconds=0.3,
    ),
    Promise(
        name="kill",
        title="a loop that ignores the signal is ended",
        broken=_killed,
        source="signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        seconds=0.3,
    ),
    Promise(
        name="output",
        title="what it prints arrives",
        broken=_heard,
        source="print('kept')",
    ),
    Promise(
        name="environment",
        title="knows nothing of your environment's variables",
        source="""
known = {"HOME", "TMPDIR", "MPLCONFIGDIR", "IPYTHONDIR", "MPLBACKEND", "USER", "LOGNAME", "PATH", "LANG",
         "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONHASHSEED", "PYTHONPATH",
         "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK", "LC_CTYPE"}
found = set(os.environ)
try:
    found |= {entry.split("=")[0] for entry in open("/proc/self/environ").read().split("\\0") if entry}
except OSError:
    pass
answer += sorted(found - known)
""",
    ),
    Promise(
        name="descriptors",
        title="holds no open file of the grader's",
        source="""
import asyncio, fcntl
loop = asyncio.get_event_loop_policy().get_event_loop()  # the notebook's own, which holds two or three
own = {part.fileno() for part in (loop._selector, loop._ssock, loop._csock) if hasattr(part, "fileno")}
for number in sorted(set(range(4, 1024)) - own):
    attempt(f"descriptor {number}", lambda: fcntl.fcntl(number, fcntl.F_GETFD))
""",
    ),
    Promise(
        name="ends",
        title="ends whole: no daemon and no program lives on",
        broken=_nothing_left,
        source="""
import time
def become_a_program():
    os.set_inheritable(3, True)  # so that it is seen to live
    os.execv("/bin/sleep", ["sleep", "30"])
for act in (lambda: time.sleep(30), become_a_program):
    try:
        child = os.fork()
        if child == 0:
            os.setsid()
            if os.fork() == 0:
                for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                    signal.signal(number, signal.SIG_IGN)
                act()
            os._exit(0)
        os.waitpid(child, 0)
    except OSError:
        pass
""",
    ),
)
"""Every promise, in the order in which doctor shows them."""


def cell(promise: Promise, bait: dict[str, object]) -> str:
    """The probe's whole source for one bait."""
    return f"import ctypes, os, signal, socket\nbait = {bait!r}\n{_TRY}\n{promise.source}"
