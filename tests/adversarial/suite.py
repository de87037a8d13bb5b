"""The attacks as data, and grading one of them as `grade` would.

An attack is a folder with ``attack.toml`` and the hostile submission; ``Attack`` documents the keys.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import hostile_files
import layers
import msgspec
from world import World

from grader.grading import opening, pipeline
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.execution import Progress, Silent
from grader.grading.grade_job import GradeJob, Opener
from grader.model.errors import CannotGrade
from grader.model.isolation import Mode
from grader.model.records import CheckResult, Grade
from grader.notebooks.submission_files import SubmissionFiles
from grader.sandbox import modes
from grader.sandbox.spec import ProcessLimits
from grader.sandbox.zygote import Zygote
from grader.session.notebook import Notebook

HERE = Path(__file__).resolve().parent
NOTHING_EARNED = {"honest": "1"}
GENEROUS = ProcessLimits(
    memory_mb=4096, open_files=4096, file_mb=4096, disk_mb=4096, processes=4096, cpu_seconds=60
)

PATIENT = 20.0
"""Seconds for a cell or a check of an attack that no deadline is to end, on however busy a machine."""

WALLS = {
    "files": "a file system of its own, or Landlock",
    "processes": "processes of its own, or users and Landlock",
    "network": "a network of its own, no sockets",
    "privileges": "no privileges, and none to be had",
    "system calls": "the list of allowed system calls",
    "limits": "the kernel's limits for each process",
    "memory": "the memory watchdog",
    "disk": "the size of the writable folder",
    "a sandbox each": "nothing outlives a submission's sandbox",
}
"""What the operating system upholds: without it, each of these attacks goes through."""

RULES = {
    "a clean start": "the process never held a secret",
    "judged outside": "values cross, verdicts do not",
    "the codec": "plain data only, by exact type and size",
    "new inputs": "every check draws its own values",
    "deadlines": "a clock outside, then SIGINT, then SIGKILL",
    "a copy a check": "each check has a copy of the state",
    "output limits": "text and pictures are bounded",
    "told apart": "students read the author's hint alone",
    "escaping": "foreign text is cleaned and escaped",
    "reading": "a submission is read as data",
}
"""What the grader upholds by its own construction."""


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the attack is shown to work.

    ``without`` is "walls" (no isolation, generous limits), "walls, as root" (an ordinary user may not even
    then) or "a process of its own" (in the grader's process, where most graders of notebooks run code).
    ``none`` says instead why there is no such control.
    """

    without: str = ""
    none: str = ""


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attack. ``name`` and ``folder`` come from where it lies, the rest from ``attack.toml``.

    ``tries`` completes "the submission ..."; ``table`` is its number in the survey of sandboxes that this
    suite started from, ``source`` where it was seen in the wild. ``stopped_by`` is a key of WALLS or RULES.
    ``earns`` are the points of each item that is not lost (left out: one for ``honest``), ``exit`` the
    command's status and ``error`` a part of its line. ``cells`` are statuses by cell number, ``outcomes`` by
    check. ``instructor_sees`` is a text (``{input}`` for the hidden input) that the record must hold and no
    message to a student may. ``file`` names the recipe in ``hostile_files`` that makes the submission, else
    it is attack.py. ``heir`` grades heir.py next, from the same warm process; it must earn ``honest`` alone.
    ``layers`` are, by mode, walls of ``layers.LAYERS`` of which each stops the attack by itself: it goes
    through when all of them are switched off. ``goes_through`` gives, by mode, why the attack is not stopped
    there, ``no_meaning`` why it is not tried.
    """

    name: str
    folder: Path
    tries: str
    stopped_by: str
    table: int | str = ""
    source: str = ""
    earns: dict[str, str] = msgspec.field(default_factory=NOTHING_EARNED.copy)
    exit: int = 0
    error: str = ""
    cells: dict[str, str] = {}
    outcomes: dict[str, str] = {}
    instructor_sees: str = ""
    file: str = ""
    heir: bool = False
    control: Control = Control()
    layers: dict[str, list[str]] = {}
    goes_through: dict[str, str] = {}
    no_meaning: dict[str, str] = {}

    def __str__(self) -> str:
        return self.name

    @property
    def needs_control(self) -> bool:
        """Whether the operating system stops it: then it must be seen to work without."""
        return bool(self.control.without)

    @property
    def times_out(self) -> bool:
        """Whether it is to run into a deadline."""
        return "timed_out" in {*self.cells.values(), *self.outcomes.values()}

    def submission(self, place: Path) -> Path:
        """The hostile file, in ``place`` of its own."""
        if self.file:
            return hostile_files.RECIPES[self.file](place)
        return Path(shutil.copy(self.folder / "attack.py", place))


@functools.cache
def attacks() -> tuple[Attack, ...]:
    """Every attack, by name."""
    return tuple(map(_read, sorted(path.parent for path in HERE.glob("*/attack.toml"))))


def _read(folder: Path) -> Attack:
    tree = tomllib.loads((folder / "attack.toml").read_text(encoding="utf-8"))
    attack = msgspec.convert({**tree, "name": folder.name, "folder": str(folder)}, Attack, dec_hook=_path)
    assert attack.stopped_by in WALLS | RULES, f"{folder.name}: {attack.stopped_by}"
    return attack


def _path(kind: type, value: object) -> Path:
    assert kind is Path
    return Path(str(value))


@functools.cache
def modes_here() -> tuple[Mode, ...]:
    """The isolating modes that this machine and user really have, each proven by a sandbox.

    Root who can make namespaces has the rest tried by others (test_other_users.py).
    """
    found = modes.available()
    return tuple(mode for mode in found if mode is not Mode.SETUID) if Mode.NS_ROOT in found else found


@dataclasses.dataclass(frozen=True)
class Result:
    """How one grading ended: with a grade or the line that refused it, and with what was touched outside."""

    grade: Grade | None
    refused: str
    touched: tuple[str, ...]
    heir: Grade | None = None

    @property
    def exit(self) -> int:
        """The command's exit status."""
        if self.grade is None:
            return 2
        return 1 if self.grade.attention else 0

    @property
    def earned(self) -> dict[str, str]:
        """The points of every item that has any."""
        return points_of(self.grade) if self.grade else {}

    @property
    def succeeded(self) -> bool:
        """Whether the attack got what it wanted: points, something touched, or points for its heir."""
        gains = set(self.earned) - {"honest"} or set(points_of(self.heir) if self.heir else {}) - {"honest"}
        return bool(gains or self.touched)


