"""How many wrong arrays are answered with the right formula, how often a name is false, and what it costs.

python -m benchmarks.naming [--quick]

A formula is right if it is found with three seeds: it then gives the student's array on three sets of random
inputs of the check, and on the probes.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.commands import ROOT
from benchmarks.forum_mistakes import MISTAKES
from benchmarks.measure import machine
from benchmarks.wrong_answers import examples, mutants
from grader.checks import closeness
from grader.checks.arrays import Array
from grader.checks.diagnosis import Cause
from grader.checks.formulas import Answer, Ask, Formulas, Named, WrongArray, formula_of
from grader.checks.mistakes import mistake_of
from grader.grading import naming
from grader.grading.check_plugin import CheckPlugin
from grader.grading.pytest_run import run_checks
from grader.model.errors import CheckFailed
from grader.model.records import CheckResult
from grader.session.in_process import LocalNotebook

SEEDS = (1, 2, 3)
RANDOM = 1_000
PARTS = ("costs", "false names", "forums", "homework")
VOCABULARIES = {
    "3.1.1 linear layer": Formulas(X="N D", W="D K", b="1 K", G="N K"),
    "3.1.2 relu": Formulas(X="...", G="...", using="relu"),
    "3.1.4 backward pass": Formulas(
        x="N D",
        a1="N H",
        h1="N H",
        a2="N K",
        from_loss="N K",
        from_L2="N H",
        from_nonlinear1="N H",
        using="relu",
    ),
    "3.4 momentum": Formulas(w="...", v="...", g="...", rate="", alpha=""),
    "softmax and its loss": Formulas(Z="N K", P="N K positive", Y="N K one-hot", using="softmax log exp"),
    "logistic regression": Formulas(X="N D", w="D", y="N", using="sigmoid"),
    "one attention head": Formulas(q="T H", k="T H", v="T H", using="softmax causal"),
}


@dataclass
class Looked:
    """What became of wrong arrays: by check, the formula found (or "") for each seed."""

    found: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    milliseconds: list[float] = field(default_factory=list)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.naming", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the mistakes and of the false names")
    parser.add_argument("--missed", action="store_true", help="list the wrong arrays without a name")
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    options = parser.parse_args()
    parts = (options.only,) if options.only else PARTS
    print(f"{machine()}; processor time\n")
    if "costs" in parts:
        costs()
    if "false names" in parts:
        false_names(RANDOM // 10 if options.quick else RANDOM)
    if "forums" in parts:
        forums()
    if "homework" not in parts:
        return
    for title, sources in (("mutants of the reference", mutants()), ("examples", examples())):
        step = 10 if options.quick else 1
        homework(title, list(sources)[::step], show_missed=options.missed)


def costs() -> None:
    """What the tables cost."""
    print("vocabulary | formulas | seconds | MB kept | MB at most")
    for title, formulas in VOCABULARIES.items():
        start = time.process_time()
        table = formulas.table
        seconds = time.process_time() - start
        tracemalloc.start()
        kept = Formulas(
            **{name: " ".join((*spec.axes, spec.kind)) for name, spec in formulas.specs.items()},
            using=" ".join(formulas.using),
        ).table
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"{title} | {len(table):,} | {seconds:.1f} | {kept.bytes / 1e6:.1f} | {peak / 1e6:.0f}")


# -- false names -----------------------------------------------------------------------------------------


def false_names(count: int) -> None:
    """Arrays that are no formula: how many are named, where the function is asked again and where not."""
    print(f"\nfalse names of {count:,} | asked again | not asked | ms | ms not asked")
    for title, formulas in VOCABULARIES.items():
        for kind in ("random", "near"):
            named, took = Counter[bool](), {True: 0.0, False: 0.0}
            for values, inputs in no_formulas(formulas, kind, count):
                for asks in (True, False):
                    start = time.process_time()
                    ask = answering(values, formulas) if asks else nobody
                    named[asks] += formula_of(values[2], inputs, ask) is not None
                    took[asks] += 1e3 * (time.process_time() - start) / count
            print(f"{title}, {kind} | {named[True]} | {named[False]} | {took[True]:.2f} | {took[False]:.2f}")


def answering(values: list[Array], formulas: Formulas) -> Ask:
    """A function that gives these values on the probes."""
    return lambda number: Answer(values[number], frozenset(formulas.specs))


def nobody(_: int) -> None:
    """A function that cannot be called again."""


def no_formulas(formulas: Formulas, kind: str, count: int) -> Iterator[tuple[list[Array], Named]]:
    """Values on both probes and on a check's inputs that no formula gives: normal ones, and 0.1 % off one."""
    rng = np.random.default_rng(5)
    numbers = rng.integers(len(formulas.table), size=4 * count)
    made = 0
    for number in numbers:
        inputs = own_inputs(formulas, rng)
        formula = formulas.table.formula(int(number))
        try:
            values = [np.asarray(formula.value(probe)) for probe in (*formulas.probes, inputs.values)]
        except ValueError:
            continue
        if not all(np.isfinite(value).all() for value in values) or made == count:
            continue
        made += 1
        yield [off(value, kind, rng) for value in values], inputs


