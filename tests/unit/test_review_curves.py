"""Recorded curves drawn again: runs side by side, bounded, whatever the numbers and names are."""

from __future__ import annotations

import re

from grader.review.curves import HEIGHT, MOST_CHARTS, MOST_LINES, MOST_POINTS, WIDTH, charts


def test_what_was_measured_in_several_runs_shares_a_chart() -> None:
    runs = {
        alpha: {"loss": [3.0, float(alpha)], "validation": [0.1, 0.2], "text": "x"} for alpha in ("0", "1")
    }
    loss, validation = charts({"runs": runs})
    assert (loss.title, [line.name for line in loss.lines]) == ("loss", ["0", "1"])
    assert (loss.low, loss.high, loss.length, loss.lines[1].last) == ("0", "3", 2, "1")
    assert loss.lines[0].pieces == ("0.0,0.0 640.0,220.0",)
    assert validation.title == "validation"


def test_curves_of_one_run_share_a_chart_if_they_are_as_long() -> None:
    found = charts({"train": [1, 2, 3], "test": [2, 3, 4], "steps": [1.5, 2.5], "n": 3, "odd": [1, "2"]})
    assert [[line.name for line in chart.lines] for chart in found] == [["train", "test"], ["steps"]]


def test_whatever_is_recorded_is_drawn_within_the_chart_or_not_at_all() -> None:
    nan, inf = float("nan"), float("inf")
    odd = {
        "gap": [1.0, nan, 2.0],
        "huge": [10**400, -inf, 1e308],
        "far": [-9e299, 9e299, 0.0],
        "flat": [5, 5, 5],
        "booleans": [True, False, True],
        "empty": [],
        "weights": [1.0, 2.0, 3.0],
        **{f"{k}<script>": [k, k + 1, k] for k in range(30)},
        **{f"n{k}": list(range(k + 10)) for k in range(20)},
        "long": [float(k) for k in range(150_000)],
    }
    found = charts(odd)
    assert len(found) == MOST_CHARTS
    assert found[0].more == 30 + 4 - MOST_LINES
    for line in (line for chart in (*found, *charts({"long": odd["long"]})) for line in chart.lines):
        for piece in line.pieces:
            points = [tuple(map(float, point.split(","))) for point in piece.split(" ")]
            assert re.fullmatch(r"[\d., ]+", piece)
            assert 1 < len(points) <= MOST_POINTS + 1
            assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
