"""How sandboxes live and end: limits, crashes, interruptions, and that nothing is left behind.

``test_sandbox_users`` runs what depends on the mode again as an ordinary user.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.boxes import ECHO, Inside, alone, eventually, mode_here, start_zygote
from support.paths import TESTS, environment

from grader.model.errors import InfrastructureError
from grader.model.isolation import Ending, EndReason, Mode
from grader.sandbox import processes
from grader.sandbox.box import Box
from grader.sandbox.spec import BoxSpec, ProcessLimits
from grader.sandbox.zygote import Zygote

pytestmark = pytest.mark.sandbox

LIMITS = ProcessLimits(memory_mb=300, disk_mb=16, processes=32, wall_seconds=60)


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with start_zygote() as started:
        yield started


@pytest.fixture(params=["isolated", "none"])
def spec(request: pytest.FixtureRequest) -> BoxSpec:
    """The same life with walls and without."""
    return BoxSpec(mode=mode_here() if request.param == "isolated" else Mode.NONE, limits=LIMITS)


def why(box: Box) -> EndReason | None:
    """Why the sandbox ended, once its supervisor has said so."""
    ending = box.ending(wait=5)
    return ending.reason if ending is not None else None


def test_an_ordinary_life(zygote: Zygote, spec: BoxSpec) -> None:
    """State lives from one line to the next; closing ends it and says what it used."""
    with zygote.spawn(spec) as box:
        inside = Inside(box)
        inside.run("x = 41")
        assert inside.run("answer = x + 1") == 42
        assert box.ending() is None
        end = box.close()
    assert end.ending.reason is EndReason.CLOSED
    assert end.max_rss_mb > 5
    assert box.close() == end
    assert eventually(lambda: alone(zygote))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os._exit(3)", "exit 3"),
        ("import os; os._exit(0)", "exit 0"),
        ("import ctypes; ctypes.string_at(0)", "signal 11 (SIGSEGV)"),
    ],
)
def test_a_crash_is_reported(zygote: Zygote, spec: BoxSpec, source: str, words: str) -> None:
    """The connection breaks and the reason is known."""
    with zygote.spawn(spec) as box:
        inside = Inside(box)
        inside.send(source)
        assert inside.reply() == {"gone": True}
        assert str(box.ending(wait=5)) == words
        assert str(box.close().ending) == words


def test_a_killed_fork_leaves_the_state_alive(zygote: Zygote, spec: BoxSpec) -> None:
    """The host can end one process by its number inside."""
    with zygote.spawn(spec) as box:
        inside = Inside(box)
        pid = inside.run("import os, time\nanswer = os.fork()\nif answer == 0: time.sleep(60)")
        box.kill_process(pid)
        assert inside.run(f"answer = os.waitstatus_to_exitcode(os.waitpid({pid}, 0)[1])") == -9


def test_an_endless_loop_is_interrupted_and_the_state_survives(zygote: Zygote, spec: BoxSpec) -> None:
    """As Ctrl-C would."""
    with zygote.spawn(spec) as box:
        inside = Inside(box)
        inside.run("x = 5")
        inside.send('import os\nos.write(3, b\'{"value": "begun"}\\n\')\nwhile True: pass')
        assert inside.reply() == {"value": "begun"}
        box.interrupt()
        assert inside.reply() == {"error": "KeyboardInterrupt: "}
        assert inside.run("answer = x") == 5


def test_a_loop_in_a_fork_is_interrupted_by_its_number(zygote: Zygote, spec: BoxSpec) -> None:
    """The first process is left in peace."""
    with zygote.spawn(spec) as box:
        inside = Inside(box)
        source = """
import os
read, write = os.pipe()
answer = os.fork()
if answer == 0:
    try:
        os.write(write, b"s")
        while True: pass
    except KeyboardInterrupt:
        os._exit(9)
