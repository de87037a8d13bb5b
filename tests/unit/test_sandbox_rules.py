"""The sandbox's pure parts: the filter's program, what is shown, limits, specs, the watchdog's choice."""

from __future__ import annotations

import errno
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.filter_machine import ALLOW, AUDIT, ERRNO, KILL, decide

from grader.model.isolation import Ending, EndReason, Mode
from grader.sandbox.spec import BoxSpec, ProcessLimits
from grader.sandbox.walls import filesystem
from grader.sandbox.walls.filesystem import View, plan
from grader.sandbox.walls.seccomp import Op, allow_list, assemble
from grader.sandbox.walls.seccomp_table import ALLOWED, BY_ARGUMENT, NEWER_THAN_TABLE
from grader.sandbox.watchdog import MemoryWatch, choose_victims

COLUMNS = pytest.mark.parametrize("column", [0, 1], ids=["x86-64", "aarch64"])


@COLUMNS
def test_the_filter_allows_exactly_the_list(column: int) -> None:
    """Every number up to 1000: allowed if listed, else an error, ENOSYS for what is newer than the list."""
    listed = {pair[column] for pair in ALLOWED.values()}
    depends = {pair[column] for pair in BY_ARGUMENT.values()}
    for number in range(1000):
        if number in depends:
            continue
        refused = ERRNO | (errno.ENOSYS if number >= NEWER_THAN_TABLE else errno.EPERM)
        assert decide(column, number) == (ALLOW if number in listed else refused), number


@COLUMNS
def test_the_filter_looks_at_arguments_where_they_decide(column: int) -> None:
    """A fork and a thread, no namespace; a thread's name, not the death signal; isatty, not TIOCSTI."""
    clone, prctl, ioctl = (BY_ARGUMENT[name][column] for name in ("clone", "prctl", "ioctl"))
    assert decide(column, clone, 0x01200011) == ALLOW
    assert decide(column, clone, 0x003D0F00) == ALLOW
    for namespace in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert decide(column, clone, namespace | 17) == ERRNO | errno.EPERM
    assert decide(column, prctl, 15) == ALLOW
    assert decide(column, prctl, 1) == decide(column, prctl, 22) == ERRNO | errno.EPERM
    assert decide(column, ioctl, 1, 0x5401) == ALLOW
    assert decide(column, ioctl, 1, 0x5412) == ERRNO | errno.EPERM


def test_another_architectures_calls_are_deadly() -> None:
    """32-bit and x32 calls have other numbers."""
    assert decide(0, 0, audit=0x40000003) == KILL
    assert decide(0, 0x40000000) == KILL
    assert decide(1, 0, audit=AUDIT[0]) == KILL


DANGEROUS = (
    "execveat ptrace mount unshare setns bpf keyctl memfd_create shmget process_vm_readv clone3 "
    "io_uring_setup userfaultfd setuid seccomp pidfd_getfd pidfd_open mknod mknodat open_by_handle_at"
)


@pytest.mark.parametrize("name", DANGEROUS.split())
def test_the_dangerous_are_not_on_the_list(name: str) -> None:
    """By name, for both architectures at once."""
    assert name not in ALLOWED


def decided(column: int, name: str, *arguments: int, program: bytes | None = None) -> int:
    number = (ALLOWED | BY_ARGUMENT)[name][column]
    assert number is not None
    return decide(column, number, *arguments, program=program)


REFUSED = ERRNO | errno.EPERM
NAMED_SOCKETS = ("bind", "connect", "listen", "accept", "accept4")
OF_PROGRAMS = ("execve", "setsid", "setpgid")


@COLUMNS
def test_in_a_network_of_its_own_a_process_makes_local_sockets_only(column: int) -> None:
    """Whatever their type; no IPv4, IPv6, netlink, packets, Bluetooth or virtual machines."""
    for call in ("socket", "socketpair"):
        assert [decided(column, call, 1, kind) for kind in (1, 2, 5, 0x80801)] == [ALLOW] * 4
        assert {decided(column, call, family, 1) for family in (0, 2, 10, 16, 17, 31, 38, 40)} == {REFUSED}
    assert {decided(column, name) for name in NAMED_SOCKETS} == {ALLOW}


@COLUMNS
def test_among_the_machines_sockets_only_pairs_of_streams_are_made(column: int) -> None:
    """A socket of its own could be connected to a service's; one of a pair of datagram sockets too."""
    among = assemble(allow_list(column, among_others=True))
    assert {decided(column, "socket", family, 1, program=among) for family in (1, 2, 16)} == {REFUSED}
    assert {decided(column, name, program=among) for name in NAMED_SOCKETS} == {REFUSED}
    kinds = [decided(column, "socketpair", 1, kind, program=among) for kind in (1, 0x80801, 2, 5, 0x80002)]
    assert kinds == [ALLOW] * 2 + [REFUSED] * 3


