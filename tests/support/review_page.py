"""The marking page of a class, started as the command starts it, and a generated class for it."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.grading.assignment_folder import AssignmentFolder
from support.marked_class import add_class
from support.paths import ROOT

KINDS = ("right", "partly", "wrong", "empty", "copied", "other language")
LINKS = re.compile(r"^(\w+): (http\S+)$")

TEXTS: Mapping[str, Sequence[str]] = {
    "right": (
        "No. Small batches need **more updates** until they converge, and a step on {b} examples costs "
        "nearly as much as on one: $\\nabla F_B = \\frac{{1}}{{B}}\\sum_i \\nabla f_i$.",
        "Not necessarily: {b} examples are computed in parallel, so fewer of them hardly save time.",
        "It does not, because memory and processors handle {b} rows about as fast as one; see run {n}.",
    ),
    "partly": (
        "No, small batches were slower for me in run {n}.",
        "No. There are more updates, about {n} in my notebook.",
    ),
    "wrong": (
        "Yes, fewer examples are always faster, as run {n} shows.",
        "Yes: a batch of {b} takes less time to add up.",
    ),
    "copied": ("The gradient of a small batch is noisy, which helps to generalise.",),
    "other language": (
        "Nein, denn bei kleinen Batches braucht man mehr Schritte, etwa {n}.",
        "Нет: нужно больше обновлений, около {n}.",
        "不，批量小需要更多次更新（{n}次）。",
        "لا، لأن التحديثات أكثر ({n}).",
    ),
}


def hw3() -> AssignmentFolder:
    """The homework of this repository."""
    return assignment_folder.load(ROOT)


def generated(items: Sequence[str], students: int, *, seed: int = 1) -> dict[str, dict[str, str]]:
    """Answers of every kind, by student and item."""
    rng = random.Random(seed)  # noqa: S311  # a class, not a secret
    found: dict[str, dict[str, str]] = {}
    for number in range(students):
        own = {}
        for item in items:
            kind = rng.choices(KINDS, weights=(30, 20, 14, 16, 12, 8))[0]
            if kind != "empty":
                text = rng.choice(TEXTS[kind])
                own[item] = text.format(b=rng.choice((5, 50, 500)), n=rng.randint(2, 400))
        found[f"s{number:04}"] = own
    return found


class Links(dict[str, str]):
    """Each marker's link to a running page, and its process."""

    process: subprocess.Popen[str]


@contextmanager
def reviewing(db: str, *markers: str, options: Sequence[str] = (), home: Path = ROOT) -> Iterator[Links]:
    """`grade review` as a program; each marker's link."""
    names = [word for marker in markers for word in ("--by", marker)]
    command = [sys.executable, "-m", "grader.cli.main", "review", "--assignment", str(home), "--db", db]
    process = subprocess.Popen(
        [*command, *names, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
    )
    try:
        links, said = Links(), []
        links.process = process
        while len(links) < len(markers):
            line = process.stdout.readline() if process.stdout else ""
            said.append(line)
            assert line, "".join(said)
            if found := LINKS.match(line):
                links[found[1]] = found[2]
        yield links
    finally:
        process.terminate()
        process.communicate(timeout=30)


def class_in(
    db: str, folder: AssignmentFolder, answers: Mapping[str, Mapping[str, str]], **more: object
) -> dict[str, int]:
    """The class in a new gradebook; the submissions' rows by student."""
    with Gradebook.open(db) as book:
        return add_class(book, folder.assignment, answers, **more)  # type: ignore[arg-type]  # as given
