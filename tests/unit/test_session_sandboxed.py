"""A submission in the sandbox: what one cell or one check does to its process costs only itself."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.measured import start_zygote
from support.sandboxed import checked, sandboxed

from grader.model.errors import CallTimedOut, CheckError, Fault, Outcome, SandboxDied, StudentError
from grader.model.isolation import Mode
from grader.model.records import CellStatus
from grader.sandbox.zygote import Zygote
from grader.session.sandboxed_notebook import SandboxedNotebook

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with start_zygote("numpy", "matplotlib.pyplot") as started:
        yield started


# -- cells ---------------------------------------------------------------------------------------------

DEADLY = {
    "os._exit": ("import os; os._exit(0)", CellStatus.CRASHED, "exit 0"),
    "segfault": ("import ctypes; ctypes.string_at(0)", CellStatus.CRASHED, "SIGSEGV"),
    "memory": ("import numpy as np; hog = np.ones(10**8)", CellStatus.OUT_OF_MEMORY, "more memory"),
    "closed": ("import os; os.close(3)", CellStatus.CRASHED, "ended the Python process"),
    "deaf": (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        CellStatus.TIMED_OUT,
        "no answer within 0.3 s",
    ),
}


@pytest.mark.parametrize(("source", "status", "said"), DEADLY.values(), ids=DEADLY)
def test_a_cell_that_takes_the_process_down_costs_itself_alone(zygote, source, status, said, monkeypatch):
    monkeypatch.setattr("grader.session.socket_transport.GRACE", 0.3)
    with sandboxed(zygote, "a = [1]", "print('seen')") as notebook:
        run = notebook.run_cell(
            f"a.append(2)\n{source}", seconds=0.3 if status is CellStatus.TIMED_OUT else 10
        )
        assert run.status == status
        assert said in run.error
        assert notebook.run_cell("a.append(3)", seconds=5).status is CellStatus.OK
        with checked(notebook) as student:
            assert student.a.value == [1, 3]


def test_a_loop_that_is_interrupted_keeps_its_state(zygote):
    with sandboxed(zygote) as notebook:
        run = notebook.run_cell("n = 0\nwhile True: n += 1", seconds=0.2)
        assert run.status is CellStatus.TIMED_OUT
        assert run.seconds >= 0.15
        assert notebook.run_cell("m = n", seconds=5).status is CellStatus.OK
        with checked(notebook) as student:
            assert student.m.value > 0


def test_an_interrupt_waits_for_a_frame_in_the_middle(zygote):
    """Output that floods while the time is up leaves the stream of frames whole."""
    with sandboxed(zygote) as notebook:
        run = notebook.run_cell("while True:\n    print('x' * 9000)", seconds=0.2)
        assert run.status is CellStatus.TIMED_OUT
        assert notebook.run_cell("after = 1", seconds=5).status is CellStatus.OK


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def f(:", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("class Falsy(Exception):\n    def __len__(self): return 0\nraise Falsy('x')", "Falsy: x"),
        ("%no_such_magic", "UsageError"),
        ("await nothing", "NameError"),
    ],
)
def test_a_cell_that_raises_keeps_what_it_did(zygote, source, error):
    with sandboxed(zygote) as notebook:
        run = notebook.run_cell(source, seconds=5)
        assert run.status is CellStatus.RAISED
        assert run.error.startswith(error)
        assert notebook.run_cell("1", seconds=5).status is CellStatus.OK


def test_the_notebooks_time_is_bounded_in_sum(zygote):
    with sandboxed(zygote, seconds=2) as notebook:
        assert notebook.run_cell("import time; time.sleep(0.2)", seconds=30).status is CellStatus.OK
        assert notebook.run_cell("time.sleep(30)", seconds=30).status is CellStatus.TIMED_OUT
        run = notebook.run_cell("late = 1", seconds=5)
        assert (run.status, run.seconds) == (CellStatus.SKIPPED, 0)
        assert "time was used up" in run.error
        with checked(notebook) as student:
            assert not student.has("late")
            assert student.has("time")


def test_a_cell_that_dies_only_when_it_is_run_again_is_left_out(zygote):
    """Nothing inside outlives a process, so the cell looks at the clock to know that it is run again."""
    again = time.monotonic() + 4
    fragile = f"import time, os\nif time.monotonic() > {again!r}: os._exit(1)\nfragile = 1"
    with sandboxed(zygote, fragile, "kept = 2") as notebook:
        time.sleep(max(0.0, again - time.monotonic()))
        assert notebook.run_cell("import os; os._exit(0)", seconds=5).status is CellStatus.CRASHED
        assert notebook.run_cell("last = 3", seconds=5).status is CellStatus.OK
        with checked(notebook) as student:
            assert (student.kept.value, student.last.value, student.has("fragile")) == (2, 3, False)


def test_rebuilding_has_a_bound_of_its_own(zygote, monkeypatch):
    """Of what cells may take together, as for their first run: one whole run and a part of another fit."""
    rebuilt = []
    survives = SandboxedNotebook._survives
    monkeypatch.setattr(
        SandboxedNotebook, "_survives", lambda *arguments: rebuilt.append(1) or survives(*arguments)
    )
    busy = "import time\nwhile time.process_time() < 2: pass"  # of a process that starts at 0
    with sandboxed(zygote, busy, seconds=3.5) as notebook:
        for _ in range(3):
            notebook.run_cell("import os; os._exit(0)", seconds=5)
        with checked(notebook) as student:
            assert not student.has("nothing")
    # Where nothing forks, every check has its state rebuilt, within the whole bound once more.
    assert len(rebuilt) == (2 if notebook.isolation.forks else 3)


def test_names_arguments_and_the_working_directory_are_as_in_a_notebook(zygote):
    source = "import sys, os; name, here = __name__, os.getcwd()"
    with sandboxed(zygote, source) as notebook, checked(notebook) as student:
        assert student.name.value == "__main__"
        assert student.here.value == "/home/student"


# -- checks --------------------------------------------------------------------------------------------

CODE = """
import ctypes, os, random, signal, socket, struct, sys, threading, time
import numpy as np
state = {"calls": 0}
def identity(value): return value
def count():
    state["calls"] += 1
    return state["calls"]