def points_of(grade: Grade) -> dict[str, str]:
    """The points of every item that has any."""
    return {item.item: str(item.earned) for item in grade.items if item.earned}


def checks_of(grade: Grade) -> Iterator[CheckResult]:
    for item in grade.items:
        yield from item.checks


class Range:
    """Grades attacks one after the other, all modes from one warm process. Use it as a context.

    ``without`` are names of layers that no sandbox of this range has, ``seconds`` what a cell and a check may
    take instead of what the assignment says. The assignment's few seconds hold for attacks that are meant to
    run into a deadline; all others have PATIENT, so that how fast the machine is decides nothing.
    """

    def __init__(self, world: World, *, without: Iterable[str] = (), seconds: float | None = None) -> None:
        self.world = world
        self._seconds = seconds or (PATIENT if without else None)
        self._folder = tempfile.TemporaryDirectory(prefix="entry-")
        place = Path(self._folder.name)
        place.chmod(0o755)
        self._zygote = (
            Zygote.start(preload=("numpy",), entry=layers.entry(place, without), import_path=[HERE, place])
            if without
            else Zygote.start(preload=opening.BASE_PRELOAD)
        )

    def grade(self, attack: Attack, mode: Mode, scratch: Path) -> Result:
        """Grade the attack in ``mode`` as `grade` would; without walls also without tight limits."""
        self.world.changes()
        refused, grade, heir = "", None, None
        try:
            assignment = self._assignment(attack, mode)
            grade = self._run(attack.submission(scratch), assignment, mode)
            if attack.heir:
                heir = self._run(Path(shutil.copy(attack.folder / "heir.py", scratch)), assignment, mode)
        except CannotGrade as error:
            refused = str(error)
        touched = self.world.changes()
        self.world.clean()
        return Result(grade, refused, tuple(touched), heir)

    def _run(self, submission: Path, assignment: AssignmentFolder, mode: Mode) -> Grade:
        job = GradeJob(submission, assignment, seed=int.from_bytes(os.urandom(3)))
        return pipeline.grade(job, opener=self._opener(mode), progress=Silent())

    def _assignment(self, attack: Attack, mode: Mode) -> AssignmentFolder:
        folder = self.world.assignment
        if self._seconds is not None:
            seconds = self._seconds
        elif attack.times_out and mode.isolates and mode.value not in attack.goes_through:
            return folder
        else:
            seconds = PATIENT
        limits = msgspec.structs.replace(
            folder.assignment.limits,
            cell_seconds=seconds,
            check_seconds=seconds,
            notebook_seconds=4 * seconds,
        )
        return dataclasses.replace(
            folder, assignment=msgspec.structs.replace(folder.assignment, limits=limits)
        )

    def _opener(self, mode: Mode) -> Opener:
        def open_notebook(job: GradeJob, submission: SubmissionFiles, progress: Progress) -> Notebook:
            spec = dataclasses.replace(opening.box_spec(job), mode=mode)
            if not mode.isolates:
                spec = dataclasses.replace(spec, limits=GENEROUS)
            return opening.open_sandboxed(job, submission, self._zygote, spec)

        return open_notebook

    def close(self) -> None:
        """End the warm process and every sandbox."""
        self._zygote.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