def off(value: Array, kind: str, rng: np.random.Generator) -> Array:
    """Normal numbers, or values with 0.1 % of noise."""
    if kind == "random":
        return np.asarray(rng.normal(0, value.std() + 1e-3, value.shape))
    return np.asarray(value * (1 + 1e-3 * rng.normal(size=value.shape)))


def own_inputs(formulas: Formulas, rng: np.random.Generator) -> Named:
    """Inputs as a check draws them."""
    sizes = dict(zip(formulas.axes, (7, 5, 3, 4, 2), strict=False))
    return formulas(**{name: spec.drawn(1, sizes, rng) for name, spec in formulas.specs.items()})


def forums() -> None:
    """How many mistakes from other courses are named."""
    rng, found = np.random.default_rng(3), 0
    for formulas, title, function in MISTAKES:
        inputs = own_inputs(formulas, rng)
        values = [np.asarray(function(**probe_of(formulas, number))) for number in (0, 1)]
        wrong = np.asarray(function(**inputs.arrays))
        formula = formula_of(wrong, inputs, answering(values, formulas))
        found += formula is not None
        print(f"{title}: {formula or 'no name'}")
    print(f"\nmistakes from other courses: {found} of {len(MISTAKES)} named")


def probe_of(formulas: Formulas, number: int) -> dict[str, Array]:
    """The arrays of a probe, without the lengths of axes."""
    return {name: formulas.probes[number][name] for name in formulas.specs}


# -- the homework ----------------------------------------------------------------------------------------


def homework(title: str, sources: list[tuple[str, str, Collection[str]]], *, show_missed: bool) -> None:
    """How many wrong arrays of HW3's checks are named, and how long that takes."""
    by_formula = by_words = wrong = changing = 0
    milliseconds: list[float] = []
    kinds = Counter[str]()
    for change, source, only in sources:
        looked, words = Looked(), defaultdict(list)
        for seed in SEEDS:
            for result in graded(source, seed, looked, only):
                words[result.title].append(result.mistake)
        milliseconds += looked.milliseconds
        for check, formulas in looked.found.items():
            if len(formulas) < len(SEEDS):
                continue  # random draws: right with another seed
            wrong += 1
            is_named = len(set(formulas)) == 1 and formulas[0] != ""
            by_formula += is_named
            changing += not is_named and len(set(formulas) - {""}) > 1
            said = words[check][0] if len(set(words[check])) == 1 else ""
            is_said = said not in ("", naming.UNNAMED)
            by_words += is_named or is_said
            kinds[said or "no name"] += 1
            if show_missed and not is_named:
                print("  ", change, "|", check, "|", formulas, "|", words[check])
    print(f"\n{title}: {len(sources)}, wrong arrays in their checks: {wrong}")
    print(f"named with the formula: {by_formula} ({by_formula / max(1, wrong):.0%})")
    print(f"other formulas with other seeds: {changing}")
    print(f"named with the formula or in the same words: {by_words} ({by_words / max(1, wrong):.0%})")
    took = np.sort(milliseconds)
    print(f"ms: median {np.median(took):.1f}, 95 % {took[int(0.95 * len(took))]:.1f}, most {took[-1]:.1f}")
    for kind, count in kinds.most_common():
        print(f"  {count:4} {kind}")


def graded(source: str, seed: int, looked: Looked, only: Collection[str]) -> list[CheckResult]:
    """The failed checks of a source; every wrong array is looked up, also where a suspect fits."""

    def look_up(error: object, session: object) -> None:
        wrong = getattr(error, "wrong", None)
        is_plain = isinstance(wrong, WrongArray) and wrong in plain
        start = time.process_time()
        if isinstance(wrong, WrongArray):
            ask = naming.Repetition(wrong, session).ask  # type: ignore[arg-type]
            formula = formula_of(wrong.answer, wrong.named, ask)
            if formula is not None and not is_plain:
                error.mistake = mistake_of(formula, wrong.named, wrong.expected) or error.mistake  # type: ignore[attr-defined]
            looked.milliseconds.append(1e3 * (time.process_time() - start))
            looked.found[check()].append(str(formula or ""))

    plain: list[WrongArray] = []

    def failure(facts: str, cause: Cause, **rest: Any) -> CheckFailed:
        made = original(facts, Cause(cause.words, cause.mistake), **rest)
        if cause.is_plain and isinstance(made.wrong, WrongArray):
            plain.append(made.wrong)
        return made

    original = closeness.failure
    names: dict[str, object] = {"__name__": "submission", "np": np}
    exec(source, names)  # noqa: S102  # our own text and examples
    running: list[str] = []
    plugin = CheckPlugin(
        LocalNotebook(names),
        seed=seed,
        seconds=5,
        hidden=True,
        only=only,
        on_check=lambda *about: running.append(about[2]),
    )

    def check() -> str:
        return running[-1]

    with (
        mock.patch.object(closeness, "failure", failure),
        mock.patch("grader.checks.gradients.failure", failure),
        mock.patch("grader.grading.check_plugin.look_up", look_up),
    ):
        run_checks(ROOT / "hidden_tests", plugin)
    return [result for result in plugin.results if result.fault is not None]


if __name__ == "__main__":
    main()