def draws(): return [random.random(), float(np.random.rand())]
def run(source): exec(source, globals())
"""


@pytest.fixture(scope="module")
def notebook(zygote: Zygote) -> Iterator[SandboxedNotebook]:
    with sandboxed(zygote, CODE) as opened:
        yield opened


def test_each_check_starts_from_the_same_state(notebook):
    for _ in range(3):
        with checked(notebook) as student:
            assert [student.count(), student.count()] == [1, 2]
            student.state["calls"] = 10
            student.identity = student.count
            assert student.identity() == 11


def test_draws_depend_on_the_seed_alone(notebook):
    def drawn(seed: int) -> list[float]:
        with checked(notebook, seed=seed) as student:
            return student.draws()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert len(set(drawn(1 << 62))) == 2


def test_torch_draws_depend_on_the_seed_alone():
    with (
        start_zygote("numpy", "torch") as zygote,
        sandboxed(zygote, "import torch\ndef draw(): return torch.rand(2)") as notebook,
    ):

        def drawn(seed: int) -> list[float]:
            with checked(notebook, seed=seed) as student:
                return student.draw().tolist()

        assert drawn(1) == drawn(1)
        assert drawn(1) != drawn(2)


FATAL = {
    "os._exit": ("os._exit(3)", Outcome.CRASHED, "exit 3"),
    "segfault": ("ctypes.string_at(0)", Outcome.CRASHED, "SIGSEGV"),
    "killed": ("os.kill(os.getpid(), 9)", Outcome.CRASHED, "SIGKILL"),
    "memory": ("hog = np.ones(10**8); time.sleep(60)", Outcome.OUT_OF_MEMORY, "more memory"),
    "closed": ("os.close(3); time.sleep(60)", Outcome.CRASHED, "ended the Python process"),
    "loop": ("while True: pass", Outcome.TIMED_OUT, "no answer within 1 s"),
    "deaf": (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        Outcome.TIMED_OUT,
        "no answer",
    ),
}


@pytest.mark.parametrize(("source", "outcome", "said"), FATAL.values(), ids=FATAL)
def test_a_check_that_ends_badly_costs_itself_alone(notebook, source, outcome, said):
    with checked(notebook, seconds=1 if outcome is Outcome.TIMED_OUT else 30) as student:
        with pytest.raises(CheckError, match=said) as caught:
            student.run(source)
        assert (caught.value.outcome, caught.value.fault) == (outcome, Fault.STUDENT)
        with pytest.raises(CheckError, match=said):  # and whatever is asked later says the same
            student.count()
    with checked(notebook) as student:
        assert student.count() == 1


def test_a_hundred_copies_leave_no_process_behind(notebook):
    """The sandbox allows 64 processes: copies that piled up would end this."""
    for number in range(100):
        with checked(notebook, seconds=5) as student:
            if number % 10 == 0:
                with pytest.raises(SandboxDied):
                    student.run("os._exit(1)")
    with checked(notebook) as student:
        others = student.run("others = [name for name in os.listdir('/proc') if name.isdigit()]")
        assert others is None
        assert len(student.others.value) <= 3


def test_a_main_process_that_is_killed_from_a_copy_is_rebuilt(zygote):
    """Possible without walls only: inside them nobody may signal the first process."""
    with sandboxed(zygote, CODE, mode=Mode.NONE) as notebook:
        with checked(notebook, seconds=5) as student, pytest.raises(SandboxDied):
            student.run("os.kill(os.getppid(), 9); os._exit(1)")
        with checked(notebook) as student:
            assert student.count() == 1


def test_a_copy_cannot_harm_the_main_process(notebook):
    with checked(notebook) as student:
        with pytest.raises(StudentError):
            student.run("os.kill(os.getppid(), 9); os.kill(-1, 9)")
        assert student.count() == 1
    with checked(notebook) as student:
        assert student.count() == 1


def test_values_cross_both_ways(notebook):
    X = np.random.default_rng(0).normal(size=(64, 64))
    with checked(notebook) as student:
        for value in (X, X.T, X.astype(">f4"), [None, True, {"a": (1, 2.5)}], b"bytes", 1j, X[:0], "text"):
            back = student.identity(value)
            np.testing.assert_equal(back, value)
        assert student.identity(np.zeros(2_000_000)).shape == (2_000_000,)


def test_output_of_a_check_is_its_own(notebook):
    for _ in range(2):
        with checked(notebook) as student:
            student.run("print('mine'); print('not stdout', file=sys.stderr)")
            assert student.printed() == "mine\n"


def test_a_thread_left_over_from_a_call_does_not_disturb_the_next(notebook):
    with checked(notebook) as student:
        student.run(
            "def chatter():\n    while True: real.write('x' * 4000)\n"
            "real = sys.stdout\nthreading.Thread(target=chatter, daemon=True).start()"
        )
        assert [student.identity(number) for number in range(50)] == list(range(50))


def test_a_copy_made_while_a_thread_prints_answers(zygote):
    noisy = (
        "import threading, sys\nreal = sys.stdout\n"
        "def chatter():\n    while True: real.write('x' * 4000)\n"
        "threading.Thread(target=chatter, daemon=True).start()"
    )
    with sandboxed(zygote, CODE, noisy) as notebook:
        for _ in range(10):
            with checked(notebook, seconds=5) as student:
                student.run("print('ok')")
                assert "ok" in student.printed()


def test_without_walls_it_lives_the_same_way(zygote):
    with sandboxed(zygote, CODE, mode=Mode.NONE) as notebook:
        with checked(notebook) as student, pytest.raises(SandboxDied, match="exit 4"):
            student.run("os._exit(4)")
        with checked(notebook) as student:
            assert student.count() == 1


# -- forged answers ------------------------------------------------------------------------------------

FORGE = """
from grader.inside import agent, codec
import json
wire = socket.socket(fileno=os.dup(3))
def frame(kind, number, value):
    return b"".join(bytes(part) for part in codec.pack(kind, number, value))