os.read(read, 1)
"""
        pid = inside.run(source)
        box.interrupt(process=pid)
        assert inside.run(f"answer = os.waitstatus_to_exitcode(os.waitpid({pid}, 0)[1])") == 9


def test_a_loop_that_ignores_interrupts_is_killed(zygote: Zygote, spec: BoxSpec) -> None:
    """SIGKILL can not be ignored, also not by the first process of a namespace."""
    with zygote.spawn(spec) as box:
        inside = Inside(box)
        inside.run("import signal; answer = str(signal.signal(signal.SIGINT, signal.SIG_IGN))")
        inside.send("while True: pass")
        box.interrupt()
        box.kill()
        assert inside.reply() == {"gone": True}
        assert why(box) is EndReason.KILLED


def test_too_much_memory_ends_the_sandbox(zygote: Zygote, spec: BoxSpec) -> None:
    """When the first process itself holds it."""
    with zygote.spawn(spec) as box:
        inside = Inside(box)
        inside.send("import time; keep = b'x' * (400 << 20); time.sleep(30)")
        assert inside.reply() == {"gone": True}
        assert why(box) is EndReason.MEMORY


def test_shared_memory_counts_too(zygote: Zygote, spec: BoxSpec) -> None:
    """Anonymous shared mappings escape the kernel's data limit, not the watchdog."""
    with zygote.spawn(spec) as box:
        inside = Inside(box)
        inside.send(
            "import mmap, time; m = mmap.mmap(-1, 400 << 20); m.write(b'x' * (400 << 20)); time.sleep(30)"
        )
        assert inside.reply() == {"gone": True}
        assert why(box) is EndReason.MEMORY


def test_too_much_memory_in_a_fork_ends_only_the_fork(zygote: Zygote, spec: BoxSpec) -> None:
    """One check's copy dies alone; the host is told which; the state answers on."""
    with zygote.spawn(spec) as box:
        inside = Inside(box)
        source = """
import os, time
state = b'y' * (100 << 20)
child = os.fork()
if child == 0:
    keep = b'x' * (350 << 20)
    time.sleep(30)
answer = [child, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(state)]
"""
        pid, status, size = inside.run(source)
        assert (status, size) == (-9, 100 << 20)
        told = {kill.process for kill in box.memory_kills()}
        assert told
        assert told <= {pid, 0}  # the kernel, if it is faster than the watchdog, does not say which one
        assert box.ending() is None


def test_forks_that_share_the_state_are_not_counted_twice(zygote: Zygote, spec: BoxSpec) -> None:
    """Four copies of 150 MB that nobody wrote to are 150 MB, not 750."""
    with zygote.spawn(spec) as box:
        inside = Inside(box)
        source = """
import os, time
state = b'y' * (150 << 20)
for n in range(4):
    if os.fork() == 0:
        time.sleep(30)
        os._exit(0)
time.sleep(0.5)
answer = os.waitpid(-1, os.WNOHANG)[0]
"""
        assert inside.run(source) == 0
        assert box.memory_kills() == ()


def test_more_address_space_than_allowed_is_an_ordinary_error(zygote: Zygote, spec: BoxSpec) -> None:
    """The code can handle it."""
    with zygote.spawn(spec) as box:
        assert Inside(box).error("bytearray(8 << 30)").startswith("MemoryError")


def test_real_time_is_limited(zygote: Zygote, spec: BoxSpec) -> None:
    """A sleeping sandbox ends too."""
    limits = ProcessLimits(wall_seconds=3)
    with zygote.spawn(BoxSpec(mode=spec.mode, limits=limits)) as box:
        inside = Inside(box)
        inside.send("import time; time.sleep(300)")
        assert inside.reply() == {"gone": True}
        assert why(box) is EndReason.WALL_TIME


def test_processor_time_is_limited(zygote: Zygote) -> None:
    """By the kernel, whatever signals the code ignores."""
    with zygote.spawn(BoxSpec(mode=mode_here(), limits=ProcessLimits(cpu_seconds=1))) as box:
        inside = Inside(box)
        inside.send("import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass")
        assert inside.reply() == {"gone": True}
        assert why(box) is EndReason.CPU_TIME


def test_the_number_of_processes_is_limited(zygote: Zygote) -> None:
    """Each sandbox has its own count."""
    source = """
import os, time
answer = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
        answer += 1
except BlockingIOError:
    pass
"""
    spec = BoxSpec(mode=mode_here(), limits=LIMITS)
    with zygote.spawn(spec) as one, zygote.spawn(spec) as two:
        counts = [Inside(box).run(source) for box in (one, two)]
    assert all(20 <= count < LIMITS.processes for count in counts), counts
    assert eventually(lambda: alone(zygote))


