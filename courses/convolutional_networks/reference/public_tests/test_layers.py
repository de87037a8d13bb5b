"""Small numbers that can be worked out by hand."""

import numpy as np

from grader import assert_close, item


@item("1.1")
def test_two_rows(student):
    """two rows become -1 and 1, nearly"""
    found = student.module("layers.batch_norm").normalize(
        np.array([[1.0, 0.0], [3.0, 8.0]]), np.ones(2), np.zeros(2)
    )
    assert_close(found, [[-1.0, -1.0], [1.0, 1.0]], rtol=1e-4, name="normalize([[1, 0], [3, 8]], 1, 0)")


@item("2.1")
def test_one_size(student):
    """a filter of 3 over 7 entries has 5 places"""
    assert_close(student.output_size(7, 3, 1, 0), 5, name="output_size(7, 3, 1, 0)")


@item("2.2")
def test_small_picture(student):
    """a filter of 1 x 2 entries over one row"""
    found = student.module("layers.convolution").convolve(
        np.array([[[[1.0, 2.0, 4.0]]]]), np.array([[[[10.0, 1.0]]]]), np.array([0.5])
    )
    assert_close(found, [[[[12.5, 24.5]]]], name="convolve([1, 2, 4], [10, 1], 0.5)")


@item("3.1")
def test_one_square(student):
    """a single square"""
    found = student.module("layers.convolution").max_pool(np.array([[[[1.0, -2.0], [5.0, 3.0]]]]), 2)
    assert_close(found, [[[[5.0]]]], name="max_pool(X, 2)")


@item("4.1")
def test_without_training(student):
    """outside training nothing is dropped"""
    rng = student.module("numpy").random.default_rng(0)
    out, mask = student.module("layers.dropout").dropout(np.array([[1.0, 2.0]]), 0.5, rng, False)
    assert_close(out, [[1.0, 2.0]], name="the output")
    assert_close(mask, [[1.0, 1.0]], name="the mask")


@item("5.1")
def test_equal_scores(student):
    """with equal scores the loss is the logarithm of the number of classes"""
    loss, _ = student.softmax_loss(np.zeros((2, 4)), np.array([0, 3]))
    assert_close(loss, np.log(4), name="the loss")
