"""Batch normalisation of rows of features, forward and backward."""

import numpy as np


def normalize(X, gamma, beta, eps=1e-5):
    """Each column of X (N, D) with mean 0 and variance 1, times gamma (D,), plus beta (D,).

    The variance is that of the batch, divided by N; eps is added to it before the root.
    """
    # TODO: return an array (N, D); leave X as it is
    raise NotImplementedError("TODO: return an array (N, D); leave X as it is")


def normalize_backward(X, gamma, G, eps=1e-5):
    """The gradients of the loss with respect to X, gamma and beta, in this order.

    G (N, D) is the gradient with respect to normalize(X, gamma, beta, eps).
    """
    # TODO: the mean and the variance depend on X too
    raise NotImplementedError("TODO: the mean and the variance depend on X too")


class BatchNorm:
    """Normalises by the batch while it trains, and by running statistics afterwards."""

    def __init__(self, size, momentum=0.9, eps=1e-5):
        self.gamma, self.beta = np.ones(size), np.zeros(size)
        self.running_mean, self.running_var = np.zeros(size), np.ones(size)
        self.momentum, self.eps = momentum, eps

    def forward(self, X, training):
        """The normalised rows of X (N, D).

        While training, each running statistic becomes `momentum` times itself plus (1 - momentum) times the
        batch's. Otherwise the running statistics take the place of the batch's, and stay as they are.
        """
        # TODO: use normalize while training
        raise NotImplementedError("TODO: use normalize while training")
