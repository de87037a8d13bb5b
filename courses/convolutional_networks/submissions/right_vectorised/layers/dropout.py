import numpy as np


def dropout(X, keep, rng, training):
    if not training:
        return X, np.ones_like(X)
    mask = rng.binomial(1, keep, size=X.shape).astype(np.float32)
    mask /= keep
    return X * mask, mask


def dropout_backward(G, mask):
    G *= mask
    return G
