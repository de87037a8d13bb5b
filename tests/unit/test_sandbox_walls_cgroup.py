"""Control groups: found, limited, joined, told, ended, on the machine's own where it has some.

The tests of real groups run wherever a process may make one (for version 1 as root, for version 2 where a
group was handed over) and are left out elsewhere; ``grade doctor`` says which it is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.boxes import Inside, eventually, mode_here, start_zygote

from grader.model.isolation import EndReason, Mode
from grader.sandbox import processes
from grader.sandbox.spec import MEGABYTE, BoxSpec, ProcessLimits
from grader.sandbox.walls import cgroup
from grader.sandbox.walls.cgroup import MARGIN_MB, PREFIX, Group

LIMITS = ProcessLimits(memory_mb=64, processes=12)


def real_groups() -> bool:
    return sys.platform.startswith("linux") and cgroup.available()


needs_groups = pytest.mark.skipif(
    not real_groups(), reason="this process may make no cgroup: see grade doctor"
)
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="control groups are Linux's")


@pytest.fixture
def group() -> Iterator[Group]:
    made = cgroup.make(LIMITS)
    assert made is not None
    yield made
    made.end()
    assert not folders_of(made.name)


def folders_of(name: str) -> list[Path]:
    return [folder / name for folder in cgroup.find() if (folder / name).exists()]


def started(do: Callable[[], object], group: Group) -> int:
    """A process in ``group`` that then does ``do``."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.read(read, 1)
            do()
        finally:
            os._exit(0)
    group.join(child)
    os.write(write, b"g")
    os.close(read)
    os.close(write)
    return child


