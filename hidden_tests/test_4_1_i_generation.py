"""4.1.i.generation Before and after training: what the model writes."""

from grader import item, points

pytestmark = item("4.1.i.generation")


@points(1, hint="Run the cells of 4.1 from the top on the full text and hand them in with their outputs.")
def test_texts(transformer, student):
    """the text before training is the newborn model's, and that after it the trained model's"""
    transformer.assert_before_and_after(block=32, heads=4)
    transformer.assert_own_code_trains(student, block=32, heads=4)
