"""nbgrader, otter-grader and Chainrule grade the same notebooks in turns; prints Markdown."""

from __future__ import annotations

import argparse
import importlib.metadata
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import machine
from benchmarks.peers import environments, report
from benchmarks.peers.homework import LENGTHS, Student, load, students
from benchmarks.peers.measured import TOOLS, Tools, measure

TITLES = {
    "numpy": "Shortened cells without torch",
    "short": "Shortened cells",
    "long": "Cells that train for seconds",
}
COPIES = 10
"""A larger class for Chainrule has everybody so many times."""


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns of everything; medians are shown")
    parser.add_argument(
        "--quick", action="store_true", help="four notebooks once, to see that everything works"
    )
    parser.add_argument("--only", choices=[*LENGTHS, "loop"], help="one set alone")
    parser.add_argument("--tools", nargs="+", default=TOOLS, choices=TOOLS, help="[default: all]")
    given = parser.parse_args()
    everybody = students()
    ending = [student for student in everybody if not student.endless]
    rounds = 1 if given.quick else given.rounds
    print(f"{machine()}\n{versions()}\n", flush=True)
    for length in LENGTHS:
        if given.only in {None, length}:
            copies = 1 if given.quick or length == "long" else COPIES
            some = ending[::5] if given.quick else ending
            print(graded(length, some, tools=given.tools, rounds=rounds, copies=copies))
    if given.only == "loop" or not (given.only or given.quick):
        print(endless([student for student in everybody if student.endless]))


def versions() -> str:
    """What grades and what the notebooks import."""
    named = {
        name: importlib.metadata.version(name)
        for name in ("chainrule", "torch", "numpy", "matplotlib", "ipython")
    }
    ours = ", ".join(f"{name} {version}" for name, version in named.items())
    return f"{', '.join(environments.PEERS.values())}; {ours}; one thread a library".replace("==", " ")


def graded(length: str, some: Sequence[Student], *, tools: Sequence[str], rounds: int, copies: int) -> str:
    """The table of one set of notebooks."""
    with tempfile.TemporaryDirectory() as place:
        homework = load(length)
        every = Tools.at(Path(place), homework, some).modes(some, copies=copies)
        modes = [mode for mode in every if mode.tool in tools]
        measure(modes, homework, some, rounds=rounds, log=Path(place) / "log")
        return report.table(TITLES[length], modes, rounds=rounds)


def endless(some: Sequence[Student]) -> str:
    """What each tool does with a notebook that never ends."""
    with tempfile.TemporaryDirectory() as place:
        homework = load("short")
        modes = list(Tools.at(Path(place), homework, some).on_one(some[0]))
        measure(modes, homework, some, rounds=1, log=Path(place) / "log")
        return report.endless(modes)


if __name__ == "__main__":
    main()
