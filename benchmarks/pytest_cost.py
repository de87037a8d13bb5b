"""What running checks through pytest costs over calling the same test functions directly."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.measure import Figure, side_by_side
from grader.grading.check_plugin import CheckPlugin
from grader.grading.pytest_run import run_checks
from grader.session.in_process import LocalNotebook

CHECKS = 25
FILE = """
from grader import item, points
pytestmark = item("1")
"""
TEST = '''
@points(1)
def test_{number}(student, rng):
    """trivial {number}"""
    assert student.add({number}, 1) == {number} + 1
'''


def cost(*, times: int) -> list[Figure]:
    """25 trivial checks through pytest in a warm process, against the same 25 calls in a loop."""
    names = {"add": lambda a, b: a + b}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "test_trivial.py").write_text(FILE + "".join(TEST.format(number=n) for n in range(CHECKS)))

        def through_pytest() -> None:
            plugin = CheckPlugin(LocalNotebook(dict(names)), seed=1, seconds=10, hidden=True)
            run_checks(folder, plugin)
            if len(plugin.results) != CHECKS or any(result.fault for result in plugin.results):
                raise RuntimeError("the trivial checks did not pass")

        def by_hand() -> None:
            notebook = LocalNotebook(dict(names))
            for number in range(CHECKS):
                with notebook.copy(seed=number, seconds=10) as session:
                    assert session.student.add(number, 1) == number + 1

        through_pytest()
        by_pytest, direct = side_by_side([through_pytest, by_hand], times=times)
    return [
        Figure(f"{CHECKS} trivial checks called in a loop", 1e3 * direct, "ms", note=f"median of {times}"),
        Figure(
            "... pytest's cost over that",
            1e3 * (by_pytest - direct),
            "ms",
            at_most=60,
            note=f"median of {times}",
        ),
    ]
