"""4.1.ii Loss curve: training and validation loss of the transformer."""

from grader import item, points

pytestmark = item("4.1.ii")


@points(1, hint="Run the cells of 4.1 from the top on the full text and hand them in with their outputs.")
def test_loss_curve(transformer, student):
    """the recorded curve is that of this code"""
    transformer.assert_curves((), block=32, heads=4, key=("4.1.ii",))
    transformer.assert_own_code_trains(student, block=32, heads=4)