def current(): return agent_here._request
agent_here = sys.stdout._output._emit_text.__self__
"""

FORGERIES = {
    "another request's id": ("wire.sendall(frame(codec.REPLY, 12345, 1))", "an answer to no question"),
    "a request as answer": ("wire.sendall(frame(codec.REQUEST, current(), 1))", "an answer to no question"),
    "an unknown kind": ("wire.sendall(frame(77, current(), 1))", "an answer to no question"),
    "no frame at all": ("wire.sendall(b'<html>' * 100)", "not an answer"),
    "a huge claim": ("wire.sendall(codec.HEADER.pack(2**32 - 1, 0, current(), 1))", "a frame of"),
    "claims the limit, sends nothing": (
        "wire.sendall(codec.HEADER.pack(2, codec.MAX_BUFFER, current(), 1)); time.sleep(60)",
        "no answer within",
    ),
    "not JSON": ("wire.sendall(codec.HEADER.pack(1, 0, current(), codec.REPLY) + b'{')", "not JSON"),
    "a forged handle": (
        "t = json.dumps({'$': 'ref', 'id': -1, 'type': 'x'}).encode()\n"
        "wire.sendall(codec.HEADER.pack(len(t), 0, current(), codec.REPLY) + t)",
        "malformed handle",
    ),
    "a malformed error": ("wire.sendall(frame(codec.ERROR, current(), {'kind': 1}))", "malformed error"),
    "a malformed stream": (
        "wire.sendall(frame(codec.STREAM, current(), ['screen', 'x']))",
        "malformed stream",
    ),
    "a drip": (
        "data = frame(codec.REPLY, current(), 'x' * 1000)\n"
        "for byte in data: wire.sendall(bytes([byte])); time.sleep(0.05)",
        "no answer within",
    ),
    "a drip of streams": (
        "while True: wire.sendall(frame(codec.STREAM, current(), ['stdout', 'x'])); time.sleep(0.01)",
        "no answer within",
    ),
    "a flood": (
        "data = frame(codec.STREAM, current(), ['stdout', 'x' * 500_000])\nwhile True: wire.sendall(data)",
        "flood|no answer within",
    ),
    "half a frame, then death": (
        "wire.sendall(frame(codec.REPLY, current(), 'xyz')[:-1]); os._exit(0)",
        "exit 0",
    ),
}


@pytest.mark.parametrize(("source", "said"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_answer_is_the_students_failure_within_the_deadline(notebook, source, said):
    with checked(notebook, seconds=2 if "within" in said else 30) as student:
        student.run(FORGE)
        with pytest.raises(CheckError, match=said) as caught:
            student.run(source)
        assert isinstance(caught.value, SandboxDied | CallTimedOut)
        assert caught.value.fault is Fault.STUDENT
    with checked(notebook) as student:
        assert student.count() == 1


def test_a_forged_value_is_only_a_value(notebook):
    """It is the call's answer; what the honest agent answers after it is one answer too many."""
    with checked(notebook) as student:
        student.run(FORGE)
        student.run("def forged(): wire.sendall(frame(codec.REPLY, current(), 'any value'))")
        assert student.forged() == "any value"
        with pytest.raises(SandboxDied, match="no question"):
            student.count()


