"""Dropout that leaves nothing to do at test time."""

import numpy as np


def dropout(X, keep, rng, training):
    """X with random entries set to 0, and the mask that X was multiplied with.

    Each entry is kept with the probability `keep` and then divided by it. `rng` is a numpy Generator, the
    only source of chance. Outside training X comes back as it is, with a mask of ones.
    """
    # TODO: return two arrays of X's shape: the output and the mask
    raise NotImplementedError("TODO: return two arrays of X's shape: the output and the mask")


def dropout_backward(G, mask):
    """The gradient of the loss with respect to X, from that with respect to the output."""
    # TODO: return an array of G's shape
    raise NotImplementedError("TODO: return an array of G's shape")
