"""How many actions of a marker the order of `grade review` saves, on answers with known marks.

    python -m benchmarks.review_order ANSWERS.tsv [--draws 5]

ANSWERS.tsv has the columns student, question, answer and three judges' marks (0, 1, -1 for none), as the
Powergrading corpus 1.0 (Basu, Jacobs and Vanderwende, TACL 2013); it is not part of this project. Truth is
what two of three judges say. Printed for each size of class: actions until at most 1 % of the answers would
be wrong, how often the stated bound holds, and what is wrong in all questions together if every mark goes to
the question whose stated bound is largest, as the page's list of items shows it.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from grader.review.similar import FIRST, Texts
from grader.review.wording import plain

SIZES = (40, 100, 300, 0)
ENOUGH = 0.01
LOOKS = (10, 15, 20, 25, 30, 40, 50, 80)
"""Actions after which the share that is wrong is printed."""
Answers = list[tuple[str, str, bool]]


def read(path: Path) -> dict[str, Answers]:
    """Student, answer and whether it is right, by question."""
    found: dict[str, Answers] = defaultdict(list)
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n")[1:]:
        fields = line.split("\t")
        if len(fields) >= 6 and min(judges := [int(field) for field in fields[3:6]]) >= 0:
            found[fields[1]].append((fields[0], fields[2], sum(judges) >= 2))
    return found


def counted(answers: Answers) -> tuple[dict[str, int], dict[str, bool]]:
    """How many wrote each text, and whether most of them are right."""
    marks: dict[str, list[bool]] = defaultdict(list)
    for _, text, right in answers:
        marks[plain(text)].append(right)
    counts = {text: len(own) for text, own in marks.items()}
    return counts, {text: sum(own) * 2 >= len(own) for text, own in marks.items()}


def play(answers: Answers) -> list[tuple[float, float]]:
    """After each action of a marker: the share that would be wrong, and the share that is stated."""
    counts, truth = counted(answers)
    texts = Texts({text: text for text in counts}, counts)
    marked: dict[str, frozenset[int]] = {}
    found = []
    order = sorted(counts, key=lambda text: -counts[text])
    while len(marked) < len(order):
        forecast = texts.forecast(marked, [1])
        left = [text for text in order if text not in marked]
        if forecast is not None:
            guessed = {text: truth[text] if text in marked else 1 in forecast.likely(text) for text in order}
            wrong = sum(counts[text] for text in order if guessed[text] != truth[text])
            found.append((wrong / len(answers), forecast.wrong))
            left.sort(key=lambda text: -forecast.tells[text])
        marked[left[0]] = frozenset({1} if truth[left[0]] else ())
    return [*found, (0.0, 0.0)]


def groups(answers: Answers) -> list[bool]:
    """Whether the bound of each group holds that could be confirmed after some actions of a marker."""
    counts, truth = counted(answers)
    texts = Texts({text: text for text in counts}, counts)
    marked: dict[str, frozenset[int]] = {}
    held = []
    for actions in range(max(LOOKS) + 1):
        forecast = texts.forecast(marked, [1])
        left = sorted((text for text in counts if text not in marked), key=lambda text: -counts[text])
        if not left:
            break
        if forecast is not None:
            for lines in (frozenset({1}), frozenset[int]()) if actions in LOOKS else ():
                own = {text: counts[text] for text in left if forecast.likely(text) == lines}
                if len(own) > 1:
                    wrong = sum(number for text, number in own.items() if truth[text] != (1 in lines))
                    held.append(wrong <= forecast.wrong_among(own) * sum(own.values()))
            left.sort(key=lambda text: -forecast.tells[text])
        marked[left[0]] = frozenset({1} if truth[left[0]] else ())
    return held


def guided(paths: Sequence[list[tuple[float, float]]]) -> dict[str, float]:
    """Percent wrong in all questions of a class after so many marks a question on average.

    Each question gets ten marks, every further one goes where the stated bound is largest.
    """
    at = [min(10 - FIRST, len(path) - 1) for path in paths]
    found = {}
    while any(at[one] < len(path) - 1 for one, path in enumerate(paths)):
        stated = [path[at[one]][1] if at[one] < len(path) - 1 else -1 for one, path in enumerate(paths)]
        at[int(np.argmax(stated))] += 1
        actions = sum(at) / len(paths) + FIRST
        if actions in LOOKS:
            wrong = [path[place][0] for path, place in zip(paths, at, strict=True)]
            found[str(int(actions))] = 100 * float(np.mean(wrong))
    return found


def of_size(data: dict[str, Answers], size: int, draws: int) -> dict[str, object]:
    """The figures for classes of one size; 0 is everybody."""
    rng = np.random.default_rng(size)
    students = sorted({student for answers in data.values() for student, _, _ in answers})
    needed, held, worst, distinct, left, confirmed, together = [], [], [], [], [], [], []
    for _ in range(draws):
        chosen = set(rng.choice(students, size, replace=False)) if size else set(students)
        paths = []
        for answers in data.values():
            own = [one for one in answers if one[0] in chosen]
            path = play(own)
            paths.append(path)
            confirmed += groups(own)
            distinct.append(len({plain(text) for _, text, _ in own}))
            last = max((at for at, (wrong, _) in enumerate(path) if wrong > ENOUGH), default=-1)
            needed.append(min(FIRST + last + 1, distinct[-1]))
            left.append([path[min(actions - FIRST, len(path) - 1)][0] for actions in LOOKS])
            after = path[10 - FIRST :]
            held.append(all(stated >= wrong for wrong, stated in after[:1]))
            worst.append(max((wrong - stated for wrong, stated in after), default=0.0))
        together.append(guided(paths))
    return {
        "class": size or len(students),
        "distinct texts, median": float(np.median(distinct)),
        "actions until at most 1 % is wrong for good, median": float(np.median(needed)),
        "mean": round(float(np.mean(needed)), 1),
        "percent wrong, mean": {
            str(actions): round(100 * float(share), 2)
            for actions, share in zip(LOOKS, np.mean(left, axis=0), strict=True)
        },
        "percent wrong where each mark goes to the largest bound": {
            looked: round(float(np.mean([one[looked] for one in together])), 2)
            for looked in map(str, LOOKS)
            if all(looked in one for one in together)
        },
        "bound holds after ten actions, percent": round(100 * float(np.mean(held)), 1),
        "groups": len(confirmed),
        "a group's bound holds, percent": round(100 * float(np.mean(confirmed)), 1),
        "worst excess over the bound at any time after": round(max(worst), 3),
    }


def main() -> None:
    """Print the figures."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("answers", type=Path)
    command.add_argument("--draws", type=int, default=3)
    options = command.parse_args()
    data = read(options.answers)
    for size in SIZES:
        print(json.dumps(of_size(data, size, options.draws if size else 1)), flush=True)


if __name__ == "__main__":
    main()