def test_descriptors_sent_over_the_socket_do_not_arrive(notebook):
    before = len(list(Path("/proc/self/fd").iterdir()))
    with checked(notebook) as student:
        student.run(FORGE)
        student.run(
            "def leak():\n    for fd in (0, 1, 2): socket.send_fds(wire, [frame(codec.STREAM, current(), "
            "['stdout', 'x'])], [fd] * 20)\n    return 5"
        )
        assert student.leak() == 5
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1  # the check's own socket


@pytest.mark.parametrize("pid", [-1, 0, 1, True, 2**40, 4_000_000, None, "done"])
def test_a_main_process_that_lies_about_its_copies_gains_nothing(zygote, pid):
    tamper = f"agent._OPERATIONS['fork'] = lambda self, *_: {pid!r}"
    with (
        sandboxed(zygote, CODE, FORGE, tamper) as notebook,
        pytest.raises(CheckError) as caught,
        checked(notebook, seconds=1) as student,
    ):
        student.count()
    assert caught.value.fault is Fault.STUDENT


@pytest.mark.parametrize(
    "tamper",
    [
        "agent._OPERATIONS['fork'] = lambda self, *_: 1 / 0",
        "def fork(*_): raise codec.NotPlainDataError('x')\nagent._OPERATIONS['fork'] = fork",
        "agent.Agent.handle = lambda *_: None",
    ],
    ids=["raises", "unsupported", "silent"],
)
def test_a_main_process_that_makes_no_copies_fails_the_checks(zygote, tamper, monkeypatch):
    monkeypatch.setattr("grader.session.sandboxed_notebook.OWN_SECONDS", 0.5)
    monkeypatch.setattr("grader.session.socket_transport.GRACE", 0.2)
    with sandboxed(zygote, CODE, FORGE) as notebook:
        notebook.run_cell(tamper, seconds=0.5)
        with pytest.raises(CheckError) as caught, checked(notebook, seconds=1) as student:
            student.count()
        assert caught.value.fault is Fault.STUDENT


@pytest.mark.parametrize("kind", ["ERROR", "REPLY"])
def test_a_cell_that_forges_its_own_result_does_not_stop_the_grading(zygote, kind):
    value = "{'kind': 'a', 'message': 'b', 'traceback': '', 'unsupported': 'c'}"
    with sandboxed(zygote, CODE, FORGE) as notebook:
        forged = f"wire.sendall(frame(codec.{kind}, current(), {value})); os._exit(0)"
        ends = [notebook.run_cell(source, seconds=5).status for source in (forged, "1", "2")]
        assert ends[0] in (CellStatus.RAISED, CellStatus.OK)
        assert set(ends[1:]) <= {CellStatus.OK, CellStatus.CRASHED}


FREED = """
junk = [bytearray(1000) for _ in range(60_000)]
kept = junk[::100]
del junk
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 // 2**20
before = resident()
"""


@pytest.mark.skipif("glibc" not in " ".join(platform.libc_ver()), reason="what glibc's allocator does")
def test_what_the_cells_freed_goes_back_to_the_machine(zygote):
    with sandboxed(zygote) as notebook:
        assert notebook.run_cell(FREED, seconds=5).status is CellStatus.OK
        with checked(notebook) as student:
            assert student.before.value - student.resident() > 30
