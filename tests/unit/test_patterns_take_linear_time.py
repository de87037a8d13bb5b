"""No regular expression that student text reaches takes more than linear time over it.

Every named pattern of the package, of HW3's checks and of its public checks is found in the source, with the
ways in which it is used, and timed on lines made of its own parts, and on lines twice as long: only the
growth of the processor's time counts.
"""

from __future__ import annotations

import ast
import itertools
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.paths import ROOT

PACKAGES = ("grader",)
FOLDERS = ("hidden_tests", "reference/public_tests")
WAYS = ("search", "match", "fullmatch", "sub", "finditer", "findall", "split")
SHORT = 2_000  # characters; the long line has twice as many
NOISE = 2e-3  # seconds; a quadratic search of 4,000 characters takes more
TRIES = 5
GROWTH = 3.0  # of the time for twice the text: 2 where it is linear, 4 where it is quadratic


class Used(NamedTuple):
    """A pattern and one way in which its module uses it."""

    where: str
    pattern: re.Pattern[Any]
    way: str


def modules() -> Iterator[Path]:
    """The source files whose patterns see what students hand in."""
    for top in (*PACKAGES, *FOLDERS):
        yield from sorted((ROOT / top).rglob("*.py"))


def named_patterns(path: Path) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """The patterns that have a name at a module's top level."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("re.compile("):
            code = compile(ast.Expression(node.value), str(path), "eval")
            pattern = eval(code, {"re": re})  # noqa: S307  # our own source
            yield from ((target.id, pattern) for target in node.targets if isinstance(target, ast.Name))


def used_patterns() -> Iterator[Used]:
    """Every pattern with every way in which it is used, in its own module or in another."""
    texts = {path: path.read_text(encoding="utf-8") for path in modules()}
    ways = set(re.findall(rf"\b(\w+)\.({'|'.join(WAYS)})\b", "\n".join(texts.values())))
    for path in texts:
        for name, pattern in named_patterns(path):
            where = f"{path.relative_to(ROOT)}:{name}"
            yield from (Used(where, pattern, way) for way in WAYS if (name, way) in ways)


def pieces(pattern: str) -> list[str]:
    """Short texts that the parts of a pattern match, and what may stand between them."""
    literals = re.findall(r"[A-Za-z][A-Za-z ]+", re.sub(r"\?P<\w+>|\\.", " ", pattern))
    signs = sorted(set(re.sub(r"[A-Za-z0-9]", "", pattern)) - {"\n"})
    return list(
        dict.fromkeys([*literals[:12], *signs, " ", "\t", "\n", "a", "L", "1", "_", "-", ".", "\u00e9"])
    )


def lines(pattern: str) -> Iterator[str]:
    """Units that are repeated to make a line, alone and in pairs."""
    own = pieces(pattern)
    yield from own
    for first, second in itertools.permutations(own, 2):
        yield first + second


def seconds(call: Callable[[], object]) -> float:
    """The shortest of a few tries."""
    best = float("inf")
    for _ in range(TRIES):
        begin = time.process_time()
        call()
        best = min(best, time.process_time() - begin)
        if best < NOISE:
            break
    return best


def run(used: Used, text: str) -> object:
    """The pattern's work on a text, in the way it is used."""
    subject: str | bytes = text.encode() if isinstance(used.pattern.pattern, bytes) else text
    if used.way == "sub":
        return used.pattern.sub(lambda found: found[0], subject)
    found = getattr(used.pattern, used.way)(subject)
    return list(found) if used.way == "finditer" else found


def line_of(prefix: str, unit: str, size: int) -> str:
    """A line of about this size that no pattern ends on."""
    return prefix + (unit * (size // len(unit) + 1))[:size] + "\x00"


def growths(used: Used) -> Iterator[tuple[str, float, float]]:
    """The units on which twice the text takes clearly more than twice the time."""
    source = used.pattern.pattern
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    own = pieces(text)
    for unit in lines(text):
        for prefix in ("", *own[:12]) if len(unit) == 1 else ("",):
            short, long = (line_of(prefix, unit, size) for size in (SHORT, 2 * SHORT))
            slow = seconds(lambda text=long: run(used, text))
            if slow < NOISE:
                continue
            fast = seconds(lambda text=short: run(used, text))
            if slow / fast > GROWTH:
                yield prefix + unit, fast, slow


USED = list(used_patterns())


@pytest.mark.parametrize("used", USED, ids=lambda used: f"{used.where}.{used.way}")
def test_twice_the_text_takes_at_most_about_twice_the_time(used: Used) -> None:
    assert list(itertools.islice(growths(used), 3)) == []


def test_the_measurement_sees_a_quadratic_pattern_and_a_cubic_one() -> None:
    for pattern, way in ((r"[ _-]*copy$", "search"), (r"(\s*)(\s*)x", "match"), (r"^\s*import", "search")):
        assert any(growths(Used("here", re.compile(pattern, re.MULTILINE), way)))


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_pattern_has_a_name_so_that_it_is_measured(path: Path) -> None:
    """``re.compile`` inside a function is left to those who build a pattern from the manifest's words."""
    calls = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
    ]
    inline = {f"re.{way}" for way in WAYS}
    assert [ast.unparse(call) for call in calls if ast.unparse(call.func) in inline] == []
