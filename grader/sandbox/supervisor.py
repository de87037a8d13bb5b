"""The trusted parent of one sandbox, forked from the zygote: builds the walls, keeps time, ends everything.

It talks with the host over the *life* socket (packets of JSON) and lives exactly as long as the sandbox: if
the host goes away, the socket closes and everything ends. It never reads what student code sends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from grader.model.isolation import EndReason, Mode
from grader.sandbox import confinement, processes
from grader.sandbox.modes import SLOT_USERS
from grader.sandbox.processor_meter import ProcessorMeter
from grader.sandbox.spec import BoxSpec
from grader.sandbox.walls import capabilities, cgroup, filesystem, namespaces, shared_folder
from grader.sandbox.watchdog import LOOK_EVERY, MemoryWatch

_PACKET = 4096
MOST_SOCKETS = 1024
"""In a network of its own; a notebook with many workers has some dozens."""

_REPORTED_KILLS = 100
_ENDING_SECONDS = 5.0


def supervise(
    spec: bytes, *, life: socket.socket, data: int, parent: int, serve: confinement.Serve
) -> NoReturn:
    """Run one sandbox to its end and exit. ``spec`` is a BoxSpec's JSON, ``parent`` the zygote's number."""
    try:
        capabilities.die_with_parent()
        if os.getppid() == parent:  # else the zygote ended before the line above, and no signal will come
            _Supervisor(BoxSpec.from_json(spec), life).run(data, serve)
    except BaseException as error:  # noqa: BLE001  # told to the host in words, whatever it is
        _tell(life, event="failed", message=f"{type(error).__name__}: {error}"[:2000])
    finally:
        os._exit(0)


@dataclass
class _Supervisor:
    spec: BoxSpec
    life: socket.socket
    reason: EndReason | None = None
    reported_kills: int = 0
    process: int = 0
    workdir: Path | None = None
    slot_user: int = 0
    slot: socket.socket | None = None
    place: shared_folder.Place | None = None
    group: cgroup.Group | None = None
    told_kills: int = 0
    deadline: float = field(default=0.0)
    meter: ProcessorMeter = field(init=False)

    def __post_init__(self) -> None:
        self.meter = ProcessorMeter(self._members, self._counted)

    def run(self, data: int, serve: confinement.Serve) -> None:
        started = time.monotonic()
        self.deadline = started + self.spec.limits.wall_seconds
        capabilities.adopt_orphans()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # the zygote ignores it, and wait4 would find nobody
        os.umask(0o022)  # folders of the new root must be passable whatever the person's umask is
        try:
            self._prepare()
            report = self._fork(data, serve)
            self._watch(report)
        finally:
            self._clean_up()

    def _prepare(self) -> None:
        mode = self.spec.mode
        if mode.isolates:
            self.group = cgroup.make(self.spec.limits)
        if mode.own_user:
            self.slot_user, self.slot = claim_slot()
        if mode.namespaces:
            if mode is Mode.NS_ROOT:
                namespaces.enter_as_root()
            else:
                namespaces.enter_as_user()
            filesystem.build(self.spec)
            return
        if mode.isolates:
            if mode.own_user:  # what an earlier sandbox of this user left whose supervisor was killed
                processes.end_all_of(self.slot_user, seconds=_ENDING_SECONDS)
            self.place = shared_folder.build(self.spec, user=self.slot_user or os.getuid())
            return
        self.workdir = Path(tempfile.mkdtemp(prefix="chainrule-"))
        for name, path in self.spec.files.items():
            (self.workdir / name).symlink_to(path)

    def _fork(self, data: int, serve: confinement.Serve) -> int:
        """Start the worker; returns the pipe on which it reports how its set-up went."""
        report, write = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            self.life.close()
            os.close(report)
            confinement.run(
                self.spec,
                data=data,
                report=write,
                slot_user=self.slot_user,
                place=self.place or shared_folder.Place(base="", work=str(self.workdir), readable=()),
                group=self.group,
                serve=serve,
            )
        # Only the worker may hold these: then a pipe or connection that reads as ended means that it is gone.
        os.close(write)
        os.close(data)
        if self.group is not None and not self.group.entered_from_inside:
            self.group.join(self.process)  # before the host is told that it may send student code
        return report

    def _watch(self, report: int) -> None:
        """Until the worker has ended: pass on requests, keep the time and the memory limit."""
        ended = os.pidfd_open(self.process)
        watch = MemoryWatch(self.spec.limits.memory_mb, self._first(), self._members, self._measure)
        poll = select.poll()
        for descriptor in (ended, report, self.life.fileno()):
            poll.register(descriptor, select.POLLIN)
        started = False
        while True:
            ready = dict(poll.poll(LOOK_EVERY * 1000))
            if report in ready:
                poll.unregister(report)
                started = self._hear_report(os.read(report, _PACKET))
            elif ended in ready:  # not before the report is read: it says why set-up failed
                break
            if self.life.fileno() in ready and not self._obey():
                poll.unregister(self.life)
            if started and not self.reason:  # before that, /proc is still the whole machine's
                self.meter.look()
                self._keep_memory(watch)
                self._keep_sockets(watch.first)
                self._tell_kernels_kills()
            if time.monotonic() - self.meter.starved > self.deadline:
                self._end(EndReason.WALL_TIME)
        self._tell_end()

    def _hear_report(self, report: bytes) -> bool:
        """Whether the worker reports that every wall stands."""
        if report == confinement.STARTED:
            _tell(self.life, event="started", process=self.process)
            return True
        text = report.decode(errors="replace") or "it ended before it could say why"
        _tell(self.life, event="failed", message=text)
        return False

    def _obey(self) -> bool:
        """Do what the host asks for; False if the host is gone."""
        try:
            packet = self.life.recv(_PACKET)
        except OSError:
            packet = b""
        if not packet:
            self._end(EndReason.CLOSED)
            return False
        request = json.loads(packet)
        if request["do"] == "end":
            self._end(EndReason(request["reason"]))
        elif request["do"] == "look":
            self._tell_kernels_kills()
            _tell(self.life, event="looked")
        elif request["do"] == "measure":
            used = self.meter.since(request["since"])
            _tell(self.life, event="measured", cpu=used.cpu, starved=used.starved)
        else:
            self._signal(request["process"], signal.Signals(request["signal"]))
        return True

    def _signal(self, process: int | None, number: signal.Signals) -> None:
        if process is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process, number)
        elif self.spec.mode.namespaces or process in self._members():
            processes.send(process, number)

    def _first(self) -> int:
        """The worker's number in /proc.

        With namespaces /proc is the one that the worker mounts, which numbers it 1; os.kill and wait4 go by
        our own numbers.
        """
        return 1 if self.spec.mode.namespaces else self.process

    def _members(self) -> list[int]:
        if self.spec.mode.namespaces:
            return processes.all_visible()
        return processes.descendants(os.getpid())[1:]  # without us, with the orphans that we adopted

    def _counted(self) -> float | None:
        return self.group.processor_seconds() if self.group is not None else None

    def _measure(self, process: int) -> float | None:
        if self.spec.mode is not Mode.SETUID:
            return processes.proportional_mb(process)
        with capabilities.acting_as(self.slot_user):  # a container's root may not read others' smaps
            return processes.proportional_mb(process)

    def _keep_memory(self, watch: MemoryWatch) -> None:
        full = self.group is not None and self.group.is_full()
        for process, megabytes in watch.victims(full=full):
            if process == watch.first:
                self._end(EndReason.MEMORY)
            else:
                self._end_fork(process, megabytes)

    def _keep_sockets(self, first: int) -> None:
        """End a sandbox with too many sockets: what waits in them is memory that only a control group counts.

        The limit on open files does not bound them: a listener holds thousands that nobody has accepted.
        """
        if self.spec.mode.namespaces and processes.sockets_beside(first) > MOST_SOCKETS:
            self._end(EndReason.MEMORY)

    def _end_fork(self, process: int, megabytes: float) -> None:
        if self.reported_kills < _REPORTED_KILLS:  # unread reports would fill the socket and block us
            self.reported_kills += 1
            # Reported before it is done, so that the host knows why by the time it sees the fork gone.
            _tell(self.life, event="memory", process=process, megabytes=round(megabytes))
        processes.send(process, signal.SIGKILL)

    def _tell_kernels_kills(self) -> None:
        """Report that the kernel killed forks because the group held too much; it does not say which ones."""
        count = self.group.memory_kills() if self.group is not None else 0
        if count > self.told_kills and self.reported_kills < _REPORTED_KILLS:
            self.reported_kills += 1
            _tell(self.life, event="memory", process=0, megabytes=self.spec.limits.memory_mb)
        self.told_kills = count

    def _end(self, reason: EndReason) -> None:
        self.reason = self.reason or reason
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)

    def _tell_end(self) -> None:
        _, status, usage = os.wait4(self.process, 0)
        code = os.waitstatus_to_exitcode(status)
        cpu = usage.ru_utime + usage.ru_stime
        reason = self.reason or (self._why_killed(cpu) if code == -signal.SIGKILL else EndReason.EXITED)
        self._end_descendants()
        _tell(
            self.life,
            event="ended",
            reason=reason,
            exit_status=code,
            cpu_seconds=round(cpu, 3),
            max_rss_mb=usage.ru_maxrss // 1024,
        )

    def _why_killed(self, cpu: float) -> EndReason:
        """Which of its limits made the kernel kill the worker; EXITED if none did."""
        if cpu >= self.spec.limits.cpu_seconds:
            return EndReason.CPU_TIME
        killed = self.group is not None and self.group.memory_kills()
        return EndReason.MEMORY if killed else EndReason.EXITED

    def _end_descendants(self) -> None:
        """Without a process namespace nothing ends what the worker left behind; we adopted it and see it."""
        if self.spec.mode is Mode.SETUID:
            processes.end_all_of(self.slot_user, seconds=_ENDING_SECONDS)
        deadline = time.monotonic() + _ENDING_SECONDS
        while time.monotonic() < deadline and (left := processes.children(os.getpid())):
            for child in left:
                for process in processes.descendants(child):
                    processes.send(process, signal.SIGKILL)
            processes.reap()
            time.sleep(0.002)

    def _clean_up(self) -> None:
        if self.group is not None:
            self.group.end()
        if self.place is not None:
            shared_folder.remove(self.place)
        if self.workdir is not None:
            shutil.rmtree(self.workdir, ignore_errors=True)


def claim_slot() -> tuple[int, socket.socket]:
    """A user that no other sandbox has, and the socket that reserves it until it is closed.

    The name of an abstract socket belongs to one process at a time, and the kernel frees it however that
    process ends: no lock file can be left behind.
    """
    for offset in range(len(SLOT_USERS)):
        user = SLOT_USERS[(os.getpid() + offset) % len(SLOT_USERS)]
        holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            holder.bind(f"\0chainrule-slot-{user}")
        except OSError:  # held by another one
            holder.close()
        else:
            return user, holder
    raise OSError("every user that is set apart for sandboxes is in use")


def _tell(life: socket.socket, **message: Any) -> None:
    """Report to the host, which may be gone."""
    with contextlib.suppress(OSError):
        life.send(json.dumps(message).encode())
