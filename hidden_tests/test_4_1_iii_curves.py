"""4.1.iii.curves Sequence length: curves and text with three block sizes."""

import run_ends

from grader import item, points

pytestmark = item("4.1.iii.curves")


@points(2, hint="Run the cells of 4.1 from the top on the full text and hand them in with their outputs.")
def test_block_sizes(transformer, student):
    """the recorded curves and texts are those of this code, each with its own block size"""
    transformer.assert_runs(student, run_ends.BLOCKS)