def test_a_live_fork_bomb_is_ended(zygote: Zygote) -> None:
    """While it forks as fast as it can."""
    source = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
    box = zygote.spawn(BoxSpec(mode=mode_here(), limits=LIMITS))
    Inside(box).send(source)
    assert eventually(lambda: len(processes.descendants(zygote.process)) > 10)
    assert box.close().ending.reason is EndReason.CLOSED
    assert eventually(lambda: alone(zygote))


def test_daemons_are_ended(zygote: Zygote, spec: BoxSpec) -> None:
    """Having been orphaned does not help."""
    box = zygote.spawn(spec)
    source = """
import os, time
child = os.fork()
if child == 0:
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
os.waitpid(child, 0)
answer = 1
"""
    Inside(box).run(source)
    box.close()
    assert eventually(lambda: alone(zygote))


def test_a_box_left_open_ends_with_its_zygote() -> None:
    """Closing the zygote closes its boxes; no process and no temporary folder is left."""
    with start_zygote() as zygote:
        box = zygote.spawn(BoxSpec(mode=Mode.NONE))
        folder = Path(Inside(box).run("import os; answer = os.getcwd()"))
        assert folder.exists()
    assert not folder.exists()
    assert not Path(f"/proc/{zygote.process}").exists()
    assert box.close().ending.reason is EndReason.CLOSED


@pytest.mark.parametrize("mode", ["isolated", "none"])
def test_everything_ends_when_the_host_is_killed(tmp_path: Path, mode: str) -> None:
    """The kernel closes the host's sockets; zygote, supervisor and worker see it."""
    script = f"""
import sys
from support.boxes import ECHO, Inside, mode_here
from support.paths import TESTS
from grader.model.isolation import Mode
from grader.sandbox.spec import BoxSpec
from grader.sandbox.zygote import Zygote
zygote = Zygote.start(preload=(), entry=ECHO, import_path=[TESTS])
box = zygote.spawn(BoxSpec(mode=mode_here() if {mode!r} == "isolated" else Mode.NONE))
inside = Inside(box)
inside.send("import time; time.sleep(600)")
print(zygote.process, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as host:
        assert host.stdout is not None
        root = int(host.stdout.readline())
        family = processes.descendants(root)
        assert len(family) == 3
        host.kill()
    # Whoever adopts them may reap late: a zombie has ended.
    assert eventually(lambda: not any(map(_lives, family)))


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_everything_ends_when_the_zygote_is_killed() -> None:
    """The kernel's death signal takes the supervisor and the worker along; the box says what it knows."""
    zygote = start_zygote()
    box = zygote.spawn(BoxSpec(mode=mode_here()))
    Inside(box).run("answer = 1")
    family = processes.descendants(zygote.process)
    os.kill(zygote.process, signal.SIGKILL)
    assert eventually(lambda: not any(map(_lives, family)))
    assert box.ending(wait=5) == Ending(EndReason.SUPERVISOR_LOST)
    with pytest.raises(InfrastructureError, match="warm process is gone"):
        zygote.spawn(BoxSpec(mode=mode_here()))
    zygote.close()


def test_starting_returns_at_once(tmp_path: Path) -> None:
    """The host goes on while libraries are imported: here one whose import ends when the host says so."""
    go = tmp_path / "go"
    (tmp_path / "patient.py").write_text(f"""
import os, time
for _ in range(6000):
    if os.path.exists({str(go)!r}):
        break
    time.sleep(0.01)
else:
    raise ImportError("nobody said go")
""")
    with start_zygote("patient", import_path=[tmp_path]) as zygote:
        go.touch()
        zygote.wait_ready()


def test_a_zygote_that_cannot_import_says_what() -> None:
    """The module's name reaches the person."""
    with (
        start_zygote("no_such_module_here") as zygote,
        pytest.raises(InfrastructureError, match="no_such_module_here"),
    ):
        zygote.wait_ready()


