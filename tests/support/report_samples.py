"""Realistic grades for the tests of the reports."""

from __future__ import annotations

import struct
import zlib

import msgspec

from grader.model.assignment import Limits
from grader.model.errors import Fault, Outcome
from grader.model.isolation import Mode
from grader.model.points import Points
from grader.model.records import (
    SCHEMA,
    CellResult,
    CellStatus,
    CheckResult,
    DoctorVerdict,
    Environment,
    Figure,
    Grade,
    ItemResult,
    SubmissionRecord,
    decided_points,
    earned_points,
    possible_points,
)

ITEMS = (
    ("3.1.1", "Linear layer", "code", 6),
    ("3.1.2", "ReLU", "code", 4),
    ("3.1.4", "Backward pass", "code", 4),
    ("3.1.5", "Gradient checker", "code", 4),
    ("3.2.3.i", "Does a smaller batch size guarantee faster training?", "written", 2),
    ("3.2.3.ii", "Which batch size needs the fewest epochs?", "written", 2),
    ("3.3.i", "Early stopping: the accuracies of 30 epochs", "evidence", 2),
    ("3.4.momentum", "SGD with momentum: the step", "code", 2),
    ("4.1.iii.curves", "Curves and text for three block sizes", "evidence", 2),
)

CHECKS = {
    "3.1.1": (
        "W and b start as small normal numbers",
        "forward returns X W + b",
        "backward gives all three gradients",
    ),
    "3.1.2": ("forward keeps what is positive", "backward passes the gradient where the input was positive"),
    "3.1.4": ("every layer receives its gradient", "the right input reaches each layer"),
    "3.1.5": ("the printed gradients agree", "parameters are left as they were found"),
    "3.4.momentum": ("the velocity is kept between steps",),
}

WRONG_GRADIENT = """\
gradient["W"]: shape (5, 3) and dtype float64 are as expected
15 of 15 entries differ by more than rtol=1e-06, atol=1e-09
worst entry [2, 1]: expected -1.8230461, got -0.26043516
likely cause: a factor 1/7: the gradient was divided by the batch size once more
(grad is already that of the mini-batch mean; no further division belongs here)"""

TRACEBACK = """\
Traceback (most recent call last):
  Cell 12, line 9, in backward_pass
    grad_h1 = model['L2'].backward(a1, grad_a2)
  Cell 8, line 21, in backward
    return grad @ self.params['w'].T
KeyError: 'w'"""

HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07<script>document.title='owned'</script>[bold red]markup[/bold red] [/] :boom: "
    "\u202eabc\u200b\x00<img src=x onerror=\"document.title='owned'\">'\"--></pre></style>{{ 7*7 }}"
)

PROSE = r"""Smaller batches need **fewer epochs** but more *time per epoch*: with $B = 5$ the best
epoch is 10, with $B = 500$ it is 39, because

$$ w_{t+1} = w_t - \frac{\eta}{B} \sum_{i=1}^{B} \nabla_w \ell_i(w_t) $$

| batch | best epoch | updates |
|------:|-----------:|--------:|
| 5     | 10         | 20,000  |
| 500   | 39         | 780     |

So the answer is *no*; see [my plot](https://example.org/plot.png)."""


def png(width: int = 8, height: int = 4, rows: bytes | None = None) -> bytes:
    """A real grey PNG, white unless ``rows`` are given."""
    raw = rows or (b"\0" + b"\xff" * width) * height

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    )


def make_check(item: str, title: str, worth: Points, **changes: object) -> CheckResult:
    """A passed check, or what the changes make of it."""
    facts: dict[str, object] = {
        "check": "test_" + "_".join(title.lower().split()[:3]),
        "title": title,
        "item": item,
        "outcome": Outcome.PASSED,
        "earned": worth,
        "possible": worth,
        "seconds": 0.0127,
    }
    return CheckResult(**(facts | changes))  # type: ignore[arg-type]  # spelled out by the callers


def failed(item: str, title: str, worth: Points, **changes: object) -> CheckResult:
    """A check that failed through the student's fault."""
    facts: dict[str, object] = {
        "outcome": Outcome.FAILED,
        "earned": Points(0),
        "fault": Fault.STUDENT,
        "message": "Is the gradient you receive already that of the mean?",
        "detail": WRONG_GRADIENT,
    }
    return make_check(item, title, worth, **(facts | changes))


