"""Batch normalisation of rows of features, forward and backward."""

import numpy as np


def normalize(X, gamma, beta, eps=1e-5):
    """Each column of X (N, D) with mean 0 and variance 1, times gamma (D,), plus beta (D,).

    The variance is that of the batch, divided by N; eps is added to it before the root.
    """
    # TODO: return an array (N, D); leave X as it is
    ### BEGIN SOLUTION
    return gamma * (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + eps) + beta
    ### END SOLUTION


def normalize_backward(X, gamma, G, eps=1e-5):
    """The gradients of the loss with respect to X, gamma and beta, in this order.

    G (N, D) is the gradient with respect to normalize(X, gamma, beta, eps).
    """
    # TODO: the mean and the variance depend on X too
    ### BEGIN SOLUTION
    deviation = np.sqrt(X.var(axis=0) + eps)
    normal = (X - X.mean(axis=0)) / deviation
    d_gamma, d_beta = (G * normal).sum(axis=0), G.sum(axis=0)
    d_X = gamma / deviation * (G - G.mean(axis=0) - normal * (G * normal).mean(axis=0))
    return d_X, d_gamma, d_beta
    ### END SOLUTION


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
        ### BEGIN SOLUTION
        if not training:
            scale = self.gamma / np.sqrt(self.running_var + self.eps)
            return scale * (X - self.running_mean) + self.beta
        kept = self.momentum
        self.running_mean = kept * self.running_mean + (1 - kept) * X.mean(axis=0)
        self.running_var = kept * self.running_var + (1 - kept) * X.var(axis=0)
        return normalize(X, self.gamma, self.beta, self.eps)
        ### END SOLUTION
