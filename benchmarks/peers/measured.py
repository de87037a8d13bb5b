"""What is measured: each tool's ways to grade the notebooks, in turns, and who got what they deserve."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.peers import environments
from benchmarks.peers.bare_fork import BareFork
from benchmarks.peers.chainrule import Chainrule
from benchmarks.peers.homework import Homework, Student
from benchmarks.peers.nbgrader import Nbgrader
from benchmarks.peers.otter import Otter
from benchmarks.peers.timing import Job, Scores, Taken, medians, run

TOOLS = ("nbgrader", "otter", "Chainrule", "bare fork")
LOOP_SECONDS = 120.0
"""How long a tool is waited for where a notebook never ends."""


@dataclass
class Mode:
    """One way to run a tool on so many notebooks; what its runs took, and the scores that differed."""

    tool: str
    how: str
    notebooks: int
    job: Job
    taken: list[Taken] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)

    @property
    def median(self) -> Taken:
        """The median of its runs."""
        return medians(self.taken)

    @property
    def per_minute(self) -> float:
        """Notebooks a minute."""
        return 60 * self.notebooks / self.median.wall


@dataclass(frozen=True)
class Tools:
    """The three tools and the floor with one homework."""

    nbgrader: Nbgrader
    otter: Otter
    chainrule: Chainrule
    floor: BareFork

    @classmethod
    def at(cls, place: Path, homework: Homework, students: Sequence[Student]) -> Tools:
        """Write the homework and the notebooks for all of them below ``place``."""
        return cls(
            Nbgrader(homework, students, place, environments.programs("nbgrader")),
            Otter(homework, students, place, environments.programs("otter-grader")),
            Chainrule(homework, place),
            BareFork(homework, students, place),
        )

    def modes(self, students: Sequence[Student], *, copies: int) -> Iterator[Mode]:
        """What is measured on notebooks that end; ``copies`` of everybody make a larger class."""
        count = len(students)
        for processes, how in ((1, "one process"), (2, "two processes")):
            for name, tool in (
                ("nbgrader", self.nbgrader),
                ("otter", self.otter),
                ("Chainrule", self.chainrule),
            ):
                yield Mode(name, how, count, tool.job(students, processes=processes))
            yield Mode("bare fork", how, count, self.floor.job(students, processes=processes))
        if copies > 1:
            many = self.chainrule.job(students, processes=2, copies=copies)
            yield Mode("Chainrule", "two processes", count * copies, many)

    def on_one(self, student: Student) -> Iterator[Mode]:
        """Each tool with one notebook."""
        for name, tool in (("nbgrader", self.nbgrader), ("otter", self.otter), ("Chainrule", self.chainrule)):
            yield Mode(name, "one process", 1, tool.job([student], seconds=LOOP_SECONDS))


def measure(
    modes: Sequence[Mode], homework: Homework, students: Sequence[Student], *, rounds: int, log: Path
) -> None:
    """Run every mode once a round, in turns, so that a busy minute slows all of them alike."""
    for number in range(rounds):
        for mode in modes:
            mode.taken.append(run(mode.job, log))
            if mode.tool != "bare fork":
                mode.unlike = differences(mode.job.scores(), homework, students)
            taken = mode.taken[-1]
            print(
                f"  round {number + 1}: {mode.tool}, {mode.how}, {mode.notebooks}: {taken.wall:.1f} s, "
                f"{taken.busy:.2f} cores busy, load before {taken.load:.1f}",
                flush=True,
            )


def differences(found: Scores, homework: Homework, students: Sequence[Student]) -> list[str]:
    """One line for each student whose checks did not get the points that they deserve."""
    lines = []
    for student in students:
        deserved, got = student.deserves(homework), found.get(student.name, {})
        wrong = [
            f"{check} {got.get(check, 0):g} for {points:g}"
            for check, points in deserved.items()
            if got.get(check, 0) != points
        ]
        if wrong:
            lines.append(f"{student.name}: {', '.join(wrong)}")
    return lines
