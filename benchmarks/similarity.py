"""How fast a class's code is compared, in how much memory, and how many made copies are found.

    python -m benchmarks.similarity [--students 300 10000] [--folder DIR]

Classes are invented (tests/support/invented_code.py): notebooks with the course's cells, twelve functions
and outputs of 100 kB, 100 of them copies by the six transformations of tests/support/copied_code.py. DIR
holds real solutions of one assignment, a .py file or a folder of some for each person: what is listed there
is printed, and how many copies are found among them. Times are of the clock and of processors, reading and
all processes included.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.commands import ROOT
from benchmarks.measure import Figure, machine, show
from grader.course.locations import Locations
from grader.course.similarity.classwide import similar_code
from grader.course.similarity.code import Given, keys_of
from grader.course.similarity.pages import write_pages
from grader.course.similarity.pairs import LEAST, Class
from grader.digests import digest_of_file
from grader.gradebook.rows import NewSubmission
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.model.similarity import Similarity
from tests.support.copied_code import TRANSFORMATIONS, Pieces
from tests.support.invented_code import given, homework

COPIES = 100
OUTPUT = "0.123456789 " * 8_000
MANIFEST = """title = "Invented"
points = 1
notebook = "reference/hw.py"

[[item]]
id = "1"
title = "All"
points = 1
"""
BARS = {300: (5.0, 1000.0), 10_000: (60.0, 1000.0)}
"""Seconds and megabytes by the size of a class."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.similarity", description=__doc__)
    parser.add_argument("--students", type=int, nargs="*", default=[300])
    parser.add_argument("--folder", type=Path, help="real solutions")
    options = parser.parse_args()
    console = Console()
    console.print(f"[dim]{machine()}[/dim]")
    if options.folder:
        real(options.folder)
        return 0
    return show([*examples(), *(one for size in options.students for one in invented(size))], console)


def invented(size: int) -> list[Figure]:
    """A class of this size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference = "".join(f"# %%\n{text}\n\n" for text in given())
        (folder / "reference").mkdir()
        (folder / "assignment.toml").write_text(MANIFEST)
        (folder / "reference" / "hw.py").write_text(reference)
        files = {f"s{number}": folder / f"s{number}.ipynb" for number in range(size)}
        for number, path in enumerate(files.values()):
            path.write_text(notebook([*given(), *written(number, size)]))
        record, taken, wall, memory = compare(files, folder)
    found = {frozenset((one.left.student, one.right.student)) for one in record.pairs}
    made = {frozenset((f"s{number - size + COPIES}", f"s{number}")) for number in range(size - COPIES, size)}
    seconds, megabytes = BARS.get(size, (None, None))
    what = f"{size:,} students"
    return [
        Figure(
            f"{what}: all pairs, with pages", wall, "s", at_most=seconds, note=f"{taken:.1f} s of processors"
        ),
        Figure(f"{what}: memory of all processes", memory, "MB", at_most=megabytes, timed=False),
        Figure(f"{what}: copies found, of {COPIES}", len(found & made), "", at_least=99, timed=False),
        Figure(f"{what}: other pairs listed", len(found - made), "", at_most=2, timed=False),
    ]


def written(number: int, size: int) -> Pieces:
    """What a student wrote; the last ones copied from the first."""
    if number < size - COPIES:
        return homework(number)
    change = list(TRANSFORMATIONS.values())[number % len(TRANSFORMATIONS)]
    return change(homework(number - size + COPIES), random.Random(number))  # noqa: S311


def notebook(cells: Sequence[str]) -> str:
    """Its JSON, with outputs."""
    output = {"output_type": "stream", "name": "stdout", "text": OUTPUT}
    return json.dumps(
        {
            "cells": [
                {
                    "cell_type": "code",
                    "source": text,
                    "metadata": {},
                    "outputs": [output] if not place else [],
                }
                for place, text in enumerate(cells)
            ],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


def compare(files: dict[str, Path], folder: Path) -> tuple[Similarity, float, float, float]:
    """The record of a class, with its seconds of processors and of the clock, and megabytes at most."""
    home = assignment_folder.load(folder)
    with tempfile.TemporaryDirectory() as out, Gradebook.open(f"{out}/gradebook.sqlite") as gradebook:
        gradebook.add_submissions(
            NewSubmission(home.assignment.title, name, digest_of_file(path), name, str(path))
            for name, path in files.items()
        )
        start, used = time.perf_counter(), processor_seconds()
        record, codes = similar_code(gradebook, Locations(home, Path(out), ""))
        write_pages(record, codes, Path(out) / "similar")
        wall, taken = time.perf_counter() - start, processor_seconds() - used
    own, child = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    processes = (os.cpu_count() or 1) if len(files) >= 400 else 0
    return record, taken, wall, (own + processes * child) / 1000


def processor_seconds() -> float:
    """Of this process and those that it started."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def examples() -> list[Figure]:
    """Right solutions of HW3 that are written in different ways."""
    files = {path.parent.name: path for path in sorted((ROOT / "examples" / "styles").glob("*/hw3.ipynb"))}
    files["full_marks"] = ROOT / "examples" / "full_marks" / "hw3.ipynb"
    record, *_ = compare(files, ROOT)
    what = f"of {len(files)} right solutions in examples/, pairs listed"
    return [Figure(what, len(record.pairs), "", at_most=0, timed=False)]


def real(folder: Path) -> None:
    """What is listed among real solutions, and how many copies of them are found."""
    works = {
        path.name: [file.read_text(errors="replace") for file in (sorted(path.glob("*.py")) or [path])]
        for path in sorted(folder.iterdir())
    }
    course, names = Given.of([]), list(works)
    keys = [keys_of(course.shapes_of(texts)) for texts in works.values()]
    everyone = Class(keys, range(len(keys)))
    result = everyone.compared()
    print(f"{len(names)} people, line {result.line:.2f}, {result.expected:.2f} expected above it by chance")
    for pair in result.pairs:
        print(f"  {pair.share:.2f} ({pair.shared:.0f} rare shapes)  {names[pair.a]}  {names[pair.b]}")
    rng = random.Random(1)  # noqa: S311
    originals = [n for n in range(len(names)) if everyone.own[n] >= LEAST and parses(works[names[n]])]
    for name, change in TRANSFORMATIONS.items():
        shares = []
        for number in rng.sample(originals, min(17, len(originals))):
            copy = keys_of(course.shapes_of(change(works[names[number]], rng)))
            among = Class([*keys, copy], range(len(keys) + 1)).compared().pairs
            shares += [pair.share for pair in among if (pair.a, pair.b) == (number, len(keys))]
        print(f"{name}: {len(shares)} found, smallest share {min(shares, default=0):.2f}")


def parses(texts: Sequence[str]) -> bool:
    """Whether all of it is Python of today."""
    try:
        return all(isinstance(ast.parse(text), ast.Module) for text in texts)
    except (SyntaxError, ValueError):
        return False


if __name__ == "__main__":
    raise SystemExit(main())
