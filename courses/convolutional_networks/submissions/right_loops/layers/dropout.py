import numpy as np


def dropout(X, keep, rng, training):
    mask = np.ones(X.shape)
    if training:
        for place in np.ndindex(*X.shape):
            mask[place] = 0 if rng.uniform() > keep else 1 / keep
    return mask * X, mask


def dropout_backward(G, mask):
    return [[g * m for g, m in zip(*rows)] for rows in zip(G, mask)]