def make_items(figure: bytes | None = None) -> tuple[ItemResult, ...]:
    """Full marks in code, written answers and evidence waiting."""
    pictures = (Figure(png=figure or png(), width=640, height=400, cell=31),)
    found = []
    for item, title, kind, points in ITEMS:
        titles = CHECKS.get(item, ())
        worth = Points(points * 100 // len(titles)) if titles else Points(0)
        checks = tuple(make_check(item, text, worth) for text in titles)
        decided = kind == "code"
        found.append(
            ItemResult(
                item=item,
                title=title,
                kind=kind,
                earned=Points.of(points if decided else 0),
                possible=Points.of(points),
                decided=decided,
                checks=checks,
                answer=PROSE if kind == "written" else "",
                figures=pictures if kind == "evidence" else (),
                waits_for=""
                if decided
                else "a person marks the answer"
                if kind == "written"
                else "a person looks",
            )
        )
    return tuple(found)


def make_grade(items: tuple[ItemResult, ...] | None = None, **changes: object) -> Grade:
    """A grade of these items (by default the full marks); sums are right unless changed."""
    items = make_items() if items is None else items
    facts: dict[str, object] = {
        "schema": SCHEMA,
        "assignment": "HW3: neural networks",
        "assignment_sha256": "5d" * 32,
        "submission": SubmissionRecord(
            name="hw3_morning_section.ipynb", sha256="a7" * 32, kind="notebook", bytes=184_320
        ),
        "mode": "hidden",
        "seed": 20_240_301,
        "graded_at": "2024-03-01T09:30:00Z",
        "seconds": 14.237,
        "environment": Environment(
            grader="0.1.0",
            python="3.11.2",
            platform="Linux 6.1 x86_64",
            isolation=Mode.NS_USER,
            packages={"numpy": "2.1.0", "torch": "2.13.0"},
            doctor=DoctorVerdict(kept=21, tried=21, broken=(), tried_on="2024-02-29"),
        ),
        "limits": Limits(),
        "budget": {"EPOCHS": 1, "MAX_ITERS": 50},
        "earned": earned_points(items),
        "possible": possible_points(items),
        "decided": decided_points(items),
        "items": items,
        "cells": tuple(
            CellResult(cell=number, status=CellStatus.OK, seconds=0.01) for number in range(1, 40)
        ),
    }
    return Grade(**(facts | changes))  # type: ignore[arg-type]  # spelled out by the callers


def with_checks(
    items: tuple[ItemResult, ...], item: str, *checks: CheckResult, **changes: object
) -> tuple[ItemResult, ...]:
    """The same items, one of them with these checks instead."""
    earned = Points(sum(check.earned.hundredths for check in checks))
    facts = {"checks": checks, "earned": earned} | changes
    return tuple(msgspec.structs.replace(each, **facts) if each.item == item else each for each in items)


def mixed(figure: bytes | None = None) -> Grade:
    """Failures of every kind, hostile text, an author's error and a cell that loops."""
    one, two = Points.of(1), Points.of(2)
    items = make_items(figure)
    first, second, third = CHECKS["3.1.1"]
    items = with_checks(
        items,
        "3.1.1",
        make_check("3.1.1", first, two),
        make_check("3.1.1", second, two, printed="forward got (7, 5)\n" * 3),
        failed("3.1.1", third, two),
    )
    items = with_checks(
        items,
        "3.1.2",
        failed(
            "3.1.2",
            CHECKS["3.1.2"][0],
            two,
            outcome=Outcome.TIMED_OUT,
            detail="no answer within 10 s",
            message="",
        ),
        failed("3.1.2", CHECKS["3.1.2"][1], two, detail=HOSTILE, message=HOSTILE, printed=HOSTILE),
    )
    items = with_checks(
        items,
        "3.1.4",
        failed(
            "3.1.4",
            CHECKS["3.1.4"][0],
            two,
            outcome=Outcome.ERRORED,
            detail=TRACEBACK,
            message="KeyError: 'w'",
        ),
        make_check("3.1.4", CHECKS["3.1.4"][1], two),
    )
    items = with_checks(
        items,
        "3.1.5",
        make_check("3.1.5", CHECKS["3.1.5"][0], two),
        failed(
            "3.1.5",
            CHECKS["3.1.5"][1],
            two,
            outcome=Outcome.ERRORED,
            fault=Fault.AUTHOR,
            message="",
            detail="TypeError: unsupported operand type(s) for -: 'NoneType' and 'float'\n  line 31",
        ),
        decided=False,
        waits_for="the author of the check: it failed through its own error",
    )
    items = with_checks(
        items, "3.2.3.ii", found=False, answer="", waits_for="a person decides: nothing was found"
    )
    items = with_checks(items, "3.2.3.i", answer=PROSE + "\n\n" + HOSTILE)
    items = with_checks(
        items,
        "3.4.momentum",
        failed("3.4.momentum", CHECKS["3.4.momentum"][0], two, earned=one, detail="half of it"),
    )
    ran = [CellResult(cell=number, status=CellStatus.OK) for number in range(1, 11)]
    return make_grade(
        items,
        cells=(
            *ran,
            CellResult(
                cell=12,
                status=CellStatus.RAISED,
                seconds=0.2,
                first_line="loss = backward_pass(model, x, a1, h1, a2, y)",
                error="KeyError: 'w'",
                traceback=TRACEBACK,
            ),
            CellResult(
                cell=17,
                status=CellStatus.TIMED_OUT,
                seconds=30.0,
                first_line="while True:",
                error="no end after 30 s",
            ),
            CellResult(
                cell=18, status=CellStatus.CRASHED, first_line=HOSTILE, error=HOSTILE, traceback=HOSTILE
            ),
        ),
        notices=(
            "The kernel name 'conda-env-ml' is not known here; Python 3.11 ran the notebook instead.",
            "Cell 2 asked for `!pip install torch`: nothing is installed while grading.",
        ),
        attention=("3.1.5: the check test_parameters_are_left failed through its own error (author).",),
    )


def nothing_runs() -> Grade:
    """A notebook of which no function exists."""
    items = make_items()
    for item, titles in CHECKS.items():
        worth = next(Points(points * 100 // len(titles)) for each, _, _, points in ITEMS if each == item)
        text = f"the notebook defines no such name\nNameError: name {item!r} is not defined"
        checks = [
            failed(item, title, worth, outcome=Outcome.ERRORED, detail=text, message="") for title in titles
        ]
        items = with_checks(items, item, *checks)
    for item in ("3.2.3.i", "3.2.3.ii", "3.3.i", "4.1.iii.curves"):
        items = with_checks(items, item, found=False, answer="", figures=())
    cells = tuple(
        CellResult(
            cell=n,
            status=CellStatus.RAISED,
            first_line=f"import numpi as np  # {n}",
            error="SyntaxError: invalid syntax",
        )
        for n in (1, 2, 5)
    )
    return make_grade(items, cells=cells)


def public_run() -> Grade:
    """A student's own run of the public tests, which award nothing."""
    none = Points(0)
    items = tuple(item for item in make_items() if item.kind == "code")
    for item, titles in CHECKS.items():
        items = with_checks(
            items,
            item,
            *(make_check(item, title, none, visibility="public") for title in titles),
            possible=none,
        )
    passing, failing = CHECKS["3.1.2"]
    items = with_checks(
        items,
        "3.1.2",
        make_check("3.1.2", passing, none, visibility="public"),
        failed("3.1.2", failing, none, message=WRONG_GRADIENT, visibility="public"),
    )
    return make_grade(items, mode="public")


def with_verdict(doctor: DoctorVerdict | None, *, isolation: Mode = Mode.NS_USER) -> Grade:
    """Graded in this mode, on a machine of which doctor said this."""
    grade = make_grade()
    changed = msgspec.structs.replace(grade.environment, isolation=isolation, doctor=doctor)
    return msgspec.structs.replace(grade, environment=changed)


def unconfined() -> Grade:
    """Graded without isolation."""
    return make_grade(
        environment=Environment(
            grader="0.1.0", python="3.11.2", platform="macOS 14 arm64", isolation=Mode.NONE
        )
    )


def everywhere(text: str) -> Grade:
    """The mixed grade with this text in every field that holds free text."""
    tree = msgspec.to_builtins(mixed(), enc_hook=str, builtin_types=(bytes,))
    closed = {"outcome", "fault", "kind", "mode", "isolation", "status", "visibility", "schema"}

    def fill(node: object, key: str = "") -> object:
        if isinstance(node, dict):
            return {name: fill(each, str(name)) for name, each in node.items()}
        if isinstance(node, (list, tuple)):
            return [fill(each, key) for each in node]
        return (
            text if isinstance(node, str) and key not in closed | {"earned", "possible", "decided"} else node
        )

    def points(kind: type, value: object) -> object:
        return Points.of(str(value))

    return msgspec.convert(fill(tree), Grade, dec_hook=points, builtin_types=(bytes,))