def test_a_zygote_that_dies_while_starting_says_its_last_words(tmp_path: Path) -> None:
    """Its standard error is kept for that."""
    (tmp_path / "dies_at_import.py").write_text(
        "import os, sys; print('out of luck', file=sys.stderr); os._exit(1)"
    )
    tmp_path.chmod(0o755)
    with (
        start_zygote("dies_at_import", import_path=[tmp_path]) as zygote,
        pytest.raises(InfrastructureError, match="out of luck"),
    ):
        zygote.wait_ready()


def test_a_zygote_with_threads_is_refused(tmp_path: Path) -> None:
    """A fork of it could hang on a lock that no thread will ever open."""
    (tmp_path / "starts_thread.py").write_text(
        "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    )
    with (
        start_zygote("starts_thread", import_path=[tmp_path]) as zygote,
        pytest.raises(InfrastructureError, match="2 threads"),
    ):
        zygote.wait_ready()


def test_a_preload_must_be_a_modules_name() -> None:
    """Nothing else reaches the zygote's command line."""
    with pytest.raises(ValueError, match="--help"):
        Zygote.start(preload=("--help",))


def test_a_zygote_that_has_started_early_imports_what_it_is_told_later() -> None:
    """It is ready only then; the host closes one that nobody needed."""
    with Zygote.start(preload=(), entry=ECHO, import_path=[TESTS], more=True) as zygote:
        with pytest.raises(ValueError, match="--help"):
            zygote.and_import(["--help"])
        zygote.and_import(["colorsys"])
        with zygote.spawn(BoxSpec(mode=mode_here())) as box:
            assert Inside(box).run("import sys; answer = 'colorsys' in sys.modules") is True
    with Zygote.start(preload=(), entry=ECHO, import_path=[TESTS], more=True) as unneeded:
        pass
    assert not Path(f"/proc/{unneeded.process}").exists()


def test_a_fork_imports_nothing_before_the_students_code() -> None:
    """What numpy loads when first asked (its generators: 15 ms) was loaded in the zygote."""
    with start_zygote("numpy") as zygote, zygote.spawn(BoxSpec(mode=mode_here())) as box:
        source = "import gc, sys; answer = 'numpy.random' in sys.modules and gc.get_freeze_count() > 0"
        assert Inside(box).run(source) is True
        source = "answer = id(sys.modules['numpy.random']) in map(id, gc.get_objects())"
        assert Inside(box).run(source) is False  # frozen, so older than the fork


def test_figures_are_drawn_inside() -> None:
    """With the fonts and back ends that the zygote loaded; no cache of the person's is needed."""
    with (
        start_zygote("numpy", "matplotlib.pyplot") as zygote,
        zygote.spawn(BoxSpec(mode=mode_here())) as box,
    ):
        source = """
import io, matplotlib.pyplot as plt
plt.plot([1, 2])
plt.title("loss $x^2$")
file = io.BytesIO()
plt.savefig(file)
answer = [file.getvalue()[1:4].decode(), len(file.getvalue()) > 5000]
"""
        assert Inside(box).run(source) == ["PNG", True]


def test_torch_trains_inside_on_one_thread() -> None:
    """The optimizer's heavy imports are done, so the first step takes milliseconds."""
    pytest.importorskip("torch")
    with start_zygote("numpy", "torch") as zygote, zygote.spawn(BoxSpec(mode=mode_here())) as box:
        source = """
import sys, torch
known = set(sys.modules)
layer = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adam(layer.parameters())
layer(torch.ones(3, 4)).sum().backward()
optimizer.step()
new = [name for name in set(sys.modules) - known if name.startswith("torch._dynamo")]
answer = [torch.get_num_threads(), new]
"""
        assert Inside(box).run(source) == [1, []]


def test_a_supervisors_last_words_are_heard_though_it_did_not_read_our_question() -> None:
    """The kernel then says that the connection was reset before it hands over what had been sent."""
    ours, supervisor = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    data, inside = socket.socketpair()
    with supervisor, inside, data, ours:
        box = Box(ours, data, closed=lambda _: None)
        box.interrupt()
        said = {"event": "ended", "reason": "memory", "exit_status": -9, "cpu_seconds": 0.1, "max_rss_mb": 1}
        supervisor.send(json.dumps(said).encode())
        supervisor.close()
        assert box.ending(wait=5) == Ending(EndReason.MEMORY, -9)
