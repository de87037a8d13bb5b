"""Programs that notebooks start, the event loop of all cells, and what is said of what was left out."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from support.measured import start_zygote
from support.sandboxed import checked, sandboxed

from grader.inside import drive, notes, programs
from grader.inside.event_loop import EventLoop
from grader.inside.shell_lines import MAX_KEPT, Kept, leaves_out
from grader.model.records import CellStatus
from grader.session.notebook import notes_of
from grader.session.sandboxed_notebook import SandboxedNotebook

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")


# -- programs -----------------------------------------------------------------------------------------------


def heard(command: str, text: str = "") -> tuple[int, str, str]:
    out: list[str] = []
    err: list[str] = []
    status = programs.run(["/bin/sh", "-c", command], text, out.append, err.append)
    return status, "".join(out), "".join(err)


@posix
def test_a_program_is_heard_and_its_status_known():
    assert heard("echo a; echo b >&2; exit 3") == (3, "a\n", "b\n")
    assert heard("cat", "é" * 200_000) == (0, "é" * 200_000, "")
    assert heard("read x; echo [$x]") == (0, "[]\n", "")  # nobody types anything
    assert heard(r"printf '\303'") == (0, "\ufffd", "")


@posix
def test_output_without_end_is_not_kept():
    count = 0

    def hear(text: str) -> None:
        nonlocal count
        count += len(text)

    tracemalloc.start()
    programs.run(["/bin/sh", "-c", "head -c 50000000 /dev/zero"], "", hear)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 50_000_000
    assert peak < 1 << 21


@posix
def test_what_runs_in_the_background_holds_nobody_up():
    start = time.monotonic()
    assert heard("sleep 20 & echo started") == (0, "started\n", "")
    assert time.monotonic() - start < 10


@posix
def test_an_interrupt_ends_a_program_with_all_that_it_started(tmp_path):
    """It comes while the program is listened to: a first word says that it runs."""
    pid = tmp_path / "pid"
    interrupt = threading.Timer(0.1, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        programs.run(
            ["/bin/sh", "-c", f"sleep 50 & echo $! > {pid}; echo up; sleep 50"],
            "",
            lambda _: interrupt.start(),
        )
    inner = int(pid.read_text())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(inner, 0)
        except ProcessLookupError:
            return
        with open(f"/proc/{inner}/stat") as file:  # noqa: PTH123
            if file.read().rpartition(")")[2].split()[0] == "Z":
                return
        time.sleep(0.05)
    pytest.fail("what it started goes on")


@posix
def test_an_interrupt_while_a_program_is_being_started_ends_it_too(monkeypatch):
    started: list[subprocess.Popen[bytes]] = []

    class Interrupted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0)  # where it would be raised: nobody has the program yet

    monkeypatch.setattr(subprocess, "Popen", Interrupted)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        programs.run(["/bin/sleep", "50"], "", print)
    assert started[0].returncode == -signal.SIGKILL
    assert signal.getsignal(signal.SIGINT) is handler


def test_kept_output_is_cut():
    kept = Kept()
    for _ in range(10):
        kept.hear("x" * (MAX_KEPT // 4))
    assert len(kept.text) == MAX_KEPT


@pytest.mark.parametrize(
    "command",
    [
        "pip install x", "mkdir a && pip3 install x", "cd a\npip install x", "(pip install x)", "sudo ls",
        "python -m pip install x", "/usr/bin/wget x; ls", "echo a | sudo tee b", "pip install 'x",
    ],
)  # fmt: skip
def test_commands_that_install_or_download_are_left_out(command):
    assert leaves_out(command)


@pytest.mark.parametrize(
    "command", ["ls pip", "echo 'a && pip install'", "mkdir git", "", "cat wget.txt > curl", "# pip"]
)
def test_other_commands_run(command):
    assert not leaves_out(command)


# -- in a sandbox -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook() -> Iterator[SandboxedNotebook]:
    with start_zygote("numpy", "matplotlib.pyplot") as zygote, sandboxed(zygote) as opened:
        yield opened


@linux
@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(name):\n    !echo {name} > f.txt\nf('local')\nx = open('f.txt').read()", "local\n"),
        ("name = 'n'\nx = !echo $name a\nx = list(x)", ["n a"]),
        ("!exit 3\nx = _exit_code", 3),
        ("try:\n    get_ipython().system('ls &')\nexcept OSError as error:\n    x = str(error)[:5]", "Backg"),
        ("get_ipython().run_cell_magic('bash', '--bg --proc p', 'exit 4')\nx = p.wait()", 4),
        ("%%bash --out x --err y\necho 1; echo 2 >&2", "1\n"),
        ("import os; before = os.getcwd()\n%cd -q /\n%cd -q -\nx = os.getcwd() == before", True),
        ("import os; before = os.getcwd()\n%cd /content/nowhere\nx = os.getcwd() == before", True),
        ("x = len([*map(print, ['y' * 100] * 10)])\n!yes | head -c 3000000", 10),
    ],
)  # fmt: skip
def test_shell_lines_do_what_jupyter_does(notebook, source, expected):
    run = notebook.run_cell(source, seconds=20)
    assert run.status is CellStatus.OK, run
    with checked(notebook) as student:
        assert student.x.value == expected


@linux
@pytest.mark.sandbox
@pytest.mark.parametrize(
    "source", ["!sleep 100", "!yes", "%%bash\nsleep 100", "import asyncio\nawait asyncio.sleep(100)"]
)
def test_what_never_ends_is_stopped_at_the_time_limit_and_the_notebook_goes_on(notebook, source):
    start = time.monotonic()
    assert notebook.run_cell(source, seconds=1).status is CellStatus.TIMED_OUT
    assert time.monotonic() - start < 15
    assert notebook.run_cell("x = 1", seconds=20).status is CellStatus.OK


@linux
@pytest.mark.sandbox
def test_a_task_goes_on_in_each_copy_by_itself(notebook):
    source = (
        "import asyncio\nseen = []\nasync def work():\n"
        "    for n in range(3):\n        await asyncio.sleep(0.01)\n"
        "        seen.append(n)\ntask = asyncio.create_task(work())\n"
        "async def finish():\n    await task\n    return seen\n"
        "async def aside():\n"
        "    return await asyncio.get_running_loop().run_in_executor(None, lambda: 5)\n"
        "def close():\n    asyncio.get_event_loop().close()"
    )  # fmt: skip
    assert notebook.run_cell(source, seconds=20).status is CellStatus.OK
    for _ in range(2):
        with checked(notebook) as student:
            assert student.finish() == [0, 1, 2]
            assert student.aside() == 5
            student.close()


@linux
@pytest.mark.sandbox
def test_what_was_left_out_is_noted_once_for_each_cell(notebook):
    said = notebook.run_cell("for _ in range(3):\n    input(); breakpoint()\n%pip install a\n", seconds=20)
    assert said.notes == (
        "waiting for input, answered with an empty line",
        "breakpoint(): nobody is there to answer",
        "%pip install a",
    )
    source = "import socket\ntry:\n    socket.create_connection(('192.0.2.1', 80), 1)\nexcept OSError: pass"
    assert notebook.run_cell(source, seconds=20).notes == ("the network: no connection can be made",)
    assert notebook.run_cell("x = 1", seconds=20).notes == ()


# -- notes, loops, places -----------------------------------------------------------------------------------


def test_notes_are_bounded_and_each_is_kept_once(capsys):
    kept = notes.Notes()
    assert [kept.add(f"{n}\n{'x' * 1000}") for n in range(7)] == [True] * 7
    assert not kept.add("0 " + "x" * 1000)
    assert len(kept.kept) == notes.MAX_NOTES
    assert {len(note) for note in kept.kept} == {notes.MAX_NOTE}
    kept.begin()
    assert kept.kept == []


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        (["a", "a", 3, ["b"], "\x1b[31mred"], ("a", "red")),
        (["x" * 10_000] * 100, ("x" * 199 + "…",)),
        ("abc", ()),
        (None, ()),
        ([""], ()),
    ],
)
def test_notes_that_a_process_sends_may_be_forged(sent, got):
    assert notes_of(sent) == got


def test_a_loop_that_was_closed_is_made_again():
    loop = EventLoop()
    first = loop.get()
    assert loop.get() is first
    first.close()
    try:
        assert loop.finish(asyncio.sleep(0, "done")) == "done"
    finally:
        loop.get().close()
        asyncio.set_event_loop(None)


def test_a_coroutine_is_waited_for_while_a_kernels_loop_runs():
    async def cell() -> object:
        return EventLoop().finish(asyncio.sleep(0, "beside"))

    async def failing() -> None:
        raise ValueError("theirs")

    async def other() -> object:
        return EventLoop().finish(failing())

    assert asyncio.run(cell()) == "beside"
    with pytest.raises(ValueError, match="theirs"):
        asyncio.run(other())


def test_places_of_colab_are_found_by_the_files_name(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.txt").write_text("")
    home = str(tmp_path)
    assert drive.found("/content/drive/MyDrive/hw/data/x.txt", home) == f"{home}/data/x.txt"
    assert drive.found("/content/drive/MyDrive/hw", home) == home
    assert drive.found("/content/new.txt", home) == f"{home}/new.txt"
    assert drive.found("/contents/x.txt", home) == "/contents/x.txt"
    assert drive.found(b"/content/x", home) == b"/content/x"


def test_an_error_of_theirs_has_nothing_of_ours_before_it():
    async def failing() -> None:
        raise ValueError("theirs")

    loop = EventLoop()
    try:
        with pytest.raises(ValueError, match="theirs") as raised:
            loop.finish(failing())
        assert raised.value.__context__ is None, "their traceback would begin with our own code"
    finally:
        loop.get().close()
        asyncio.set_event_loop(None)
