"""4.1.iv.curves Number of heads: curves and text with three numbers of heads."""

import run_ends

from grader import item, points

pytestmark = item("4.1.iv.curves")


@points(2, hint="Run the cells of 4.1 from the top on the full text and hand them in with their outputs.")
def test_heads(transformer, student):
    """the recorded curves and texts are those of this code, each with its own number of heads"""
    transformer.assert_runs(student, run_ends.HEADS)