@COLUMNS
def test_programs_start_wherever_processes_do(column: int) -> None:
    """Also among the machine's files, as a user of its own; not where the process must stay the only one."""
    among = assemble(allow_list(column, among_others=True))
    only = assemble(allow_list(column, among_others=True, alone=4321))
    assert {decided(column, name, program=among) for name in OF_PROGRAMS} == {ALLOW}
    assert {decided(column, name, program=only) for name in OF_PROGRAMS} == {REFUSED}
    if column == 0:
        assert decided(column, "vfork", program=among) == ALLOW
        assert decided(column, "vfork", program=only) == REFUSED
    clone_for_a_program = 0x4111  # CLONE_VM, CLONE_VFORK and SIGCHLD, as posix_spawn calls it
    assert decided(column, "clone", clone_for_a_program, program=among) == ALLOW
    assert decided(column, "clone", clone_for_a_program, program=only) == REFUSED


HEADERS = {
    0: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    1: Path("/usr/include/asm-generic/unistd.h"),
}


@COLUMNS
def test_the_numbers_are_the_kernels(column: int) -> None:
    """Compared with the kernel's headers where they are installed; no number twice anywhere."""
    table = {name: pair[column] for name, pair in (ALLOWED | BY_ARGUMENT).items() if pair[column] is not None}
    assert len(set(table.values())) == len(table)
    if HEADERS[column].exists():
        found = re.findall(r"#define __NR(?:3264)?_(\w+) (\d+)", HEADERS[column].read_text())
        official = {name: int(number) for name, number in found}
        official |= {"newfstatat": official.get("newfstatat", official.get("fstatat", -1))}
        assert {name: number for name, number in table.items() if name in official} == {
            name: official[name] for name in table if name in official
        }


def test_a_jump_too_far_is_an_error() -> None:
    """Instead of a filter that does something else."""
    program = [Op(0x15, 1, yes="end"), *[Op(0x20, 0)] * 256, Op(0x06, ALLOW, label="end")]
    with pytest.raises(ValueError, match="jump"):
        assemble(program)


def test_python_in_a_checkout_does_not_show_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment in the repository: libraries and programs are shown, not their neighbours."""
    for name in (".venv/lib/python3/site-packages", ".venv/bin", "hidden_tests"):
        (tmp_path / name).mkdir(parents=True)
    for attribute in ("prefix", "exec_prefix"):
        monkeypatch.setattr(sys, attribute, str(tmp_path / ".venv"))
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(tmp_path / ".venv/lib/python3/site-packages")])
    below = [view.path for view in plan(BoxSpec(mode=Mode.NS_USER)) if view.path.startswith(str(tmp_path))]
    assert below == [str(tmp_path / ".venv/bin"), str(tmp_path / ".venv/lib")]
    above = {str(parent) for parent in tmp_path.parents}
    assert not above & {view.path for view in plan(BoxSpec(mode=Mode.NS_USER))}


def test_a_hidden_folder_is_covered_under_every_name_it_has(tmp_path: Path) -> None:
    """Also where a link shows its parent, and not what must stay visible inside it."""
    real = tmp_path / "real"
    (real / "course" / "data").mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    spec = BoxSpec(
        mode=Mode.NS_USER,
        extra=(tmp_path / "link", real / "course" / "data"),
        hidden=(tmp_path / "link" / "course",),
    )
    shown = [view for view in plan(spec) if view.path.startswith(str(tmp_path))]
    assert shown == [
        View(str(tmp_path / "link"), str(real)),
        View(str(real), str(real)),
        View(str(tmp_path / "link" / "course"), None),
        View(str(real / "course"), None),
        View(str(real / "course" / "data"), str(real / "course" / "data")),
    ]


def test_what_a_parent_shows_is_not_mounted_again(tmp_path: Path) -> None:
    """Each mount costs time in every sandbox."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    spec = BoxSpec(mode=Mode.NS_USER, extra=(tmp_path / "a" / "b", tmp_path / "a"))
    assert [v.path for v in plan(spec) if v.path.startswith(str(tmp_path))] == [str(tmp_path / "a")]


def test_programs_are_shown_and_the_systems_and_peoples_own_files_never() -> None:
    """What libraries load and notebooks start; no administrator's programs, nobody's home."""
    paths = {view.path for view in plan(BoxSpec(mode=Mode.NS_ROOT))}
    assert not paths & {
        "/",
        "/usr",
        "/usr/sbin",
        "/sbin",
        "/usr/local",
        "/etc",
        "/home",
        "/root",
        "/var",
        "/dev",
        "/sys",
        "/run",
    }
    assert not set(filesystem.WRITABLE) & paths
    assert "/usr/bin" in paths


SIZES = st.dictionaries(st.integers(1, 9), st.floats(0, 1000), min_size=1)


