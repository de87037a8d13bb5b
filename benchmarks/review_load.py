"""How soon `grade review` is ready and how fast it saves, with ten thousand answers in the gradebook.

    PYTHONPATH=tests python -m benchmarks.review_load [--marks 200] [--pause 0.25] [--postgres]

Makes a class with the nine written items of this homework, starts the page as a program, and saves marks over
HTTP, with a pause before each as short as the quickest person's. A save is answered with the next screen, so
its time is the sum of both; "next answer" is such a screen alone, here the longest: all empty answers.
Beside other work times say little; the processor time of the page's process does.
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from support.markers_at_work import Marker
from support.postgres import server
from support.review_page import class_in, generated, hw3, reviewing

from grader.gradebook.store import Gradebook
from grader.review.classroom import classroom

ITEM = "3.4.ii"
HOME = hw3()


def processor_seconds(process: int) -> float:
    """What a process has used so far, of the user's and the system's."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(db: str, students: int, marks: int, pause: float) -> dict[str, float]:
    """The figures, in seconds and milliseconds."""
    items = [item.id for item in HOME.assignment.of_kind("written")]
    class_in(db, HOME, generated(items, students))
    with Gradebook.open(db) as book:
        units = [unit.id for unit in classroom(book, HOME.assignment, only=[ITEM]).units[ITEM]]
    began = time.perf_counter()
    with reviewing(db, "ada") as links, closing(Marker("ada", links["ada"])) as ada:
        ada.screen(f"/mark?item={ITEM}")
        first = time.perf_counter() - began
        before, looks = processor_seconds(links.process.pid), []
        for _ in range(marks):
            looked = time.perf_counter()
            ada.screen(f"/mark?item={ITEM}")
            looks.append(time.perf_counter() - looked)
            ada.mark(ITEM, units, pause=pause)
        used = processor_seconds(links.process.pid) - before
    return {
        "answers": students * len(items),
        "first answer after, s": round(first, 2),
        "save, median ms": round(1e3 * float(np.median(ada.seconds)), 1),
        "save, p95 ms": round(1e3 * float(np.percentile(ada.seconds, 95)), 1),
        "next answer, p95 ms": round(1e3 * float(np.percentile(looks, 95)), 1),
        "processor time of two looks and a save, ms": round(1e3 * used / marks, 1),
    }


def main() -> None:
    """Print the figures."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("--students", type=int, default=1112)
    command.add_argument("--marks", type=int, default=200)
    command.add_argument("--pause", type=float, default=0.25, help="seconds before each save")
    command.add_argument("--postgres", action="store_true")
    options = command.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        db = stack.enter_context(server()).url() if options.postgres else f"{folder}/gradebook.sqlite"
        print(measure(db, options.students, options.marks, options.pause))


if __name__ == "__main__":
    main()
