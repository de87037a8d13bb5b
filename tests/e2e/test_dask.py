"""A class on a real Dask cluster: a scheduler and workers, each a program of its own on this machine."""

from __future__ import annotations

import gc
import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click
import dask.config
import msgspec
import psutil
import pytest
from distributed.cli import dask_scheduler, dask_worker
from distributed.utils import LoopRunner
from distributed.versions import get_versions
from support.notebooks import code, write_notebook
from support.tiny import HIDDEN, RIGHT, make_tiny

from grader.course import dask_cluster
from grader.course.jobs import Done, Job, Lost
from grader.course.local_pool import LocalPool
from grader.course.pools import dask_pool
from grader.course.worker import Settings
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from grader.handed_in.package import FileRef, Package
from grader.model.errors import CannotGrade, Fault, UsageError
from grader.model.records import Grade, decode

KILLER = '''

@points(0)
def test_graders_survive(student):
    """what the checks do is the grader's own doing"""
    if student.has("DEADLY"):
        import os

        os._exit(7)
'''
UP = 60.0  # seconds that a program may take to start on a busy machine


@dataclass
class Programs:
    """Dask's programs, ended when the test is."""

    place: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def scheduler(self, *arguments: str, protocol: str = "tcp") -> str:
        """Start one; its address."""
        process = self._start("scheduler", "--host", f"{protocol}://127.0.0.1:0", *arguments)
        return self._said(process, r"Scheduler at:\s+(\S+)")

    def worker(self, address: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one with a single thread."""
        options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(self.place))
        process = self._start("worker", address, *options, *arguments)
        self._said(process, r"Registered to:\s+(\S+)")
        return process

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        log = self.place / f"{len(self.started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments, "--no-dashboard"],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.place,
            )
        self.started.append(process)
        return process

    def _said(self, process: subprocess.Popen[bytes], pattern: str) -> str:
        log = self.place / f"{self.started.index(process)}.log"
        assert wait_for(lambda: re.search(pattern, log.read_text()) or process.poll() is not None)
        found = re.search(pattern, log.read_text())
        assert found, log.read_text()
        return found[1]

    def end(self) -> None:
        """End workers before their scheduler, and what does not listen (Dask at times waits for ever)."""
        for process in reversed(self.started):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(is_so: Callable[[], object], seconds: float = UP) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.05)
    return False


@contextmanager
def running(place: Path) -> Iterator[Programs]:
    place.mkdir(exist_ok=True)
    programs = Programs(place)
    try:
        yield programs
    finally:
        programs.end()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    with running(tmp_path / "dask") as programs:
        yield programs


@pytest.fixture
def home(tmp_path: Path) -> AssignmentFolder:
    place = make_tiny(tmp_path / "tiny")
    (place / "hidden_tests/test_1.py").write_text(HIDDEN + KILLER)
    return assignment_folder.load(place)


def job(path: Path) -> Job:
    data = path.read_bytes()
    file = FileRef(path.name, str(path), hashlib.sha256(data).hexdigest(), len(data))
    return Job(name=path.name, package=Package((path.name,), (file,)), seed=5)


def class_of(place: Path, count: int) -> list[Job]:
    """Submissions that differ: right, wrong, one with a picture."""
    wrong = code("def double(x):\n    return x + 1")
    cells = [[*RIGHT, *([wrong] if number % 3 == 2 else []), code(f"{number}")] for number in range(count)]
    if count > 1:  # one of several files
        (place / "layers.py").write_text("def double(x):\n    return x + x\n")
        cells[1].append(code("from layers import double"))
    cells[0].append(code("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"))
    jobs = [job(write_notebook(place / f"s{number}.ipynb", each)) for number, each in enumerate(cells)]
    return [with_module(one, place) if one.name == "s1.ipynb" else one for one in jobs]


def with_module(one: Job, place: Path) -> Job:
    """The job with a module beside the notebook."""
    [module] = job(place / "layers.py").package.files
    package = msgspec.structs.replace(one.package, files=(module, *one.package.files))
    return msgspec.structs.replace(one, package=package)


@dataclass
class Book:
    """What a pool told, once each."""

    told: dict[str, Done | Lost] = field(default_factory=dict)

    def __call__(self, job: Job, done: Done | Lost) -> None:
        assert job.name not in self.told
        self.told[job.name] = done

    def grades(self) -> dict[str, Grade]:
        """The grades without what is the run's own."""
        return {
            name: msgspec.structs.replace(
                found := decode(done.record),
                graded_at="",
                seconds=0.0,
                cells=tuple(msgspec.structs.replace(cell, seconds=0.0) for cell in found.cells),
                items=tuple(
                    msgspec.structs.replace(
                        item,
                        checks=tuple(msgspec.structs.replace(each, seconds=0.0) for each in item.checks),
                    )
                    for item in found.items
                ),
            )
            for name, done in self.told.items()
            if isinstance(done, Done) and done.record
        }


def never() -> bool:
    return False


def local_grades(home: AssignmentFolder, jobs: Sequence[Job]) -> dict[str, Grade]:
    book = Book()
    command = [sys.executable, "-m", "grader.course.worker"]
    settings = msgspec.json.encode(Settings(str(home.path)))
    LocalPool(command, settings, count=2, patience=120).run(jobs, book, stop=never)
    return book.grades()


def test_a_class_on_two_workers(programs: Programs, home: AssignmentFolder, tmp_path: Path) -> None:
    """One worker is killed in the middle, one submission kills whoever grades it, one is no notebook."""
    jobs = class_of(tmp_path, 8)
    expected = local_grades(home, jobs)
    assert len(expected) == 8
    assert [file.place for file in expected["s1.ipynb"].submission.files] == ["layers.py", "s1.ipynb"]
    assert str(expected["s1.ipynb"].earned) == "3"
    deadly = job(write_notebook(tmp_path / "deadly.ipynb", [*RIGHT, code("DEADLY = True")]))
    gone = job(write_notebook(tmp_path / "gone.ipynb", RIGHT))
    (tmp_path / "gone.ipynb").unlink()

    address = programs.scheduler()
    victim, survivor = programs.worker(address), programs.worker(address)
    book, orphans, graders = Book(), [], []

    def on_done(job: Job, done: Done | Lost) -> None:
        book(job, done)
        if len(book.grades()) >= 2 and not orphans:
            orphans.extend(psutil.Process(victim.pid).children(recursive=True))
            if orphans:  # its grader may just have died of the deadly one
                victim.kill()
        graders.extend(psutil.Process(survivor.pid).children())

    pool = dask_pool(address, home, str(tmp_path / "reports"), notify=print)
    pool.run([deadly, gone, *jobs], on_done, stop=never)

    assert orphans
    assert book.grades() == expected
    lost = book.told.pop("deadly.ipynb")
    assert isinstance(lost, Lost)
    assert lost.deaths == 3
    assert lost.reason.startswith("exit status 7 on tcp://127.0.0.1:")
    refused = book.told.pop("gone.ipynb")
    assert isinstance(refused, Done)
    assert (refused.fault, refused.error) == (
        Fault.INFRASTRUCTURE,
        "gone.ipynb: the file was deleted before it was graded; grade it again",
    )
    assert victim.wait() == -signal.SIGKILL
    assert set(book.told) == {each.name for each in jobs}

    pages = sorted((tmp_path / "reports").glob("*/report.html"))
    assert len(pages) == len(jobs)
    assert any("data:image/png" in page.read_text() for page in pages)  # drawn there, shown here

    assert graders
    assert wait_for(lambda: not any(process.is_running() for process in orphans + graders))
    scratch = scratch_of(survivor, programs)
    assert scratch.is_dir()
    assert wait_for(lambda: not list(scratch.glob("chainrule-*")))


def scratch_of(worker: subprocess.Popen[bytes], programs: Programs) -> Path:
    log = (programs.place / f"{programs.started.index(worker)}.log").read_text()
    found = re.search(r"Local Directory:\s+(\S+)", log)
    assert found
    return Path(found[1])


def test_what_was_sent_is_finished_and_no_more_is_taken(
    programs: Programs, home: AssignmentFolder, tmp_path: Path
) -> None:
    address = programs.scheduler()
    programs.worker(address)
    taken, book = [], Book()

    def source() -> Iterator[Job]:
        for each in class_of(tmp_path, 8):
            taken.append(each.name)
            yield each

    dask_pool(address, home, "", notify=print).run(source(), book, stop=lambda: bool(book.told))
    assert set(book.told) == set(taken)
    assert len(taken) == 2
    assert len(book.grades()) == 2


def test_no_worker_and_then_no_scheduler(programs: Programs, home: AssignmentFolder, tmp_path: Path) -> None:
    address, told = programs.scheduler(), []

    def notify(line: str) -> None:
        told.append(line)
        programs.started[0].kill()

    pool = dask_pool(address, home, "", notify=notify)
    with pytest.raises(CannotGrade, match="connection to the Dask scheduler was lost; what is"):
        pool.run(class_of(tmp_path, 1), Book(), stop=never)
    assert told == [f"waiting for workers: {address} has none (Ctrl-C to stop)"]


PAGE = (Path(__file__).parents[2] / "docs/scale.md").read_text(encoding="utf-8")
TLS = "DASK_DISTRIBUTED__COMM__TLS__"


def shown(title: str) -> str:
    """A script of the page about scale."""
    found = re.search(rf'```sh title="{title}"\n(.*?)```', PAGE, re.DOTALL)
    assert found
    return found[1]


def certificates(place: Path) -> dict[str, str]:
    """The page's certificates in a folder, and its settings as an environment."""
    place.mkdir()
    script = f"set -e\n{shown('certificates.sh')}{shown('settings.sh')}env -0"
    done = subprocess.run(["bash", "-c", script], cwd=place, check=True, capture_output=True)
    variables = (line.partition("=") for line in done.stdout.decode().split("\0"))
    return {name: value for name, _, value in variables if name.startswith(TLS)}


@pytest.mark.parametrize(
    ("program", "main"), [("scheduler", dask_scheduler.main), ("worker", dask_worker.main)]
)
def test_the_page_uses_options_that_exist(program: str, main: click.Command) -> None:
    lines = re.findall(rf"dask,? {program}(.*)", PAGE)
    used = {option for line in lines for option in re.findall(r"--[a-z-]+", line)}
    assert used
    assert used <= {
        option for parameter in main.params for option in parameter.opts + parameter.secondary_opts
    }


def grade_batch(address: str, home: AssignmentFolder, *, first: str = "") -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own: Dask reads its settings when it is imported."""
    arguments = ["batch", str(home.path.parent / "in"), "--assignment", str(home.path), "--dask", address]
    program = f"import sys\n{first}\nfrom grader.cli.main import main\nmain({arguments!r})"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_certificates(
    programs: Programs, home: AssignmentFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the cluster's certificates a submission is graded; without, or with others, one line says so."""
    (tmp_path / "in").mkdir()
    class_of(tmp_path / "in", 1)
    theirs, strange = certificates(tmp_path / "theirs"), certificates(tmp_path / "strange")
    for name, value in theirs.items():
        monkeypatch.setenv(name, value)
    address = programs.scheduler(protocol="tls")
    assert address.startswith("tls://127.0.0.1:")
    programs.worker(address)
    done = grade_batch(address, home)
    assert done.returncode == 0, done.stderr
    assert "[1/1] s0.ipynb  3 of 3 decided" in done.stderr
    [page] = (home.path / "reports").glob("*/report.html")
    assert "data:image/png" in page.read_text()

    for settings in (strange, {}):
        keys = {name.removeprefix("DASK_").lower().replace("__", "."): name for name in settings}
        with dask.config.set({key: settings[name] for key, name in keys.items()}):
            with pytest.raises(UsageError, match=f"--dask {address}: .*{TLS}CA_FILE") as refused:
                dask_cluster.connect(address, seconds=1)
            assert "\n" not in str(refused.value)


def test_another_chainrule_is_refused_before_anything_is_sent(
    programs: Programs, home: AssignmentFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site/chainrule-99.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: chainrule\nVersion: 99.0\n")
    address = programs.scheduler()
    with monkeypatch.context() as there:
        there.setenv("PYTHONPATH", os.pathsep.join([str(installed.parent), os.environ.get("PYTHONPATH", "")]))
        programs.worker(address)
    with pytest.raises(UsageError, match=r"the worker tcp://\S+ has chainrule 99\.0, this machine 0\."):
        dask_pool(address, home, "", notify=print).run(class_of(tmp_path, 1), Book(), stop=never)


@pytest.mark.parametrize(
    ("package", "version", "line"),
    [
        ("chainrule", None, r"chainrule \(not installed\)"),
        ("python", "3.99.1.final.0", r"python 3\.99"),
        ("distributed", "2019.1", r"distributed 2019\.1"),
    ],
)
def test_other_versions_are_refused(package: str, version: str | None, line: str) -> None:
    here = get_versions(packages=["chainrule"])
    dask_cluster.assert_same("the scheduler", here)
    other = {**here, "packages": {**here["packages"], package: version}}
    with pytest.raises(UsageError, match=f"the scheduler has {line}, this machine .*install the same"):
        dask_cluster.assert_same("the scheduler", other)


@pytest.mark.parametrize("address", ["tls://grader.example:8786", "127.0.0.1:8786", "tcp://[::1]:8786"])
def test_trusted_addresses(address: str) -> None:
    dask_cluster.assert_trusted(address)


@pytest.mark.parametrize(
    "address", ["tcp://10.0.0.5:8786", "10.0.0.5:8786", "tcp://127.0.0.1.example:1", "ws://127.0.0.1:8786"]
)
def test_addresses_that_anybody_may_reach(address: str, home: AssignmentFolder) -> None:
    with pytest.raises(UsageError, match="neither TLS nor on this machine"):
        dask_pool(address, home, "", notify=print)


@pytest.mark.parametrize("address", ["", "here", "tls://", "tcp://127.0.0.1:port", "tls://[::1"])
def test_words_that_are_no_address(address: str) -> None:
    with pytest.raises(UsageError, match="write tls://HOST:PORT"):
        dask_cluster.assert_trusted(address)


def test_nobody_there() -> None:
    with pytest.raises(UsageError, match=r"--dask 127.0.0.1:1: no Dask scheduler within 1 s: .*is it"):
        dask_cluster.connect("127.0.0.1:1", seconds=1)


def test_a_client_that_did_not_start_leaves_nothing_to_collect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The collector comes by while the next client starts: nothing may be left that it has to close then."""

    def start_after_collecting(runner: LoopRunner) -> None:
        gc.collect()
        start(runner)

    start = LoopRunner._start_unlocked
    monkeypatch.setattr(LoopRunner, "_start_unlocked", start_after_collecting)
    # What waits for the lock it holds itself would wait for ever.
    monkeypatch.setattr(LoopRunner, "_lock", ImpatientLock())
    for _ in range(2):
        with pytest.raises(UsageError, match="TLS expects"):
            dask_cluster.connect("tls://127.0.0.1:1", seconds=1)


class ImpatientLock:
    """A lock that is not waited for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        assert self._lock.acquire(timeout=60), "two parts of one thread wait for each other"

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_no_cluster_is_needed_where_nothing_is_left_to_grade(home: AssignmentFolder) -> None:
    dask_pool("127.0.0.1:1", home, "", notify=print).run([], Book(), stop=never)


def test_without_dask_a_line_says_what_to_install(home: AssignmentFolder) -> None:
    (home.path.parent / "in").mkdir()
    class_of(home.path.parent / "in", 1)
    done = grade_batch("127.0.0.1:1", home, first="sys.modules['distributed'] = None")
    assert done.returncode == 2
    assert "grade: --dask needs Dask, which is not installed: pip install 'chainrule[dask]'\n" in done.stderr