@settings(derandomize=True)
@given(SIZES, st.floats(1, 3000))
def test_the_watchdog_ends_no_more_than_it_must(sizes: dict[int, float], limit: float) -> None:
    """Nothing under the limit; above it forks first, the largest first, and no more than brings it down."""
    chosen = choose_victims(sizes, first=1, limit_mb=limit)
    excess = sum(sizes.values()) - limit
    if excess <= 0:
        assert chosen == []
        return
    ended = [size for _, size in chosen]
    forks = {process: size for process, size in sizes.items() if process != 1 and size > 0}
    if not forks:
        assert [process for process, _ in chosen] == [1]
        return
    assert 1 not in dict(chosen)
    assert ended == sorted(forks.values(), reverse=True)[: len(ended)]
    assert sum(ended) > excess - 1e-6 or len(ended) == len(
        forks
    )  # sums in another order are rounded otherwise
    assert sum(ended[:-1]) < excess + 1e-6


def test_the_watchdog_rests_after_a_careful_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring properly takes milliseconds a process: at most a fifth of the time goes there."""
    now = [0.0]
    careful: list[float] = []

    def proportional(process: int) -> float:
        careful.append(now[0])
        now[0] += 0.1
        return 10.0

    monkeypatch.setattr("grader.sandbox.processes.resident_mb", lambda _: 500.0)
    monkeypatch.setattr("grader.sandbox.processes.proportional_mb", proportional)
    watch = MemoryWatch(100, 1, lambda: [1], clock=lambda: now[0])
    while now[0] < 10:
        assert watch.victims() == []
        now[0] += 0.05
    assert len(careful) * 0.1 <= 10 / 4


@pytest.mark.parametrize(("first", "killed"), [(20.0, [(7, 300.0)]), (None, [])])
def test_what_is_hidden_counts_whole_unless_the_machine_hides_everything(
    monkeypatch: pytest.MonkeyPatch, first: float | None, killed: list[tuple[int, float]]
) -> None:
    """A program may hide from its own user; where the state itself is hidden, forks would count too much."""
    monkeypatch.setattr("grader.sandbox.processes.resident_mb", lambda those: 300.0 * len(list(those)))
    monkeypatch.setattr("grader.sandbox.processes.proportional_mb", {1: first, 7: None}.get)
    assert MemoryWatch(100, 1, lambda: [1, 7]).victims() == killed


def test_of_a_full_group_one_goes_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the processes hold themselves: files in memory count too. The state itself goes last."""
    held = {1: 20.0, 7: 30.0, 9: 25.0}
    monkeypatch.setattr(
        "grader.sandbox.processes.resident_mb", lambda those: sum(held.get(p, 0) for p in those)
    )
    monkeypatch.setattr("grader.sandbox.processes.proportional_mb", lambda process: held.get(process, 0.0))
    watch = MemoryWatch(100, 1, lambda: [1, 7, 9])
    assert watch.victims() == []
    assert watch.victims(full=True) == [(7, 30.0)]
    assert watch.victims(full=True) == []  # it is not gone yet
    del held[7]
    assert watch.victims(full=True) == [(9, 25.0)]
    del held[9]
    assert watch.victims(full=True) == [(1, 20.0)]


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "exit 0"), (3, "exit 3"), (-9, "signal 9 (SIGKILL)"), (-11, "signal 11 (SIGSEGV)")],
)
def test_exit_statuses_are_said_in_words(status: int, words: str) -> None:
    """As a report shows them."""
    assert str(Ending(EndReason.EXITED, status)) == words


def test_a_signal_without_a_name_is_its_number() -> None:
    """Real-time signals have none."""
    assert str(Ending(EndReason.EXITED, -40)) == "signal 40"


def test_a_spec_crosses_to_the_zygote_unchanged() -> None:
    """Every field."""
    spec = BoxSpec(
        mode=Mode.NS_USER,
        limits=ProcessLimits(memory_mb=123, address_space_mb=4567, wall_seconds=1.5),
        seed=2**62,
        files={"data": Path("/x/données")},
        extra=(Path("/a"),),
        hidden=(Path("/b"), Path("/c")),
    )
    assert BoxSpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "a\0"])
def test_a_given_file_has_a_plain_name(name: str) -> None:
    """It can not be put elsewhere than in the working directory."""
    with pytest.raises(ValueError, match="plain name"):
        BoxSpec(mode=Mode.NONE, files={name: Path("/x")})


def test_paths_are_absolute() -> None:
    """The zygote works elsewhere."""
    with pytest.raises(ValueError, match="absolute"):
        BoxSpec(mode=Mode.NONE, hidden=(Path("x"),))


def test_limits_are_positive() -> None:
    """Zero or less means a mistake, not "none"."""
    with pytest.raises(ValueError, match="memory_mb"):
        ProcessLimits(memory_mb=0)
    assert ProcessLimits(memory_mb=100).reserved_mb == 4196
    assert ProcessLimits(memory_mb=100, address_space_mb=7).reserved_mb == 7