def ended_by(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def gets_no_more(hog: int, group: Group) -> None:
    """The process waits at the limit in version 1 and is ended there in version 2."""
    waits = len(folders_of(group.name)) > 1
    if waits:
        assert eventually(group.is_full)
        assert os.waitpid(hog, os.WNOHANG) == (0, 0)
        group.kill()
    assert ended_by(hog) == -signal.SIGKILL
    assert group.memory_kills() == (0 if waits else 1)


@needs_groups
def test_its_limits_are_the_manifests_and_the_margin(group: Group) -> None:
    """No swap beyond them, and below our own group, which bounds it too."""
    folders = folders_of(group.name)
    content = {file.name: file.read_text() for folder in folders for file in folder.glob("*.max")}
    content |= {file.name: file.read_text() for file in folders[0].glob("memory*.limit_in_bytes")}
    size = f"{(64 + MARGIN_MB) * MEGABYTE}\n"
    assert content["pids.max"] == "12\n"
    assert content.get("memory.max", content.get("memory.limit_in_bytes")) == size
    assert content.get("memory.swap.max", "0\n") == "0\n"
    assert content.get("memory.memsw.limit_in_bytes", size) == size


@needs_groups
def test_memory_beyond_the_limit_is_not_had_and_is_told(group: Group) -> None:
    """Version 1 lets the process wait for whoever watches; version 2 ends it."""
    assert ended_by(started(lambda: bytearray(b"x") * (32 << 20), group)) == 0
    assert (group.memory_kills(), group.is_full()) == (0, False)
    gets_no_more(started(lambda: bytearray(b"x") * (300 << 20), group), group)


@needs_groups
def test_files_in_memory_count(group: Group, tmp_path: Path) -> None:
    """No process holds them, so the watchdog does not see them."""

    def fill() -> None:
        file = os.memfd_create("held")
        for _ in range(300):
            os.write(file, bytes(1 << 20))

    gets_no_more(started(fill, group), group)


@needs_groups
def test_forks_beyond_the_limit_are_refused_even_to_root(group: Group) -> None:
    """RLIMIT_NPROC does not bind root."""
    read, write = os.pipe()

    def fork() -> None:
        with contextlib.suppress(BlockingIOError):
            for _ in range(30):
                if os.fork() == 0:
                    time.sleep(60)
                os.write(write, b"f")

    ended_by(started(fork, group))
    assert len(os.read(read, 100)) == LIMITS.processes - 1
    os.close(read)
    os.close(write)


@needs_groups
def test_a_live_fork_bomb_ends_with_its_group() -> None:
    """Also where no process namespace and no user of its own ends it."""
    group = cgroup.make(LIMITS)
    assert group is not None

    def bomb() -> None:
        while True:
            with contextlib.suppress(OSError):
                os.fork()

    first = started(bomb, group)
    assert eventually(lambda: len(members(group)) == LIMITS.processes)
    group.end()
    assert ended_by(first) == -signal.SIGKILL
    assert folders_of(group.name) == []


def members(group: Group) -> list[str]:
    return (folders_of(group.name)[0] / "cgroup.procs").read_text().split()


@needs_groups
def test_who_has_ended_joins_nothing(group: Group) -> None:
    """A worker may fail before it is put in: its own words say why, not ours."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    group.join(child)


@needs_groups
def test_what_a_killed_maker_left_is_ended_and_removed(group: Group) -> None:
    """By the next one who makes a group; a group that is held stays."""
    script = """
import os, time
from grader.sandbox.walls import cgroup
from grader.sandbox.spec import ProcessLimits
group = cgroup.make(ProcessLimits())
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.dup2(write, 1)
    os.closerange(3, 1000)
    os.write(1, b"c")
    time.sleep(60)
os.read(read, 1)
group.join(child)
print(group.name, child, flush=True)
time.sleep(60)
"""
    maker = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    with maker:
        assert maker.stdout is not None
        name, child = maker.stdout.readline().split()
        cgroup.available()
        assert folders_of(name)
        maker.kill()
    cgroup.available()
    assert folders_of(name) == []
    assert eventually(lambda: not lives(int(child)))
    assert folders_of(group.name)


def lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@needs_groups
def test_a_group_that_cannot_be_limited_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look like one that holds; nothing of it stays."""
    monkeypatch.setattr(cgroup.secrets, "token_hex", lambda _: "of-this-test")  # other tests make groups too
    monkeypatch.setattr(cgroup, "_limit", lambda own, _: cgroup._write(own[-1], "pids.max", "many"))
    with pytest.raises(OSError, match="Invalid argument"):
        cgroup.make(LIMITS)
    assert folders_of(f"{PREFIX}of-this-test") == []


@needs_groups
@pytest.mark.sandbox
def test_a_sandboxes_first_process_is_in_its_group_before_it_runs_code() -> None:
    """With all that it starts, and never the supervisor; the group goes with the sandbox."""
    with start_zygote() as zygote:
        with zygote.spawn(BoxSpec(mode=mode_here())) as box:
            box.wait_started()
            supervisor, worker = processes.descendants(zygote.process)[1:]
            names = group_of(worker)
            assert names
            assert group_of(supervisor) == []
            Inside(box).run("import os, time\nanswer = os.fork()\nif answer == 0: time.sleep(60)")
            assert group_of(processes.descendants(worker)[1]) == names
        assert eventually(lambda: folders_of(names[0]) == [])


def group_of(process: int) -> list[str]:
    """The names of the groups that we made and that it is in."""
    lines = Path(f"/proc/{process}/cgroup").read_text().splitlines()
    return [line.rpartition("/")[2] for line in lines if f"/{PREFIX}" in line]


SOCKETS = """
import socket
pairs = []
def fill():
    while True:
        pairs.append(socket.socketpair())
        for end in pairs[-1]:
            end.setblocking(False)
            try:
                while True:
                    end.send(bytes(1 << 16))
            except BlockingIOError:
                pass
            except OSError:  # the group is full: no buffer for this socket, but a page must be had
                pairs.append(bytearray(b"x") * (1 << 20))
"""
BOUND = ProcessLimits(memory_mb=128, open_files=4096, processes=32)


@needs_groups
@pytest.mark.sandbox
def test_what_the_kernel_ends_is_told_as_memory() -> None:
    """The same word as the watchdog's, for the whole sandbox and for a fork of its state."""
    spec = BoxSpec(mode=mode_here(), limits=BOUND)
    with start_zygote() as zygote:
        with zygote.spawn(spec) as box:
            inside = Inside(box)
            inside.send(SOCKETS + "fill()")
            assert inside.reply() == {"gone": True}
            ending = box.ending(wait=5)
            assert ending is not None
            assert ending.reason is EndReason.MEMORY
        with zygote.spawn(spec) as box:
            # The largest process goes first, and a fork before the state: here, the fork.
            source = """
import os
child = os.fork()
if child == 0:
    held = bytearray(b"x") * (60 << 20)
    fill()
answer = [child, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])]
"""
            child, status = Inside(box).run(SOCKETS + source)
            assert status == -signal.SIGKILL
            [kill] = box.memory_kills()
            assert kill.process in (child, 0)  # version 2's kernel does not say which one
            assert box.ending() is None


@needs_groups
@pytest.mark.sandbox
def test_no_walls_no_group() -> None:
    """Without isolation nothing is promised."""
    with start_zygote() as zygote, zygote.spawn(BoxSpec(mode=Mode.NONE)) as box:
        box.wait_started()
        assert group_of(processes.descendants(zygote.process)[-1]) == []


def proc(tmp_path: Path, groups: str, *mounts: str) -> Path:
    """What the kernel says about a process, as files."""
    folder = tmp_path / "proc"
    folder.mkdir()
    (folder / "cgroup").write_text(groups)
    (folder / "mountinfo").write_text("".join(f"{mount}\n" for mount in mounts))
    return folder


def v2(tmp_path: Path, below: str, *, enabled: str = "", held: str = "cpu memory pids") -> Path:
    folder = tmp_path / below
    folder.mkdir(parents=True)
    (folder / "cgroup.controllers").write_text(held)
    (folder / "cgroup.subtree_control").write_text(enabled)
    (folder / "cgroup.procs").write_text("")
    return folder


@linux_only
def test_version_1_is_found_below_our_own_groups(tmp_path: Path) -> None:
    """As a container sees it: only from its own group on. A blank in a path is written as the kernel does."""
    place = tmp_path / "a b"
    (place / "memory" / "x").mkdir(parents=True)
    (place / "pids").mkdir()
    shown = str(place).replace(" ", "\\040")
    given = proc(
        tmp_path,
        "4:memory:/docker/7/x\n8:pids:/docker/7\n9:name=systemd:/\n0::/\n",
        "31 23 0:28 / /sys rw - tmpfs tmpfs rw",
        f"35 31 0:32 /docker/7 {shown}/memory rw shared:9 - cgroup cgroup rw,memory",
        f"39 31 0:36 /docker/7 {shown}/pids rw - cgroup cgroup rw,pids",
    )
    assert cgroup.find(proc=given) == (place / "memory" / "x", place / "pids")


@linux_only
@pytest.mark.parametrize(
    ("own", "folder", "enabled", "held", "found"),
    [
        ("/", "", "cpu memory pids", "cpu memory pids", "it"),
        ("/mine", "mine", "memory pids", "memory pids", "it"),
        ("/mine/chainrule.grader", "mine", "memory pids", "memory pids", "it"),
        ("/mine", "mine", "pids", "cpu pids", ""),
        ("/../other", "", "memory pids", "memory pids", ""),
    ],
)
def test_version_2_is_found_where_both_controllers_are(
    tmp_path: Path, own: str, folder: str, enabled: str, held: str, found: str
) -> None:
    """Also after our own processes were moved aside."""
    place = v2(tmp_path / "tree", folder, enabled=enabled, held=held)
    mount = f"41 31 0:38 / {tmp_path / 'tree'} rw - cgroup2 cgroup2 rw,nsdelegate"
    given = proc(tmp_path, f"0::{own}\n", mount)
    assert cgroup.find(proc=given) == ((place,) if found else ())


@linux_only
@pytest.mark.parametrize("groups", ["", "0::/\n", "4:memory:/\n"])
def test_a_machine_without_both_controllers_has_none(tmp_path: Path, groups: str) -> None:
    """So a sandbox goes without, and doctor says it."""
    given = proc(tmp_path, groups)
    assert cgroup.find(proc=given) == ()
    assert cgroup.make(LIMITS, proc=given) is None
    assert cgroup.find(proc=tmp_path / "none") == ()


@linux_only
@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_refusal_to_make_one_is_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    """A container's groups are read-only, an ordinary user's are another's."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(cgroup, "find", lambda **_: (tmp_path,))
    monkeypatch.setattr(os, "mkdir", refuse)
    assert cgroup.make(LIMITS) is None
    assert not cgroup.available()


def test_how_to_come_by_one_is_said() -> None:
    """The commands to type."""
    assert "systemd-run --user --scope -p Delegate=yes" in cgroup.advice()
    assert "writable-cgroups=true" in cgroup.advice()
