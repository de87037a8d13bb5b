"""Convolution and max-pooling of pictures (N, C, H, W), forward and backward."""

import numpy as np


def convolve(X, W, b, stride=1, padding=0):
    """Each filter of W (F, C, K, L) laid over the pictures X (N, C, H, V), plus its bias b (F,).

    The pictures get `padding` zeros on all four sides. A filter is not turned over: its entries meet those
    of the picture in their order. Returns an array (N, F, height, width).
    """
    # TODO: return the array; leave X as it is
    raise NotImplementedError("TODO: return the array; leave X as it is")


def convolve_backward(X, W, G, stride=1, padding=0):
    """The gradients of the loss with respect to X, W and b, in this order.

    G (N, F, height, width) is the gradient with respect to convolve(X, W, b, stride, padding).
    """
    # TODO: each entry of the output passes its gradient back to the window it came from
    raise NotImplementedError("TODO: each entry of the output passes its gradient back to the window it came from")


def max_pool(X, size):
    """The largest entry of each square of size x size entries; the squares do not overlap.

    The sides of the pictures X (N, C, H, W) are multiples of `size`. Returns (N, C, H / size, W / size).
    """
    # TODO: return the array
    raise NotImplementedError("TODO: return the array")


def max_pool_backward(X, size, G):
    """The gradient of the loss with respect to X, from G, that with respect to max_pool(X, size)."""
    # TODO: only the largest entry of a square had a say
    raise NotImplementedError("TODO: only the largest entry of a square had a say")
